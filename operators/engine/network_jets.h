// The derivative engine in torch expressions: jets of a network that a residual takes as ordinary tensors,
// with two backends that agree to rounding. `fused` is JetEngine behind an autograd function, on the CPU,
// differentiable once with respect to the weights and the constant inputs; `tensor` is the same propagation
// in torch operations (operators/tensor_jets.h), on any device and differentiable as often as wanted.
#pragma once

#include <torch/types.h>

#include <memory>

#include "operators/engine/jet_engine.h"
#include "operators/mlp.h"

namespace torsor {

enum class JetBackend { fused, tensor };

struct GroupGradients {
  torch::Tensor parameters;  ///< [groups, P]
  torch::Tensor constants;   ///< [N, p], by each point's constant inputs; undefined where there are none
};

class NetworkJets {
 public:
  /// Throws InputError as NetworkShape::check and JetPlan do.
  NetworkJets(NetworkShape shape, JetRequest request, JetBackend backend = JetBackend::fused);

  const NetworkShape& shape() const;
  const JetRequest& request() const;

  /// Jets [N, channels, outputs] in the order of the request, the Laplacian last, at `points` [N, d] for the
  /// weights `parameters` [P], laid out as NetworkShape says, and `constants` [N, p] where the shape has
  /// constant inputs. All of one floating type and device. Throws InputError for other shapes, types or
  /// devices and, with the fused backend, for points that require a gradient; a second derivative through the
  /// fused backend throws InputError too.
  torch::Tensor operator()(const torch::Tensor& parameters, const torch::Tensor& points,
                           const torch::Tensor& constants = {}) const;

  /// For adjoints [N, channels, outputs] of the jets, what the points of each group contribute to the
  /// gradient by the weights; `groups` [N], int64, in 0 ... group_count - 1. By the fused kernels, whatever
  /// the backend.
  GroupGradients group_gradients(const torch::Tensor& parameters, const torch::Tensor& points,
                                 const torch::Tensor& adjoints, const torch::Tensor& groups,
                                 Index group_count, const torch::Tensor& constants = {}) const;

  /// For adjoints [N, channels, outputs], the derivative by the weights of every point's sum of adjoints
  /// times jets, [N, P]. By the fused kernels, whatever the backend.
  torch::Tensor jacobian(const torch::Tensor& parameters, const torch::Tensor& points,
                         const torch::Tensor& adjoints, const torch::Tensor& constants = {}) const;

 private:
  struct Engines;
  std::shared_ptr<const Engines> engines_;
  JetBackend backend_;

  friend struct FusedJets;
};

/// The shape of `body` with a linear layer to `outputs` outputs behind it.
NetworkShape shape_of(const Mlp& body, Index outputs);

}  // namespace torsor
