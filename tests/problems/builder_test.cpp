// Problems written with the builder: names, operators, conditions, and every error with its place.
#include "problems/builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "physics/error.h"
#include "physics/sampler.h"
#include "problems/residual.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

using Define = std::function<void(ProblemBuilder&)>;

Problem built(const Define& define, const TaskInput& input = {}) {
  return make_problem({"test", "", define}, input);
}

// On the unit square, with whatever `more` adds.
Define square(const Define& more) {
  return [more](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]");
    p.field("u");
    more(p);
  };
}

void expect_error(const Define& define, const std::vector<std::string>& parts, const TaskInput& input = {}) {
  const std::string message = error_of([&] { built(define, input); });
  for (const auto& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nlacks: " << part;
}

Eigen::MatrixXd some_points() {
  Eigen::MatrixXd points(3, 2);
  points << 0.2, 0.7, 0.45, 0.15, 0.9, 0.6;
  return points;
}

// The value of a term for given jets at one of the points above.
Eigen::VectorXd residual_of(const Problem& problem, size_t term, const Eigen::MatrixXd& jets) {
  return evaluate_residual(problem, problem.terms[term], some_points(), {}, jets);
}

Index column(const Problem& problem, size_t term, const std::string& jet) {
  const auto& jets = problem.terms[term].jets;
  for (size_t c = 0; c < jets.size(); ++c)
    if (jets[c] == problem.jet(jet)) return static_cast<Index>(c);
  ADD_FAILURE() << jet << " does not occur";
  return 0;
}

TEST(Builder, EquationsBecomeResiduals) {
  const Problem problem = built(square([](ProblemBuilder& p) {
    p.parameter("k", 3, 0, 10, "");
    p.residual("pde", "lap(u) + k^2*u = x*y");
    p.boundary("bc", "u = 0");
  }));
  ASSERT_EQ(problem.terms.size(), 2U);
  ASSERT_EQ(problem.terms[0].jets.size(), 3U);
  EXPECT_EQ(problem.order(), 2);
  EXPECT_EQ(problem.terms[0].text, "lap(u) + k^2*u = x*y");
  Eigen::MatrixXd jets(3, 3);
  jets.setRandom();
  const Eigen::VectorXd expected =
      jets.col(column(problem, 0, "u_xx")) + jets.col(column(problem, 0, "u_yy")) +
      9 * jets.col(column(problem, 0, "u")) - some_points().col(0).cwiseProduct(some_points().col(1));
  EXPECT_LT((residual_of(problem, 0, jets) - expected).norm(), 1e-14);
}

TEST(Builder, JetsAreOneWhateverTheOrderOfTheirLetters) {
  const Problem problem =
      built(square([](ProblemBuilder& p) { p.residual("pde", "u_xy + u_yx + d(u, y, x) = 1"); }));
  ASSERT_EQ(problem.terms[0].jets.size(), 1U);
  EXPECT_EQ(problem.terms[0].jets[0].orders, (MultiIndex{1, 1}));
  EXPECT_NEAR(residual_of(problem, 0, Eigen::MatrixXd::Constant(3, 1, 2))[1], 5, 1e-14);
}

TEST(Builder, DefinitionsHaveDerivatives) {
  const Problem problem = built(square([](ProblemBuilder& p) {
    p.parameter("s", 2, 0, 10, "");
    p.define("b", "s*x");
    p.define("a", "sin(b)*y^2");
    p.residual("pde", "a_x*u_x + a_xy + d(a, y) = u");
    p.residual("flux", "div(a*u_x, a*u_y) = 0");
  }));
  const Eigen::MatrixXd points = some_points();
  Eigen::MatrixXd jets(3, 2);
  jets.col(column(problem, 0, "u")).setConstant(0.25);
  jets.col(column(problem, 0, "u_x")).setConstant(0.5);
  const Eigen::VectorXd values = residual_of(problem, 0, jets);
  for (Index k = 0; k < 3; ++k) {
    const double x = points(k, 0), y = points(k, 1);
    const double a_x = 2 * std::cos(2 * x) * y * y, a_xy = 4 * std::cos(2 * x) * y,
                 a_y = 2 * std::sin(2 * x) * y;
    EXPECT_NEAR(values[k], a_x * 0.5 + a_xy + a_y - 0.25, 1e-14);
  }
  // div(a grad u) = a lap u + a_x u_x + a_y u_y
  jets.resize(3, static_cast<Index>(problem.terms[1].jets.size()));
  ASSERT_EQ(jets.cols(), 4);
  jets.setZero();
  jets.col(column(problem, 1, "u_y")).setConstant(1);
  jets.col(column(problem, 1, "u_yy")).setConstant(3);
  const Eigen::VectorXd flux = residual_of(problem, 1, jets);
  for (Index k = 0; k < 3; ++k) {
    const double x = points(k, 0), y = points(k, 1);
    EXPECT_NEAR(flux[k], std::sin(2 * x) * (2 * y + 3 * y * y), 1e-14);
  }
}

TEST(Builder, ManufacturedIsWhatTheRestIsForTheExactSolution) {
  const Problem problem = built(square([](ProblemBuilder& p) {
    p.exact("u", "exp(x)*y^3");
    p.residual("pde", "lap(u) + u^2 - manufactured");
    p.boundary("bc", "u = u_exact");
    p.residual("gradient", "u_x*u = u_exact_x*u_exact");
  }));
  ASSERT_TRUE(problem.has_exact());
  for (const size_t term : {0U, 2U}) {
    const Eigen::MatrixXd jets = problem.exact_jets(some_points(), problem.terms[term].jets);
    EXPECT_LT(residual_of(problem, term, jets).norm(), 1e-13);
    EXPECT_GT(residual_of(problem, term, 2 * jets).norm(), 1e-2);
  }
}

TEST(Builder, NormalDerivativesOnADisk) {
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("x in [-1, 1]; y in [-1, 1]");
    p.domain("disk(0.1, -0.2, 0.5)");
    p.field("u");
    p.exact("u", "x^2*y");
    p.residual("pde", "lap(u) - manufactured");
    p.boundary("bc", "u_n + u = 3*n_x");
  });
  EXPECT_FALSE(problem.box);
  ASSERT_EQ(problem.pieces.size(), 1U);
  EXPECT_EQ(problem.pieces[0].name, "circle");
  const BoundarySample sample = problem.pieces[0].points(40, *make_sampler("sobol"), 1);
  const Term& term = problem.terms[1];
  const Eigen::MatrixXd jets = problem.exact_jets(sample.points, term.jets);
  const Eigen::VectorXd values = evaluate_residual(problem, term, sample.points, sample.normals, jets);
  for (Index k = 0; k < 40; ++k) {
    const double x = sample.points(k, 0), y = sample.points(k, 1);
    const double n_x = (x - 0.1) / 0.5, n_y = (y + 0.2) / 0.5;
    EXPECT_NEAR(values[k], n_x * 2 * x * y + n_y * x * x + x * x * y - 3 * n_x, 1e-12);
  }
}

