// The transport solvers as references of kinetic Problems.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "physics/transport_exact.h"
#include "solvers/reference/references.h"
#include "tests/problems/kinetic_problems.h"
#include "tests/solvers/reference/reference_checks.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using kinetic_problems::eigenmode;
using kinetic_problems::problem_of;
using kinetic_problems::Transport;
using kinetic_problems::Unknowns;

MatrixXd points_of(double end, double from = 0.0, Index n = 300) {
  MatrixXd points(n, 2);
  for (Index k = 0; k < n; ++k)
    points.row(k) << std::fmod(0.6180339887498949 * static_cast<double>(k), 1.0),
        from + (end - from) * std::fmod(0.4142135623730951 * static_cast<double>(k), 1.0);
  return points;
}

ReferenceSolution solve(const Problem& problem, const std::string& solver, double tolerance = 1e-9, int cells = 0) {
  return solve_reference(problem, {solver, tolerance, cells, false});
}

double distance(const MatrixXd& a, const MatrixXd& b) { return (a - b).cwiseAbs().maxCoeff(); }

TEST(TransportReferences, WhichAreApplicable) {
  Transport t;
  const auto periodic = applicable_references(problem_of(t));
  EXPECT_EQ(periodic.front(), "transport-volterra");
  t.scattering = "2 + sin(2*pi*x)";
  EXPECT_EQ(applicable_references(problem_of(t)).front(), "micro-macro");
  EXPECT_TRUE(says(refusal(problem_of(t), "transport-volterra"), "sigma_S must be constant"));
  t.scattering = "1";
  t.absorption = "1";
  EXPECT_EQ(applicable_references(problem_of(t)).front(), "transport-modes");
  EXPECT_TRUE(says(refusal(problem_of(t), "transport-volterra"), "absorption"));
  EXPECT_TRUE(says(refusal(problem_of(t), "diffusion-synthetic"), "it has time"));
  t.absorption = "0";
  t.periodic = false;
  EXPECT_EQ(applicable_references(problem_of(t)),
            (std::vector<std::string>{"transport-characteristics", "micro-macro", "even-odd"}));
  t.eps = 0.01;
  EXPECT_TRUE(says(refusal(problem_of(t), "transport-characteristics"), "mean free times"));
  EXPECT_TRUE(says(refusal(problem_of(t), "transport-fronts"), "initial data must not depend on x"));
  t.eps = 1e-3;
  EXPECT_EQ(applicable_references(problem_of(t)).front(), "transport-laplace");
  t.eps = 1.0;
  EXPECT_TRUE(says(refusal(problem_of(t), "transport-laplace"), "mean free times"));
  EXPECT_TRUE(says(refusal(problem_of(t), "transport-volterra"), "not periodic"));
  t.end = 0.0;
  EXPECT_EQ(applicable_references(problem_of(t)), (std::vector<std::string>{"diffusion-synthetic"}));
  EXPECT_TRUE(says(refusal(problem_of(t), "micro-macro"), "it has no time"));
}

TEST(TransportReferences, VolterraIsExactForTheEigenmode) {
  for (const double eps : {0.1, 1e-2, 1e-4, 1e-8}) {
    const Problem problem = eigenmode(eps);
    const MatrixXd points = points_of(0.1);
    const ReferenceSolution solution = solve_reference(problem, {"transport-volterra", 1e-9, 0, true});
    const MatrixXd fields = solution.evaluate(points), exact = solve(problem, "exact").evaluate(points);
    EXPECT_LE(distance(fields, exact), 1e-12 + 2e-16 / eps) << eps;  // f - rho = eps g has the rounding of rho
    // rho and j after t = 40 eps^2 have not.
    const MatrixXd later = points_of(0.1, 0.01), late = solution.evaluate(later);
    EXPECT_LE(distance(late.leftCols(2), solve(problem, "exact").evaluate(later).leftCols(2)), 1e-12) << eps;
    EXPECT_LE(solution.error_estimate, 1e-9);
  }
}

TEST(TransportReferences, SchemesAreOfSecondOrderForTheEigenmode) {
  for (const char* solver : {"micro-macro", "even-odd"})
    for (const double eps : {0.1, 1e-2, 1e-4, 1e-8}) {
      const Problem problem = eigenmode(eps);
      const MatrixXd points = points_of(0.1, 0.01), exact = solve(problem, "exact").evaluate(points);
      const auto error = [&](int cells) {
        const ReferenceSolution solution = solve(problem, solver, 1e-9, cells);
        EXPECT_TRUE(says(solution.detail, std::to_string(cells) + " cells"));
        const MatrixXd fields = solution.evaluate(points);
        EXPECT_LE(distance(fields.leftCols(2), exact.leftCols(2)), 10.0 * solution.error_estimate) << solver << eps;
        return distance(fields.leftCols(2), exact.leftCols(2));
      };
      const double coarse = error(64), fine = error(128);
      EXPECT_LE(fine, 2e-3) << solver << eps;
      EXPECT_GT(coarse / fine, 3.0) << solver << eps;
    }
}

