#include "solvers/reference/even_parity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kPi = std::numbers::pi;

MatrixXd constant_medium(const MatrixXd& points, double scattering, double absorption, double source) {
  MatrixXd medium(points.rows(), 3);
  medium.rowwise() = Eigen::RowVector3d(scattering, absorption, source);
  return medium;
}

PlaneTransportProblem square(double eps, int angles = 8) {
  PlaneTransportProblem p;
  p.eps = eps;
  p.velocities = make_velocity_basis({"vx", "vy"}, "circle", {angles});
  p.medium = [](const MatrixXd& points) { return constant_medium(points, 1.0, 0.0, 0.0); };
  p.inflow = [n = p.velocities.size()](PlaneSide, const MatrixXd& points) {
    return MatrixXd(MatrixXd::Zero(points.rows(), n));
  };
  return p;
}

EvenParityOptions with_cells(int cells) {
  EvenParityOptions options;
  options.cells_x = options.cells_y = cells;
  return options;
}

// An exact solution of the discrete ordinates for every eps: f = exp(l.x)/(1 + eps (l.v)/S), S = sigma_S + eps^2
// sigma_A, when <1/(1 + eps (l.v)/S)> = S/sigma_S. With S = 1 that gives sigma_S.
struct Exponential {
  double lx = 0.8, ly = -0.5, eps;
  PlaneTransportProblem problem;
  explicit Exponential(double e) : eps(e), problem(square(e)) {
    const auto& v = problem.velocities;
    double mean = 0.0;
    for (Index j = 0; j < v.size(); ++j) mean += v.weights(j) / (1.0 + eps * speed(j));
    // 1 - 1/mean without cancellation: <1/(1 + a)> - 1 = <a^2/(1 + a)> for <a> = 0.
    double excess = 0.0;
    for (Index j = 0; j < v.size(); ++j) excess += v.weights(j) * speed(j) * speed(j) / (1.0 + eps * speed(j));
    const double scattering = 1.0 / mean, absorption = excess / mean;
    problem.medium = [=](const MatrixXd& points) { return constant_medium(points, scattering, absorption, 0.0); };
    problem.inflow = [this](PlaneSide, const MatrixXd& points) { return f(points); };
  }
  double speed(Index j) const { return lx * problem.velocities.nodes(j, 0) + ly * problem.velocities.nodes(j, 1); }
  MatrixXd f(const MatrixXd& points) const {
    MatrixXd values(points.rows(), problem.velocities.size());
    for (Index i = 0; i < values.rows(); ++i)
      for (Index j = 0; j < values.cols(); ++j)
        values(i, j) = std::exp(lx * points(i, 0) + ly * points(i, 1)) / (1.0 + eps * speed(j));
    return values;
  }
  // The errors of rho and of the odd parity j = -(l.v) exp(l.x)/(1 - eps^2 (l.v)^2), root mean squares.
  std::pair<double, double> errors(int cells) const {
    const PlaneTransportSolution s = solve_even_parity(problem, with_cells(cells));
    double density = 0.0, odd = 0.0;
    for (Index i = 0; i < s.rho.size(); ++i) {
      MatrixXd point(1, 2);
      point << s.x(i % s.x.size()), s.y(i / s.x.size());
      const double e = std::exp(lx * point(0, 0) + ly * point(0, 1));
      density += std::pow(s.rho(i) - f(point).row(0).dot(problem.velocities.weights), 2);
      for (Index j = 0; j < s.odd.cols(); ++j)
        odd += std::pow(s.odd(i, j) + e * speed(j) / (1.0 - eps * eps * speed(j) * speed(j)), 2);
    }
    return {std::sqrt(density / s.rho.size()), std::sqrt(odd / s.odd.size())};
  }
};

TEST(EvenParity, IsOfSecondOrderInEveryRegime) {
  for (const double eps : {0.5, 0.1, 1e-2, 1e-4, 1e-8}) {
    const Exponential exact(eps);
    const auto coarse = exact.errors(16), fine = exact.errors(32);
    EXPECT_LT(fine.first, 2e-4) << eps;
    EXPECT_GT(std::log2(coarse.first / fine.first), 1.8) << eps;
    EXPECT_LT(fine.second, 1e-2) << eps;
  }
}

// div(grad rho)/2 = -Q, rho = 0 at the walls.
PlaneTransportProblem heated(double eps) {
  PlaneTransportProblem p = square(eps);
  p.medium = [](const MatrixXd& points) {
    MatrixXd medium = constant_medium(points, 1.0, 0.0, 0.0);
    medium.col(2) = kPi * kPi * (kPi * points.col(0)).array().sin() * (kPi * points.col(1)).array().sin();
    return medium;
  };
  return p;
}

