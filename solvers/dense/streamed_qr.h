// Streamed QR for least squares: min_w ||A w - b||_2 with A (M x n) seen once, in blocks of rows.
//
//     A = Q R,  c = Q^T b,  ||A w - b||^2 = ||R w - c||^2 + ||d||^2,
//
// d being the part of Q^T b outside the first n rows. Only R (n x n), c (n x nrhs) and ||d|| are kept, so the
// memory does not depend on M. Each thread folds its own blocks; the triangles are merged in a fixed order.
//
// Source: Demmel, Grigori, Hoemmen, Langou, SIAM J. Sci. Comput. 34 (2012) A206-A239 (TSQR);
// Golub & Wilkinson, Numer. Math. 7 (1965) 111-124 (sequential Householder least squares).
#pragma once

#include <functional>
#include <vector>

#include "solvers/dense/matrix.h"
#include "solvers/dense/stacked_qr.h"

namespace torsor {

/// Rows of A and b to be filled by a producer: entry (i, j) of A is a[i + j * ld], of b is b[i + j * ld].
struct RowBlock {
  double* a;     ///< capacity x n_columns
  double* b;     ///< capacity x n_right_sides
  int ld;        ///< leading dimension of both
  int capacity;  ///< most rows that may be written
};

/// QR accumulator. Not thread safe; one per thread, joined by `merge`.
class StreamedQr {
 public:
  /// n_columns >= 1 columns of A, n_right_sides >= 0 right sides. Throws InputError otherwise.
  StreamedQr(int n_columns, int n_right_sides);

  /// Folds k rows into R and c: A is k x n_columns (lda >= k), b is k x n_right_sides (ldb >= k). Both are
  /// destroyed. Fastest when b directly follows A in memory (b = A + n_columns * lda, ldb = lda).
  /// Throws NumericalError naming the first (column by column) row and column that is not finite, before
  /// anything is changed; InputError for a negative k or a leading dimension below k.
  void absorb(double* a, int lda, int k, double* b, int ldb);

  /// The same for rows that form an upper trapezoid (entry (i, j) zero for i > j; k <= n_columns), at about a
  /// third of the cost. The zeros must be stored. Throws InputError for k > n_columns.
  void absorb_upper(double* a, int lda, int k, double* b, int ldb);

  /// Joins the rows seen by `other` (same shape); `other` is left empty. Exploits the triangle of other.R.
  /// Throws InputError when the shapes differ.
  void merge(StreamedQr& other);

  int columns() const { return n_; }
  int right_sides() const { return nrhs_; }
  /// Leading rows of R and c in use: min(n_columns, rows absorbed). The rest is zero.
  int filled() const { return filled_; }
  /// Rows absorbed so far, M.
  long long rows() const { return rows_; }
  /// R, n x n upper triangular (entries below the diagonal are zero); column j at r() + j * n.
  const double* r() const { return rc_.data(); }
  /// c = Q^T b, n x nrhs, leading dimension n.
  const double* c() const { return rc_.data() + static_cast<size_t>(n_) * n_; }
  /// ||d|| of right side s: the least residual norm when R has full rank.
  double discarded_norm(int s) const { return discarded_[static_cast<size_t>(s)]; }

 private:
  void fold(double* a, int lda, int k, double* b, int ldb, bool upper);
  void fill(double* a, int lda, int k, double* b, int ldb);
  void append(const double* a, int lda, int k, const double* b, int ldb);
  void eliminate(double* a, int lda, int k, double* b, int ldb, bool upper);
  double* top() { return rc_.data(); }

  int n_, nrhs_;
  int filled_ = 0;
  long long rows_ = 0;
  std::vector<double> rc_;  // [R c], n x (n + nrhs)
  std::vector<double> discarded_;
  StackedQrWorkspace work_;
};

struct StreamOptions {
  /// Most rows a producer may return at once. Measured best among 256..1024 for 550 columns (73 % of the rate
  /// of dgemm; 512: 71 %, 256: 65 %): the more rows, the less the triangular factors of the panels cost.
  int block_rows = 768;
  /// Threads; 0: the OpenMP default. The result depends on this number in the last bits only.
  int threads = 0;
};

/// Fills a block with the rows of block number `block` and returns how many rows (0..capacity) it wrote.
/// Called from several threads at once, each with its own buffer; must not touch shared state.
using RowProducer = std::function<int(int block, const RowBlock& buffer)>;

/// Folds blocks 0..n_blocks-1. Thread t of T takes blocks t, t + T, ...; the accumulators are merged in order
/// of t, so the same number of threads gives identical bits. Rethrows the exception of the lowest thread that
/// failed; NumericalErrors of the fold name the block. Throws InputError for a producer that returns too many
/// rows or for non-positive options.
StreamedQr factor_streamed(int n_blocks, int n_columns, int n_right_sides, const RowProducer& producer,
                           const StreamOptions& options = {});

/// Throws NumericalError "WHAT: row i, column j is VALUE" for the first entry (column by column) of the
/// k x n block that is infinite or not a number.
void require_finite(const double* a, int lda, int k, int n, const char* what);

/// Appends the rows sqrt(mu) diag(||a_j||): Tikhonov regularisation mu ||D w||^2 on columns scaled to unit
/// norm, D = diag(||a_j||). Throws InputError for mu < 0 or not finite.
void absorb_ridge(StreamedQr& qr, double mu);

/// Euclidean norms of the columns of R, equal to those of A.
std::vector<double> column_norms(const StreamedQr& qr);

}  // namespace torsor
