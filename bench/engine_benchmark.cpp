// Google Benchmark of the derivative engine: loss and gradient by all weights of every operator, over widths, depths,
// numbers of points and both types. `build/bench/engine_benchmark --benchmark_filter=laplacian/float64`
#include <benchmark/benchmark.h>

#include <random>

#include "bench/engine_cases.h"

namespace {

using torsor::Index;
using torsor::bench::operators;

std::vector<double> uniform(Index count, double low, double high) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> draw(low, high);
  std::vector<double> values(static_cast<size_t>(count));
  for (double& value : values) value = draw(random);
  return values;
}

Index weight_count(Index inputs, Index width, Index depth, Index outputs) {
  return (inputs + 1) * width + (depth - 1) * (width + 1) * width + (width + 1) * outputs;
}

void loss_and_gradient(benchmark::State& state, const std::string& name, const std::string& type) {
  const Index width = state.range(0), depth = state.range(1), count = state.range(2);
  const Index inputs = name == "laplacian-3d" ? 3 : 2, outputs = operators().at(name).outputs;
  const auto problem =
      torsor::bench::make_case(type, name, width, depth, uniform(weight_count(inputs, width, depth, outputs), -0.2, 0.2),
                               uniform(count * inputs, 0, 1));
  for (auto _ : state) benchmark::DoNotOptimize(problem->loss_and_gradient());
  state.SetItemsProcessed(state.iterations() * count);
}

void declare() {
  const std::vector<std::vector<int64_t>> shapes{{64, 4, 4096}, {32, 4, 4096}, {128, 4, 4096}, {256, 4, 4096},
                                                 {64, 2, 4096}, {64, 6, 4096}, {64, 4, 256},   {64, 4, 65536}};
  for (const auto& [name, op] : operators())
    for (const std::string type : {"float64", "float32"}) {
      auto* family = benchmark::RegisterBenchmark(
          (name + "/" + type).c_str(), [name = name, type](benchmark::State& state) { loss_and_gradient(state, name, type); });
      for (const auto& shape : shapes) family->Args(shape);
      family->ArgNames({"width", "depth", "points"})->Unit(benchmark::kMillisecond)->UseRealTime();
    }
}

}  // namespace

int main(int argc, char** argv) {
  declare();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
