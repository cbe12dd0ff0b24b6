// Time of one call of every combiner: m = 8 tasks, D = 50,000 shared parameters, gradients with some conflict. Prints the
// median of many calls in microseconds, on one thread, for comparison with bench/peers/combine_peers.py.
//
//   combine_bench [m] [D]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"

namespace {

using torsor::Index;

constexpr int kSets = 3;  // in turn, so that warm starts have something to do
constexpr double kSecondsPerMethod = 0.5;
constexpr size_t kLeastCalls = 15;

std::vector<Eigen::MatrixXd> gradient_sets(Index m, Index d) {
  std::mt19937_64 engine(1);
  std::normal_distribution<double> normal;
  std::vector<Eigen::MatrixXd> sets;
  for (int k = 0; k < kSets; ++k) {
    Eigen::MatrixXd g = Eigen::MatrixXd::NullaryExpr(d, m, [&] { return normal(engine); });
    g.colwise() -= 0.9 * g.rowwise().mean().eval();
    sets.push_back(std::move(g));
  }
  return sets;
}

// Median of the seconds that `call` takes.
template <class Call>
double median_seconds(const Call& call) {
  std::vector<double> seconds;
  for (double total = 0; total < kSecondsPerMethod || seconds.size() < kLeastCalls;) {
    const auto begin = std::chrono::steady_clock::now();
    call(static_cast<Index>(seconds.size()));
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    total += seconds.back();
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<long>(seconds.size() / 2), seconds.end());
  return seconds[seconds.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const Index m = argc > 1 ? std::atol(argv[1]) : 8, d = argc > 2 ? std::atol(argv[2]) : 50000;
  const auto sets = gradient_sets(m, d);
  const Eigen::VectorXd ones = Eigen::VectorXd::Ones(m);
  std::printf("%-14s %12s   (m = %ld, D = %ld)\n", "combiner", "microseconds", static_cast<long>(m),
              static_cast<long>(d));
  double sink = 0;  // keeps the compiler from dropping the calls
  std::printf(
      "%-14s %12.1f\n", "[Gram matrix]",
      1e6 * median_seconds([&](Index n) { sink += torsor::gram_matrix(sets[static_cast<size_t>(n % kSets)])(0, 0); }));
  std::printf("%-14s %12.1f\n", "[sum]", 1e6 * median_seconds([&](Index n) {
                                           sink += torsor::weighted_sum(sets[static_cast<size_t>(n % kSets)], ones)[0];
                                         }));
  for (const auto& info : torsor::combiners()) {
    const auto combiner = info.make(torsor::OptionValues(info.options), 1);
    const double seconds = median_seconds([&](Index n) {
      sink += combiner->combine({sets[static_cast<size_t>(n % kSets)], ones, n}).direction[0];
      if (combiner->observes()) combiner->observe(ones);
    });
    std::printf("%-14s %12.1f\n", info.name.c_str(), 1e6 * seconds);
  }
  return sink == 12345.678 ? 1 : 0;
}
