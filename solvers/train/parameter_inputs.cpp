#include "solvers/train/parameter_inputs.h"

#include <algorithm>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

std::shared_ptr<const Patchwork> with_constant_inputs(const Patchwork& patchwork, const Eigen::VectorXd& constants) {
  std::vector<std::shared_ptr<const Body>> bodies(static_cast<size_t>(patchwork.patches()));
  for (Index p = 0; p < patchwork.patches(); ++p)
    bodies[static_cast<size_t>(patchwork.tensor_cell(p))] = patchwork.body(p).with_constants(constants);
  return std::make_shared<Patchwork>(patchwork.axes(), patchwork.chain_coordinate(), std::move(bodies));
}

}  // namespace

double ParameterInput::scaled(double value) const {
  if (logarithmic && !(value > 0))
    throw InputError("parameter " + name + " = " + std::to_string(value) + " has no logarithm, by which the network takes it");
  const auto scale = [this](double x) { return logarithmic ? std::log(x) : x; };
  return 2 * (scale(value) - scale(low)) / (scale(high) - scale(low)) - 1;
}

std::vector<ParameterInput> parameter_inputs(const std::vector<Problem>& tasks) {
  // Knudsen numbers, viscosities, ...: equal steps are equal ratios.
  constexpr double kDecades = 100;
  std::vector<ParameterInput> inputs;
  for (size_t p = 0; p < tasks.front().parameters.size(); ++p) {
    const auto [low, high] = std::minmax_element(tasks.begin(), tasks.end(), [p](const Problem& a, const Problem& b) {
      return a.parameters[p].value < b.parameters[p].value;
    });
    const double least = low->parameters[p].value, most = high->parameters[p].value;
    if (most > least) inputs.push_back({tasks.front().parameters[p].name, least, most, least > 0 && most / least > kDecades});
  }
  if (inputs.empty())
    throw InputError("model.task_inputs = parameters: no parameter differs between the tasks; use heads");
  return inputs;
}

Eigen::VectorXd constant_inputs(const std::vector<ParameterInput>& inputs, const Problem& task) {
  Eigen::VectorXd constants(static_cast<Index>(inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto found = std::find_if(task.parameters.begin(), task.parameters.end(),
                                    [&](const Parameter& parameter) { return parameter.name == inputs[i].name; });
    if (found == task.parameters.end())
      throw InputError("the network takes the parameter " + inputs[i].name + ", which the problem does not have");
    constants[static_cast<Index>(i)] = inputs[i].scaled(found->value);
  }
  return constants;
}

Solution with_constant_inputs(const Solution& solution, const Eigen::VectorXd& constants,
                              const std::function<std::optional<HardConstraint>(Index field)>& constraint_of) {
  std::vector<Window> windows;
  for (const Window& window : solution.windows()) {
    std::vector<Ansatz::FieldPart> parts = window.ansatz->parts();
    for (size_t f = 0; f < parts.size(); ++f) {
      parts[f].patchwork = with_constant_inputs(*parts[f].patchwork, constants);
      parts[f].constraint = constraint_of(static_cast<Index>(f));
    }
    windows.push_back({window.start, window.end, std::make_shared<Ansatz>(std::move(parts)), window.head});
  }
  return Solution(solution.time(), std::move(windows));
}

}  // namespace torsor