TEST(Builder, SystemsOfTwoUnknowns) {
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; t in [0, 2] time");
    p.field("u", "m");
    p.field("velocity");
    p.exact("u", "sin(x)*cos(t)");
    p.exact("velocity", "-sin(x)*sin(t)");
    p.residual("a", "u_t = velocity");
    p.residual("b", "velocity_t = u_xx");
    p.initial("start", "u = u_exact");
    p.initial("rest", "velocity = 0");
    p.boundary("low", "u = 0", {"x_low"});
    p.boundary("high", "velocity = velocity_exact", {"x_high"});
  });
  EXPECT_EQ(problem.fields[0].unit, "m");
  EXPECT_EQ(problem.time(), 1);
  EXPECT_EQ(problem.space(), std::vector<Index>{0});
  EXPECT_EQ(problem.time_order(0), 1);
  EXPECT_EQ(problem.time_order(1), 1);
  EXPECT_EQ(problem.jet("velocity_t"), (FieldJet{1, {0, 1}}));
  EXPECT_EQ(problem.jet_text({0, {2, 0}}), "u_xx");
  for (const size_t term : {0U, 1U}) {
    const Eigen::MatrixXd jets = problem.exact_jets(some_points(), problem.terms[term].jets);
    EXPECT_LT(residual_of(problem, term, jets).norm(), 1e-14);
  }
  EXPECT_EQ(problem.pieces_of(problem.terms[4]), std::vector<std::string>{"x_low"});
}

