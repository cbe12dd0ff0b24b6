#include "solvers/dense/cached_factor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "physics/error.h"
#include "solvers/dense/lapack.h"
#include "solvers/dense/streamed_qr.h"

namespace torsor {
namespace {

/// A D^-1, D = diag(||a_j||), one for zero columns.
DenseMatrix unit_columns(const double* a, int lda, int m, int n, std::vector<double>& scale) {
  DenseMatrix unit(m, n);
  for (int j = 0; j < n; ++j) {
    const double* column = a + static_cast<ptrdiff_t>(j) * lda;
    const double norm = lapack::norm2(m, column);
    scale.push_back(norm > 0.0 ? norm : 1.0);
    for (int i = 0; i < m; ++i) unit(i, j) = column[i] / scale.back();
  }
  return unit;
}

/// Replaces A (m x n) by its thin Q (m x min(m, n)) and returns R (min(m, n) x n).
DenseMatrix thin_qr(DenseMatrix& a) {
  const int m = a.rows, n = a.columns, count = std::min(m, n);
  std::vector<double> tau(static_cast<size_t>(count));
  lapack::geqrf(m, n, a.column(0), m, tau.data());
  DenseMatrix r(count, n);
  for (int j = 0; j < n; ++j) std::copy_n(a.column(j), std::min(count, j + 1), r.column(j));
  lapack::orgqr(m, count, count, a.column(0), m, tau.data());
  a.columns = count;
  a.data.resize(static_cast<size_t>(m) * static_cast<size_t>(count));
  return r;
}

}  // namespace

CachedFactor::CachedFactor(const double* a, int lda, int m, int n, const CachedFactorOptions& options) {
  if (m < 1 || n < 1 || lda < m) {
    throw InputError("cached factor: " + std::to_string(m) + " x " + std::to_string(n) +
                     " matrix with leading dimension " + std::to_string(lda));
  }
  require_finite(a, lda, m, n, "matrix");
  q_ = unit_columns(a, lda, m, n, scale_);
  triangle_ = thin_qr(q_);
  const int count = triangle_.rows;
  const double rcond = count == n ? lapack::reciprocal_condition(n, triangle_.column(0), n) : 0.0;
  condition_ = rcond > 0.0 ? 1.0 / rcond : std::numeric_limits<double>::infinity();
  rank_ = n;
  if (rcond > std::max(options.healthy_rcond, options.rcond)) return;

  // R P = Q_2 [T 0] Z: Q_2^T comes from transforming the identity, and Q_1 = Q Q_2's first columns.
  DenseMatrix q2t(count, count);
  for (int i = 0; i < count; ++i) q2t(i, i) = 1.0;
  CompleteOrthogonal factor =
      complete_orthogonal(count, n, triangle_.column(0), count, count, q2t.column(0), count, options.rcond);
  rank_ = factor.rank;
  DenseMatrix q1(m, rank_);
  if (rank_ > 0) {
    lapack::gemm('N', 'T', m, rank_, count, 1.0, q_.column(0), m, q2t.column(0), count, 0.0, q1.column(0), m);
  }
  q_ = std::move(q1);
  triangle_ = std::move(factor.t);
  z_ = std::move(factor.z);
}

void CachedFactor::solve(const double* b, int ldb, int nrhs, double* w, int ldw) const {
  const int m = rows(), n = columns();
  if (nrhs < 0 || ldb < m || ldw < n) {
    throw InputError("cached factor: right sides with leading dimensions " + std::to_string(ldb) + ", " +
                     std::to_string(ldw));
  }
  if (nrhs == 0) return;
  DenseMatrix c(std::max(rank_, 1), nrhs);
  if (rank_ > 0) {
    lapack::gemm('T', 'N', rank_, nrhs, m, 1.0, q_.column(0), m, b, ldb, 0.0, c.column(0), c.ld());
    lapack::upper_solve(rank_, nrhs, triangle_.column(0), rank_, c.column(0), c.ld());
  }
  const bool direct = z_.rows == 0;
  if (!direct && rank_ > 0) {
    lapack::gemm('N', 'N', n, nrhs, rank_, 1.0, z_.column(0), n, c.column(0), c.ld(), 0.0, w, ldw);
  }
  for (int s = 0; s < nrhs; ++s) {
    double* out = w + static_cast<ptrdiff_t>(s) * ldw;
    const double* in = direct ? c.column(s) : out;
    for (int j = 0; j < n; ++j) out[j] = rank_ > 0 ? in[j] / scale_[static_cast<size_t>(j)] : 0.0;
  }
}

}  // namespace torsor