TEST(TransportReferences, VolterraOfTwoWaves) {
  const ReferenceSolution solution = solve_reference(problem_of({}), {"auto", 1e-9, 0, true});
  EXPECT_EQ(solution.name, "transport-volterra");
  MatrixXd points(4, 2);
  points << 0.0, 0.5, 0.25, 0.5, 0.0, 1.0, 0.25, 1.0;
  const VectorXd rho = solution.evaluate(points).col(0);
  EXPECT_NEAR(0.5 * (rho(0) + rho(1)), 0.34134475, 1e-8);
  EXPECT_NEAR(0.5 * (rho(0) - rho(1)), -0.0126867, 1e-7);
  EXPECT_NEAR(0.5 * (rho(2) - rho(3)), -0.0035173, 1e-7);
}

TEST(TransportReferences, VolterraAnswersInAllUnknowns) {
  for (const double eps : {1.0, 1e-2, 1e-6}) {
    const MatrixXd points = points_of(1.0);
    Transport t;
    t.eps = eps;
    const Problem problem = problem_of(t);
    const auto f_of = [&](Unknowns unknowns) {
      t.unknowns = unknowns;
      const Problem form = problem_of(t);
      const MatrixXd fields = solve(form, "transport-volterra").evaluate(points);
      const MatrixXd map = form.derived.empty() ? form.velocity_fields.front().basis : form.derived.front().map;
      return MatrixXd(fields * map.transpose());
    };
    const MatrixXd f = f_of(Unknowns::distribution);
    EXPECT_LE(distance(f_of(Unknowns::micro_macro), f), 1e-13);
    EXPECT_LE(distance(f_of(Unknowns::even_odd), f), 1e-13);
  }
}

TEST(TransportReferences, VolterraTakesConstantScatteringIntoUnits) {
  Transport t;
  t.eps = 0.5;
  t.end = 0.3;
  t.scattering = "2.5";
  const MatrixXd points = points_of(0.3, 0.02);
  const MatrixXd fields = solve(problem_of(t), "transport-volterra").evaluate(points);
  EXPECT_LE(distance(solve(problem_of(t), "micro-macro", 1e-9, 512).evaluate(points), fields), 3e-4);
}

TEST(TransportReferences, SchemesAgreeWithVolterraOnTwoWaves) {
  for (const double eps : {1.0, 1e-2}) {
    Transport t;
    t.eps = eps;
    t.end = 0.1;
    const Problem problem = problem_of(t);
    const MatrixXd points = points_of(0.1, 0.01), exact = solve(problem, "transport-volterra").evaluate(points);
    for (const char* solver : {"micro-macro", "even-odd"}) {
      const MatrixXd fields = solve(problem, solver, 1e-9, 256).evaluate(points);
      EXPECT_LE(distance(fields.leftCols(1), exact.leftCols(1)), 1e-3) << solver << eps;
      EXPECT_LE(distance(fields, exact), 5e-3 * exact.cwiseAbs().maxCoeff()) << solver << eps;
    }
  }
}

TEST(TransportReferences, InflowTendsToDiffusion) {
  Transport t;
  t.eps = 1e-6;
  t.end = 0.1;
  t.periodic = false;
  t.initial = "0*v";
  t.inflow_left = "1";
  const MatrixXd points = points_of(0.1, 0.02);
  VectorXd limit(points.rows());
  for (Index i = 0; i < points.rows(); ++i) limit(i) = diffusion_inflow(points(i, 1), points(i, 0));
  for (const char* solver : {"micro-macro", "even-odd"}) {
    const ReferenceSolution solution = solve(problem_of(t), solver, 1e-9, 128);
    EXPECT_LE(distance(solution.evaluate(points).col(0), limit), 1e-2) << solver;
    EXPECT_LE(solution.error_estimate, 3e-2) << solver;
  }
}

