#include "solvers/reference/diffusion_synthetic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"
#include "solvers/reference/micro_macro.h"
#include "tests/solvers/reference/transport_cases.h"

namespace torsor {
namespace {

using namespace transport_cases;
using Eigen::VectorXd;

DiffusionSyntheticOptions with_cells(int cells) {
  DiffusionSyntheticOptions options;
  options.cells = cells;
  return options;
}

// No inflow, Q = 1.
TransportProblem heated_slab(double eps) {
  TransportProblem p = no_inflow(eps);
  p.source = [](double) { return 1.0; };
  return p;
}

// max |f - exp(-sigma_A x / v)| of a beam in a pure absorber, eps = 1: v f_x = -sigma_A f.
double beam_error(int cells) {
  TransportProblem p = inflow(1.0);
  p.scattering = [](double) { return 0.0; };
  p.absorption = [](double) { return 2.0; };
  DiffusionSyntheticOptions options = with_cells(cells);
  options.half_range_nodes = 4;
  const SteadyTransportSolution s = solve_steady_transport(p, options);
  double error = 0.0;
  for (Eigen::Index m = 0; m < s.velocities.size(); ++m) {
    const double v = s.velocities.nodes(m);
    for (Eigen::Index i = 0; i < s.x.size(); ++i)
      error = std::max(error, std::abs(s.f(i, m) - (v > 0.0 ? std::exp(-2.0 * s.x(i) / v) : 0.0)));
  }
  return error;
}

TEST(DiffusionSynthetic, AbsorbsExponentially) {
  EXPECT_NEAR(std::log2(beam_error(400) / beam_error(800)), 2.0, 0.1);
  EXPECT_LT(beam_error(1600), 2e-4);
}

TEST(DiffusionSynthetic, ContractsForEveryEpsAndMesh) {
  for (double eps : {10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8}) {
    for (int cells : {2, 10, 100, 1000}) {
      for (const TransportProblem& p : {inflow(eps), heated_slab(eps)}) {
        const SteadyTransportSolution s = solve_steady_transport(p, with_cells(cells));
        EXPECT_LT(s.spectral_radius(), 0.23) << eps << " " << cells;
        EXPECT_LE(s.iterations(), 21) << eps << " " << cells;
      }
    }
  }
}

TEST(DiffusionSynthetic, SourceIterationAloneIsSlow) {
  DiffusionSyntheticOptions options = with_cells(50);
  options.tolerance = 1e-9;
  const SteadyTransportSolution fast = solve_steady_transport(inflow(0.1), options);
  options.accelerate = false;
  options.max_iterations = 5000;
  const SteadyTransportSolution slow = solve_steady_transport(inflow(0.1), options);
  EXPECT_GT(slow.iterations(), 20 * fast.iterations());
  EXPECT_GT(slow.spectral_radius(), 0.95);
  EXPECT_LT(max_absolute(slow.rho, fast.rho), 1e-6);
  EXPECT_LT(max_absolute(slow.flux, fast.flux), 1e-6);
}

TEST(DiffusionSynthetic, IsOfSecondOrder) {
  for (double eps : {0.1, 1e-3, 1e-6}) {
    const auto mean = [eps](int cells) {
      return solve_steady_transport(heated_slab(eps), with_cells(cells)).rho.mean();
    };
    EXPECT_NEAR(std::log2((mean(100) - mean(200)) / (mean(200) - mean(400))), 2.0, 0.25) << eps;
  }
}

TEST(DiffusionSynthetic, TendsToDiffusion) {
  // -rho_xx/3 = 1: rho = 3/2 x (1 - x); linear between inflow values.
  const SteadyTransportSolution heated = solve_steady_transport(heated_slab(1e-8), with_cells(64));
  const SteadyTransportSolution slab = solve_steady_transport(inflow(1e-8), with_cells(64));
  for (Eigen::Index i = 0; i < 64; ++i) {
    const double x = heated.x(i);
    EXPECT_NEAR(heated.rho(i), 1.5 * x * (1.0 - x), 2e-4);
    EXPECT_NEAR(heated.flux(i), x - 0.5, 1e-7);
    EXPECT_NEAR(slab.rho(i), 1.0 - x, 1e-7);
  }
}

TEST(DiffusionSynthetic, SlabHasTheExtrapolationLength) {
  for (const auto& [eps, cells] : {std::pair{0.1, 200}, {0.05, 200}, {0.02, 400}}) {
    const SteadyTransportSolution s = solve_steady_transport(inflow(eps), with_cells(cells));
    EXPECT_NEAR((1.0 / (3.0 * s.flux(cells / 2)) - 1.0) / (2.0 * eps), 0.71045, 2e-4) << eps;
  }
}

// The flux of a source-free slab is the same everywhere; <f> = rho and <v f> = eps j.
TEST(DiffusionSynthetic, Balances) {
  for (double eps : {1.0, 0.01}) {
    const SteadyTransportSolution s = solve_steady_transport(inflow(eps), with_cells(80));
    EXPECT_LT(s.flux.maxCoeff() - s.flux.minCoeff(), 1e-10);
    EXPECT_LT(max_absolute(s.velocities.moments(s.f), s.rho), 1e-13);
    EXPECT_LT(max_absolute(s.velocities.moments(s.f, 1) / eps, s.flux), 1e-13 / eps);
  }
}

TEST(DiffusionSynthetic, IsTheLateStateOfTheMicroMacroScheme) {
  for (double eps : {0.3, 0.05}) {
    TransportProblem p = variable_medium(eps);
    p.periodic = false;
    p.inflow_left = [](double, double v) { return 1.0 + v; };
    TransportOptions late;
    late.cells = 100;
    late.times = {5.0};
    const TransportSolution s = solve_micro_macro(p, late);
    const SteadyTransportSolution steady = solve_steady_transport(p, with_cells(100));
    VectorXd rho(100);
    for (Eigen::Index i = 0; i < 100; ++i) rho(i) = at(s, s.snapshots[0].rho, steady.x(i));
    EXPECT_LT(relative_l2(rho, steady.rho), 2e-3) << eps;
  }
}

// Inflow v: the layer of width eps turns it into Chandrasekhar's 0.7104; here it is ten cells wide.
TEST(DiffusionSynthetic, ResolvesTheLayerOfAnAnisotropicInflow) {
  TransportProblem p = inflow(0.05);
  p.inflow_left = [](double, double v) { return v; };
  const double flux = solve_steady_transport(p, with_cells(200)).flux(100);
  EXPECT_NEAR(3.0 * (1.0 + 2.0 * 0.71045 * 0.05) * flux, 0.71045, 1e-3);
}

TEST(DiffusionSynthetic, NamesBadInput) {
  EXPECT_THROW(solve_steady_transport(inflow(0.0)), InputError);
  EXPECT_THROW(solve_steady_transport(inflow(1.0), with_cells(1)), InputError);
  TransportProblem empty = inflow(1.0);
  empty.scattering = [](double) { return 0.0; };
  EXPECT_THROW(solve_steady_transport(empty), InputError);
  TransportProblem missing = inflow(1.0);
  missing.inflow_left = nullptr;
  EXPECT_THROW(solve_steady_transport(missing), InputError);
  DiffusionSyntheticOptions options;
  options.tolerance = 0.0;
  EXPECT_THROW(solve_steady_transport(inflow(1.0), options), InputError);
  options = {};
  options.max_iterations = 3;
  EXPECT_THROW(solve_steady_transport(inflow(0.1), options), NumericalError);
}

}  // namespace
}  // namespace torsor
