#include "solvers/optimise/inverse_hessian.h"

#include <omp.h>

#include <algorithm>

#include "physics/function_clones.h"

namespace torsor {
namespace {

// Columns that a thread takes at a time. The number is fixed, so the bits depend on the number of threads only.
constexpr Index kColumns = 16;

struct ColumnProducts {
  double x, z;
};

// The part of a column below the diagonal, `count` entries; s, h, x, z, hx, hz begin at its first row.
//   q_i <- keep q_i + along_s s_i + along_h h_i;   returns q^T x, q^T z;   hx += q x_j,  hz += q z_j.
TORSOR_CLONES("arch=x86-64-v4", "arch=x86-64-v3", "default")
ColumnProducts sweep_column(Index count, double* q, double keep, double along_s, double along_h,
                                          const double* s, const double* h, const double* x, const double* z,
                                          double x_j, double z_j, double* hx, double* hz) {
  double sum_x = 0, sum_z = 0;
#pragma omp simd reduction(+ : sum_x, sum_z)
  for (Index i = 0; i < count; ++i) {
    const double entry = keep * q[i] + along_s * s[i] + along_h * h[i];
    q[i] = entry;
    sum_x += entry * x[i];
    sum_z += entry * z[i];
    hx[i] += entry * x_j;
    hz[i] += entry * z_j;
  }
  return {sum_x, sum_z};
}

}  // namespace

InverseHessian::InverseHessian(Index n, double scale) : n_(n), entries_(Eigen::VectorXd::Zero(n * (n + 1) / 2)) {
  for (Index j = 0; j < n; ++j) entries_[column_offset(j)] = scale;
}

InverseHessian::InverseHessian(const State& state)
    : n_(static_cast<Index>(state.number("size"))),
      entries_(state.vector("entries")),
      pending_(state.number("pending") != 0),
      s_(state.vector("s")),
      h_(state.vector("h")) {
  const Eigen::VectorXd coefficients = state.vector("coefficients");
  coefficients_ = {coefficients[0], coefficients[1], coefficients[2], coefficients[3]};
}

State InverseHessian::state() const {
  State state;
  state.set("size", static_cast<double>(n_));
  state.set("entries", entries_);
  state.set("pending", pending_ ? 1.0 : 0.0);
  state.set("coefficients", Eigen::Vector4d(coefficients_.tau, coefficients_.a, coefficients_.b, coefficients_.c));
  state.set("s", s_);
  state.set("h", h_);
  return state;
}

void InverseHessian::update(const SymmetricUpdate& coefficients, const Eigen::VectorXd& s, const Eigen::VectorXd& h) {
  apply_pending();
  coefficients_ = coefficients;
  s_ = s;
  h_ = h;
  pending_ = true;
}

void InverseHessian::apply_pending() {
  if (!pending_) return;
  const Eigen::VectorXd zero = Eigen::VectorXd::Zero(n_);
  Eigen::VectorXd unused_x, unused_z;
  multiply(zero, zero, unused_x, unused_z);
}

void InverseHessian::multiply(const Eigen::VectorXd& x, const Eigen::VectorXd& z, Eigen::VectorXd& hx,
                              Eigen::VectorXd& hz) {
  if (!pending_) {
    coefficients_ = {};
    s_ = h_ = Eigen::VectorXd::Zero(n_);
  }
  const SymmetricUpdate& u = coefficients_;
  const double keep = 1 / u.tau;
  const int threads = static_cast<int>(std::clamp<Index>(n_ / 128, 1, omp_get_max_threads()));
  Eigen::MatrixXd sums_x = Eigen::MatrixXd::Zero(n_, threads), sums_z = sums_x;
  const Index groups = (n_ + kColumns - 1) / kColumns;
#pragma omp parallel for schedule(static, 1) num_threads(threads)
  for (int t = 0; t < threads; ++t) {
    double *own_x = sums_x.col(t).data(), *own_z = sums_z.col(t).data();
    for (Index group = t; group < groups; group += threads) {
      for (Index j = group * kColumns; j < std::min(n_, (group + 1) * kColumns); ++j) {
        double* q = entries_.data() + column_offset(j);
        const double along_s = u.a * s_[j] + u.b * h_[j], along_h = u.b * s_[j] + u.c * h_[j];
        const double diagonal = q[0] = keep * q[0] + along_s * s_[j] + along_h * h_[j];
        const Index below = j + 1;
        const ColumnProducts products =
            sweep_column(n_ - below, q + 1, keep, along_s, along_h, s_.data() + below, h_.data() + below,
                         x.data() + below, z.data() + below, x[j], z[j], own_x + below, own_z + below);
        own_x[j] += diagonal * x[j] + products.x;
        own_z[j] += diagonal * z[j] + products.z;
      }
    }
  }
  pending_ = false;
  hx = sums_x.rowwise().sum();
  hz = sums_z.rowwise().sum();
}

Eigen::MatrixXd InverseHessian::dense() {
  apply_pending();
  Eigen::MatrixXd full(n_, n_);
  for (Index j = 0; j < n_; ++j) {
    const auto column = entries_.segment(column_offset(j), n_ - j);
    full.col(j).tail(n_ - j) = column;
    full.row(j).tail(n_ - j) = column.transpose();
  }
  return full;
}

}  // namespace torsor
