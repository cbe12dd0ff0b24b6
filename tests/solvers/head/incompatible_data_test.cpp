#include "solvers/head/incompatible_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "physics/norms.h"
#include "problems/builder.h"
#include "solvers/head/cell_row.h"
#include "solvers/head/head_solver.h"
#include "tests/problems/kinetic_problems.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

double derivative(const Eigen::VectorXd& q, int order, double s) {
  double sum = 0;
  for (Index k = order; k < q.size(); ++k) {
    double factor = q[k];
    for (int i = 0; i < order; ++i) factor *= static_cast<double>(k - i);
    sum += factor * std::pow(s, static_cast<double>(k - order));
  }
  return sum;
}

TEST(RampPolynomial, GoesSmoothlyFromOneToZeroWithVanishingMoments) {
  for (const int moments : {0, 1, 2, 3, 4}) {
    const Eigen::VectorXd q = ramp_polynomial(moments);
    EXPECT_NEAR(derivative(q, 0, 0), 1, 1e-9);
    for (const int order : {1, 2}) EXPECT_NEAR(derivative(q, order, 0), 0, 1e-8) << moments;
    for (const int order : {0, 1, 2, 3}) EXPECT_NEAR(derivative(q, order, 1), 0, 1e-6) << moments;
    for (int j = 0; j < moments; ++j) {
      double moment = 0;
      for (Index k = 0; k < q.size(); ++k) moment += q[k] / static_cast<double>(k + j + 1);
      EXPECT_NEAR(moment, 0, 1e-10);
    }
  }
}

Problem heat(const std::string& left, const std::string& initial) {
  ProblemBuilder p("heat", {});
  p.coordinates("x in [0, 1]; t in [0, 0.1] time");
  p.field("u");
  p.residual("heat", "u_t = u_xx/3");
  p.boundary("left", "u = " + left, {"x_low"});
  p.boundary("right", "u = 0", {"x_high"});
  p.initial("ic", "u = " + initial);
  return p.build();
}

// f = 1 from the left into nothing.
Problem inflow_problem(double eps) {
  kinetic_problems::Transport transport;
  transport.periodic = false;
  transport.velocity = "v in double_gauss(2)";
  transport.end = 0.1;
  transport.eps = eps;
  transport.initial = "0*v";
  transport.inflow_left = "1";
  return kinetic_problems::problem_of(transport);
}

TEST(IncompatibleData, IsFoundWhereDataJumpOnly) {
  EXPECT_FALSE(IncompatibleData(heat("0", "sin(pi*x)")).found());
  EXPECT_FALSE(IncompatibleData(heat("1 + t", "1 - x")).found());
  const IncompatibleData jump(heat("1", "0"));
  ASSERT_TRUE(jump.found());
  EXPECT_DOUBLE_EQ(jump.places()(0, 0), 0);
  EXPECT_DOUBLE_EQ(jump.places()(0, 1), 0);
  EXPECT_GT(jump.places().rows(), 0);
}

TEST(IncompatibleData, OfKineticEquationsHoldsForIncomingVelocities) {
  EXPECT_TRUE(IncompatibleData(inflow_problem(1e-3)).found());
}

TEST(IncompatibleData, RampBeginsWithTheInitialDataAndEndsWithTheBoundarys) {
  const Problem problem = heat("1", "0.25 - x/4");
  const Problem ramped = IncompatibleData(problem).with_ramp(0.01, 3);
  const auto left = [&](const Problem& p, double t, double u) {
    Eigen::MatrixXd point(1, 2), jets(1, 1), normal(1, 2);
    point << 0, t;
    jets << u;
    normal << -1, 0;
    const auto term = std::find_if(p.terms.begin(), p.terms.end(), [](const Term& one) { return one.name == "left"; });
    return evaluate_residual(p, *term, point, normal, jets)[0];
  };
  EXPECT_NEAR(left(ramped, 0, 0.25), 0, 1e-12);
  for (const double t : {0.01, 0.05, 0.1})
    for (const double u : {0.25, 1.0, 3.0}) EXPECT_NEAR(left(ramped, t, u), left(problem, t, u), 1e-12);
}

TEST(CellRow, SplitsAndJoins) {
  CellRow cells(0, 1, 4);
  cells.halve_at(0, 0.05);
  EXPECT_LE(cells.width(0), 0.05);
  EXPECT_EQ(cells.at(0.3), cells.at(0.26));
  EXPECT_EQ(cells.at(2), cells.size() - 1);
  const Index before = cells.size();
  cells.join([](Index) { return true; }, 0.26);
  EXPECT_LT(cells.size(), before);
  EXPECT_DOUBLE_EQ(cells.edges().front(), 0);
  EXPECT_DOUBLE_EQ(cells.edges().back(), 1);
}

/// u = 1 on the left, 0 on the right and at t = 0: u_t = u_xx/3.
double jump_series(double x, double t) {
  double sum = 1 - x;
  for (int n = 1; n < 400; ++n)
    sum -= 2 / (n * kPi) * std::sin(n * kPi * x) * std::exp(-n * n * kPi * kPi * t / 3);
  return sum;
}

/// Relative L2 error at a time.
double error_at(double t, const std::function<Eigen::VectorXd(const Eigen::MatrixXd&)>& field,
                const std::function<double(double x)>& exact) {
  Eigen::MatrixXd points(101, 2);
  points.col(0).setLinSpaced(0, 1);
  points.col(1).setConstant(t);
  return relative_l2(field(points), points.col(0).unaryExpr(exact));
}

HeadResult solved(const Problem& problem) {
  SilentProgress progress;
  return solve_heads({problem}, {}, progress).front();
}

TEST(IncompatibleDataSlow, HeatFromAWallThatJumps) {
  const Problem problem = heat("1", "0");
  const HeadResult result = solved(problem);
  for (const double t : {0.002, 0.02, 0.1})
    EXPECT_LT(error_at(t, [&](const auto& x) -> Eigen::VectorXd {
                return result.solutions.front().jets(x, {{0, {0, 0}}}).col(0); },
                       [&](double x) { return jump_series(x, t); }),
              1e-6) << t;
}

TEST(IncompatibleDataSlow, InflowOfParticlesBecomesDiffusion) {
  const Problem problem = inflow_problem(1e-8);
  const HeadResult result = solved(problem);
  for (const double t : {0.01, 0.1})
    EXPECT_LT(error_at(t, [&](const auto& x) -> Eigen::VectorXd {
                return kinetic_problems::quantity(problem, result.solutions.front(), "rho", x).col(0); },
                       [&](double x) { return jump_series(x, t); }),
              3e-4) << t;
}

}  // namespace
}  // namespace torsor