TEST(TransportReferences, LaplaceOfInflowInAllUnknowns) {
  Transport t;
  t.end = 0.1;
  t.periodic = false;
  t.initial = "0*v";
  t.inflow_left = "1";
  const MatrixXd points = points_of(0.1, 0.02);
  for (const double eps : {1e-3, 1e-6}) {
    t.eps = eps;
    const auto f_of = [&](Unknowns unknowns) {
      t.unknowns = unknowns;
      const Problem form = problem_of(t);
      const ReferenceSolution solution = solve_reference(form, {"auto", 1e-9, 0, true});
      EXPECT_EQ(solution.name, "transport-laplace");
      const MatrixXd map = form.derived.empty() ? form.velocity_fields.front().basis : form.derived.front().map;
      return MatrixXd(solution.evaluate(points) * map.transpose());
    };
    const MatrixXd f = f_of(Unknowns::micro_macro);
    EXPECT_LE(distance(f_of(Unknowns::even_odd), f), 1e-11) << eps;
    for (Index i = 0; i < points.rows(); ++i)
      EXPECT_NEAR(f.row(i).mean(), diffusion_inflow(points(i, 1), points(i, 0)), 10.0 * eps) << eps;
  }
  t.scattering = "1 + x";
  EXPECT_TRUE(says(refusal(problem_of(t), "transport-laplace"), "must be constant"));
}

// rho of the Peierls equation by another method: Picard's iteration from free flight, three collisions of a short time.
TEST(TransportReferences, CharacteristicsOfInflowNearEpsOne) {
  Transport t;
  t.end = 0.1;
  t.periodic = false;
  t.initial = "0*v";
  t.inflow_left = "1";
  t.velocity = "v in double_gauss(8)";
  const ReferenceSolution solution = solve(problem_of(t), "transport-characteristics", 3e-4);
  EXPECT_TRUE(says(solution.detail, "rho to"));
  EXPECT_LE(solution.error_estimate, 0.1);  // what 16 velocities leave of a front
  // Behind the front at x = 0: f = 1 for v > 0; for v < 0 what was scattered back, to first order in t:
  // rho_0 = (1 - x/t)/2, f(0, t, v < 0) = int_0^t rho_0(|v| s, t - s) ds, rho_0 = max(0, 1 - |v| s/(t - s))/2.
  const double end = 0.01;
  double first = 0.0;
  const int n = 400;
  for (int i = 0; i < n; ++i)
    for (int k = 0; k < n; ++k) {
      const double v = (i + 0.5) / n, s = end * (k + 0.5) / n;
      first += 0.5 * 0.5 * std::max(0.0, 1.0 - v * s / (end - s)) * end / n / n;
    }
  MatrixXd corner(1, 2);
  corner << 0.0, end;
  EXPECT_NEAR(solution.evaluate(corner)(0, 0), 0.5 + first, 0.5 * end * end);
}

TEST(TransportReferences, SteadySlabInAllUnknowns) {
  const MatrixXd points = VectorXd::LinSpaced(41, 0.0, 1.0);
  for (const Unknowns unknowns : {Unknowns::micro_macro, Unknowns::even_odd, Unknowns::distribution}) {
    Transport t;
    t.unknowns = unknowns;
    t.eps = 1e-6;
    t.end = 0.0;
    t.periodic = false;
    t.inflow_left = "1";
    t.velocity = "v in double_gauss(4)";
    const Problem problem = problem_of(t);
    const ReferenceSolution solution = solve_reference(problem, {"auto", 1e-6, 0, true});
    EXPECT_EQ(solution.name, "diffusion-synthetic");
    const MatrixXd fields = solution.evaluate(points);
    // Moment 0 of f: the first field. eps -> 0: rho = 1 - x.
    EXPECT_LE(distance(fields.col(0), (1.0 - points.array()).matrix()), 2e-5);
  }
}

// The steps of etdrk4 are far longer than the layer; the exact modes of the same velocities say what is in it.
TEST(TransportReferences, EtdSeesTheInitialLayer) {
  for (const double eps : {1e-2, 1e-4}) {
    Transport t;
    t.eps = eps;
    t.end = 0.1;
    t.velocity = "v in gauss(3)";
    const Problem problem = problem_of(t);
    MatrixXd points = points_of(0.1);
    for (Index k = 0; k < points.rows(); ++k)  // most of them in the layer
      points(k, 1) = std::min(0.1, eps * eps * std::exp2(-6.0 + 0.05 * static_cast<double>(k)));
    const ReferenceSolution solution = solve_reference(problem, {"etdrk4", 1e-8, 0, true});
    const MatrixXd exact = solve(problem, "transport-modes").evaluate(points);
    EXPECT_LE(solution.error_estimate, 1e-8);
    EXPECT_LE(distance(solution.evaluate(points), exact), 1e-8 * exact.cwiseAbs().maxCoeff()) << eps;
  }
}

TEST(TransportReferences, MissedToleranceIsAnError) {
  Transport t;
  t.scattering = "2 + sin(2*pi*x)";
  t.end = 0.1;
  EXPECT_THROW(solve_reference(problem_of(t), {"micro-macro", 1e-12, 64, true}), NumericalError);
  EXPECT_GT(solve(problem_of(t), "micro-macro", 1e-12, 64).error_estimate, 1e-12);
}

}  // namespace
}  // namespace torsor
