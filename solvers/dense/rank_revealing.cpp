#include "solvers/dense/rank_revealing.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "solvers/dense/lapack.h"

namespace torsor {
namespace {

constexpr int kBlock = 64;      // columns chosen from one sketch
constexpr int kOversample = 8;  // more rows than columns wanted: the usual 5 to 10
// Columns from which the sketch is used. At full rank and one thread dgeqp3 is faster at 1000 columns (22
// against 19 GF/s) and slower at 2000 (13 against 19); but the sketch stops at the numerical rank.
constexpr int kSketchFrom = 768;

double* at(double* a, int lda, int i, int j) {
  return a + i + static_cast<ptrdiff_t>(j) * lda;
}

/// Random signs from a 64-bit xorshift generator (Marsaglia 2003): as good as Gaussians for a sketch.
void random_signs(std::vector<double>& x, std::uint64_t& state) {
  for (double& entry : x) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    entry = (state >> 63) ? 1.0 : -1.0;
  }
}

/// Number of leading diagonal entries of `a` above the cut-off.
int leading_rank(int count, const double* a, int lda, double cut_off) {
  for (int i = 0; i < count; ++i) {
    if (!(std::abs(a[i + static_cast<ptrdiff_t>(i) * lda]) > cut_off)) return i;
  }
  return count;
}

/// Moves the columns order[0..count-1] of A (m rows), and of the list `pivots`, to the front.
void bring_forward(int m, double* a, int lda, int* pivots, std::vector<int>& order, int count) {
  for (int j = 0; j < count; ++j) {
    const int from = order[static_cast<size_t>(j)];
    if (from == j) continue;
    std::swap_ranges(at(a, lda, 0, j), at(a, lda, 0, j) + m, at(a, lda, 0, from));
    std::swap(pivots[j], pivots[from]);
    // Column j now lives at `from`: whoever wanted it later must look there.
    for (size_t l = static_cast<size_t>(j) + 1; l < static_cast<size_t>(count); ++l) {
      if (order[l] == j) order[l] = from;
    }
  }
}

/// Pivot order of the columns of Y = G A, A m x n, G (kBlock + kOversample) x m random signs.
std::vector<int> sketch_order(int m, int n, const double* a, int lda, std::uint64_t& state) {
  const int rows = kBlock + kOversample;
  std::vector<double> g(static_cast<size_t>(rows) * static_cast<size_t>(m));
  random_signs(g, state);
  DenseMatrix y(rows, n);
  lapack::gemm('N', 'N', rows, n, m, 1.0, g.data(), rows, a, lda, 0.0, y.column(0), rows);
  std::vector<int> order(static_cast<size_t>(n));
  std::vector<double> tau(static_cast<size_t>(std::min(rows, n)));
  lapack::geqp3(rows, n, y.column(0), rows, order.data(), tau.data());
  return order;
}

int pivoted_by_norms(int m, int n, double* a, int lda, int n_extra, double* extra, int ld_extra,
                     double cut_off, std::vector<int>& pivots) {
  const int count = std::min(m, n);
  std::vector<double> tau(static_cast<size_t>(count));
  lapack::geqp3(m, n, a, lda, pivots.data(), tau.data());
  if (n_extra > 0) lapack::ormqr('T', m, n_extra, count, a, lda, tau.data(), extra, ld_extra);
  return leading_rank(count, a, lda, cut_off);
}

/// Pivoted QR of the `width` leading columns of A(k:m, k:n), applied to the other columns and to extra(k:m).
/// Returns how many of the diagonal entries exceed the cut-off.
int factor_chosen(int k, int width, int m, int n, double* a, int lda, int n_extra, double* extra,
                  int ld_extra, double cut_off, int* pivots) {
  const int rows = m - k, count = std::min(width, rows);
  double* panel = at(a, lda, k, k);
  std::vector<double> tau(static_cast<size_t>(count));
  std::vector<int> order(static_cast<size_t>(width));
  lapack::geqp3(rows, width, panel, lda, order.data(), tau.data());
  bring_forward(k, at(a, lda, 0, k), lda, pivots + k, order, width);
  if (n > k + width) {
    lapack::ormqr('T', rows, n - k - width, count, panel, lda, tau.data(), at(a, lda, k, k + width), lda);
  }
  if (n_extra > 0) lapack::ormqr('T', rows, n_extra, count, panel, lda, tau.data(), extra + k, ld_extra);
  return leading_rank(count, panel, lda, cut_off);
}

int pivoted_by_sketch(int m, int n, double* a, int lda, int n_extra, double* extra, int ld_extra,
                      double cut_off, std::vector<int>& pivots) {
  std::iota(pivots.begin(), pivots.end(), 0);
  std::uint64_t state = 0x9e3779b97f4a7c15ull;
  for (int k = 0; k < std::min(m, n); k += kBlock) {
    const int width = std::min(kBlock, n - k);
    std::vector<int> order = sketch_order(m - k, n - k, at(a, lda, k, k), lda, state);
    bring_forward(m, at(a, lda, 0, k), lda, pivots.data() + k, order, width);
    const int found = factor_chosen(k, width, m, n, a, lda, n_extra, extra, ld_extra, cut_off, pivots.data());
    if (found < width) return k + found;
  }
  return std::min(m, n);
}

/// max_s ||R11^-1 c_s|| / ||c_s|| over the columns c_s of `c` (m rows, the first `rank` of them solved for).
double growth(int m, int rank, const double* r, int ldr, int columns, const double* c, int ldc) {
  DenseMatrix y(rank, columns);
  double largest = 0.0;
  for (int s = 0; s < columns; ++s) std::copy_n(c + static_cast<ptrdiff_t>(s) * ldc, rank, y.column(s));
  if (columns > 0) lapack::upper_solve(rank, columns, r, ldr, y.column(0), rank);
  for (int s = 0; s < columns; ++s) {
    const double size = lapack::norm2(m, c + static_cast<ptrdiff_t>(s) * ldc);
    if (size > 0.0) largest = std::max(largest, lapack::norm2(rank, y.column(s)) / size);
  }
  return largest;
}

}  // namespace

