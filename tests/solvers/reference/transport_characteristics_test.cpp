#include "solvers/reference/transport_characteristics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"
#include "solvers/reference/micro_macro.h"

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TransportProblem slab(double eps = 1.0) {
  TransportProblem p;
  p.eps = eps;
  p.periodic = false;
  p.initial = [](double, double) { return 0.0; };
  p.inflow_left = [](double, double) { return 1.0; };
  return p;
}

CharacteristicsOptions with(double end, int cells, int steps, int panel = 12) { return {end, cells, steps, panel}; }

// Away from both corners and all over the slab.
MatrixXd points(double end, Index n = 200) {
  MatrixXd at(n, 2);
  for (Index k = 0; k < n; ++k)
    at.row(k) << std::fmod(0.6180339887498949 * static_cast<double>(k + 1), 1.0),
        end * (0.05 + 0.95 * std::fmod(0.4142135623730951 * static_cast<double>(k), 1.0));
  return at;
}

// Without scattering f = F where v t > eps x: rho = (1 - eps x/t)/2 for isotropic inflow, a front at every time.
TEST(TransportCharacteristics, FreeFlightIsExact) {
  for (const double eps : {1.0, 0.2}) {
    TransportProblem p = slab(eps);
    p.scattering = [](double) { return 0.0; };
    const MatrixXd at = points(0.5);
    const MatrixXd values = TransportCharacteristics(p, with(0.5, 8, 8)).evaluate(at, VectorXd::Constant(1, 0.5));
    for (Index i = 0; i < at.rows(); ++i) {
      const double front = std::min(1.0, eps * at(i, 0) / at(i, 1));
      EXPECT_NEAR(values(i, 0), 0.5 * (1.0 - front), 1e-14);
      EXPECT_NEAR(values(i, 1) * eps, 0.25 * (1.0 - front * front), 1e-14);
      const double expected = front < 0.5 ? 1.0 : 0.0;
      EXPECT_NEAR(values(i, 2), expected, std::abs(front - 0.5) > 1e-9 ? 0.0 : 1.0);
    }
  }
}

// Absorption alone: f = e^{-sigma_A eps x/v} behind the front.
TEST(TransportCharacteristics, PureAbsorption) {
  TransportProblem p = slab(0.5);
  p.scattering = [](double) { return 0.0; };
  p.absorption = [](double) { return 3.0; };
  const MatrixXd at = points(1.0);
  const MatrixXd values = TransportCharacteristics(p, with(1.0, 10, 10)).evaluate(at, VectorXd::Constant(1, 0.9));
  for (Index i = 0; i < at.rows(); ++i) {
    const bool behind = 0.9 * at(i, 1) > 0.5 * at(i, 0);
    EXPECT_NEAR(values(i, 2), behind ? std::exp(-1.5 * at(i, 0) / 0.9) : 0.0, 1e-13);
  }
}

// f = 1 solves the equation with sigma_A = 0 and inflow 1, f = e^{-sigma_A t} with inflow that decays so.
TEST(TransportCharacteristics, KeepsEquilibrium) {
  TransportProblem p = slab(0.3);
  p.scattering = [](double x) { return 1.0 + x; };
  p.initial = [](double, double) { return 1.0; };
  p.inflow_right = [](double, double) { return 1.0; };
  const VectorXd v = VectorXd::LinSpaced(4, -0.9, 0.9);
  const MatrixXd still = TransportCharacteristics(p, with(0.2, 20, 20)).evaluate(points(0.2), v);
  EXPECT_LE((still.col(0).array() - 1.0).abs().maxCoeff(), 1e-12);
  EXPECT_LE((still.rightCols(4).array() - 1.0).abs().maxCoeff(), 1e-12);
  EXPECT_LE(still.col(1).cwiseAbs().maxCoeff(), 1e-12);
}

// Against solutions on finer grids: second order, with fronts and a corner whose data do not fit.
TEST(TransportCharacteristics, IsOfSecondOrderWithFronts) {
  for (const double eps : {1.0, 0.3}) {
    TransportProblem p = slab(eps);
    p.scattering = [](double x) { return 1.0 + 0.5 * std::sin(6.0 * x); };
    const double end = 0.4;
    const MatrixXd at = points(end);
    const auto rho = [&](int n) {
      return VectorXd(TransportCharacteristics(p, with(end, 2 * n, n, 16)).evaluate(at, VectorXd(0)).col(0));
    };
    const VectorXd fine = rho(80);
    const double e16 = (rho(16) - fine).norm(), e32 = (rho(32) - fine).norm();
    EXPECT_GT(std::log2(e16 / e32), 1.6) << eps;
    EXPECT_LT(e32 / fine.norm(), 3e-3) << eps;
  }
}

