// Kinetic Problems in the plane, and those of discrete velocities on the line, through their references.
#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"
#include "problems/transport_equation.h"
#include "solvers/reference/references.h"
#include "solvers/reference/transport_form.h"
#include "tests/problems/kinetic_problems.h"
#include "tests/solvers/reference/reference_checks.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using kinetic_problems::problem_of;
using kinetic_problems::Transport;
using kinetic_problems::Unknowns;

struct Plane {
  std::string decomposition = "micro-macro";
  double eps = 0.1;
  TransportEquation::Medium medium{};
  std::string coordinates = "x in [0, 1] periodic; y in [0, 2] periodic; t in [0, 0.1] time";
  std::string velocity = "vx, vy in circle(8)";
  std::string initial = "f = 1 + cos(2*pi*x)*sin(pi*y)*(1 + vx) + 0.3*cos(4*pi*x)*vx*vy";
  std::string inflow;
};

Problem problem_of(const Plane& p) {
  ProblemBuilder problem("plane", {});
  problem.parameter("eps", p.eps, 0.0, 10.0, "Knudsen number");
  problem.coordinates(p.coordinates);
  problem.velocity(p.velocity);
  const TransportEquation equation(p.decomposition, p.medium);
  equation.declare(problem);
  if (!p.initial.empty()) equation.initial(problem, p.initial);
  if (!p.inflow.empty()) equation.boundary(problem, "walls", p.inflow);
  return problem.build();
}

MatrixXd points_of(Index columns, double end) {
  MatrixXd points(60, columns);
  for (Index k = 0; k < points.rows(); ++k)
    for (Index c = 0; c < columns; ++c) {
      const double place = std::fmod(0.6180339887498949 * static_cast<double>((k + 1) * (c + 1)) +
          0.1414 * static_cast<double>(c), 1.0);
      points(k, c) = c == 2 ? end * std::round(5.0 * place) / 5.0 : place;
    }
  return points;
}

MatrixXd f_of(const Problem& problem, const MatrixXd& fields) {
  for (const Derived& derived : problem.derived)
    if (derived.name == "f") return fields * derived.map.transpose();
  return fields * problem.velocity_fields.front().basis.transpose();
}

TEST(PlaneReferences, ModesAnswerInAllUnknowns) {
  for (const double eps : {1.0, 0.1, 1e-3, 1e-8}) {
    Plane p;
    p.eps = eps;
    p.medium = {"eps", "1.5", "0.7", "0"};
    const MatrixXd points = points_of(3, 0.1);
    const Problem micro_macro = problem_of(p);
    const ReferenceSolution solution = solve_reference(micro_macro, {"auto", 1e-12, 0, true});
    EXPECT_EQ(solution.name, "transport-modes");
    const MatrixXd f = f_of(micro_macro, solution.evaluate(points));
    p.decomposition = "even-odd";
    const Problem even_odd = problem_of(p);
    EXPECT_LE((f_of(even_odd, solve_reference(even_odd).evaluate(points)) - f).cwiseAbs().maxCoeff(), 1e-12) << eps;
    if (eps < 1e-3) continue;  // an equation for f itself has lost sigma_A to rounding
    p.decomposition = "distribution";
    const Problem whole = problem_of(p);
    EXPECT_LE((f_of(whole, solve_reference(whole).evaluate(points)) - f).cwiseAbs().maxCoeff(), 1e-8) << eps;
  }
}

TEST(PlaneReferences, ModesStartFromTheData) {
  const Problem problem = problem_of(Plane{});
  MatrixXd points = points_of(3, 0.0);
  const MatrixXd f = f_of(problem, solve_reference(problem).evaluate(points));
  const auto& v = problem.velocity->nodes;
  for (Index i = 0; i < points.rows(); ++i)
    for (Index j = 0; j < v.rows(); ++j)
      EXPECT_NEAR(f(i, j), 1 + std::cos(2 * M_PI * points(i, 0)) * std::sin(M_PI * points(i, 1)) * (1 + v(j, 0)) +
                               0.3 * std::cos(4 * M_PI * points(i, 0)) * v(j, 0) * v(j, 1), 1e-13);
}