TEST(Builder, UnnamedConditionsHoldOnThePiecesThatNoOtherTermNames) {
  const Problem problem = built(square([](ProblemBuilder& p) {
    p.residual("pde", "lap(u) = 0");
    p.boundary("rest", "u = 0");
    p.boundary("lid", "u = 1", {"y_high"});
  }));
  EXPECT_EQ(problem.pieces_of(problem.terms[1]), (std::vector<std::string>{"x_low", "x_high", "y_low"}));
}

TEST(Builder, PeriodicCoordinatesHaveNoBoundary) {
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1] periodic; y in [0, 1]");
    p.field("u");
    p.residual("pde", "lap(u) = 0");
    p.boundary("bc", "u = 0");
  });
  EXPECT_EQ(problem.pieces_of(problem.terms[1]), (std::vector<std::string>{"y_low", "y_high"}));
}

TEST(Builder, ParametersCanBeBoundsAndShapes) {
  const auto define = [](ProblemBuilder& p) {
    p.parameter("length", 2, 0, 10, "");
    p.coordinates("x in [0, length]; y in [0, 2*length]");
    p.domain("box minus disk(length/2, length, length/4)");
    p.field("u");
    p.residual("pde", "lap(u) = 0");
    p.boundary("bc", "u = 0");
  };
  const Problem problem = built(define, {{{"length", 4}}, 0});
  EXPECT_EQ(problem.coordinates[1].high, 8);
  EXPECT_NEAR(problem.domain->volume(), 32 - std::numbers::pi, 1e-3);
}

TEST(Builder, GivenValuesBecomeATerm) {
  const Problem problem = make_problem(find_problem("heat"), {});
  const Term term =
      given_value_term(problem, "start", Place::initial, problem.jet("u_x"),
                       [](const Eigen::MatrixXd& x) -> Eigen::VectorXd { return x.col(0).array().square(); });
  EXPECT_EQ(term.name, "start");
  EXPECT_EQ(term.place, Place::initial);
  ASSERT_EQ(term.jets.size(), 1U);
  Eigen::MatrixXd jets(3, 1);
  jets << 1, -2, 0.5;
  const LinearizedTerm at = linearize(problem, term, some_points(), {}, jets);
  EXPECT_LT((at.residual - (jets.col(0) - some_points().col(0).cwiseAbs2())).norm(), 1e-15);
  EXPECT_EQ(at.coefficients, Eigen::MatrixXd::Ones(3, 1));
}

TEST(Builder, NumbersAreReadBackExactly) {
  for (const double value : {0.1, -1.0 / 3, 1e-300, -12345678.9})
    EXPECT_EQ(Expression::parse(exact_text(value)).constant_value(), value);
}

TEST(BuilderErrors, UndefinedNamesHaveAPositionAndAGuess) {
  expect_error(square([](ProblemBuilder& p) { p.residual("pde", "lap(u) + kk*u"); }),
               {"problem.residual.pde", "lap(u) + kk*u", "position 10", "'kk'"});
  expect_error(square([](ProblemBuilder& p) {
                 p.parameter("speed", 1, 0, 2, "");
                 p.residual("pde", "u_x + sped*u = 0");
               }),
               {"problem.residual.pde", "position 7", "'sped'", "did you mean 'speed'"});
  expect_error(square([](ProblemBuilder& p) {
                 p.residual("pde", "lap(u) = 0");
                 p.boundary("bc", "u = sin(z)");
               }),
               {"problem.boundary.bc", "position 9", "'z'"});
  expect_error(square([](ProblemBuilder& p) {
                 p.exact("u", "sin(x)*w");
                 p.residual("pde", "lap(u) = 0");
               }),
               {"problem.exact.u", "position 8", "'w'"});
}

TEST(BuilderErrors, NormalsExistOnlyOnBoundaries) {
  expect_error(square([](ProblemBuilder& p) { p.residual("pde", "lap(u) + u_n = 0"); }), {"'u_n'"});
  expect_error(square([](ProblemBuilder& p) { p.residual("pde", "lap(u) + n_x = 0"); }), {"'n_x'"});
}

TEST(BuilderErrors, SyntaxHasAPosition) {
  expect_error(square([](ProblemBuilder& p) { p.residual("pde", "lap(u) + * 2"); }), {"position 10"});
  expect_error(square([](ProblemBuilder& p) { p.residual("pde", "sin(u"); }), {"position"});
}

