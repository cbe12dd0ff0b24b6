// Speed of the dense kernels, each timed in turn with a matrix product so that a busy machine slows both. The
// clock is the wall; on a machine shared with others OMP_NUM_THREADS=1 selects the processor time instead.
//   streamed QR (2 M n^2 - 2 n^3 / 3 operations), rank-revealing factorisations of an n x n triangle,
//   and right sides a second of the cached factor (2 M n + n^2 operations each).
// Usage: dense_bench [M] [n] [block rows] [repetitions]     (13600 550 768 7)
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <random>
#include <vector>

#include "solvers/dense/cached_factor.h"
#include "solvers/dense/lapack.h"
#include "solvers/dense/rank_revealing.h"
#include "solvers/dense/streamed_qr.h"

namespace {

using torsor::DenseMatrix;

/// Processor time with one thread (it does not see other programs), wall time with several.
double now() {
  if (omp_get_max_threads() == 1) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double seconds(const std::function<void()>& work) {
  const double start = now();
  work();
  return now() - start;
}

DenseMatrix random_matrix(int rows, int columns, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  DenseMatrix a(rows, columns);
  for (double& x : a.data) x = normal(generator);
  return a;
}

/// Best times of `work` and of a 1500 x 1500 matrix product, run alternately.
struct Rates {
  double work, gemm;
};

Rates interleaved(int repetitions, const std::function<void()>& prepare, const std::function<void()>& work) {
  constexpr int kSize = 1500;
  const DenseMatrix a = random_matrix(kSize, kSize, 1), b = random_matrix(kSize, kSize, 2);
  DenseMatrix c(kSize, kSize);
  Rates best{1e30, 1e30};
  for (int i = 0; i < repetitions; ++i) {
    best.gemm = std::min(best.gemm, seconds([&] {
                           torsor::lapack::gemm('N', 'N', kSize, kSize, kSize, 1.0, a.column(0), kSize,
                                                b.column(0), kSize, 0.0, c.column(0), kSize);
                         }));
    prepare();
    best.work = std::min(best.work, seconds(work));
  }
  best.gemm = 2e-9 * kSize * kSize * kSize / best.gemm;
  return best;
}

void report(const char* name, double operations, const Rates& rates) {
  const double rate = 1e-9 * operations / rates.work;
  std::printf("%-34s %8.4f s  %6.1f GF/s  dgemm %6.1f GF/s  ratio %.2f\n", name, rates.work, rate, rates.gemm,
              rate / rates.gemm);
}

void bench_streamed(int m, int n, int block_rows, int repetitions) {
  const DenseMatrix a = random_matrix(m, n + 1, 3);
  torsor::StreamOptions options;
  options.block_rows = block_rows;
  const auto producer = [&](int block, const torsor::RowBlock& buffer) {
    const int first = block * block_rows, k = std::min(block_rows, m - first);
    for (int j = 0; j <= n; ++j) {
      double* to = j < n ? buffer.a + static_cast<ptrdiff_t>(j) * buffer.ld : buffer.b;
      std::copy_n(a.column(j) + first, k, to);
    }
    return k;
  };
  const double size = n;
  const Rates rates = interleaved(
      repetitions, [] {},
      [&] { torsor::factor_streamed((m + block_rows - 1) / block_rows, n, 1, producer, options); });
  report("streamed QR (with its producer)", 2.0 * m * size * size - 2.0 / 3.0 * size * size * size, rates);
  // The producer above only copies rows; its time is no part of the factorisation.
  DenseMatrix storage(block_rows + 8, n + 1);
  const torsor::RowBlock buffer{storage.column(0), storage.column(n), storage.rows, block_rows};
  double copying = 1e30;
  for (int i = 0; i < repetitions; ++i) {
    copying = std::min(copying, seconds([&] {
                         for (int first = 0; first < m; first += block_rows)
                           producer(first / block_rows, buffer);
                       }));
  }
  std::printf("%-34s %8.4f s  (one thread)\n", "  its producer alone", copying);
}

void bench_pivoted(int n, int repetitions, torsor::PivotChoice choice, const char* name) {
  const DenseMatrix a = random_matrix(n, n, 4);
  DenseMatrix r, c(n, 1);
  std::vector<int> pivots;
  const Rates rates = interleaved(
      repetitions, [&] { r = a; },
      [&] { torsor::pivoted_qr(n, n, r.column(0), n, 1, c.column(0), n, 0.0, pivots, choice); });
  report(name, 4.0 / 3.0 * n * static_cast<double>(n) * n, rates);
}

void bench_cached(int m, int n, int repetitions) {
  constexpr int kRightSides = 1000;
  const DenseMatrix a = random_matrix(m, n, 5), b = random_matrix(m, kRightSides, 6);
  DenseMatrix w(n, kRightSides);
  const torsor::CachedFactor factor(a.column(0), m, m, n);
  const Rates rates = interleaved(
      repetitions, [] {}, [&] { factor.solve(b.column(0), m, kRightSides, w.column(0), n); });
  report("cached factor, 1000 right sides", kRightSides * (2.0 * m * n + static_cast<double>(n) * n), rates);
  std::printf("%-34s %8.0f right sides a second (M = %d, n = %d)\n", "", kRightSides / rates.work, m, n);
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, int fallback) { return argc > i ? std::atoi(argv[i]) : fallback; };
  const int m = argument(1, 13600), n = argument(2, 550), rows = argument(3, 768),
            repetitions = argument(4, 7);
  if (m < 1 || n < 1 || rows < 1 || repetitions < 1) {
    std::fprintf(stderr, "usage: dense_bench [M] [n] [block rows] [repetitions]\n");
    return 2;
  }
  std::printf("M = %d, n = %d, blocks of %d rows\n", m, n, rows);
  bench_streamed(m, n, rows, repetitions);
  bench_pivoted(n, repetitions, torsor::PivotChoice::kColumnNorms, "pivoted QR, dgeqp3");
  bench_pivoted(n, repetitions, torsor::PivotChoice::kSketch, "pivoted QR, sketch, full rank");
  bench_cached(5000, 200, repetitions);
  return 0;
}
