#include "solvers/reference/even_odd.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"
#include "solvers/reference/micro_macro.h"
#include "tests/solvers/reference/transport_cases.h"

namespace torsor {
namespace {

using namespace transport_cases;
using Eigen::VectorXd;

ModeErrors errors(const TransportProblem& problem, int cells) {
  return mode_errors(solve_even_odd(problem, with_cells(cells)), problem.eps);
}

TEST(EvenOdd, IsOfSecondOrderForEveryEps) {
  for (double eps : {0.2, 0.1, 1e-3, 1e-4, 1e-8}) {
    const ModeErrors coarse = errors(eigenmode(eps), 50), fine = errors(eigenmode(eps), 100);
    EXPECT_GT(std::log2(coarse.rho / fine.rho), 1.7) << eps;
    EXPECT_GT(std::log2(coarse.flux / fine.flux), 1.7) << eps;
    EXPECT_LT(fine.rho, 5e-4) << eps;
  }
  // Where the step is about eps^2 the errors of the parts cancel on some meshes.
  EXPECT_LT(errors(eigenmode(0.01), 100).rho, 5e-4);
}

TEST(EvenOdd, ConvergesWithBoundaries) {
  for (double eps : {0.2, 0.05, 1e-3, 1e-8}) {
    const ModeErrors coarse = errors(driven_eigenmode(eps), 40), fine = errors(driven_eigenmode(eps), 80);
    EXPECT_GT(std::log2(coarse.rho / fine.rho), 1.0) << eps;
    EXPECT_LT(fine.rho, 5e-3) << eps;
  }
}

TEST(EvenOdd, PreservesTheDiffusionLimit) {
  const auto error = [&](double eps) {
    const TransportSolution s = solve_even_odd(eigenmode(eps), with_cells(50));
    VectorXd limit(50);
    for (int i = 0; i < 50; ++i) limit(i) = TransportEigenmode(0.0, 2.0 * kPi).rho(0.1, s.x(i));
    return relative_l2(s.snapshots[0].rho, limit);
  };
  const double limit_error = error(1e-8);
  EXPECT_GT(error(0.2), 10.0 * error(0.05));
  EXPECT_GT(error(0.05), 5.0 * limit_error);
  EXPECT_NEAR(error(1e-5) / limit_error, 1.0, 1e-2);
  EXPECT_NEAR(error(1e-6) / limit_error, 1.0, 1e-3);
  EXPECT_LT(limit_error, 1e-3);
}

TEST(EvenOdd, AgreesWithTheVolterraEquation) {
  for (double eps : {1.0, 0.3, 0.1, 0.01, 1e-4, 1e-8}) {
    TransportOptions options;
    options.cells = 128;
    const TransportSolution s = solve_even_odd(two_waves(eps), options);
    const ModeErrors error = two_waves_errors(s, eps);
    EXPECT_LT(error.rho, 2e-3) << eps;
    EXPECT_LT(error.flux, 5e-3) << eps;
  }
}

// Root mean square over the centres of the difference to the micro-macro scheme.
double difference(const TransportProblem& problem, int cells) {
  TransportOptions options = with_cells(cells);
  options.half_range_nodes = 16;
  const TransportSolution a = solve_even_odd(problem, options), b = solve_micro_macro(problem, options);
  double sum = 0.0;
  for (Eigen::Index i = 0; i < a.x.size(); ++i)
    sum += std::pow(a.snapshots[0].rho(i) - at(b, b.snapshots[0].rho, a.x(i)), 2);
  return std::sqrt(sum / cells);
}

TEST(EvenOdd, AgreesWithMicroMacroOnInflow) {
  for (double eps : {1.0, 0.3, 0.1, 0.01, 1e-3, 1e-4, 1e-8})
    EXPECT_LT(difference(inflow(eps), 100), eps > 0.5 ? 2e-3 : 1e-3) << eps;
}

TEST(EvenOdd, AgreesWithMicroMacroInAVariableMedium) {
  for (double eps : {0.5, 0.05, 1e-3, 1e-8}) {
    const double coarse = difference(variable_medium(eps), 50), fine = difference(variable_medium(eps), 100);
    EXPECT_LT(fine, 1e-3) << eps;
    EXPECT_LT(fine, 0.4 * coarse) << eps;
  }
}

TEST(EvenOdd, InflowTendsToTheDiffusionLimit) {
  const TransportSolution s = solve_even_odd(inflow(1e-8), with_cells(100));
  for (Eigen::Index i = 0; i < s.x.size(); ++i)
    EXPECT_NEAR(s.snapshots[0].rho(i), diffusion_inflow(0.1, s.x(i)), 2e-4);
  const TransportSolution hom = solve_even_odd(no_inflow(1e-8), with_cells(100));
  for (Eigen::Index i = 0; i < hom.x.size(); ++i)
    EXPECT_NEAR(hom.snapshots[0].rho(i), diffusion_sine_squared(0.1, hom.x(i)), 1e-3);
}

TEST(EvenOdd, KeepsTheMass) {
  for (double eps : {2.0, 0.5, 0.01, 1e-6}) {
    TransportOptions options = with_cells(60);
    options.times = {0.0, 0.05, 0.1};
    const TransportSolution s = solve_even_odd(two_waves(eps), options);
    ASSERT_EQ(s.snapshots.size(), 3U);
    for (const TransportSnapshot& snapshot : s.snapshots) {
      EXPECT_NEAR(snapshot.rho.sum(), s.snapshots[0].rho.sum(), 1e-12);
      EXPECT_LT(max_absolute(s.velocities.moments(snapshot.f), snapshot.rho), 1e-13);
      EXPECT_LT(max_absolute(s.velocities.moments(snapshot.f, 1) / eps, snapshot.flux), 1e-13 + 1e-15 / eps);
    }
  }
}

TEST(EvenOdd, AbsorbsAndEmits) {
  for (double eps : {1.0, 1e-2, 1e-8}) {
    TransportProblem p;
    p.eps = eps;
    p.initial = [](double, double) { return 1.0; };
    p.absorption = [](double) { return 3.0; };
    p.source = [](double) { return 1.0; };
    const TransportSolution s = solve_even_odd(p, with_cells(40));
    EXPECT_NEAR(s.snapshots[0].rho(7), 1.0 / 3.0 + 2.0 / 3.0 * std::exp(-0.3), 1e-12);
  }
}

TEST(EvenOdd, NamesBadInput) {
  TransportProblem p = two_waves(1.0);
  p.scattering = [](double) { return -1.0; };
  EXPECT_THROW(solve_even_odd(p), InputError);
  p = two_waves(1.0);
  p.periodic = false;
  p.inflow_right = nullptr;
  EXPECT_THROW(solve_even_odd(p), InputError);
  EXPECT_THROW(solve_even_odd(two_waves(-1.0)), InputError);
  TransportOptions options;
  options.half_range_nodes = 1;
  EXPECT_THROW(solve_even_odd(two_waves(1.0), options), InputError);
}

}  // namespace
}  // namespace torsor
