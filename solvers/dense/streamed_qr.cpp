#include "solvers/dense/streamed_qr.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>

#include "physics/error.h"
#include "solvers/dense/lapack.h"

namespace torsor {
namespace {

/// Whether any of n numbers is infinite or not a number: 0 * x is zero for all others. Eight partial sums let
/// the compiler use vectors without reordering a sum.
bool any_not_finite(const double* x, int n) {
  constexpr int kLanes = 8;
  double sum[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) sum[l] += 0.0 * x[i + l];
  }
  for (; i < n; ++i) sum[0] += 0.0 * x[i];
  return std::any_of(sum, sum + kLanes, [](double s) { return s != 0.0; });
}

/// One thread's part of factor_streamed.
void fold_share(int first, int stride, int n_blocks, const RowProducer& producer, int capacity,
                StreamedQr& qr) {
  // Columns a power of two apart would compete for the same cache sets.
  const int ld = capacity + 8;
  const size_t rows = static_cast<size_t>(ld);
  const size_t columns = static_cast<size_t>(qr.columns()) + static_cast<size_t>(qr.right_sides());
  std::vector<double> storage(rows * columns);
  const RowBlock buffer{storage.data(), storage.data() + rows * static_cast<size_t>(qr.columns()), ld,
                        capacity};
  for (int block = first; block < n_blocks; block += stride) {
    const int k = producer(block, buffer);
    if (k < 0 || k > capacity) {
      throw InputError("the producer of block " + std::to_string(block) + " returned " + std::to_string(k) +
                       " rows; it may return 0 to " + std::to_string(capacity));
    }
    try {
      qr.absorb(buffer.a, buffer.ld, k, buffer.b, buffer.ld);
    } catch (const NumericalError& error) {
      throw NumericalError("block " + std::to_string(block) + ": " + error.what());
    }
  }
}

}  // namespace

void require_finite(const double* a, int lda, int k, int n, const char* what) {
  for (int j = 0; j < n; ++j) {
    const double* column = a + static_cast<ptrdiff_t>(j) * lda;
    if (!any_not_finite(column, k)) continue;
    const double* bad = std::find_if_not(column, column + k, [](double x) { return std::isfinite(x); });
    throw NumericalError(std::string(what) + ": row " + std::to_string(bad - column) + ", column " +
                         std::to_string(j) + " is " + std::to_string(*bad));
  }
}

StreamedQr::StreamedQr(int n_columns, int n_right_sides) : n_(n_columns), nrhs_(n_right_sides) {
  if (n_columns < 1) throw InputError("n_columns = " + std::to_string(n_columns) + " must be at least 1");
  if (n_right_sides < 0) {
    throw InputError("n_right_sides = " + std::to_string(n_right_sides) + " must not be negative");
  }
  rc_.resize(static_cast<size_t>(n_) * (static_cast<size_t>(n_) + static_cast<size_t>(nrhs_)));
  discarded_.resize(static_cast<size_t>(nrhs_));
}

void StreamedQr::absorb(double* a, int lda, int k, double* b, int ldb) {
  fold(a, lda, k, b, ldb, false);
}

void StreamedQr::absorb_upper(double* a, int lda, int k, double* b, int ldb) {
  if (k > n_) throw InputError("an upper trapezoid has at most as many rows as columns");
  fold(a, lda, k, b, ldb, true);
}

void StreamedQr::fold(double* a, int lda, int k, double* b, int ldb, bool upper) {
  if (k < 0 || lda < std::max(k, 1) || (nrhs_ > 0 && ldb < std::max(k, 1))) {
    throw InputError("row block: k = " + std::to_string(k) + " must lie in 0..leading dimension (" +
                     std::to_string(lda) + ", " + std::to_string(ldb) + ")");
  }
  require_finite(b, ldb, k, nrhs_, "right sides");
  if (upper) {
    for (int j = 0; j < n_; ++j) {
      require_finite(a + static_cast<ptrdiff_t>(j) * lda, lda, std::min(k, j + 1), 1, "matrix");
    }
  } else {
    require_finite(a, lda, k, n_, "matrix");
  }
  rows_ += k;
  if (upper && filled_ == 0) {
    append(a, lda, k, b, ldb);  // already in the form of R
    return;
  }
  const int fresh = std::min(k, n_ - filled_);
  if (fresh > 0) fill(a, lda, fresh, b, ldb);
  if (k == fresh) return;
  eliminate(a + fresh, lda, k - fresh, b + fresh, ldb, upper && fresh == 0);
}

/// Takes k <= n - filled rows: the columns that R already covers are eliminated against it, and what is left
/// of the rows, factored on its own, becomes the next k rows of R. Nothing is discarded.
void StreamedQr::fill(double* a, int lda, int k, double* b, int ldb) {
  double* c = top() + static_cast<ptrdiff_t>(n_) * n_;
  eliminate_below(filled_, k, {top(), n_, a, lda, n_}, {c, n_, b, ldb, nrhs_}, false, work_);
  double* left = a + static_cast<ptrdiff_t>(filled_) * lda;
  factor_block(k, n_ - filled_, left, lda, b, ldb, nrhs_, work_);
  append(a, lda, k, b, ldb);
}