// The residuals of the Problem vanish for the reference: derivatives by differences.
TEST(PlaneReferences, ModesSolveTheEquations) {
  for (const double eps : {1.0, 0.1}) {
    Plane p;
    p.eps = eps;
    p.medium = {"eps", "2", "0.5", "0"};
    const Problem problem = problem_of(p);
    const ReferenceSolution solution = solve_reference(problem);
    MatrixXd points(3, 3);
    points << 0.1, 0.3, 0.03, 0.7, 1.1, 0.05, 0.4, 1.9, 0.08;
    const double h = 1e-4;
    for (const Term& term : problem.terms) {
      if (term.place != Place::interior) continue;
      MatrixXd jets(points.rows(), static_cast<Index>(term.jets.size()));
      for (Index c = 0; c < jets.cols(); ++c) {
        const FieldJet& jet = term.jets[static_cast<size_t>(c)];
        MatrixXd shift = MatrixXd::Zero(points.rows(), 3);
        for (Index d = 0; d < 3; ++d) shift.col(d).setConstant(h * jet.orders[static_cast<size_t>(d)]);
        const auto at = [&](double s) { return solution.evaluate(points + s * shift).col(jet.field).eval(); };
        jets.col(c) = shift.isZero() ? at(0) : ((8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)).eval();
      }
      EXPECT_LE(evaluate_residual(problem, term, points, {}, jets).cwiseAbs().maxCoeff(), 1e-7) << term.name << eps;
    }
  }
}

// 32 nodes on the line are as good as continuous velocities where particles have not flown far.
TEST(PlaneReferences, ModesAgreeWithVolterraOnTheLine) {
  for (const double eps : {1.0, 0.1, 1e-3, 1e-6}) {
    Transport t;
    t.eps = eps;
    t.end = 0.5;
    t.velocity = "v in gauss(32)";
    const Problem problem = problem_of(t);
    MatrixXd points = points_of(2, 0.0);
    points.col(1) *= 0.5;
    const MatrixXd exact = solve_reference(problem, {"transport-volterra", 1e-9, 0, true}).evaluate(points);
    const MatrixXd modes = solve_reference(problem, {"transport-modes", 1e-9, 0, true}).evaluate(points);
    EXPECT_LE((modes - exact).leftCols(2).cwiseAbs().maxCoeff(), 1e-11 * (1.0 + 1.0 / eps)) << eps;
  }
}

TEST(PlaneReferences, ModesRefuse) {
  Plane p;
  p.medium.scattering = "2 + sin(2*pi*x)";
  EXPECT_TRUE(says(refusal(problem_of(p), "transport-modes"), "must be constant"));
  p.medium = {"eps", "1", "0", "1"};
  EXPECT_TRUE(says(refusal(problem_of(p), "transport-modes"), "source"));
  p.medium = {};
  EXPECT_TRUE(says(refusal(problem_of(p), "micro-macro"), "one space coordinate"));
  EXPECT_TRUE(says(refusal(problem_of(p), "even-parity"), "it has time"));
  p.initial = "f = exp(-200*((x - 0.5)^2 + (y - 1)^2))*step(x - 0.5)";
  EXPECT_THROW(solve_reference(problem_of(p), {"transport-modes", 1e-9, 32, true}), NumericalError);
  EXPECT_GT(solve_reference(problem_of(p), {"transport-modes", 1e-9, 32, false}).error_estimate, 1e-3);
}

Plane steady(double eps) {
  Plane p;
  p.eps = eps;
  p.coordinates = "x in [0, 1]; y in [0, 0.5]";
  p.initial = "";
  p.medium = {"eps", "1 + x*y", "0.5*x", "sin(pi*x)*cos(pi*y)"};
  p.inflow = "f = x + y";
  return p;
}

TEST(PlaneReferences, SteadyInAllUnknownsAndToTheTolerance) {
  for (const double eps : {1.0, 1e-2, 1e-6}) {
    Plane p = steady(eps);
    MatrixXd points = points_of(2, 0.0);
    points.col(1) *= 0.5;
    const Problem problem = problem_of(p);
    ASSERT_EQ(TransportForm::obstacle(problem), "");
    const ReferenceSolution solution = solve_reference(problem, {"auto", 1e-9, 64, false});
    EXPECT_EQ(solution.name, "even-parity");
    EXPECT_LE(solution.error_estimate, 4e-2) << eps;
    const MatrixXd f = f_of(problem, solution.evaluate(points));
    p.decomposition = "even-odd";
    const Problem other = problem_of(p);
    const MatrixXd same = f_of(other, solve_reference(other, {"auto", 1e-9, 64, false}).evaluate(points));
    EXPECT_LE((same - f).cwiseAbs().maxCoeff(), 1e-6) << eps;
    EXPECT_THROW(solve_reference(problem, {"even-parity", 1e-9, 32, true}), NumericalError);
  }
}

}  // namespace
}  // namespace torsor
