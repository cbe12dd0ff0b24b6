// Jets of trainable networks and their reverse pass, fused, blocked for the cache and threaded.
//
// The points are cut into blocks of 8 to 128. A block goes through all layers, forward and reverse, while its
// activations stay in the second-level cache, so that memory does not depend on the number of points. In a
// block the rows of all channels of a layer form one matrix, and each layer is one matrix product forward and
// two in reverse:
//
//   forward   Z = H_{l-1} W_l^T (+ b_l in the rows of the value),   H_l = s(Z) by Faa di Bruno's formula,
//   reverse   dZ from dH_l,   dW_l += dZ^T H_{l-1},   db_l += sum of dZ's rows of the value,   dH_{l-1} = dZ W_l.
//
// docs/derivative-engine.md describes layout, schedule and speed.
#pragma once

#include <functional>
#include <memory>

#include "operators/engine/jet_request.h"
#include "operators/engine/network_shape.h"

namespace torsor {

namespace engine {
template <class Real>
struct NetworkLayout;
}

/// Points of a call. All arrays are row-major and the caller's.
template <class Real>
struct JetBatch {
  Index count = 0;
  const Real* points = nullptr;     ///< count x coordinates
  const Real* constants = nullptr;  ///< count x constants of the shape; not read without constants
  const Index* groups =
      nullptr;  ///< count, each in 0 ... group_count - 1; nullptr: all points are of group 0
  Index group_count = 1;
};

/// What JetEngine::value_and_gradients hands to a residual: some points, of any order in the batch.
template <class Real>
struct JetBlock {
  Index count;
  const Index* points;  ///< count, positions in the batch
  const Real* jets;     ///< count x channels x outputs
  Real* adjoints;       ///< to be filled, count x channels x outputs: derivatives of the loss by the jets
  double* losses;       ///< to be filled, count: each point's part of the loss
};

/// float64 or float32. Every function is const and thread-safe, uses `threads` OpenMP threads, and gives the
/// same bits whenever shape, request, batch, number of threads and instruction set are the same. Not-a-number
/// in gives not-a-number out. Channels are those of the request in its order, the Laplacian last.
template <class Real>
class JetEngine {
 public:
  using Residual = std::function<void(const JetBlock<Real>&)>;

  /// threads = 0: omp_get_max_threads() at each call, 1 inside a parallel region. Throws InputError as
  /// NetworkShape::check and JetPlan do, and for threads < 0.
  JetEngine(NetworkShape shape, JetRequest request, int threads = 0);
  ~JetEngine();
  JetEngine(JetEngine&&) noexcept;
  JetEngine& operator=(JetEngine&&) noexcept;

  const NetworkShape& shape() const;
  const JetRequest& request() const;
  /// Points in a block.
  Index block_points() const;

  /// jets [count x channels x outputs] at the batch's points; `parameters` as NetworkShape lays them out.
  void jets(const JetBatch<Real>& batch, const Real* parameters, Real* jets) const;

  /// For the sum over points, channels and outputs of adjoints * jets, the derivatives
  /// by the weights, gradients [group_count x parameters], one row for the points of each group, and
  /// by the constant inputs, constant_gradients [count x constants], unless nullptr.
  /// The block's forward pass is computed again. Throws InputError for a group that does not exist.
  void gradients(const JetBatch<Real>& batch, const Real* parameters, const Real* adjoints, Real* gradients,
                 Real* constant_gradients = nullptr) const;

  /// Jets, the residual's losses and adjoints, and the reverse pass, block by block: losses [group_count] and
  /// the gradients as above. `residual` is called by several threads at once and must not call an engine;
  /// what it throws is thrown here.
  void value_and_gradients(const JetBatch<Real>& batch, const Real* parameters, const Residual& residual,
                           double* losses, Real* gradients, Real* constant_gradients = nullptr) const;

  /// rows [count x parameters]: the derivative by the weights of r_k = sum over channels and outputs of
  /// adjoints(k, ...) * jets(k, ...), for every point k. The rows of Gauss-Newton.
  void jacobian(const JetBatch<Real>& batch, const Real* parameters, const Real* adjoints, Real* rows) const;

 private:
  std::unique_ptr<const engine::NetworkLayout<Real>> layout_;
  int threads_;
};

extern template class JetEngine<double>;
extern template class JetEngine<float>;

}  // namespace torsor
