#include "problems/transport_equation.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <functional>

#include "tests/error_checks.h"
#include "tests/problems/kinetic_problems.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using kinetic_problems::problem_of;
using kinetic_problems::Transport;
using kinetic_problems::Unknowns;

struct Statement {
  std::string decomposition = "micro-macro";
  TransportEquation::Medium medium{"eps", "1.5 + sin(2*pi*x)", "1 + cos(2*pi*x)", "0.5 + x"};
  std::string coordinates = "x in [0, 1]; t in [0, 1] time", velocity = "v in double_gauss(3)";
  std::string initial = "f = (1 + cos(4*pi*x))/sqrt(2*pi)*exp(-v^2/2)";
};

Problem stated(const Statement& s) {
  ProblemBuilder problem("kinetic", {});
  problem.parameter("eps", 0.3, 0.0, 10.0, "Knudsen number");
  problem.coordinates(s.coordinates);
  if (!s.velocity.empty()) problem.velocity(s.velocity);
  const TransportEquation equation(s.decomposition, s.medium);
  equation.declare(problem);
  if (!s.initial.empty()) equation.initial(problem, s.initial);
  equation.boundary(problem, "left", "f = 1", {"x_low"});
  equation.boundary(problem, "right", "f = 0", {"x_high"});
  return problem.build();
}

// The residuals of all terms at some points and jets that are the same for jets of the same name.
MatrixXd residuals(const Problem& problem) {
  MatrixXd points(3, 2);
  points << 0.1, 0.0, 0.45, 0.0, 0.8, 0.0;
  MatrixXd all(points.rows(), static_cast<Index>(problem.terms.size()));
  for (Index k = 0; k < all.cols(); ++k) {
    const Term& term = problem.terms[static_cast<size_t>(k)];
    MatrixXd jets(points.rows(), static_cast<Index>(term.jets.size()));
    for (Index c = 0; c < jets.cols(); ++c) {
      const double seed = static_cast<double>(std::hash<std::string>()(problem.jet_text(term.jets[static_cast<size_t>(c)])) % 1000);
      jets.col(c) = (seed + points.col(0).array()).sin();
    }
    all.col(k) = evaluate_residual(problem, term, points, MatrixXd::Zero(3, 2), jets);
  }
  return all;
}

TEST(TransportEquation, IsTheEquationWrittenByHand) {
  for (const auto& [name, unknowns] :
       {std::pair{"micro-macro", Unknowns::micro_macro}, {"even-odd", Unknowns::even_odd},
        {"distribution", Unknowns::distribution}}) {
    Statement s;
    s.decomposition = name;
    Transport t;
    t.unknowns = unknowns;
    t.eps = 0.3;
    t.velocity = s.velocity;
    t.scattering = s.medium.scattering;
    t.absorption = s.medium.absorption;
    t.source = s.medium.source;
    t.periodic = false;
    t.inflow_left = "1";
    const Problem problem = stated(s), by_hand = problem_of(t);
    ASSERT_EQ(problem.fields.size(), by_hand.fields.size()) << name;
    for (size_t f = 0; f < problem.fields.size(); ++f) EXPECT_EQ(problem.fields[f].name, by_hand.fields[f].name);
    const auto interior = [](const Problem& p) {
      std::vector<Term> terms;
      for (const Term& term : p.terms)
        if (term.place == Place::interior) terms.push_back(term);
      return terms;
    };
    Problem a = problem, b = by_hand;
    a.terms = interior(problem);
    b.terms = interior(by_hand);
    ASSERT_EQ(a.terms.size(), b.terms.size()) << name;
    EXPECT_LE((residuals(a) - residuals(b)).cwiseAbs().maxCoeff(), 1e-12) << name;
  }
}

TEST(TransportEquation, DataMeanTheSameInEveryDecomposition) {
  // f at the nodes from the initial conditions, which each determine all unknowns: zero residual for their solution.
  for (const std::string decomposition : {"micro-macro", "even-odd"}) {
    Statement s;
    s.decomposition = decomposition;
    s.initial = "f = (2 + x)*(1 + v + v^2)";  // neither even nor odd
    const Problem problem = stated(s);
    const auto& nodes = problem.velocity->nodes;
    const MatrixXd map = problem.derived.front().map;  // of f
    Eigen::VectorXd f0 = 2.3 * (1.0 + nodes.col(0).array() + nodes.col(0).array().square());
    const Eigen::VectorXd fields = map.partialPivLu().solve(f0);
    MatrixXd point(1, 2);
    point << 0.3, 0.0;
    int conditions = 0;
    for (const Term& term : problem.terms) {
      if (term.place != Place::initial) continue;
      MatrixXd jets(1, static_cast<Index>(term.jets.size()));
      for (Index c = 0; c < jets.cols(); ++c) jets(0, c) = fields(term.jets[static_cast<size_t>(c)].field);
      EXPECT_LE(std::abs(evaluate_residual(problem, term, point, {}, jets)(0)), 1e-13) << decomposition << term.name;
      ++conditions;
    }
    EXPECT_EQ(conditions, static_cast<int>(problem.fields.size()));
  }
}

TEST(TransportEquation, SteadyAndInThePlane) {
  Statement s;
  s.coordinates = "x in [0, 1]; y in [0, 2]";
  s.velocity = "vx, vy in circle(4)";
  s.medium = {"eps", "1 + y", "0", "x"};
  ProblemBuilder problem("plane", {});
  problem.parameter("eps", 0.3, 0.0, 10.0, "Knudsen number");
  problem.coordinates(s.coordinates);
  problem.velocity(s.velocity);
  const TransportEquation equation("even-odd", s.medium);
  equation.declare(problem);
  equation.boundary(problem, "walls", "f = x + vx");
  const Problem plane = problem.build();
  EXPECT_EQ(plane.fields.size(), 4u);
  EXPECT_EQ(plane.derived.size(), 3u);  // f, flux_x, flux_y
  EXPECT_EQ(plane.derived[2].name, "flux_y");
  int conditions = 0;
  for (const Term& term : plane.terms) conditions += term.place == Place::boundary;
  EXPECT_EQ(conditions, 4);  // one for each node, on the sides where it comes in
}

TEST(TransportEquation, RefusesBadInput) {
  EXPECT_TRUE(says(error_of([] { TransportEquation("micromacro", {}); }), "did you mean 'micro-macro'"));
  const auto refusal = [](const std::function<void(Statement&)>& change) {
    Statement s;
    change(s);
    return error_of([&] { stated(s); });
  };
  EXPECT_TRUE(says(refusal([](Statement& s) { s.velocity = ""; }), "problem.velocity is missing"));
  EXPECT_TRUE(says(refusal([](Statement& s) { s.velocity = "vx, vy in circle(4)"; }),
      "2 components, there are 1 space"));
  EXPECT_TRUE(says(refusal([](Statement& s) { s.medium.scattering = "1 + v^2"; }),
      "problem.scattering = 1 + v^2: the velocity"));
  EXPECT_TRUE(says(refusal([](Statement& s) { s.medium.source = "v"; }), "problem.source = v"));
  EXPECT_TRUE(says(refusal([](Statement& s) { s.initial = "2*f = 1"; }), "form f = DATA"));
  EXPECT_TRUE(says(refusal([](Statement& s) { s.initial = "f = 1 + f"; }), "form f = DATA"));
  EXPECT_TRUE(says(refusal([](Statement& s) { s.medium.knudsen = "kn"; }), "kn"));
}

}  // namespace
}  // namespace torsor
