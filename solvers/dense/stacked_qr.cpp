#include "solvers/dense/stacked_qr.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "physics/function_clones.h"
#include "solvers/dense/lapack.h"

namespace torsor {
namespace {

// Columns of a leaf: one row of its row-major copy is one vector, so that a reflector costs a single sweep.
constexpr int kLeaf = 8;
typedef double Row __attribute__((vector_size(kLeaf * sizeof(double))));

// Trailing columns updated at a time: on one thread as many as bound the workspace W, in a team few enough to
// share them evenly.
constexpr int kChunk = 512;
constexpr int kTeamChunk = 128;

/// rows_i <- rows_i - rows_i[pivot] * step, dots = sum_i rows_i[next] rows_i with the new rows.
TORSOR_CLONES("avx512f", "arch=x86-64-v3", "default")
void sweep(double* __restrict rows, int k, int pivot, const double* step, int next,
                         double* dots) {
  constexpr int kUnroll = 4;  // independent partial sums hide the latency of the addition
  Row s, sum[kUnroll] = {};
  std::memcpy(&s, step, sizeof(s));
  int i = 0;
  for (; i + kUnroll <= k; i += kUnroll) {
    for (int u = 0; u < kUnroll; ++u) {
      double* row = rows + static_cast<size_t>(i + u) * kLeaf;
      Row r;
      std::memcpy(&r, row, sizeof(r));
      r -= row[pivot] * s;
      std::memcpy(row, &r, sizeof(r));
      sum[u] += row[next] * r;
    }
  }
  for (; i < k; ++i) {
    double* row = rows + static_cast<size_t>(i) * kLeaf;
    Row r;
    std::memcpy(&r, row, sizeof(r));
    r -= row[pivot] * s;
    std::memcpy(row, &r, sizeof(r));
    sum[0] += row[next] * r;
  }
  sum[0] += sum[1];
  sum[2] += sum[3];
  sum[0] += sum[2];
  std::memcpy(dots, &sum[0], sizeof(Row));
}

/// Transposes 8 x 8 numbers: exchanges blocks of one, two and four.
inline __attribute__((always_inline)) void transpose(Row* v) {
  static_assert(kLeaf == 8);
  Row a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    a[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 8; i += 4) {
    for (int j = i; j < i + 2; ++j) {
      b[j] = __builtin_shufflevector(a[j], a[j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      b[j + 2] = __builtin_shufflevector(a[j], a[j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  for (int i = 0; i < 4; ++i) {
    v[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    v[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

/// Copies w columns of k numbers into rows of kLeaf numbers (zeros in the unused lanes) and returns in
/// `squares` the sums of squares of the columns and in `dots` their products with column 0.
TORSOR_CLONES("avx512f", "arch=x86-64-v3", "default")
void load_leaf(const double* __restrict b, int ldb, int w, int k, double* __restrict rows,
                             double* squares, double* dots) {
  Row square = {}, dot = {};
  int i = 0;
  for (; i + kLeaf <= k; i += kLeaf) {
    Row v[kLeaf] = {};
    for (int j = 0; j < w; ++j) std::memcpy(&v[j], b + i + static_cast<ptrdiff_t>(j) * ldb, sizeof(Row));
    transpose(v);
    std::memcpy(rows + static_cast<size_t>(i) * kLeaf, v, sizeof(v));
    for (int l = 0; l < kLeaf; ++l) {
      square += v[l] * v[l];
      dot += v[l][0] * v[l];
    }
  }
  for (; i < k; ++i) {
    Row r = {};
    for (int j = 0; j < w; ++j) r[j] = b[i + static_cast<ptrdiff_t>(j) * ldb];
    std::memcpy(rows + static_cast<size_t>(i) * kLeaf, &r, sizeof(r));
    square += r * r;
    dot += r[0] * r;
  }
  std::memcpy(squares, &square, sizeof(square));
  std::memcpy(dots, &dot, sizeof(dot));
}

/// Column j of B <- scale[j] * column j of the row-major copy.
TORSOR_CLONES("avx512f", "arch=x86-64-v3", "default")
void store_leaf(const double* __restrict rows, int w, int k, const double* scale,
                              double* __restrict b, int ldb) {
  Row factor;
  std::memcpy(&factor, scale, sizeof(factor));
  int i = 0;
  for (; i + kLeaf <= k; i += kLeaf) {
    Row v[kLeaf];
    std::memcpy(v, rows + static_cast<size_t>(i) * kLeaf, sizeof(v));
    for (int l = 0; l < kLeaf; ++l) v[l] *= factor;
    transpose(v);
    for (int j = 0; j < w; ++j) std::memcpy(b + i + static_cast<ptrdiff_t>(j) * ldb, &v[j], sizeof(Row));
  }
  for (; i < k; ++i) {
    for (int j = 0; j < w; ++j) {
      b[i + static_cast<ptrdiff_t>(j) * ldb] = scale[j] * rows[static_cast<size_t>(i) * kLeaf + j];
    }
  }
}

/// Scales column j of the leaf, in the triangle and in the row-major copy, by 2^exponent.
void scale_leaf_column(int j, int exponent, double* r, int ldr, double* rows, int k) {
  for (int i = 0; i <= j; ++i) {
    double& entry = r[i + static_cast<ptrdiff_t>(j) * ldr];
    entry = std::scalbn(entry, exponent);
  }
  for (int i = 0; i < k; ++i) {
    double& entry = rows[static_cast<size_t>(i) * kLeaf + j];
    entry = std::scalbn(entry, exponent);
  }
}

/// Brings column j of the leaf to order one by a power of two if squares of its entries could overflow or
/// underflow, and returns the exponent that undoes it (0 when nothing was done).
int make_safe(int j, double square, double* r, int ldr, double* rows, int k) {
  double largest = 0.0;
  for (int i = 0; i <= j; ++i) largest = std::max(largest, std::abs(r[i + static_cast<ptrdiff_t>(j) * ldr]));
  if (square > 1e-200 && square < 1e200 && largest < 1e100) return 0;
  for (int i = 0; i < k; ++i) largest = std::max(largest, std::abs(rows[static_cast<size_t>(i) * kLeaf + j]));
  if (largest == 0.0 || (largest > 1e-100 && largest < 1e100)) return 0;
  const int exponent = std::ilogb(largest);
  scale_leaf_column(j, -exponent, r, ldr, rows, k);
  return exponent;
}

/// QR of [R; B] with w <= kLeaf columns by single reflectors H_j = I - tau_j v_j v_j^T, v_j = [e_j; s_j b_j],
/// where b_j is the current column, beta = -sign(R_jj) hypot(R_jj, ||b_j||), tau_j = (beta - R_jj) / beta and
/// s_j = 1 / (R_jj - beta). The products b_j^T b_l that give ||b_j||, the update and T come from one sweep.
/// Reflectors do not change when a column is scaled, so out-of-range columns are scaled by a power of two.
void factor_leaf(int w, int k, double* r, int ldr, double* b, int ldb, double* t, int ldt,
                 std::vector<double>& buffer) {
  buffer.resize(std::max(buffer.size(), static_cast<size_t>(k) * kLeaf));
  double* rows = buffer.data();
  auto triangle = [=](int i, int j) -> double& { return r[i + static_cast<ptrdiff_t>(j) * ldr]; };
  auto factor = [=](int i, int j) -> double& { return t[i + static_cast<ptrdiff_t>(j) * ldt]; };

  double squares[kLeaf], dots[kLeaf], scale[kLeaf] = {}, step[kLeaf] = {};
  int exponent[kLeaf];
  bool scaled = false;
  load_leaf(b, ldb, w, k, rows, squares, dots);
  for (int j = 0; j < w; ++j) {
    exponent[j] = make_safe(j, squares[j], r, ldr, rows, k);
    scaled = scaled || exponent[j] != 0;
  }
  if (scaled) sweep(rows, k, 0, step, 0, dots);

  for (int j = 0; j < w; ++j) {
    const double norm = std::sqrt(dots[j]);
    for (int l = 0; l < kLeaf; ++l) step[l] = 0.0;
    for (int l = 0; l < w; ++l) factor(l, j) = 0.0;
    if (norm > 0.0) {
      const double alpha = triangle(j, j);
      const double beta = -std::copysign(std::hypot(alpha, norm), alpha);
      const double tau = (beta - alpha) / beta;
      scale[j] = 1.0 / (alpha - beta);
      triangle(j, j) = beta;
      for (int l = j + 1; l < w; ++l) {
        const double product = tau * (triangle(j, l) + scale[j] * dots[l]);
        triangle(j, l) -= product;
        step[l] = product * scale[j];
      }
      for (int i = 0; i < j; ++i) {
        double sum = 0.0;
        for (int l = i; l < j; ++l) sum += factor(i, l) * (scale[l] * scale[j] * dots[l]);
        factor(i, j) = -tau * sum;
      }
      factor(j, j) = tau;
    }
    if (j + 1 < w) sweep(rows, k, j, step, j + 1, dots);
  }

  store_leaf(rows, w, k, scale, b, ldb);
  for (int j = 0; j < w; ++j) {
    for (int i = 0; i <= j; ++i) triangle(i, j) = std::scalbn(triangle(i, j), exponent[j]);
  }
}

/// Applies (I - V T V^T)^T = I - V T^T V^T, V = [I; V_B] (nb columns, k rows), to [c.top; c.below].
void apply_panel(int nb, int k, const double* v, int ldv, const double* t, int ldt, StackedColumns c,
                 std::vector<double>& w) {
  w.resize(std::max(w.size(), static_cast<size_t>(nb) * static_cast<size_t>(c.columns)));
  for (int j = 0; j < c.columns; ++j) {
    std::copy_n(c.top + static_cast<ptrdiff_t>(j) * c.ld_top, nb, w.data() + static_cast<ptrdiff_t>(j) * nb);
  }
  lapack::gemm('T', 'N', nb, c.columns, k, 1.0, v, ldv, c.below, c.ld_below, 1.0, w.data(), nb);
  lapack::upper_times('T', nb, c.columns, t, ldt, w.data(), nb);
  for (int j = 0; j < c.columns; ++j) {
    double* top = c.top + static_cast<ptrdiff_t>(j) * c.ld_top;
    const double* change = w.data() + static_cast<ptrdiff_t>(j) * nb;
    for (int i = 0; i < nb; ++i) top[i] -= change[i];
  }
  lapack::gemm('N', 'N', k, c.columns, nb, -1.0, v, ldv, w.data(), nb, 1.0, c.below, c.ld_below);
}

/// QR of a panel [R; B] of nb columns by halves; `t` receives its triangular factor,
/// T = [T1, -T1 (V1^T V2) T2; 0, T2] (the unit parts of V1 and V2 are orthogonal).
void factor_panel(int nb, int k, double* r, int ldr, double* b, int ldb, double* t, int ldt,
                  StackedQrWorkspace& work) {
  if (nb <= kLeaf) {
    factor_leaf(nb, k, r, ldr, b, ldb, t, ldt, work.leaf);
    return;
  }
  const int left = std::max(kLeaf, (nb / 2 + kLeaf - 1) / kLeaf * kLeaf);
  const int right = nb - left;
  double* b_right = b + static_cast<ptrdiff_t>(left) * ldb;
  double* r_right = r + static_cast<ptrdiff_t>(left) * ldr;
  double* t_right = t + static_cast<ptrdiff_t>(left) * ldt;
  factor_panel(left, k, r, ldr, b, ldb, t, ldt, work);
  apply_panel(left, k, b, ldb, t, ldt, {r_right, ldr, b_right, ldb, right}, work.w);
  factor_panel(right, k, r_right + left, ldr, b_right, ldb, t_right + left, ldt, work);
  lapack::gemm('T', 'N', left, right, k, -1.0, b, ldb, b_right, ldb, 0.0, t_right, ldt);
  lapack::upper_times('N', left, right, t, ldt, t_right, ldt);
  lapack::times_upper(left, right, t_right + left, ldt, t_right, ldt);
}

/// `c` without its first `rows` top rows and its first `columns` columns.
StackedColumns remaining(StackedColumns c, int rows, int columns) {
  c.top += rows + static_cast<ptrdiff_t>(columns) * c.ld_top;
  c.below += static_cast<ptrdiff_t>(columns) * c.ld_below;
  c.columns -= columns;
  return c;
}

/// Plain QR of the nb x nb tile at `a`, applied to `columns - nb` further columns and to `extra`.
void factor_tile(int nb, int columns, double* a, int lda, double* extra, int ld_extra, int n_extra) {
  std::vector<double> tau(static_cast<size_t>(nb));
  lapack::geqrf(nb, nb, a, lda, tau.data());
  double* trailing = a + static_cast<ptrdiff_t>(nb) * lda;
  if (columns > nb) lapack::ormqr('T', nb, columns - nb, nb, a, lda, tau.data(), trailing, lda);
  if (n_extra > 0) lapack::ormqr('T', nb, n_extra, nb, a, lda, tau.data(), extra, ld_extra);
}

/// Width of the panels for k rows: wide ones pay only when many rows share their triangular factor.
int panel_width(int k) {
  return std::clamp(k / 6, kLeaf, 64);
}

}  // namespace

void eliminate_below(int n, int k, StackedColumns a, StackedColumns extra, bool upper,
                     StackedQrWorkspace& work) {
  if (n == 0 || k == 0) return;
  const int width = panel_width(k);
  work.t.resize(std::max(work.t.size(), static_cast<size_t>(width) * width));
  // BLAS calls inside a region stay on their thread. The columns of an update are shared here instead: one
  // region for the whole elimination costs less than a fork in each of the many small products of a panel.
#pragma omp parallel if (!omp_in_parallel())
  {
    std::vector<double> w;
    const int chunk_width = omp_get_num_threads() > 1 ? kTeamChunk : kChunk;
    for (int j = 0; j < n; j += width) {
      const int nb = std::min(width, n - j);
      const int rows = upper ? std::min(k, j + nb) : k;
      const StackedColumns panel = remaining(a, j, j);
#pragma omp single
      factor_panel(nb, rows, panel.top, panel.ld_top, panel.below, panel.ld_below, work.t.data(), width,
                   work);
      for (const StackedColumns& rest : {remaining(panel, 0, nb), remaining(extra, j, 0)}) {
#pragma omp for schedule(static)
        for (int first = 0; first < rest.columns; first += chunk_width) {
          StackedColumns chunk = remaining(rest, 0, first);
          chunk.columns = std::min(chunk_width, chunk.columns);
          apply_panel(nb, rows, panel.below, panel.ld_below, work.t.data(), width, chunk, w);
        }
      }
    }
  }
}

void factor_block(int k, int columns, double* a, int lda, double* extra, int ld_extra, int n_extra,
                  StackedQrWorkspace& work) {
  constexpr int kTile = 64;
  for (int j = 0; j < k; j += kTile) {
    // The rows under a tile are eliminated against it, so that nearly all work is in eliminate_below.
    const int nb = std::min(kTile, k - j);
    double* tile = a + j + static_cast<ptrdiff_t>(j) * lda;
    double* tile_extra = extra + j;
    factor_tile(nb, columns - j, tile, lda, tile_extra, ld_extra, n_extra);
    eliminate_below(nb, k - j - nb, {tile, lda, tile + nb, lda, columns - j},
                    {tile_extra, ld_extra, tile_extra + nb, ld_extra, n_extra}, false, work);
  }
}

}  // namespace torsor
