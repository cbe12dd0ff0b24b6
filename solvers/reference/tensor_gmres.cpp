#include "solvers/reference/tensor_gmres.h"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <cmath>
#include <vector>

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int kOrders[6][2] = {{0, 0}, {1, 0}, {0, 1}, {2, 0}, {1, 1}, {0, 2}};
constexpr double kTolerance = 1e-14;  // of the preconditioned residual, which is close to the error of u
constexpr int kMaxSteps = 120;

bool on_side(Index k, Index nx, Index ny) {
  const Index i = k / ny, j = k % ny;
  return i == 0 || i == nx - 1 || j == 0 || j == ny - 1;
}

// Column m of the partials averaged over the interior nodes.
double interior_mean(const MatrixXd& partials, Index m, Index nx, Index ny) {
  const Eigen::Map<const RowMatrix> nodal(partials.col(m).data(), nx, ny);
  return nodal.block(1, 1, nx - 2, ny - 2).mean();
}

struct Modes {
  VectorXd values;
  MatrixXd vectors, inverse;
};

// Of the interior block of D^2: real and negative eigenvalues (Gottlieb and Lustman 1983).
Modes interior_modes(const MatrixXd& second) {
  const Index n = second.rows() - 2;
  const Eigen::EigenSolver<MatrixXd> solver(second.block(1, 1, n, n));
  Modes modes{solver.eigenvalues().real(), solver.eigenvectors().real(), {}};
  modes.inverse = modes.vectors.inverse();
  return modes;
}

}  // namespace

bool TensorGmres::applies(const TensorDerivatives& d, const MatrixXd& partials) {
  const Index nx = d.x[0].rows(), ny = d.y[0].rows();
  if (partials.cols() != 6 || nx < 3 || ny < 3) return false;
  for (Index k = 0; k < partials.rows(); ++k)
    if (on_side(k, nx, ny) && (partials(k, 0) == 0.0 || !partials.row(k).tail(5).isZero(0.0))) return false;
  return interior_mean(partials, 3, nx, ny) * interior_mean(partials, 5, nx, ny) > 0.0;
}

TensorGmres::TensorGmres(const TensorDerivatives& d, const MatrixXd& partials) : d_(d), partials_(partials) {
  const Index nx = d.x[0].rows(), ny = d.y[0].rows();
  a_ = interior_mean(partials, 3, nx, ny);
  b_ = interior_mean(partials, 5, nx, ny);
  const Modes x = interior_modes(d.x[2]), y = interior_modes(d.y[2]);
  x_vectors_ = x.vectors;
  x_inverse_ = x.inverse;
  y_vectors_ = y.vectors;
  y_inverse_ = y.inverse;
  divisors_ = (a_ * x.values).replicate(1, ny - 2) + (b_ * y.values).transpose().replicate(nx - 2, 1);
  divisors_.array() += interior_mean(partials, 0, nx, ny);
}

VectorXd TensorGmres::apply(const VectorXd& u) const {
  const Eigen::Map<const RowMatrix> nodal(u.data(), d_.x[0].rows(), d_.y[0].rows());
  VectorXd result = VectorXd::Zero(u.size());
  for (Index m = 0; m < 6; ++m) {
    if (partials_.col(m).isZero(0.0)) continue;
    const int px = kOrders[m][0], py = kOrders[m][1];
    RowMatrix derivative = nodal;
    if (px > 0) derivative = d_.x[static_cast<size_t>(px)] * derivative;
    if (py > 0) derivative = derivative * d_.y[static_cast<size_t>(py)].transpose();
    result += partials_.col(m).cwiseProduct(Eigen::Map<const VectorXd>(derivative.data(), u.size()));
  }
  return result;
}

// Side values first; then the interior with them moved to the right.
VectorXd TensorGmres::precondition(const VectorXd& r) const {
  const Index nx = d_.x[0].rows(), ny = d_.y[0].rows();
  RowMatrix u = RowMatrix::Zero(nx, ny);
  for (Index k = 0; k < r.size(); ++k)
    if (on_side(k, nx, ny)) u(k / ny, k % ny) = r(k) / partials_(k, 0);
  const RowMatrix of_sides = a_ * (d_.x[2] * u) + b_ * (u * d_.y[2].transpose());
  const Eigen::Map<const RowMatrix> right(r.data(), nx, ny);
  const MatrixXd inside = (right - of_sides).block(1, 1, nx - 2, ny - 2);
  const MatrixXd modes = (x_inverse_ * inside * y_inverse_.transpose()).cwiseQuotient(divisors_);
  u.block(1, 1, nx - 2, ny - 2) = x_vectors_ * modes * y_vectors_.transpose();
  return Eigen::Map<const VectorXd>(u.data(), u.size());
}

std::optional<VectorXd> TensorGmres::solve(const VectorXd& r) const {
  VectorXd u = precondition(r);
  const double scale = u.norm();
  if (scale == 0.0) return u;
  int steps = 0;
  double before = HUGE_VAL;
  // Arnoldi's residual is recursive: restarts compute it afresh, until it stays at rounding level.
  while (steps < kMaxSteps) {
    const VectorXd residual = precondition(r - apply(u));
    const double length = residual.norm();
    if (!std::isfinite(length)) return std::nullopt;
    if (length <= kTolerance * scale || (length > 0.5 * before && length <= 1e3 * kTolerance * scale))
      return u;
    before = length;
    std::vector<VectorXd> basis{residual / length};
    MatrixXd hessenberg = MatrixXd::Zero(kMaxSteps + 1, kMaxSteps);
    VectorXd combination;
    for (Index k = 0; steps < kMaxSteps; ++k) {
      ++steps;
      VectorXd next = precondition(apply(basis.back()));
      for (int pass = 0; pass < 2; ++pass)
        for (Index i = 0; i <= k; ++i) {
          const double h = basis[static_cast<size_t>(i)].dot(next);
          hessenberg(i, k) += h;
          next -= h * basis[static_cast<size_t>(i)];
        }
      hessenberg(k + 1, k) = next.norm();
      const auto h = hessenberg.topLeftCorner(k + 2, k + 1);
      const VectorXd right = length * VectorXd::Unit(k + 2, 0);
      combination = h.colPivHouseholderQr().solve(right);
      const bool done = (h * combination - right).norm() <= kTolerance * std::max(scale, length);
      if (done || hessenberg(k + 1, k) <= kTolerance) break;
      basis.push_back(next / hessenberg(k + 1, k));
    }
    for (Index i = 0; i < combination.size(); ++i) u += combination(i) * basis[static_cast<size_t>(i)];
  }
  return std::nullopt;
}

}  // namespace torsor
