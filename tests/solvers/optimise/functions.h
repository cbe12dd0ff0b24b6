// Objectives with known minima: quadratics, linear least squares, and test problems of More, Garbow, Hillstrom,
// "Testing unconstrained optimization software", ACM TOMS 7 (1981) 17-41, as sums of squares.
#pragma once

#include <Eigen/QR>
#include <cmath>
#include <numbers>
#include <random>

#include "solvers/optimise/optimiser.h"

namespace torsor::testing {

using Eigen::MatrixXd;
using Eigen::VectorXd;

inline MatrixXd random_matrix(Index rows, Index columns, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  return MatrixXd::NullaryExpr(rows, columns, [&] { return normal(random); });
}

/// f = |r(x)|^2 from a function that fills r and J.
class LeastSquares : public Objective {
 public:
  using Function = std::function<void(const VectorXd& x, VectorXd& r, MatrixXd& jacobian)>;
  LeastSquares(Index parameters, Index residuals, Function function)
      : n_(parameters), m_(residuals), function_(std::move(function)) {}

  Index size() const override { return n_; }
  Index residuals() const override { return m_; }

  double value(const VectorXd& x) override {
    evaluate(x);
    return r_.squaredNorm();
  }
  double value_and_gradient(const VectorXd& x, VectorXd& gradient) override {
    evaluate(x);
    gradient = 2 * jacobian_.transpose() * r_;
    return r_.squaredNorm();
  }
  void residual_blocks(const VectorXd& x,
                       const std::function<void(Eigen::Ref<VectorXd>, Eigen::Ref<MatrixXd>)>& take) override {
    evaluate(x);
    constexpr Index kRows = 100;
    for (Index first = 0; first < m_; first += kRows) {
      const Index count = std::min(kRows, m_ - first);
      take(r_.segment(first, count), jacobian_.middleRows(first, count));
    }
  }

 private:
  void evaluate(const VectorXd& x) {
    r_.setZero(m_);
    jacobian_.setZero(m_, n_);
    function_(x, r_, jacobian_);
  }

  Index n_, m_;
  Function function_;
  VectorXd r_;
  MatrixXd jacobian_;
};

inline LeastSquares linear(MatrixXd a, VectorXd b) {
  return {a.cols(), a.rows(), [a, b](const VectorXd& x, VectorXd& r, MatrixXd& jacobian) {
            r = a * x - b;
            jacobian = a;
          }};
}

/// |A (x - x*)|^2 with singular values of A from 1 to 1 / sqrt(condition).
inline LeastSquares quadratic(const VectorXd& minimiser, double condition, unsigned seed) {
  const Index n = minimiser.size();
  const MatrixXd q = Eigen::HouseholderQR<MatrixXd>(random_matrix(n, n, seed)).householderQ();
  const VectorXd singular = VectorXd::LinSpaced(n, 0, 1).unaryExpr([&](double s) { return std::pow(condition, -0.5 * s); });
  const MatrixXd a = singular.asDiagonal() * q.transpose();
  return linear(a, a * minimiser);
}

struct KnownMinimum {
  std::string name;
  LeastSquares objective;
  VectorXd start;
  double minimum;
};

inline LeastSquares rosenbrock() {
  return {2, 2, [](const VectorXd& x, VectorXd& r, MatrixXd& jacobian) {
            r << 10 * (x[1] - x[0] * x[0]), 1 - x[0];
            jacobian << -20 * x[0], 10, -1, 0;
          }};
}

inline LeastSquares powell_singular() {
  return {4, 4, [](const VectorXd& x, VectorXd& r, MatrixXd& jacobian) {
            const double a = x[1] - 2 * x[2], b = x[0] - x[3], s5 = std::sqrt(5.0), s10 = std::sqrt(10.0);
            r << x[0] + 10 * x[1], s5 * (x[2] - x[3]), a * a, s10 * b * b;
            jacobian << 1, 10, 0, 0, 0, 0, s5, -s5, 0, 2 * a, -4 * a, 0, 2 * s10 * b, 0, 0, -2 * s10 * b;
          }};
}

inline LeastSquares beale() {
  return {2, 3, [](const VectorXd& x, VectorXd& r, MatrixXd& jacobian) {
            const double y[] = {1.5, 2.25, 2.625};
            for (int i = 0; i < 3; ++i) {
              r[i] = y[i] - x[0] * (1 - std::pow(x[1], i + 1));
              jacobian.row(i) << std::pow(x[1], i + 1) - 1, x[0] * (i + 1) * std::pow(x[1], i);
            }
          }};
}

inline LeastSquares brown_almost_linear(Index n) {
  return {n, n, [n](const VectorXd& x, VectorXd& r, MatrixXd& jacobian) {
            r = x.array() + x.sum() - static_cast<double>(n + 1);
            r[n - 1] = x.prod() - 1;
            jacobian = MatrixXd::Identity(n, n) + MatrixXd::Ones(n, n);
            for (Index j = 0; j < n; ++j) jacobian(n - 1, j) = x.head(j).prod() * x.tail(n - 1 - j).prod();
          }};
}

inline LeastSquares helical_valley() {
  return {3, 3, [](const VectorXd& x, VectorXd& r, MatrixXd& jacobian) {
            const double radius = std::hypot(x[0], x[1]), turn = 0.5 / std::numbers::pi;
            r << 10 * (x[2] - 10 * turn * std::atan2(x[1], x[0])), 10 * (radius - 1), x[2];
            const double q = 100 * turn / (radius * radius);
            jacobian << q * x[1], -q * x[0], 10, 10 * x[0] / radius, 10 * x[1] / radius, 0, 0, 0, 1;
          }};
}

inline std::vector<KnownMinimum> known_minima() {
  const VectorXd powell_start = (VectorXd(4) << 3, -1, 0, 1).finished();
  return {{"Rosenbrock", rosenbrock(), Eigen::Vector2d(-1.2, 1), 0},
          {"Powell singular", powell_singular(), powell_start, 0},
          {"Beale", beale(), Eigen::Vector2d(1, 1), 0},
          {"Brown almost linear", brown_almost_linear(10), VectorXd::Constant(10, 0.5), 0},
          {"helical valley", helical_valley(), Eigen::Vector3d(-1, 0, 0), 0}};
}

/// An optimiser by its name, with options "name=value".
inline std::unique_ptr<Optimiser> make_optimiser(const std::string& name, const std::vector<std::string>& options = {},
                                                 const std::vector<std::pair<Index, Index>>& blocks = {}) {
  const OptimiserInfo& info = find_optimiser(name);
  OptionValues values(info.options);
  for (const std::string& option : options) {
    const size_t equals = option.find('=');
    values.set(option.substr(0, equals), option.substr(equals + 1));
  }
  return info.make(values, blocks);
}

/// One step of any method; first-order ones with the gradient and `rate`.
inline StepReport take_step(Optimiser& optimiser, Objective& objective, VectorXd& x, double rate) {
  if (!optimiser.first_order()) return optimiser.step(objective, x);
  VectorXd gradient;
  objective.value_and_gradient(x, gradient);
  return optimiser.update(gradient, rate, x);
}

/// Steps until it stops; returns the last report.
inline StepReport minimise(Optimiser& optimiser, Objective& objective, VectorXd& x, int most, double rate = 0.05) {
  StepReport report;
  for (int k = 0; k < most && !report.stopped; ++k) report = take_step(optimiser, objective, x, rate);
  return report;
}

}  // namespace torsor::testing