TEST(BuilderErrors, DefinitionsMustNotUseThemselves) {
  expect_error(square([](ProblemBuilder& p) {
                 p.define("a", "1 + a");
                 p.residual("pde", "a*lap(u) = 0");
               }),
               {"'a'", "uses itself"});
  expect_error(square([](ProblemBuilder& p) {
                 p.define("a", "b_x");
                 p.define("b", "x*a");
                 p.residual("pde", "a*lap(u) = 0");
               }),
               {"uses itself"});
}

TEST(BuilderErrors, MissingParts) {
  expect_error([](ProblemBuilder& p) { p.field("u"); }, {"problem.coordinates", "missing"});
  expect_error([](ProblemBuilder& p) { p.coordinates("x in [0, 1]"); }, {"problem.unknowns", "missing"});
  expect_error(square([](ProblemBuilder&) {}), {"problem.residual", "missing"});
  expect_error(
      [](ProblemBuilder& p) {
        p.coordinates("x in [0, 1]; t in [0, 1] time");
        p.field("u");
        p.residual("pde", "u_t = u_xx");
      },
      {"problem.initial", "missing"});
  expect_error(square([](ProblemBuilder& p) {
                 p.residual("pde", "lap(u) = 0");
                 p.initial("ic", "u = 0");
               }),
               {"problem.initial", "time"});
  expect_error(square([](ProblemBuilder& p) { p.residual("pde", "x + y = 1"); }), {"no unknown"});
}

TEST(BuilderErrors, ManufacturedNeedsAnExactSolution) {
  expect_error(square([](ProblemBuilder& p) { p.residual("pde", "lap(u) - manufactured"); }),
               {"problem.residual.pde", "exact solution of 'u'"});
  expect_error(square([](ProblemBuilder& p) {
                 p.exact("u", "x");
                 p.residual("pde", "lap(u) - d(manufactured, x)");
               }),
               {"manufactured", "cannot be differentiated"});
}

TEST(BuilderErrors, BoundaryPieces) {
  expect_error(square([](ProblemBuilder& p) {
                 p.residual("pde", "lap(u) = 0");
                 p.boundary("top", "u = 0", {"y_hihg"});
               }),
               {"problem.boundary.top", "'y_hihg'", "'y_high'"});
  expect_error(square([](ProblemBuilder& p) {
                 p.residual("pde", "lap(u) = 0");
                 p.boundary("hole", "u = 0", {"circle1"});
               }),
               {"circle1"});
}

TEST(BuilderErrors, RepeatedNames) {
  expect_error(square([](ProblemBuilder& p) { p.field("u"); }), {"'u'", "twice"});
  expect_error(square([](ProblemBuilder& p) {
                 p.define("a", "1");
                 p.define("a", "2");
               }),
               {"'a'", "twice"});
  expect_error(square([](ProblemBuilder& p) {
                 p.residual("pde", "lap(u) = 0");
                 p.boundary("pde", "u = 0");
               }),
               {"'pde'", "twice"});
  expect_error(square([](ProblemBuilder& p) {
                 p.exact("u", "1");
                 p.exact("u", "2");
               }),
               {"'u'", "twice"});
}

TEST(BuilderErrors, ReservedAndUnknownNames) {
  expect_error([](ProblemBuilder& p) { p.coordinates("e in [0, 1]"); }, {"'e'", "constant"});
  expect_error(square([](ProblemBuilder& p) {
                 p.exact("v", "1");
                 p.residual("pde", "lap(u) = 0");
               }),
               {"problem.exact.v", "'u'"});
  expect_error(square([](ProblemBuilder& p) {
                 p.exact("u", "u_x");
                 p.residual("pde", "lap(u) = 0");
               }),
               {"problem.exact.u"});
  expect_error([](ProblemBuilder& p) { p.coordinates("x in [0, later]"); }, {"'later'", "parameter"});
  expect_error(square([](ProblemBuilder& p) { p.residual("pde", "lap(u) = 0"); }), {"problem.parameter.q"},
               {{{"q", 1}}, 0});
}

TEST(BuilderErrors, RegisteringTwiceIsAMistakeOfTheProgram) {
  EXPECT_THROW(RegisterProblem("heat", "", [](ProblemBuilder&) {}), std::logic_error);
}

}  // namespace
}  // namespace torsor
