// Parameters of the tasks as constant inputs of one network, each scaled to [-1, 1] over the values of the tasks that it was
// trained on, logarithmically where they span more than two decades.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "problems/problem.h"
#include "solvers/head/solution.h"

namespace torsor {

struct ParameterInput {
  std::string name;
  double low = 0, high = 0;  ///< of the tasks that were trained
  bool logarithmic = false;

  /// Throws InputError for a value without a logarithm where one is needed.
  double scaled(double value) const;
};

/// The parameters that differ between the tasks. Throws InputError where none does.
std::vector<ParameterInput> parameter_inputs(const std::vector<Problem>& tasks);

/// The constant inputs of a task: one for each. Throws InputError for a task without such a parameter.
Eigen::VectorXd constant_inputs(const std::vector<ParameterInput>& inputs, const Problem& task);

/// A trained solution with other constant inputs and hard constraints: the same network, weights and heads, for another task.
/// Throws InputError where a body is no network or has another number of constant inputs.
Solution with_constant_inputs(const Solution& solution, const Eigen::VectorXd& constants,
                              const std::function<std::optional<HardConstraint>(Index field)>& constraint_of);

}  // namespace torsor
