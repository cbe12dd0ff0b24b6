#include "solvers/reference/micro_macro.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "physics/error.h"
#include "tests/solvers/reference/transport_cases.h"

namespace torsor {
namespace {

using namespace transport_cases;
using Eigen::VectorXd;

ModeErrors errors(const TransportProblem& problem, int cells) {
  return mode_errors(solve_micro_macro(problem, with_cells(cells)), problem.eps);
}

TEST(MicroMacro, IsOfSecondOrderForEveryEps) {
  for (double eps : {0.2, 0.1, 0.01, 1e-3, 1e-4, 1e-8}) {
    const ModeErrors coarse = errors(eigenmode(eps), 40), fine = errors(eigenmode(eps), 80);
    EXPECT_NEAR(std::log2(coarse.rho / fine.rho), 2.0, 0.1) << eps;
    EXPECT_NEAR(std::log2(coarse.flux / fine.flux), 2.0, 0.15) << eps;
    EXPECT_LT(fine.rho, 2e-3) << eps;
  }
}

TEST(MicroMacro, IsOfSecondOrderWithBoundaries) {
  for (double eps : {0.2, 0.05, 1e-3, 1e-8}) {
    const ModeErrors coarse = errors(driven_eigenmode(eps), 40), fine = errors(driven_eigenmode(eps), 80);
    EXPECT_GT(std::log2(coarse.rho / fine.rho), 1.7) << eps;
    EXPECT_LT(fine.rho, 2e-3) << eps;
  }
}

// On one mesh the error against the diffusion limit falls with eps, then stays.
TEST(MicroMacro, PreservesTheDiffusionLimit) {
  VectorXd limit(50);
  for (int i = 0; i < 50; ++i) limit(i) = TransportEigenmode(0.0, 2.0 * kPi).rho(0.1, i / 50.0);
  const auto error = [&](double eps) {
    return relative_l2(solve_micro_macro(eigenmode(eps), with_cells(50)).snapshots[0].rho, limit);
  };
  const double limit_error = error(1e-8);
  EXPECT_GT(error(0.2), 10.0 * error(0.05));
  EXPECT_GT(error(0.05), 2.0 * limit_error);
  EXPECT_NEAR(error(1e-4) / limit_error, 1.0, 1e-3);
  EXPECT_NEAR(error(1e-6) / limit_error, 1.0, 1e-3);
  EXPECT_LT(limit_error, 2e-3);
}

TEST(MicroMacro, AgreesWithTheVolterraEquation) {
  for (double eps : {1.0, 0.3, 0.1, 0.01, 1e-4, 1e-8}) {
    TransportOptions options;
    options.cells = 128;
    const TransportSolution s = solve_micro_macro(two_waves(eps), options);
    const ModeErrors error = two_waves_errors(s, eps);
    EXPECT_LT(error.rho, 1e-3) << eps;
    EXPECT_LT(error.flux, 2e-3) << eps;
  }
}

TEST(MicroMacro, InflowTendsToTheDiffusionLimit) {
  const TransportSolution s = solve_micro_macro(inflow(1e-8), with_cells(100));
  for (Eigen::Index i = 0; i < s.x.size(); ++i)
    EXPECT_NEAR(s.snapshots[0].rho(i), diffusion_inflow(0.1, s.x(i)), 2e-4);
  const TransportSolution hom = solve_micro_macro(no_inflow(1e-8), with_cells(100));
  for (Eigen::Index i = 0; i < hom.x.size(); ++i)
    EXPECT_NEAR(hom.snapshots[0].rho(i), diffusion_sine_squared(0.1, hom.x(i)), 5e-4);
}

// The steady flux through a slab, cells of width 1/cells.
double steady_flux(const TransportProblem& problem, int cells) {
  TransportOptions options = with_cells(cells);
  options.times = {4.0};
  const TransportSolution s = solve_micro_macro(problem, options);
  return at(s, s.snapshots[0].flux, 0.5);
}

// rho of a slab between 1 and 0 is linear and meets them 0.7104 eps outside: j = 1/(3 (1 + 2 0.7104 eps)).
TEST(MicroMacro, SlabHasTheExtrapolationLength) {
  for (const auto& [eps, cells, tolerance] :
       {std::tuple{0.1, 100, 0.002}, {0.05, 100, 0.002}, {0.01, 40, 0.04}, {1e-3, 20, 0.04}}) {
    const double length = (1.0 / (3.0 * steady_flux(inflow(eps), cells)) - 1.0) / (2.0 * eps);
    EXPECT_NEAR(length, 0.71045, tolerance) << eps;
  }
}

// Inflow v: a resolved layer turns it into Chandrasekhar's 0.7104, an unresolved one into int (v + 3/2 v^2)
// F.
TEST(MicroMacro, AnisotropicInflowWithAndWithoutAResolvedLayer) {
  TransportProblem p = inflow(0.05);
  p.inflow_left = [](double, double v) { return v; };
  EXPECT_NEAR(3.0 * (1.0 + 2.0 * 0.71045 * 0.05) * steady_flux(p, 100), 0.71045, 0.002);
  p.eps = 1e-6;
  EXPECT_NEAR(3.0 * steady_flux(p, 20), 1.0 / 3.0 + 3.0 / 8.0, 1e-4);
  p.inflow_left = [](double, double v) { return v * v * v; };
  EXPECT_NEAR(3.0 * steady_flux(p, 20), 1.0 / 5.0 + 1.0 / 4.0, 1e-4);
}

TEST(MicroMacro, KeepsTheMass) {
  for (double eps : {0.5, 0.01, 1e-6}) {
    TransportOptions options = with_cells(60);
    options.times = {0.0, 0.05, 0.1};
    const TransportSolution s = solve_micro_macro(two_waves(eps), options);
    ASSERT_EQ(s.snapshots.size(), 3U);
    for (const TransportSnapshot& snapshot : s.snapshots) {
      EXPECT_NEAR(snapshot.rho.sum(), s.snapshots[0].rho.sum(), 1e-12);
      // rho = <f>: what is left of <g> is rounding.
      EXPECT_LT(max_absolute(s.velocities.moments(snapshot.f), snapshot.rho), 1e-13);
    }
  }
}

TEST(MicroMacro, StreamsWithoutScattering) {
  TransportProblem p = two_waves(1.0);
  p.scattering = [](double) { return 0.0; };
  TransportOptions options = with_cells(200);
  options.half_range_nodes = 16;
  const TransportSolution s = solve_micro_macro(p, options);
  for (Eigen::Index i = 0; i < s.x.size(); ++i)
    EXPECT_NEAR(s.snapshots[0].rho(i), free_transport_density(p.initial, 1.0, 0.1, s.x(i), s.velocities),
                2e-4);
}

// A uniform medium: rho' = -sigma_A rho + Q for every eps.
TEST(MicroMacro, AbsorbsAndEmits) {
  for (double eps : {1.0, 1e-2, 1e-8}) {
    TransportProblem p;
    p.eps = eps;
    p.initial = [](double, double) { return 1.0; };
    p.absorption = [](double) { return 3.0; };
    p.source = [](double) { return 1.0; };
    const TransportSolution s = solve_micro_macro(p, with_cells(40));
    EXPECT_NEAR(s.snapshots[0].rho(7), 1.0 / 3.0 + 2.0 / 3.0 * std::exp(-0.3), 3e-5);
  }
}

TEST(MicroMacro, NamesBadInput) {
  TransportProblem p = two_waves(1.0);
  p.absorption = [](double x) { return x - 0.5; };
  EXPECT_THROW(solve_micro_macro(p), InputError);
  EXPECT_THROW(solve_micro_macro(two_waves(0.0)), InputError);
  EXPECT_THROW(solve_micro_macro(two_waves(1.0), with_cells(3)), InputError);
  EXPECT_THROW(solve_micro_macro(TransportProblem()), InputError);
  TransportOptions options;
  options.times = {0.1, 0.1};
  EXPECT_THROW(solve_micro_macro(two_waves(1.0), options), InputError);
  options = {};
  options.time_step_factor = 2.0;
  try {
    solve_micro_macro(two_waves(1.0), options);
    FAIL();
  } catch (const InputError& e) {
    EXPECT_STREQ(e.what(), "micro_macro: time_step_factor = 2 must be in (0, 1]");
  }
}

}  // namespace
}  // namespace torsor
