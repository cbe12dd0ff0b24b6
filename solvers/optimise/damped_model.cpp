#include "solvers/optimise/damped_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "physics/error.h"
#include "solvers/dense/lapack.h"
#include "solvers/dense/triangular_solve.h"
#include "solvers/optimise/residual_rows.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using TriangleMap = Eigen::Map<const MatrixXd>;

TriangleMap triangle_of(const StreamedQr& qr) { return {qr.r(), qr.columns(), qr.columns()}; }
Eigen::Map<const VectorXd> right_side_of(const StreamedQr& qr) { return {qr.c(), qr.columns()}; }

// D. A parameter without influence would get a weight of zero and with it an arbitrary step.
VectorXd damping_weights(const VectorXd& column_norms, DampingScale scale) {
  if (scale == DampingScale::identity) return VectorXd::Ones(column_norms.size());
  const double least = 1e-8 * column_norms.maxCoeff();
  return least > 0 ? VectorXd(column_norms.cwiseMax(least)) : VectorXd::Ones(column_norms.size());
}

// QR of rows [A, b] that are at hand.
StreamedQr factor(MatrixXd a, VectorXd b, bool upper) {
  const int rows = static_cast<int>(a.rows());
  StreamedQr qr(static_cast<int>(a.cols()), 1);
  if (upper) qr.absorb_upper(a.data(), rows, rows, b.data(), rows);
  else qr.absorb(a.data(), rows, rows, b.data(), rows);
  return qr;
}

}  // namespace

DampedModel::DampedModel(Objective& objective, const VectorXd& x, DampingScale scale) {
  if (objective.residuals() == 0)
    throw InputError("gauss-newton needs an objective that is a sum of squares of residuals");
  if (objective.residuals() >= objective.size()) factor_parameters(objective, x, scale);
  else factor_samples(objective, x, scale);
  summarise();
}

void DampedModel::factor_parameters(Objective& objective, const VectorXd& x, DampingScale scale) {
  triangle_ = factor_residuals(objective, x);
  const auto r = triangle_of(triangle_);
  squared_residual_ = right_side_of(triangle_).squaredNorm() + std::pow(triangle_.discarded_norm(0), 2);
  gradient_norm_ = 2 * (r.transpose() * right_side_of(triangle_)).norm();
  weights_ = damping_weights(r.colwise().norm(), scale);
  if (scale == DampingScale::columns)
    triangle_ = factor(r * weights_.cwiseInverse().asDiagonal(), right_side_of(triangle_), true);
}

void DampedModel::factor_samples(Objective& objective, const VectorXd& x, DampingScale scale) {
  MatrixXd transposed;
  VectorXd residuals;
  gather_residuals(objective, x, transposed, residuals);
  squared_residual_ = residuals.squaredNorm();
  gradient_norm_ = 2 * (transposed * residuals).norm();
  weights_ = damping_weights(transposed.rowwise().norm(), scale);
  transposed = weights_.cwiseInverse().asDiagonal() * transposed;
  const int n = static_cast<int>(transposed.rows()), m = static_cast<int>(transposed.cols());
  VectorXd tau(m);
  lapack::geqrf(n, m, transposed.data(), n, tau.data());
  const MatrixXd lower = transposed.topRows(m).triangularView<Eigen::Upper>().transpose();
  lapack::orgqr(n, m, m, transposed.data(), n, tau.data());
  directions_ = std::move(transposed);
  triangle_ = factor(lower, -residuals, false);
}

void DampedModel::summarise() {
  largest_curvature_ = triangle_of(triangle_).colwise().squaredNorm().maxCoeff();
}

DampedStep DampedModel::solve(double mu, double rcond) const {
  StreamedQr damped = triangle_;
  const int n = damped.columns();
  if (mu > 0) {
    MatrixXd rows = MatrixXd::Zero(n, n + 1);
    rows.diagonal().setConstant(std::sqrt(mu));
    damped.absorb_upper(rows.data(), n, n, rows.col(n).data(), n);
  }
  const TriangularSolution solution = solve_triangular(
      damped, {.rcond = rcond, .max_growth = std::numeric_limits<double>::max(), .unit_columns = false});
  const Eigen::Map<const VectorXd> z(solution.w.column(0), n);

  DampedStep step;
  step.rank = solution.rank;
  step.length = z.norm();
  // Both terms are positive, so nothing cancels: c^T T z = |T z|^2 + mu |z|^2 at the minimum.
  step.predicted = (triangle_of(triangle_).triangularView<Eigen::Upper>() * z).squaredNorm() + 2 * mu * z.squaredNorm();
  step.d = (directions_.size() > 0 ? VectorXd(directions_ * z) : VectorXd(z)).cwiseQuotient(weights_);
  return step;
}

}  // namespace torsor