TEST(EvenParity, IsAsymptoticPreserving) {
  const auto error = [](double eps) {
    const PlaneTransportSolution s = solve_even_parity(heated(eps), with_cells(24));
    double largest = 0.0;
    for (Index i = 0; i < s.rho.size(); ++i)
      largest = std::max(largest,
          std::abs(s.rho(i) - std::sin(kPi * s.x(i % s.x.size())) * std::sin(kPi * s.y(i / s.x.size()))));
    return largest;
  };
  const double limit = error(1e-8);
  EXPECT_LT(limit, 5e-3);  // of the mesh alone
  for (const double eps : {1e-4, 1e-5, 1e-6}) EXPECT_NEAR(error(eps), limit, 5.0 * eps) << eps;
  EXPECT_GT(error(0.05), 5.0 * limit);  // transport is not diffusion: an extrapolation length of order eps
}

TEST(EvenParity, IterationsAreBounded) {
  for (const double eps : {10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-5, 1e-8})
    for (const int cells : {4, 16, 48})
      EXPECT_LE(solve_even_parity(heated(eps), with_cells(cells)).iterations(), 22) << eps << " " << cells;
}

// One half scatters, the other hardly does; absorption in a corner.
TEST(EvenParity, IterationsAreBoundedInTwoMaterials) {
  for (const double eps : {1.0, 0.1, 1e-2, 1e-4}) {
    PlaneTransportProblem p = square(eps);
    p.medium = [](const MatrixXd& points) {
      MatrixXd medium = constant_medium(points, 1.0, 0.0, 1.0);
      for (Index i = 0; i < points.rows(); ++i) {
        if (points(i, 0) < 0.5) medium(i, 0) = 1e-3;
        if (points(i, 0) > 0.5 && points(i, 1) > 0.5) medium(i, 1) = 2.0;
      }
      return medium;
    };
    const PlaneTransportSolution s = solve_even_parity(p, with_cells(32));
    EXPECT_LE(s.iterations(), 60) << eps;
    EXPECT_GE(s.rho.minCoeff(), -1e-3 * s.rho.maxCoeff()) << eps;
  }
}

// Isotropic inflow of 1 everywhere without absorption: f = 1.
TEST(EvenParity, KeepsEquilibrium) {
  for (const double eps : {1.0, 1e-3, 1e-8}) {
    PlaneTransportProblem p = square(eps);
    p.inflow = [n = p.velocities.size()](PlaneSide, const MatrixXd& points) {
      return MatrixXd(MatrixXd::Ones(points.rows(), n));
    };
    const PlaneTransportSolution s = solve_even_parity(p, with_cells(10));
    EXPECT_LE((s.rho.array() - 1.0).abs().maxCoeff(), 1e-11) << eps;
    EXPECT_LE(s.odd.cwiseAbs().maxCoeff(), 1e-9) << eps;
  }
}

TEST(EvenParity, RefusesBadInput) {
  const auto refuses = [](const std::function<void(PlaneTransportProblem&, EvenParityOptions&)>& change) {
    PlaneTransportProblem p = square(1.0);
    EvenParityOptions o = with_cells(4);
    change(p, o);
    EXPECT_THROW(solve_even_parity(p, o), InputError);
  };
  refuses([](auto& p, auto&) { p.x_high = p.x_low; });
  refuses([](auto& p, auto&) { p.eps = 0.0; });
  refuses([](auto& p, auto&) { p.medium = nullptr; });
  refuses([](auto& p, auto&) { p.velocities.nodes(0, 0) += 0.1; });
  refuses([](auto& p, auto&) { p.medium = [](const MatrixXd& x) { return constant_medium(x, 0.0, 0.0, 1.0); }; });
  refuses([](auto& p, auto&) { p.medium = [](const MatrixXd& x) { return constant_medium(x, -1.0, 2.0, 1.0); }; });
  refuses([](auto& p, auto&) { p.inflow = [](PlaneSide, const MatrixXd& x) {
      return MatrixXd(MatrixXd::Constant(x.rows(), 8, NAN));
    };
  });
  refuses([](auto&, auto& o) { o.cells_y = 1; });
  refuses([](auto&, auto& o) { o.tolerance = 0.0; });
  EvenParityOptions hasty = with_cells(8);
  hasty.max_iterations = 1;
  EXPECT_THROW(solve_even_parity(heated(1.0), hasty), NumericalError);
}

}  // namespace
}  // namespace torsor
