// The derivative engine's matrix products against OpenBLAS, Eigen and, where Debian's libxsmm-dev is
// installed, LIBXSMM, at the shapes of a block of 64 rows: C = A B forward (64 x w times w x w) and G += A^T
// B in reverse (w x 64 times 64 x w). GFLOP/s of one thread, the fastest of many calls, operands in the
// cache, weights packed beforehand for the own kernels. Run: OMP_NUM_THREADS=1 build/bench/product_bench
#include <Eigen/Core>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "operators/engine/kernel_table.h"
#ifdef TORSOR_HAVE_LIBXSMM
#include <libxsmm.h>
#endif

extern "C" {
void dgemm_(const char*, const char*, const int*, const int*, const int*, const double*, const double*,
            const int*, const double*, const int*, const double*, double*, const int*);
void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*, const float*,
            const int*, const float*, const int*, const float*, float*, const int*);
}

namespace {

using Eigen::Index;
constexpr int kRows = 64, kGreatest = 512;

template <class Real>
struct Operands {
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<Real, Free> a = make(), b = make(), c = make();

  static std::unique_ptr<Real, Free> make() {
    const size_t count = static_cast<size_t>(kGreatest) * (kGreatest + 32);
    auto* data = static_cast<Real*>(std::aligned_alloc(64, count * sizeof(Real)));
    std::fill_n(data, count, Real(0.01));
    return std::unique_ptr<Real, Free>(data);
  }
};

double rate(int width, const std::function<void()>& product) {
  constexpr int kTurns = 100, kCalls = 10;
  double best = 1e30;
  for (int turn = 0; turn < kTurns; ++turn) {
    const auto start = std::chrono::steady_clock::now();
    for (int call = 0; call < kCalls; ++call) product();
    best = std::min(best,
                    std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kCalls);
  }
  return 2.0 * kRows * width * width / best * 1e-9;
}

// Row-major C = A B is column-major C^T = B^T A^T.
void blas(char right, int m, int n, int k, const double* a, int lda, const double* b, int ldb, double beta,
          double* c, int ldc) {
  const double one = 1;
  dgemm_("N", &right, &m, &n, &k, &one, a, &lda, b, &ldb, &beta, c, &ldc);
}
void blas(char right, int m, int n, int k, const float* a, int lda, const float* b, int ldb, float beta,
          float* c, int ldc) {
  const float one = 1;
  sgemm_("N", &right, &m, &n, &k, &one, a, &lda, b, &ldb, &beta, c, &ldc);
}

#ifdef TORSOR_HAVE_LIBXSMM
auto xsmm(int m, int n, int k, const int* ld, double beta, int flags) {
  const double one = 1;
  return libxsmm_dmmdispatch(m, n, k, ld, ld, ld, &one, &beta, &flags, nullptr);
}
auto xsmm(int m, int n, int k, const int* ld, float beta, int flags) {
  const float one = 1;
  return libxsmm_smmdispatch(m, n, k, ld, ld, ld, &one, &beta, &flags, nullptr);
}
#endif

template <class Real>
void run(const std::string& name, int width) {
  using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Map = Eigen::Map<Matrix, Eigen::Aligned64, Eigen::OuterStride<>>;
  const auto& kernel = torsor::engine::kernels<Real>();
  const int line = 64 / static_cast<int>(sizeof(Real)), ld = ((width + line - 1) / line | 1) * line;
  const Index vectors = (width + kernel.lanes - 1) / kernel.lanes;
  Operands<Real> operands;
  Real *a = operands.a.get(), *b = operands.b.get(), *c = operands.c.get();
  const Map left(a, kRows, width, Eigen::OuterStride<>(ld)),
      square(b, width, width, Eigen::OuterStride<>(ld)), right(b, kRows, width, Eigen::OuterStride<>(ld));
  Map out(c, kRows, width, Eigen::OuterStride<>(ld)), sum(c, width, width, Eigen::OuterStride<>(ld));

  std::printf("%s %4d   A B: own %6.1f  OpenBLAS %6.1f  Eigen %6.1f", name.c_str(), width,
              rate(width, [&] { kernel.multiply(kRows, width, a, ld, b, vectors, c, ld, false); }),
              rate(width, [&] { blas('N', width, kRows, width, b, ld, a, ld, 0, c, ld); }),
              rate(width, [&] { out.noalias() = left * square; }));
#ifdef TORSOR_HAVE_LIBXSMM
  const auto forward = xsmm(width, kRows, width, &ld, Real(0), LIBXSMM_GEMM_FLAG_NONE);
  if (forward) std::printf("  LIBXSMM %6.1f", rate(width, [&] { forward(b, a, c); }));
#endif
  std::printf("   A^T B: own %6.1f  OpenBLAS %6.1f  Eigen %6.1f",
              rate(width, [&] { kernel.multiply_transposed(kRows, width, a, ld, b, ld, vectors, c, ld); }),
              rate(width, [&] { blas('T', width, width, kRows, b, ld, a, ld, 1, c, ld); }),
              rate(width, [&] { sum.noalias() += left.transpose() * right; }));
#ifdef TORSOR_HAVE_LIBXSMM
  const auto reverse = xsmm(width, width, kRows, &ld, Real(1), LIBXSMM_GEMM_FLAG_TRANS_B);
  if (reverse) std::printf("  LIBXSMM %6.1f", rate(width, [&] { reverse(b, a, c); }));
#endif
  std::printf("\n");
}

}  // namespace

int main() {
  std::printf("instruction set %s, GFLOP/s of one thread\n", torsor::engine::instruction_set().c_str());
  for (const int width : {16, 32, 50, 64, 128, 256, 512}) {
    run<double>("float64", width);
    run<float>("float32", width);
  }
}