// Mass: what flows in and out, (int rho dx)' = j(a) - j(b).
TEST(TransportCharacteristics, BalancesMass) {
  const TransportCharacteristics solved(slab(), with(0.6, 120, 60, 16));
  const auto mass_at = [&](double t) {
    const int n = 400;
    MatrixXd at(n, 2);
    for (Index i = 0; i < n; ++i) at.row(i) << (static_cast<double>(i) + 0.5) / n, t;
    return solved.evaluate(at, VectorXd(0)).col(0).mean();
  };
  MatrixXd ends(2, 2);
  ends << 0.0, 0.5, 1.0, 0.5;
  const VectorXd flux = solved.evaluate(ends, VectorXd(0)).col(1);
  EXPECT_NEAR((mass_at(0.55) - mass_at(0.45)) / 0.1, flux(0) - flux(1), 3e-4);
}

// The micro-macro scheme where it is good: smooth data that fit the inflow.
TEST(TransportCharacteristics, AgreesWithMicroMacroOnSmoothData) {
  TransportProblem p = slab(0.3);
  p.inflow_left = [](double, double) { return 0.0; };
  p.initial = [](double x, double) { return std::pow(std::sin(M_PI * x), 4); };
  p.absorption = [](double x) { return x; };
  p.source = [](double x) { return 1.0 - x; };
  TransportOptions options;
  options.cells = 400;
  options.times = {0.1};
  const TransportSolution scheme = solve_micro_macro(p, options);
  MatrixXd at(scheme.x.size(), 2);
  at << scheme.x, VectorXd::Constant(scheme.x.size(), 0.1);
  const MatrixXd values = TransportCharacteristics(p, with(0.1, 100, 100)).evaluate(at, VectorXd(0));
  EXPECT_LE((values.col(0) - scheme.snapshots.front().rho).cwiseAbs().maxCoeff(), 2e-3);
}

TEST(TransportCharacteristics, StartsFromTheData) {
  TransportProblem p = slab();
  p.initial = [](double x, double v) { return x * (1.0 + v) * (1.0 + v); };
  MatrixXd at(1, 2);
  at << 0.5, 0.0;
  const MatrixXd values = TransportCharacteristics(p, with(0.1, 8, 8)).evaluate(at, VectorXd::Constant(1, -0.5));
  EXPECT_NEAR(values(0, 0), 0.5 * 4.0 / 3.0, 1e-14);
  EXPECT_NEAR(values(0, 1), 0.5 * 2.0 / 3.0, 1e-14);
  EXPECT_NEAR(values(0, 2), 0.5 * 0.25, 1e-15);
}

TEST(TransportCharacteristics, RefusesBadInput) {
  EXPECT_THROW(TransportCharacteristics(slab(0.0), with(1.0, 10, 10)), InputError);
  EXPECT_THROW(TransportCharacteristics(slab(), with(0.0, 10, 10)), InputError);
  EXPECT_THROW(TransportCharacteristics(slab(), with(1.0, 2, 10)), InputError);
  EXPECT_THROW(TransportCharacteristics(slab(), with(1.0, 10, 0)), InputError);
  EXPECT_THROW(TransportCharacteristics(slab(), with(1.0, 10, 10, 1)), InputError);
  EXPECT_THROW(TransportCharacteristics(slab(0.01), with(1.0, 10, 10)), InputError);  // across the slab in a step
  TransportProblem periodic = slab();
  periodic.periodic = true;
  EXPECT_THROW(TransportCharacteristics(periodic, with(1.0, 10, 10)), InputError);
  const TransportCharacteristics solved(slab(), with(0.1, 8, 8));
  EXPECT_THROW(solved.evaluate(MatrixXd::Constant(1, 2, 2.0), VectorXd(0)), InputError);
  EXPECT_THROW(solved.evaluate(MatrixXd::Zero(1, 3), VectorXd(0)), InputError);
}

}  // namespace
}  // namespace torsor