/// Copies k rows, upper trapezoidal from column `filled` on, behind the rows of R and c.
void StreamedQr::append(const double* a, int lda, int k, const double* b, int ldb) {
  double* c = top() + static_cast<ptrdiff_t>(n_) * n_;
  for (int j = filled_; j < n_; ++j) {
    const int count = std::min(k, j - filled_ + 1);
    std::copy_n(a + static_cast<ptrdiff_t>(j) * lda, count, top() + filled_ + static_cast<ptrdiff_t>(j) * n_);
  }
  for (int s = 0; s < nrhs_; ++s) {
    std::copy_n(b + static_cast<ptrdiff_t>(s) * ldb, k, c + filled_ + static_cast<ptrdiff_t>(s) * n_);
  }
  filled_ += k;
}

void StreamedQr::eliminate(double* a, int lda, int k, double* b, int ldb, bool upper) {
  double* c = top() + static_cast<ptrdiff_t>(n_) * n_;
  // Right sides that follow A in memory are further columns of the same update: fewer, larger products.
  const bool adjacent = b == a + static_cast<ptrdiff_t>(n_) * lda && ldb == lda;
  StackedColumns extra{c, n_, b, ldb, adjacent ? 0 : nrhs_};
  eliminate_below(n_, k, {top(), n_, a, lda, n_ + (adjacent ? nrhs_ : 0)}, extra, upper, work_);
  for (int s = 0; s < nrhs_; ++s) {
    double& total = discarded_[static_cast<size_t>(s)];
    total = std::hypot(total, lapack::norm2(k, b + static_cast<ptrdiff_t>(s) * ldb));
  }
}

void StreamedQr::merge(StreamedQr& other) {
  if (other.n_ != n_ || other.nrhs_ != nrhs_) throw InputError("merge: the two accumulators differ in shape");
  if (other.filled_ > filled_) {
    // The longer triangle stays in place; R is unique up to signs, so only the order of rows changes.
    std::swap(rc_, other.rc_);
    std::swap(filled_, other.filled_);
  }
  const long long total = rows_ + other.rows_;
  absorb_upper(other.top(), n_, other.filled_, other.top() + static_cast<ptrdiff_t>(n_) * n_, n_);
  rows_ = total;
  for (int s = 0; s < nrhs_; ++s) {
    double& own = discarded_[static_cast<size_t>(s)];
    own = std::hypot(own, other.discarded_[static_cast<size_t>(s)]);
  }
  other = StreamedQr(n_, nrhs_);
}

StreamedQr factor_streamed(int n_blocks, int n_columns, int n_right_sides, const RowProducer& producer,
                           const StreamOptions& options) {
  if (options.block_rows < 1) throw InputError("block_rows must be at least 1");
  if (options.threads < 0) throw InputError("threads must not be negative");
  const int wanted = options.threads > 0 ? options.threads : omp_get_max_threads();
  const int team = std::max(1, std::min(wanted, n_blocks));
  std::vector<StreamedQr> parts(static_cast<size_t>(team), StreamedQr(n_columns, n_right_sides));
  std::vector<std::exception_ptr> errors(static_cast<size_t>(team));
  // The shares are tied to the loop index, not to the thread number: a smaller team than asked for (nested
  // regions) changes the speed, not the result.
#pragma omp parallel for schedule(static, 1) num_threads(team)
  for (int t = 0; t < team; ++t) {
    try {
      fold_share(t, team, n_blocks, producer, options.block_rows, parts[static_cast<size_t>(t)]);
    } catch (...) {
      errors[static_cast<size_t>(t)] = std::current_exception();
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  for (size_t t = 1; t < parts.size(); ++t) parts[0].merge(parts[t]);
  return std::move(parts[0]);
}

std::vector<double> column_norms(const StreamedQr& qr) {
  std::vector<double> norms(static_cast<size_t>(qr.columns()));
  for (int j = 0; j < qr.columns(); ++j) {
    norms[static_cast<size_t>(j)] = lapack::norm2(j + 1, qr.r() + static_cast<ptrdiff_t>(j) * qr.columns());
  }
  return norms;
}

void absorb_ridge(StreamedQr& qr, double mu) {
  if (!(mu >= 0.0) || !std::isfinite(mu)) throw InputError("ridge = " + std::to_string(mu) + " must be >= 0");
  if (mu == 0.0) return;
  const std::vector<double> norms = column_norms(qr);
  DenseMatrix rows(qr.columns(), qr.columns() + qr.right_sides());
  for (int j = 0; j < qr.columns(); ++j) rows(j, j) = std::sqrt(mu) * norms[static_cast<size_t>(j)];
  double* right_sides =
      rows.data.data() + static_cast<size_t>(qr.columns()) * static_cast<size_t>(qr.columns());
  qr.absorb_upper(rows.data.data(), rows.ld(), qr.columns(), right_sides, rows.ld());
}

}  // namespace torsor
