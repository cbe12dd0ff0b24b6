// One network for all tasks. Coordinates enter scaled to [-1, 1], periodic ones as cosines and sines; a task enters in
// one of two ways:
//
//   heads        every task has its own last layer (outputs tasks x fields), the hidden layers are shared;
//   parameters   the task's parameters are constant inputs (parameter_inputs.h), and all weights are shared.
//
// An unknown of the velocity enters in one of three ways (VelocityShape).
//
// The parameters of the optimisation are one vector: the shared ones first, then those of each task's head.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "operators/engine/network_shape.h"
#include "operators/fourier_body.h"
#include "operators/network_body.h"
#include "problems/problem.h"
#include "solvers/head/solution.h"
#include "solvers/train/parameter_inputs.h"
#include "solvers/train/velocity_averages.h"
#include "solvers/train/velocity_products.h"

namespace torsor {

enum class TaskInputs { heads, parameters };

/// How an unknown g(x, v) of the velocity is made of network outputs:
///   moments    an output for each of its moments (problems/velocity_moments.h)
///   products   sum_k a_k(x) b_k(v): an output for each a_k, and the b_k at the nodes are trained (velocity_products.h)
///   nodes      one output of a network of x and v, which is evaluated at every node; other fields are means over the nodes
///              (velocity_averages.h)
enum class VelocityShape { moments, products, nodes };

/// The shape with this name. Throws InputError with the nearest name.
VelocityShape velocity_shape_from_name(const std::string& name);

struct NetworkOptions {
  std::vector<Index> widths{64, 64};
  Activation activation = Activation::tanh;
  Skip skip = Skip::none;
  /// Cosines and sines of a periodic coordinate.
  Index harmonics = 1;
  /// Periodic coordinates as Fourier modes of these harmonics instead, with an output for each; 0: as inputs.
  Index modes = 0;
  TaskInputs task_inputs = TaskInputs::heads;
  VelocityShape velocity = VelocityShape::moments;
  /// Of an unknown of the velocity, with VelocityShape::products.
  Index products = 8;
  /// Of fields that meet a condition exactly, by name: u = lift + factor * network. One for each task, or one for all.
  std::map<std::string, std::vector<HardConstraint>> constraints;
  /// Fields that are exp(network), or lift + factor * exp(network).
  std::vector<std::string> positive;
  uint64_t seed = 0;
};

class TaskNetwork {
 public:
  /// Throws InputError for tasks whose coordinates or fields differ, parameter inputs without a parameter that varies, a
  /// constraint or positivity of an unknown field, modes without a periodic coordinate or with no other one or with
  /// positivity, products and nodes without a velocity, products with heads for several tasks, nodes with modes or positivity,
  /// and what NetworkShape::check and VelocityProducts refuse.
  TaskNetwork(const std::vector<Problem>& tasks, const NetworkOptions& options);
  TaskNetwork(const TaskNetwork&) = delete;

  /// Of the network that is evaluated.
  const NetworkShape& shape() const { return shape_; }
  Index tasks() const { return tasks_; }
  Index fields() const { return fields_; }
  /// All parameters, and the number of those that every task shares (they come first). With one task all are shared.
  Index size() const { return products_ ? products_->size() : shape_.parameters(); }
  Index shared() const;

  /// Whether every task has its own last layer.
  bool own_heads() const { return options_.task_inputs == TaskInputs::heads; }
  /// The Fourier modes that a field is a sum of; null without: then there is one output for a field.
  const FourierModes* modes() const { return modes_ ? &*modes_ : nullptr; }
  Index mode_count() const { return modes_ ? modes_->count() : 1; }
  /// Null but with VelocityShape::products, nodes.
  const VelocityProducts* products() const { return products_ ? &*products_ : nullptr; }
  const VelocityAverages* averages() const { return averages_ ? &*averages_ : nullptr; }
  /// All tasks' fields or their modes: the outputs of FieldEngine.
  Index outputs() const { return (own_heads() ? tasks_ : 1) * fields_ * mode_count(); }
  /// The output that is this task's field, or the factor of one of its modes.
  Index output(Index task, Index field, Index mode = 0) const {
    return ((own_heads() ? task * fields_ : 0) + field) * mode_count() + mode;
  }
  /// The hard constraint of a task's field; null without.
  const HardConstraint* constraint(Index task, Index field) const;
  /// Whether exp(network) takes the place of the network in a field.
  bool positive(Index field) const { return positive_[static_cast<size_t>(field)]; }
  /// The parameters among the constant inputs; none with heads.
  const std::vector<ParameterInput>& inputs() const { return inputs_; }
  /// The constant inputs of a task: those of shape() but for the velocity.
  const Eigen::VectorXd& constants(Index task) const { return constants_[static_cast<size_t>(task)]; }

  /// Glorot's normal weights, W ~ N(0, 2 / (in + out)) (Glorot and Bengio 2010), biases b_j = -w_j.x_j with x_j uniform
  /// in [-1, 1]^in.
  Eigen::VectorXd initial_parameters() const;
  /// Rows and columns of every weight matrix and bias, in the order of the vector.
  std::vector<std::pair<Index, Index>> blocks() const;

  /// The task's fields as body and head, with features of all hidden layers when `concatenate`.
  Solution solution(const Problem& task, Index index, const Eigen::VectorXd& parameters, bool concatenate) const;

 private:
  void take_modes(const std::vector<Coordinate>& coordinates);
  void take_velocity(const Problem& problem);
  std::shared_ptr<const Body> body_of(Index field, const NetworkBody& network) const;

  NetworkOptions options_;
  Index tasks_, fields_;
  std::optional<FourierModes> modes_;
  NetworkShape shape_;
  std::optional<VelocityProducts> products_;
  std::optional<VelocityAverages> averages_;
  std::vector<ParameterInput> inputs_;
  std::vector<Eigen::VectorXd> constants_;
  std::vector<const std::vector<HardConstraint>*> constraints_;  // of each field, in options_; null without
  std::vector<bool> positive_;                                   // of each field
};

}  // namespace torsor
