// The derivative engine of a network (operators/engine/jet_engine.h) with the fields as its outputs, however the velocity
// enters the network (VelocityShape in task_network.h): arrays are as the engine's, with TaskNetwork::outputs() outputs and
// TaskNetwork::size() parameters.
//
//   moments    the engine itself
//   products   the engine for the last layer that the products stand for
//   nodes      the engine at every velocity node of every point, and its sums over the nodes
#pragma once

#include <memory>

#include "operators/engine/jet_engine.h"

namespace torsor {

class TaskNetwork;

class FieldEngine {
 public:
  virtual ~FieldEngine() = default;
  /// As JetEngine::jets, value_and_gradients and jacobian; constants are those of a task (TaskNetwork::constants).
  virtual void jets(const JetBatch<double>& batch, const double* parameters, double* jets) const = 0;
  virtual void value_and_gradients(const JetBatch<double>& batch, const double* parameters,
                                   const JetEngine<double>::Residual& residual, double* losses, double* gradients) const = 0;
  virtual void jacobian(const JetBatch<double>& batch, const double* parameters, const double* adjoints, double* rows) const = 0;
};

/// `network` must outlive it. Throws InputError as JetEngine does.
std::unique_ptr<const FieldEngine> make_field_engine(const TaskNetwork& network, const JetRequest& request);

}  // namespace torsor
