#include "solvers/reference/transport_laplace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "solvers/reference/micro_macro.h"
#include "tests/solvers/reference/transport_cases.h"
#include "tests/solvers/reference/transport_slabs.h"

namespace torsor {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

constexpr double kPi = std::numbers::pi;

VelocityBasis nodes(int half = 8) { return make_velocity_basis({"v"}, "double_gauss", {half}); }

LaplaceSlab inflow(const VelocityBasis& v, double eps) { return {inflow_from_the_left(v, eps), {}}; }

// f0(x, v) as moments.
void set_initial(LaplaceSlab& slab, const VelocityBasis& v, const std::function<double(double, double)>& f0) {
  slab.initial_moments = [v, f0](const VectorXd& x) {
    MatrixXd f(x.size(), v.size());
    for (Index i = 0; i < f.rows(); ++i)
      for (Index j = 0; j < f.cols(); ++j) f(i, j) = f0(x(i), v.nodes(j, 0));
    return MatrixXd(f * v.weights.asDiagonal() * v.polynomials);
  };
}

double no_inflow_data(double x, double v) { return transport_cases::no_inflow(1.0).initial(x, v); }

LaplaceSlab no_inflow(const VelocityBasis& v, double eps) {
  LaplaceSlab slab;
  slab.eps = eps;
  slab.inflow = VectorXd::Zero(v.size());
  set_initial(slab, v, no_inflow_data);
  return slab;
}

// With data that fit nothing.
LaplaceSlab everything(const VelocityBasis& v, double eps) {
  LaplaceSlab slab{general_slab(v, eps), {}};
  set_initial(slab, v, [](double x, double u) { return std::exp(x) * (1.0 + 0.3 * u) + 0.2 * x * x * u * u; });
  return slab;
}

MatrixXd points_of(const VectorXd& x, double t) {
  MatrixXd points(x.size(), 2);
  points << x, VectorXd::Constant(x.size(), t);
  return points;
}

MatrixXd f_of(const TransportLaplace& solved, const VelocityBasis& v, const MatrixXd& points) {
  return solved.moments(points) * v.polynomials.transpose();
}

// sum_n a(n) sin(n pi x) exp(-n^2 pi^2 t/3)
double sine_series(const std::function<double(int)>& a, double x, double t) {
  double sum = 0.0;
  for (int n = 1; n < 200; ++n) sum += a(n) * std::sin(n * kPi * x) * std::exp(-n * n * kPi * kPi * t / 3.0);
  return sum;
}

TEST(TransportLaplace, InflowTendsToDiffusion) {
  const VelocityBasis v = nodes();
  const TransportLaplace solved(v, inflow(v, 1e-8));
  const VectorXd x = VectorXd::LinSpaced(21, 0.0, 1.0);
  for (const double t : {0.01, 0.05, 0.1, 3.0}) {
    const MatrixXd m = solved.moments(points_of(x, t));
    for (Index i = 0; i < x.size(); ++i) {
      const double exact = 1.0 - x(i) - sine_series([](int n) { return 2.0 / (n * kPi); }, x(i), t);
      EXPECT_NEAR(m(i, 0), exact, 1e-7) << x(i) << " " << t;  // 0.71 eps rho_x, the extrapolation length
    }
  }
  // j = <v f>/eps = -rho_x/3, though it is 1e-8 of f.
  const double t = 0.05, flux = solved.moments(points_of(VectorXd::Constant(1, 0.3), t))(0, 1) / std::sqrt(3.0) / 1e-8;
  double slope = -1.0;
  for (int n = 1; n < 60; ++n) slope -= 2.0 * std::cos(0.3 * n * kPi) * std::exp(-n * n * kPi * kPi * t / 3.0);
  EXPECT_NEAR(flux, -slope / 3.0, 1e-7);
}

TEST(TransportLaplace, DataOutOfEquilibriumTendToDiffusion) {
  const VelocityBasis v = nodes();
  const TransportLaplace solved(v, no_inflow(v, 1e-8));
  EXPECT_LE(solved.initial_misfit(), 1e-12);
  const VectorXd mean = (v.weights.array() * 3.0 / std::sqrt(2.0 * kPi) *
                         (-4.5 * v.nodes.col(0).array().square()).exp()).matrix();
  const VectorXd x = VectorXd::LinSpaced(21, 0.0, 1.0);
  for (const double t : {1e-3, 0.05, 0.1}) {
    const VectorXd rho = solved.moments(points_of(x, t)).col(0);
    for (Index i = 0; i < x.size(); ++i) {
      const auto a = [](int n) { return n % 2 == 1 ? -8.0 / (kPi * n * (n * n - 4.0)) : 0.0; };
      EXPECT_NEAR(rho(i), 2.0 * mean.sum() * sine_series(a, x(i), t), 1e-7) << x(i) << " " << t;
    }
  }
}

// eps f_t + v f_x - (sigma/eps)(<f> - f) + eps sigma_A f - eps Q by differences, and the walls' data.
TEST(TransportLaplace, SatisfiesEquationAndWalls) {
  const VelocityBasis v = nodes(4);
  for (const double eps : {0.03, 1e-3}) {
    const LaplaceSlab slab = everything(v, eps);
    const TransportLaplace solved(v, slab);
    EXPECT_LE(solved.initial_misfit(), 1e-11);
    const double t = 0.2, d = 1e-4;
    for (const double x : {-0.3, 0.05, 0.7}) {
      MatrixXd at(5, 2);
      at << x, t, x, t - d, x, t + d, x - d, t, x + d, t;
      const MatrixXd f = f_of(solved, v, at);
      const RowVectorXd f_t = (f.row(2) - f.row(1)) / (2.0 * d), f_x = (f.row(4) - f.row(3)) / (2.0 * d);
      const double rho = f.row(0).dot(v.weights);
      for (Index j = 0; j < v.size(); ++j)
        EXPECT_NEAR(eps * eps * f_t(j) + eps * v.nodes(j, 0) * f_x(j),
                    slab.scattering * (rho - f(0, j)) + eps * eps * (slab.source - slab.absorption * f(0, j)),
                    1e-7 * eps)
            << eps << " " << x;
    }
    VectorXd ends(2);
    ends << slab.a, slab.b;
    for (const double later : {0.15, 0.3, 1.7}) {
      const MatrixXd f = f_of(solved, v, points_of(ends, later));
      for (Index j = 0; j < v.size(); ++j)
        EXPECT_NEAR(f(v.nodes(j, 0) > 0.0 ? 0 : 1, j), slab.inflow(j), 1e-11) << eps << " " << later;
    }
  }
}

TEST(TransportLaplace, StartsFromTheDataAndSolvesTheLayer) {
  const VelocityBasis v = nodes(4);
  const double eps = 1e-2;
  const LaplaceSlab slab = everything(v, eps);
  const TransportLaplace solved(v, slab);
  const VectorXd x = VectorXd::LinSpaced(5, -0.3, 0.6);
  const MatrixXd start = slab.initial_moments(x);
  EXPECT_EQ((solved.moments(points_of(x, 0.0)) - start).cwiseAbs().maxCoeff(), 0.0);
  // In the layer f_t = sigma (<f> - f)/eps^2 but for O(eps).
  const double tau = 1.3, t = tau * eps * eps / slab.scattering;
  MatrixXd expected = std::exp(-tau) * start;
  expected.col(0) = start.col(0);
  EXPECT_LE((solved.moments(points_of(x, t)) - expected).cwiseAbs().maxCoeff(), 1.5 * eps);
  EXPECT_GT((solved.moments(points_of(x, t)) - start).cwiseAbs().maxCoeff(), 5.0 * eps);
}

// f = 1 is a solution for inflow 1, whatever eps; with absorption and sources exp(-sigma_A t) and the like.
TEST(TransportLaplace, KeepsEquilibrium) {
  const VelocityBasis v = nodes(3);
  for (const double eps : {1.0, 0.1, 1e-3, 1e-8}) {
    LaplaceSlab slab;
    slab.eps = eps;
    slab.absorption = 2.0;
    slab.source = 6.0;
    slab.inflow = VectorXd::Constant(v.size(), 3.0);
    set_initial(slab, v, [](double, double) { return 3.0; });
    const TransportLaplace solved(v, slab);
    for (const double t : {0.01, 0.4, 40.0}) {
      const MatrixXd f = f_of(solved, v, points_of(VectorXd::LinSpaced(5, 0.0, 1.0), t));
      EXPECT_LE((f.array() - 3.0).abs().maxCoeff(), 2e-12) << eps << " " << t;
    }
  }
}

// After a long time the flux is the same everywhere, and time is forgotten.
TEST(TransportLaplace, BecomesSteady) {
  const VelocityBasis v = nodes();
  for (const double eps : {1.0, 0.1, 1e-4, 1e-8}) {
    const TransportLaplace solved(v, inflow(v, eps));
    const VectorXd x = VectorXd::LinSpaced(7, 0.0, 1.0);
    const MatrixXd m = solved.moments(points_of(x, 100.0)), later = solved.moments(points_of(x, 5000.0));
    EXPECT_LE((m - later).cwiseAbs().maxCoeff(), 1e-10) << eps;
    EXPECT_LE((m.col(1).array() / m(0, 1) - 1.0).abs().maxCoeff(), 1e-8) << eps;
    EXPECT_NEAR(m(3, 0), 0.5, 1e-10) << eps;  // the middle, by symmetry
  }
}

// The scheme tends to it; cells of 1/40 do not resolve the layers at the walls.
TEST(TransportLaplace, MicroMacroTendsToIt) {
  const VelocityBasis v = nodes();
  for (const double eps : {1e-3, 1e-2}) {
    const auto distance = [&](const TransportProblem& problem, const TransportLaplace& exact, int cells) {
      TransportOptions options = transport_cases::with_cells(cells);
      options.times = {0.06};
      const TransportSolution scheme = solve_micro_macro(problem, options);
      const VectorXd rho = exact.moments(points_of(scheme.x, 0.06)).col(0);
      return (scheme.snapshots.front().rho - rho).norm() / rho.norm();
    };
    const TransportLaplace first(v, inflow(v, eps)), second(v, no_inflow(v, eps));
    const TransportProblem into = transport_cases::inflow(eps), without = transport_cases::no_inflow(eps);
    const double a40 = distance(into, first, 40), a120 = distance(into, first, 120);
    const double b40 = distance(without, second, 40), b120 = distance(without, second, 120);
    EXPECT_LE(a120, 1e-3) << eps;
    EXPECT_LE(b120, 1e-3) << eps;
    EXPECT_GT(a40 / a120, 2.0) << eps;
    EXPECT_GT(b40 / b120, 2.0) << eps;
  }
}

// The number of contour nodes and where a time lies in its window change nothing.
TEST(TransportLaplace, ContourIsConverged) {
  const VelocityBasis v = nodes();
  for (const double eps : {1e-2, 1e-4, 1e-8}) {
    const LaplaceSlab slab = everything(v, eps);
    const TransportLaplace fine(v, slab, 40), coarse(v, slab, 32);
    MatrixXd at(40, 2);
    for (Index i = 0; i < at.rows(); ++i)
      at.row(i) << -0.5 + 1.3 * std::fmod(0.618034 * static_cast<double>(i), 1.0), 0.03 * static_cast<double>(i + 1);
    EXPECT_LE((fine.moments(at) - coarse.moments(at)).cwiseAbs().maxCoeff(), 2e-9) << eps;
  }
}

TEST(FourierExtension, ResolvesSmoothDataThatAreNotPeriodic) {
  const auto moments = [](const VectorXd& x) {
    MatrixXd m(x.size(), 2);
    m << x.array().exp(), (3.0 * x.array()).sin();
    return m;
  };
  const FourierExtension extension = fourier_extension(moments, -1.0, 1.5, 64);
  EXPECT_LE(extension.misfit, 1e-12);
  EXPECT_LT(extension.waves.size(), 65u);
  const auto jump = [](const VectorXd& x) { return MatrixXd((x.array() > 0.3).cast<double>().matrix()); };
  EXPECT_GT(fourier_extension(jump, 0.0, 1.0, 16).misfit, 1e-2);
}

TEST(TransportLaplace, RefusesBadInput) {
  const VelocityBasis v = nodes(2);
  const auto changed = [&](auto change) {
    LaplaceSlab slab = inflow(v, 0.1);
    change(slab);
    return slab;
  };
  EXPECT_THROW(TransportLaplace(v, changed([](auto& s) { s.eps = 0.0; })), InputError);
  EXPECT_THROW(TransportLaplace(v, changed([](auto& s) { s.b = s.a; })), InputError);
  EXPECT_THROW(TransportLaplace(v, changed([](auto& s) { s.scattering = 0.0; })), InputError);
  EXPECT_THROW(TransportLaplace(v, changed([](auto& s) { s.absorption = -1.0; })), InputError);
  EXPECT_THROW(TransportLaplace(v, changed([](auto& s) { s.inflow.resize(3); })), InputError);
  EXPECT_THROW(TransportLaplace(v, inflow(v, 0.1), 7), InputError);
  EXPECT_THROW(TransportLaplace(v, inflow(v, 0.1), 40, 2), InputError);
  const auto nan = [](const VectorXd& x) { return MatrixXd(MatrixXd::Constant(x.size(), 4, NAN)); };
  EXPECT_THROW(TransportLaplace(v, changed([&](auto& s) { s.initial_moments = nan; })), InputError);
  const TransportLaplace solved(v, inflow(v, 0.1));
  EXPECT_THROW(solved.moments(MatrixXd::Zero(1, 3)), InputError);
  EXPECT_THROW(solved.moments(points_of(VectorXd::Constant(1, 2.0), 0.1)), InputError);
  EXPECT_THROW(solved.moments(points_of(VectorXd::Constant(1, 0.5), -0.1)), InputError);
}

}  // namespace
}  // namespace torsor
