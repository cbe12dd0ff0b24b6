// What a step of training costs with three shapes of a kinetic unknown g(x, t, v) in a network, on the jets (value, d_x, d_t)
// that linear transport needs, with one gradient for each of 8 groups of points:
//
//   moments    one network of (x, t), an output for each moment (as many as velocity nodes)
//   products   g = sum_k a_k(x, t) b_k(v): a network of (x, t) with few outputs; b_k at the nodes are constants of a step
//   nodes      one network of (x, t, v) with one output, at every point and node
//
// The shapes take turns, and the ratios are medians over turns: on a shared machine only ratios mean something.
// Run: OMP_NUM_THREADS=1 build/bench/velocity_shapes_bench [points] [width] [nodes] [turns]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "operators/engine/jet_engine.h"
#include "physics/random.h"

namespace {

using Eigen::Index;

constexpr Index kGroups = 8, kLayers = 3, kHarmonics = 2, kProducts = 8;

class Shape {
 public:
  /// A network of x (periodic), t and, unless the velocity is in the outputs, v; one constant input.
  Shape(std::string name, Index points, Index width, Index outputs, bool velocity)
      : name_(std::move(name)), engine_(shape_of(width, outputs, velocity), request_of(velocity)), points_(points) {
    torsor::Random random(1);
    const auto& shape = engine_.shape();
    const auto fill = [&](std::vector<double>& values, Index count) {
      for (Index k = 0; k < count; ++k) values.push_back(random.uniform(-0.5, 0.5));
    };
    fill(coordinates_, points * shape.coordinates);
    fill(constants_, points * shape.constants);
    fill(parameters_, shape.parameters());
    for (Index k = 0; k < points; ++k) groups_.push_back(k * kGroups / points);
    gradients_.resize(static_cast<size_t>(kGroups * shape.parameters()));
  }

  const std::string& name() const { return name_; }
  Index points() const { return points_; }
  Index outputs() const { return engine_.shape().outputs; }
  Index parameters() const { return engine_.shape().parameters(); }

  /// Seconds of one loss and its gradients: the mean square of all jets.
  double step() {
    const Index jets = engine_.request().channels() * outputs();
    const torsor::JetBatch<double> batch{points_, coordinates_.data(), constants_.data(), groups_.data(), kGroups};
    std::vector<double> losses(kGroups);
    const auto start = std::chrono::steady_clock::now();
    engine_.value_and_gradients(
        batch, parameters_.data(),
        [jets](const torsor::JetBlock<double>& block) {
          for (Index k = 0; k < block.count; ++k) {
            block.losses[k] = 0;
            for (Index j = k * jets; j < (k + 1) * jets; ++j) {
              block.losses[k] += block.jets[j] * block.jets[j];
              block.adjoints[j] = 2 * block.jets[j];
            }
          }
        },
        losses.data(), gradients_.data());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  static torsor::NetworkShape shape_of(Index width, Index outputs, bool velocity) {
    torsor::NetworkShape shape;
    shape.coordinates = velocity ? 3 : 2;
    Eigen::VectorXd period = Eigen::VectorXd::Zero(shape.coordinates);
    period[0] = 1;
    shape.inputs = torsor::periodic_inputs(Eigen::VectorXd::Zero(shape.coordinates), period, kHarmonics);
    shape.constants = 1;
    shape.widths.assign(kLayers, width);
    shape.outputs = outputs;
    return shape;
  }
  static torsor::JetRequest request_of(bool velocity) {
    if (velocity) return {{{0, 0, 0}, {1, 0, 0}, {0, 1, 0}}, {}};
    return {{{0, 0}, {1, 0}, {0, 1}}, {}};
  }

  std::string name_;
  torsor::JetEngine<double> engine_;
  Index points_;
  std::vector<double> coordinates_, constants_, parameters_, gradients_;
  std::vector<Index> groups_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Index argument(int count, char** values, int position, Index standard) {
  return count > position ? std::atol(values[position]) : standard;
}

}  // namespace

int main(int argc, char** argv) {
  const Index points = argument(argc, argv, 1, 2048), width = argument(argc, argv, 2, 40);
  const Index nodes = argument(argc, argv, 3, 16), turns = argument(argc, argv, 4, 31);
  std::vector<Shape> shapes;
  shapes.emplace_back("moments", points, width, nodes, false);
  shapes.emplace_back("products", points, width, kProducts, false);
  shapes.emplace_back("nodes", points * nodes, width, 1, true);
  std::vector<std::vector<double>> seconds(shapes.size()), ratios(shapes.size());
  for (Index turn = 0; turn <= turns; ++turn) {
    std::vector<double> now;
    for (auto& shape : shapes) now.push_back(shape.step());
    if (turn == 0) continue;  // the first touches the memory
    for (size_t s = 0; s < shapes.size(); ++s) {
      seconds[s].push_back(now[s]);
      ratios[s].push_back(now[s] / now.front());
    }
  }
  std::printf("| shape | evaluations | outputs | weights | ms a step | times moments |\n|---|---|---|---|---|---|\n");
  for (size_t s = 0; s < shapes.size(); ++s)
    std::printf("| %s | %ld | %ld | %ld | %.1f | %.2f |\n", shapes[s].name().c_str(), static_cast<long>(shapes[s].points()),
                static_cast<long>(shapes[s].outputs()), static_cast<long>(shapes[s].parameters()), 1e3 * median(seconds[s]),
                median(ratios[s]));
  return 0;
}
