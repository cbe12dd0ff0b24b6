// What the engine's tests share: sampled networks, requests, points and weights.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <string>
#include <vector>

#include "../body_checks.h"
#include "operators/engine/network_jets.h"
#include "physics/random.h"

namespace torsor {

/// A network of every kind by turns: `seed` chooses coordinates, inputs, widths, activation, skips,
/// constants, outputs.
inline NetworkShape sampled_shape(uint64_t seed) {
  Random random(seed);
  const auto pick = [&](uint64_t n) { return static_cast<Index>(random.below(n)); };
  NetworkShape shape;
  shape.coordinates = 1 + pick(4);
  const Eigen::VectorXd centre = random_matrix(shape.coordinates, 1, -0.5, 0.5, seed + 1);
  Eigen::VectorXd period = Eigen::VectorXd::Zero(shape.coordinates);
  switch (seed % 3) {
    case 0:
      shape.inputs = raw_inputs(centre);
      break;
    case 1:
      period[0] = 2.5;
      shape.inputs = periodic_inputs(centre, period, 1 + pick(3));
      break;
    default:
      shape.inputs = fourier_inputs(random_matrix(1 + pick(5), shape.coordinates, -2, 2, seed + 2));
  }
  shape.skip = static_cast<Skip>(seed / 3 % 3);
  shape.activation = static_cast<Activation>(seed / 2 % 4);
  shape.constants = pick(3);
  const Index depth = 1 + pick(4), width = 1 + pick(40);
  for (Index l = 0; l < depth; ++l)
    shape.widths.push_back(shape.skip == Skip::residual ? width : 1 + pick(40));
  shape.outputs = 1 + pick(3);
  return shape;
}

/// Some of the supported derivatives, and a Laplacian in two of three cases, alone in one of six.
inline JetRequest sampled_request(Index coordinates, uint64_t seed) {
  Random random(seed + 77);
  JetRequest request;
  const auto all = supported_indices(coordinates);
  if (seed % 3 > 0)
    for (Index i = 0; i < coordinates; ++i)
      if (i == 0 || random.uniform() < 0.7) request.laplacian.push_back(i);
  if (seed % 6 != 5)
    for (const auto& a : all)
      if (random.uniform() < 0.5) request.derivatives.push_back(a);
  if (request.channels() == 0) request.derivatives.push_back(all.back());
  return request;
}

/// Weights of the size at which activations neither vanish nor saturate.
inline torch::Tensor sampled_parameters(const NetworkShape& shape, uint64_t seed) {
  Eigen::MatrixXd values = random_matrix(shape.parameters(), 1, -1, 1, seed + 3);
  for (Index l = 0; l < shape.layers(); ++l)
    values.middleRows(shape.weight_offset(l), shape.layer_inputs(l) * shape.layer_outputs(l)) *=
        std::sqrt(2.0 / static_cast<double>(shape.layer_inputs(l)));
  return torch::from_blob(values.data(), {shape.parameters()}, torch::kFloat64).clone();
}

inline torch::Tensor sampled_tensor(std::vector<int64_t> sizes, uint64_t seed) {
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  const Eigen::MatrixXd values = random_matrix(count, 1, -1, 1, seed);
  return torch::from_blob(const_cast<double*>(values.data()), sizes, torch::kFloat64).clone();
}

/// Everything a call takes.
struct Sample {
  NetworkShape shape;
  JetRequest request;
  torch::Tensor parameters, points, constants, adjoints;

  Sample(NetworkShape shape_, JetRequest request_, Index count, uint64_t seed,
         torch::Dtype type = torch::kFloat64)
      : shape(std::move(shape_)),
        request(std::move(request_)),
        parameters(sampled_parameters(shape, seed).to(type)),
        points(sampled_tensor({count, shape.coordinates}, seed + 4).to(type)),
        adjoints(sampled_tensor({count, request.channels(), shape.outputs}, seed + 6).to(type)) {
    if (shape.constants > 0) constants = sampled_tensor({count, shape.constants}, seed + 5).to(type);
  }
  Sample(uint64_t seed, Index count, torch::Dtype type = torch::kFloat64)
      : Sample(sampled_shape(seed), sampled_request(sampled_shape(seed).coordinates, seed), count, seed,
               type) {}

  JetBatch<double> batch() const {
    return {points.size(0), points.data_ptr<double>(),
            constants.defined() ? constants.data_ptr<double>() : nullptr};
  }
  const double* weights() const { return parameters.data_ptr<double>(); }
};

/// Jets, and the gradients of sum(adjoints * jets) by weights and constants.
struct JetsAndGradients {
  torch::Tensor jets, parameters, constants;
};

inline JetsAndGradients evaluate(const Sample& sample, JetBackend backend) {
  const torch::Tensor parameters = sample.parameters.detach().clone().requires_grad_(true);
  torch::Tensor constants;
  if (sample.constants.defined()) constants = sample.constants.detach().clone().requires_grad_(true);
  JetsAndGradients result;
  result.jets = NetworkJets(sample.shape, sample.request, backend)(parameters, sample.points, constants);
  (result.jets * sample.adjoints).sum().backward();
  result.jets = result.jets.detach();
  result.parameters = parameters.grad();
  if (constants.defined()) result.constants = constants.grad();
  return result;
}

/// The greatest difference over the greatest entry of `b`.
inline double difference(const torch::Tensor& a, const torch::Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  if (a.numel() == 0) return 0;
  const double scale = b.abs().max().item<double>(), most = (a - b).abs().max().item<double>();
  return scale > 0 ? most / scale : most;
}

/// As `difference`, the worst of the channels of jets [N, channels, outputs].
inline double channel_difference(const torch::Tensor& a, const torch::Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  double worst = 0;
  for (int64_t c = 0; c < a.size(1); ++c) worst = std::max(worst, difference(a.select(1, c), b.select(1, c)));
  return worst;
}

/// Runs with the kernels of one instruction set and goes back to the best.
class InstructionSet {
 public:
  explicit InstructionSet(const std::string& name) { engine::force_instruction_set(name); }
  InstructionSet(const InstructionSet&) = delete;
  InstructionSet& operator=(const InstructionSet&) = delete;
  ~InstructionSet() { engine::force_instruction_set(""); }
};

}  // namespace torsor
