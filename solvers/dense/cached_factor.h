// Least squares with one matrix and many right sides: W = A^+ B as matrix products.
//
//     A D^-1 = Q R  (thin, Q formed from the Householder reflectors),   W = D^-1 R^-1 (Q^T B),
//
// and, when R is numerically singular, A D^-1 = Q_1 T Z_1^T with W = D^-1 Z_1 T^-1 (Q_1^T B), the solution of
// least ||D w||. Q is kept instead of A^+: R^-1 (Q^T b) has the accuracy of a Householder solve, A^+ b has
// not (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., chapters 14 and 20).
#pragma once

#include <vector>

#include "solvers/dense/rank_revealing.h"

namespace torsor {

struct CachedFactorOptions {
  double rcond = 1e-15;          ///< as TriangularOptions::rcond
  double healthy_rcond = 1e-14;  ///< above this estimated reciprocal condition R is used as it is
};

class CachedFactor {
 public:
  /// Factors A (m x n, column-major, lda >= m; not changed). Throws InputError for sizes below one, and
  /// NumericalError naming the first entry that is not finite.
  CachedFactor(const double* a, int lda, int m, int n, const CachedFactorOptions& options = {});

  /// W (n x nrhs, ldw >= n) <- A^+ B, B m x nrhs (ldb >= m). 2 m n + n^2 operations a right side. A right
  /// side that is not finite gives a solution that is not finite. Thread safe.
  void solve(const double* b, int ldb, int nrhs, double* w, int ldw) const;

  int rows() const { return q_.rows; }
  int columns() const { return static_cast<int>(scale_.size()); }
  int rank() const { return rank_; }
  /// Estimated condition number of A D^-1 (infinite when singular).
  double condition() const { return condition_; }

 private:
  int rank_ = 0;
  double condition_ = 0.0;
  std::vector<double> scale_;  // D, one for zero columns
  DenseMatrix q_;              // m x rank
  DenseMatrix triangle_;       // R or T, rank x rank
  DenseMatrix z_;              // n x rank; empty when R itself is used
};

}  // namespace torsor
