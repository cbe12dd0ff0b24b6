// Sampled task gradients and shorthand for the tests of combiners.
#pragma once

#include <Eigen/Dense>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "solvers/combine/combiner.h"
#include "solvers/combine/nonnegative_qp.h"

namespace torsor::combine_test {

using Eigen::MatrixXd;
using Eigen::VectorXd;

enum class Kind {
  random,
  conflicting,
  agreeing,
  parallel,
  opposite,
  nearly_singular,
  with_zero,
  different_norms,
  flat
};
constexpr int kKinds = 9;

/// U(g_i) as columns; zero columns stay zero.
inline MatrixXd units(const MatrixXd& gradients) {
  MatrixXd result = gradients;
  for (Index i = 0; i < result.cols(); ++i) result.col(i) /= std::max(result.col(i).norm(), 1e-300);
  return result;
}

struct Sample {
  Kind kind;
  MatrixXd gradients;
  VectorXd losses;
  /// Smallest over largest eigenvalue of the cosines.
  double condition() const {
    const MatrixXd u = units(gradients);
    const VectorXd values = Eigen::SelfAdjointEigenSolver<MatrixXd>(u.transpose() * u).eigenvalues();
    return values.minCoeff() / values.maxCoeff();
  }
};

/// Sets of m = 2 ... 8 gradients of all kinds in turn.
class Sampler {
 public:
  explicit Sampler(unsigned seed) : engine_(seed) {}

  MatrixXd normal(Index rows, Index cols) {
    std::normal_distribution<double> distribution;
    return MatrixXd::NullaryExpr(rows, cols, [&] { return distribution(engine_); });
  }
  double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }

  Sample next() {
    const Kind kind = static_cast<Kind>(count_ % kKinds);
    const Index m = 2 + (count_ / kKinds) % 7;
    ++count_;
    return make(kind, m);
  }

  Sample make(Kind kind, Index m, Index d = 12) {
    if (kind == Kind::flat) d = std::max<Index>(2, m / 2);  // dependent gradients
    MatrixXd g = normal(d, m);
    if (kind == Kind::conflicting) g.colwise() -= uniform(0.5, 1.5) * g.rowwise().mean();
    if (kind == Kind::agreeing) g = g.cwiseAbs();
    if (kind == Kind::parallel) g.col(1) = uniform(0.1, 10) * g.col(0);
    if (kind == Kind::opposite) g.col(1) = -uniform(0.1, 10) * g.col(0);
    if (kind == Kind::nearly_singular) g.col(m - 1) = g.leftCols(m - 1) * normal(m - 1, 1) + 1e-4 * g.col(m - 1);
    if (kind == Kind::with_zero) g.col(static_cast<Index>(uniform(0, static_cast<double>(m)))).setZero();
    if (kind == Kind::different_norms)
      for (Index i = 0; i < m; ++i) g.col(i) *= std::pow(10.0, uniform(-6, 6));
    VectorXd losses(m);
    for (Index i = 0; i < m; ++i) losses[i] = std::pow(10.0, uniform(-2, 2));
    return {kind, g, losses};
  }

 private:
  std::mt19937_64 engine_;
  int count_ = 0;
};

using Settings = std::map<std::string, std::string>;

inline std::unique_ptr<Combiner> make(const std::string& name, const Settings& settings = {}, std::uint64_t seed = 1) {
  const CombinerInfo& info = find_combiner(name);
  OptionValues values(info.options);
  for (const auto& [option, value] : settings) values.set(option, value);
  return info.make(values, seed);
}

inline Combination combine(Combiner& combiner, const Sample& sample, Index step = 0) {
  return combiner.combine({sample.gradients, sample.losses, step});
}

inline Combination combine(const std::string& name, const Sample& sample, const Settings& settings = {}) {
  return combine(*make(name, settings), sample);
}

/// Cosine of every gradient with y (0 where one is zero).
inline VectorXd cosines_with(const MatrixXd& gradients, const VectorXd& y) {
  if (y.norm() == 0) return VectorXd::Zero(gradients.cols());
  return units(gradients).transpose() * y.normalized();
}

/// |the point of least norm| in the convex hull of the unit gradients that are not zero: zero at Pareto stationary points.
inline double least_unit_norm(const MatrixXd& gradients) {
  const MatrixXd u = units(gradients);
  return (u * least_norm_weights(u.transpose() * u)).norm();
}

}  // namespace torsor::combine_test
