// The speed of a head: assembly and factorisation of a Helmholtz system (random sine features) against the machine's
// dgemm on the factorisation's flops, 2 m n^2 - 2/3 n^3, and right sides a second with a cached factor of 200 features.
// The three are measured in turn, several times, and the ratios are taken within each turn: on a shared machine only
// ratios mean something. Run: GOMP_SPINCOUNT=1000 build/bench/head_bench [rows] [features] [repetitions]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "operators/sine_features.h"
#include "physics/sampler.h"
#include "solvers/cli/runtime.h"
#include "solvers/dense/cached_factor.h"
#include "solvers/dense/lapack.h"
#include "solvers/dense/streamed_qr.h"

namespace {

using torsor::Index;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double gemm_rate(Index n) {
  const Eigen::MatrixXd a = Eigen::MatrixXd::Random(n, n), b = Eigen::MatrixXd::Random(n, n);
  Eigen::MatrixXd c(n, n);
  const double start = now();
  const int size = static_cast<int>(n);
  torsor::lapack::gemm('N', 'N', size, size, size, 1.0, a.data(), size, b.data(), size, 0.0, c.data(), size);
  return 2.0 * static_cast<double>(n * n * n) / (now() - start);
}

torsor::SineFeatures make_features(Index count) {
  torsor::SineFeatures::Options options;
  options.features = count;
  options.bandwidth = Eigen::VectorXd::Constant(2, 20);
  options.centre = Eigen::VectorXd::Constant(2, 0.5);
  options.period = Eigen::VectorXd::Zero(2);
  return torsor::SineFeatures(options);
}

/// Seconds from points to the triangle of the system Lap u + 100 u = f.
double factor_seconds(const torsor::SineFeatures& body, const Eigen::MatrixXd& points) {
  const std::vector<torsor::MultiIndex> indices{{0, 0}, {2, 0}, {0, 2}};
  Eigen::MatrixXd coefficients = Eigen::MatrixXd::Ones(points.rows(), 3);
  coefficients.col(0).setConstant(100);
  torsor::StreamOptions stream;
  const Index blocks = (points.rows() + stream.block_rows - 1) / stream.block_rows;
  const double start = now();
  torsor::factor_streamed(
      static_cast<int>(blocks), static_cast<int>(body.features()), 1,
      [&](int block, const torsor::RowBlock& buffer) {
        const Index first = static_cast<Index>(block) * buffer.capacity;
        const Index n = std::min<Index>(buffer.capacity, points.rows() - first);
        for (Index j = 0; j < body.features(); ++j) std::fill_n(buffer.a + j * buffer.ld, n, 0.0);
        std::fill_n(buffer.b, n, 1.0);
        body.add_rows(points.middleRows(first, n), indices, coefficients.middleRows(first, n), buffer.a, buffer.ld);
        return static_cast<int>(n);
      },
      stream);
  return now() - start;
}

double right_sides_a_second(const torsor::CachedFactor& factor, Index count) {
  const Eigen::MatrixXd right = Eigen::MatrixXd::Random(factor.rows(), count);
  Eigen::MatrixXd heads(factor.columns(), count);
  const double start = now();
  factor.solve(right.data(), factor.rows(), static_cast<int>(count), heads.data(), factor.columns());
  return static_cast<double>(count) / (now() - start);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const Index m = argc > 1 ? std::atol(argv[1]) : 13600, n = argc > 2 ? std::atol(argv[2]) : 550;
  const int repetitions = argc > 3 ? std::atoi(argv[3]) : 9;
  const torsor::Runtime runtime = torsor::start_runtime();
  const Eigen::MatrixXd points = torsor::make_sampler("sobol")->points(m, 2, 1);
  const auto body = make_features(n);
  const auto small = make_features(200);
  const Index small_rows = m * 200 / n;
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(small_rows, 200);
  small.add_rows(points.topRows(small_rows), {{2, 0}, {0, 2}}, Eigen::MatrixXd::Ones(small_rows, 2), system.data(),
                 small_rows);
  const torsor::CachedFactor factor(system.data(), static_cast<int>(small_rows), static_cast<int>(small_rows), 200);
  const auto rows = static_cast<double>(m), columns = static_cast<double>(n);
  const double flops = 2 * rows * columns * columns - 2.0 / 3 * columns * columns * columns;
  std::vector<double> ratio, seconds, rate, sides;
  for (int i = 0; i < repetitions; ++i) {
    const double gemm = gemm_rate(1500), time = factor_seconds(body, points);
    sides.push_back(right_sides_a_second(factor, 4000));
    ratio.push_back(flops / time / gemm);
    seconds.push_back(time);
    rate.push_back(gemm);
  }
  std::printf("threads %d, BLAS %s\n", runtime.threads, runtime.blas.c_str());
  std::printf("dgemm                             %8.1f GFLOP/s\n", median(rate) * 1e-9);
  std::printf("assembly + QR, %ld x %ld       %8.3f s, ratio to dgemm %.2f (target 0.50)\n", static_cast<long>(m),
              static_cast<long>(n), median(seconds), median(ratio));
  std::printf("cached factor, %ld x 200        %8.0f right sides a second, ratio to 10,000: %.2f\n",
              static_cast<long>(small_rows), median(sides), median(sides) / 1e4);
}