int pivoted_qr(int m, int n, double* a, int lda, int n_extra, double* extra, int ld_extra, double cut_off,
               std::vector<int>& pivots, PivotChoice choice) {
  pivots.assign(static_cast<size_t>(n), 0);
  if (m == 0 || n == 0) {
    std::iota(pivots.begin(), pivots.end(), 0);
    return 0;
  }
  const bool sketch =
      choice == PivotChoice::kSketch || (choice == PivotChoice::kAutomatic && n > kSketchFrom);
  return (sketch ? pivoted_by_sketch : pivoted_by_norms)(m, n, a, lda, n_extra, extra, ld_extra, cut_off,
                                                         pivots);
}

CompleteOrthogonal complete_orthogonal(int m, int n, double* a, int lda, int n_extra, double* extra,
                                       int ld_extra, double cut_off, double max_growth, PivotChoice choice) {
  std::vector<int> pivots;
  CompleteOrthogonal factor;
  factor.cut_off = cut_off;
  int rank = pivoted_qr(m, n, a, lda, n_extra, extra, ld_extra, cut_off, pivots, choice);
  while (rank > 0 && growth(m, rank, a, lda, n_extra, extra, ld_extra) > max_growth) {
    factor.cut_off = std::max(10.0 * factor.cut_off, std::abs(*at(a, lda, rank - 1, rank - 1)));
    rank = leading_rank(rank, a, lda, factor.cut_off);
  }
  factor.rank = rank;
  factor.t = DenseMatrix(rank, rank);
  factor.z = DenseMatrix(n, rank);
  if (rank == 0) return factor;
  DenseMatrix z(n, rank);
  for (int j = 0; j < rank; ++j) z(j, j) = 1.0;
  if (rank < n) {
    std::vector<double> tau(static_cast<size_t>(rank));
    lapack::tzrzf(rank, n, a, lda, tau.data());
    lapack::ormrz('T', n, rank, rank, n - rank, a, lda, tau.data(), z.column(0), z.ld());
  }
  for (int j = 0; j < rank; ++j) {
    std::copy_n(at(a, lda, 0, j), j + 1, factor.t.column(j));
    for (int i = 0; i < n; ++i) factor.z(pivots[static_cast<size_t>(i)], j) = z(i, j);
  }
  return factor;
}

void apply_pseudo_inverse(const CompleteOrthogonal& factor, int nrhs, double* c, int ldc, double* x,
                          int ldx) {
  const int n = factor.z.rows, rank = factor.rank;
  if (rank == 0) {
    for (int s = 0; s < nrhs; ++s) std::fill_n(at(x, ldx, 0, s), n, 0.0);
    return;
  }
  lapack::upper_solve(rank, nrhs, factor.t.column(0), rank, c, ldc);
  lapack::gemm('N', 'N', n, nrhs, rank, 1.0, factor.z.column(0), n, c, ldc, 0.0, x, ldx);
}

}  // namespace torsor
