// The speed of the derivative engine on the Laplacian residual of a network 2-W x 4-1 with tanh: loss and
// gradient by all weights, against LibTorch's nested automatic differentiation, against the same propagation
// in torch operations, and as a share of the matrix products' arithmetic at this machine's GEMM rate
// (OpenBLAS, 1500 x 1500). All versions are measured in turn, several times, and ratios are taken within each
// turn: on a shared machine only ratios mean something. Run: OMP_NUM_THREADS=2 GOMP_SPINCOUNT=1000
// build/bench/engine_bench [points] [width] [turns]
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "operators/engine/network_jets.h"
#include "solvers/cli/runtime.h"

namespace {

using torch::Tensor;
using torsor::Index;

constexpr Index kGroups = 8, kGemmSize = 1500, kFewPoints = 256;
constexpr int kRepetitions = 3;  // of which the fastest counts, within a turn

template <class Action>
double seconds(const Action& action) {
  double best = 1e30;
  for (int i = 0; i < kRepetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    action();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

torsor::NetworkShape make_shape(Index width) {
  torsor::NetworkShape shape;
  shape.coordinates = 2;
  shape.inputs = torsor::raw_inputs(Eigen::Vector2d(0, 0));
  shape.widths.assign(4, width);
  return shape;
}

/// The problem Lap u = 1 at random points, in one floating type.
template <class Real>
class Problem {
 public:
  Problem(Index points, Index width)
      : shape_(make_shape(width)),
        request_{{}, {0, 1}},
        engine_(shape_, request_),
        fused_(shape_, request_, torsor::JetBackend::fused),
        tensor_(shape_, request_, torsor::JetBackend::tensor),
        points_(torch::rand({points, 2}, type())),
        parameters_((torch::rand({shape_.parameters()}, type()) - 0.5) * 0.5),
        gradients_(torch::empty({kGroups, shape_.parameters()}, type())) {
    parameters_.requires_grad_(true);
    for (Index k = 0; k < points; ++k) groups_.push_back(k % kGroups);
  }

  /// Points of mixed groups, one gradient for each group; one group in all: the summed gradient.
  void engine(Index points, Index group_count) {
    double losses[kGroups];
    const torsor::JetBatch<Real> batch{points, points_.data_ptr<Real>(), nullptr,
                                       group_count > 1 ? groups_.data() : nullptr, group_count};
    const Real scale = 1 / static_cast<Real>(points);
    engine_.value_and_gradients(
        batch, parameters_.data_ptr<Real>(),
        [scale](const torsor::JetBlock<Real>& block) {
          for (Index k = 0; k < block.count; ++k) {
            const Real residual = block.jets[k] - 1;
            block.losses[k] = residual * residual * scale;
            block.adjoints[k] = 2 * residual * scale;
          }
        },
        losses, gradients_.data_ptr<Real>());
  }
  void fused() { backward(fused_(parameters_, points_).select(1, 0)); }
  void tensor() { backward(tensor_(parameters_, points_).select(1, 0)); }
  void nested() {
    const Tensor x = points_.detach().clone().requires_grad_(true);
    Tensor h = x;
    for (Index l = 0; l < shape_.layers(); ++l) {
      const Index in = shape_.layer_inputs(l), out = shape_.layer_outputs(l);
      h = torch::addmm(parameters_.narrow(0, shape_.bias_offset(l), out), h,
                       parameters_.narrow(0, shape_.weight_offset(l), in * out).view({out, in}).t());
      if (l + 1 < shape_.layers()) h = torch::tanh(h);
    }
    const Tensor first = derivative(h, x);
    backward(derivative(first.select(1, 0), x).select(1, 0) + derivative(first.select(1, 1), x).select(1, 1));
  }

  /// Of the products with square weights: three for each layer, four channels.
  double flops(Index points) const {
    const auto width = static_cast<double>(shape_.widths[0]);
    return 3 * 3 * 2 * width * width * 4 * static_cast<double>(points);
  }

  double gemm_rate() {
    if (!left_.defined()) {
      left_ = torch::rand({kGemmSize, kGemmSize}, type());
      right_ = torch::rand({kGemmSize, kGemmSize}, type());
      product_ = torch::empty({kGemmSize, kGemmSize}, type());
    }
    const torch::NoGradGuard no_grad;
    const auto n = static_cast<double>(kGemmSize);
    return 2 * n * n * n / seconds([&] { torch::mm_out(product_, left_, right_); });
  }

 private:
  static torch::TensorOptions type() {
    return torch::TensorOptions().dtype(sizeof(Real) == 8 ? torch::kFloat64 : torch::kFloat32);
  }
  static Tensor derivative(const Tensor& u, const Tensor& x) {
    return torch::autograd::grad({u.sum()}, {x}, {}, true, true)[0];
  }
  void backward(const Tensor& laplacian) {
    parameters_.mutable_grad() = Tensor();
    (laplacian - 1).square().mean().backward();
  }

  torsor::NetworkShape shape_;
  torsor::JetRequest request_;
  torsor::JetEngine<Real> engine_;
  torsor::NetworkJets fused_, tensor_;
  Tensor points_, parameters_, gradients_, left_, right_, product_;
  std::vector<Index> groups_;
};

/// Milliseconds and ratios of all turns.
struct Figures {
  std::vector<double> rate, engine, fused, tensor, nested, groups, few, share, few_overhead, group_ratio,
      fused_ratio, tensor_ratio, nested_ratio;
};

template <class Real>
void run(const std::string& name, Index points, Index width, int turns) {
  Problem<Real> problem(points, width);
  const Index few = std::min(points, kFewPoints);
  Figures f;
  for (int turn = 0; turn < turns; ++turn) {
    const double nested = seconds([&] { problem.nested(); }), tensor = seconds([&] { problem.tensor(); });
    const double fused = seconds([&] { problem.fused(); }), rate = problem.gemm_rate();
    const double engine = seconds([&] { problem.engine(points, 1); });
    const double groups = seconds([&] { problem.engine(points, kGroups); });
    const double short_call = seconds([&] { problem.engine(few, 1); });
    f.rate.push_back(rate * 1e-9);
    f.engine.push_back(engine * 1e3);
    f.fused.push_back(fused * 1e3);
    f.tensor.push_back(tensor * 1e3);
    f.nested.push_back(nested * 1e3);
    f.groups.push_back(groups * 1e3);
    f.few.push_back(short_call * 1e3);
    f.share.push_back(problem.flops(points) / engine / rate);
    f.few_overhead.push_back((short_call - problem.flops(few) / rate) * 1e6);
    f.group_ratio.push_back(groups / engine);
    f.fused_ratio.push_back(nested / fused);
    f.tensor_ratio.push_back(tensor / engine);
    f.nested_ratio.push_back(nested / engine);
  }
  std::printf("\n%s, %ld points, width %ld (GEMM %.1f GFLOP/s, %.3f GFLOP)\n", name.c_str(),
              static_cast<long>(points), static_cast<long>(width), median(f.rate),
              problem.flops(points) * 1e-9);
  std::printf("  engine                      %8.2f ms   share of the GEMM rate %.2f\n", median(f.engine),
              median(f.share));
  std::printf("  engine, %ld gradients         %8.2f ms   to one gradient %.2f\n", static_cast<long>(kGroups),
              median(f.groups), median(f.group_ratio));
  std::printf("  engine, %ld points         %8.2f ms   beyond arithmetic %.0f us\n", static_cast<long>(few),
              median(f.few), median(f.few_overhead));
  std::printf("  engine behind autograd      %8.2f ms   LibTorch autograd to it %.2f\n", median(f.fused),
              median(f.fused_ratio));
  std::printf("  jets in torch operations    %8.2f ms   to the engine %.2f\n", median(f.tensor),
              median(f.tensor_ratio));
  std::printf("  LibTorch nested autograd    %8.2f ms   to the engine %.2f\n", median(f.nested),
              median(f.nested_ratio));
}

}  // namespace

int main(int argc, char** argv) {
  const Index points = argc > 1 ? std::atol(argv[1]) : 4096, width = argc > 2 ? std::atol(argv[2]) : 64;
  const int turns = argc > 3 ? std::atoi(argv[3]) : 9;
  const torsor::Runtime runtime = torsor::start_runtime();
  torch::manual_seed(1);
  std::printf("threads %d, BLAS %s, instruction set %s\n", runtime.threads, runtime.blas.c_str(),
              torsor::engine::instruction_set().c_str());
  run<double>("float64", points, width, turns);
  run<float>("float32", points, width, turns);
}
