// Recorded residuals against the tensor programs, for every term of every shipped problem.
#include "problems/term_program.h"

#include <gtest/gtest.h>

#include "physics/error.h"
#include "physics/random.h"
#include "problems/builder.h"

namespace torsor {
namespace {

Eigen::MatrixXd uniform(Index rows, Index columns, uint64_t seed) {
  Random random(seed);
  Eigen::MatrixXd matrix(rows, columns);
  for (Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = random.uniform(0.1, 0.9);
  return matrix;
}

TEST(TermProgram, EveryShippedTermHasTheValuesOfItsTensorProgram) {
  for (const auto& definition : problem_definitions()) {
    const Problem problem = make_problem(definition, {});
    for (const auto& term : problem.terms) {
      SCOPED_TRACE(problem.name + ", " + term.name);
      const Index n = 50, d = problem.dimension();
      Eigen::MatrixXd points = uniform(n, d, 1);
      for (Index i = 0; i < d; ++i) {
        const Coordinate& c = problem.coordinates[static_cast<size_t>(i)];
        points.col(i) = (c.low + (c.high - c.low) * points.col(i).array()).matrix();
      }
      const Eigen::MatrixXd normals = term.place == Place::boundary ? uniform(n, d, 2) : Eigen::MatrixXd();
      const Eigen::MatrixXd jets = uniform(n, static_cast<Index>(term.jets.size()), 3);
      const LinearizedTerm expected = linearize(problem, term, points, normals, jets);
      const TermProgram program(problem, term, points, normals);
      // In blocks, as training calls it.
      for (const auto& [first, count] : {std::pair<Index, Index>{0, 17}, {17, 32}, {49, 1}}) {
        Eigen::VectorXd residual(count);
        Eigen::MatrixXd coefficients;
        program.evaluate(first, jets.middleRows(first, count), residual, &coefficients);
        EXPECT_LT((residual - expected.residual.segment(first, count)).norm(), 1e-12 * (1 + expected.residual.norm()));
        EXPECT_LT((coefficients - expected.coefficients.middleRows(first, count)).norm(),
                  1e-12 * (1 + expected.coefficients.norm()));
      }
    }
  }
}

TEST(TermProgram, DataThatAreNotFiniteNameThePoint) {
  const ProblemDefinition definition{"singular", "", [](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]");
    p.field("u");
    p.residual("pde", "u_xx = 1/(x - 0.5)");
    p.boundary("bc", "u = 0");
  }};
  const Problem problem = make_problem(definition, {});
  const Eigen::MatrixXd points = Eigen::VectorXd::LinSpaced(5, 0, 1);
  try {
    TermProgram(problem, problem.terms[0], points, {});
    FAIL() << "nothing was thrown";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("x = 0.5"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace torsor
