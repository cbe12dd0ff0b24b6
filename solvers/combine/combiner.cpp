#include "solvers/combine/combiner.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "physics/error.h"
#include "solvers/combine/gram.h"

namespace torsor {
namespace {

std::vector<CombinerInfo>& registry() {
  static std::vector<CombinerInfo> list;
  return list;
}

[[noreturn]] void throw_not_finite(const TaskGradients& tasks) {
  for (Index i = 0; i < tasks.gradients.cols(); ++i)
    if (!std::isfinite(tasks.gradients.col(i).squaredNorm()))
      throw NumericalError("the gradient of task " + std::to_string(i) + " is not finite at step " +
                           std::to_string(tasks.step));
  throw NumericalError("the combined direction is not finite at step " + std::to_string(tasks.step));
}

}  // namespace

const std::vector<CombinerInfo>& combiners() {
  return registry();
}

const CombinerInfo& find_combiner(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& info : combiners()) {
    if (info.name == name) return info;
    known.push_back(info.name);
  }
  throw InputError(unknown_name_message("combiner", name, known));
}

RegisterCombiner::RegisterCombiner(CombinerInfo info) {
  auto& list = registry();
  const auto place =
      std::lower_bound(list.begin(), list.end(), info, [](const auto& a, const auto& b) { return a.name < b.name; });
  if (place != list.end() && place->name == info.name)
    throw std::logic_error("two combiners are called '" + info.name + "'");
  list.insert(place, std::move(info));
}

void check_tasks(const TaskGradients& tasks) {
  if (tasks.gradients.cols() < 1 || tasks.losses.size() != tasks.gradients.cols())
    throw std::logic_error("a combiner needs one loss for each gradient, and at least one");
  for (Index i = 0; i < tasks.losses.size(); ++i)
    if (!std::isfinite(tasks.losses[i]))
      throw NumericalError("the loss of task " + std::to_string(i) + " is not finite at step " +
                           std::to_string(tasks.step));
}

void check_gram(const TaskGradients& tasks, const Eigen::MatrixXd& gram) {
  if (!gram.diagonal().allFinite()) throw_not_finite(tasks);
}

void check_finite(const TaskGradients& tasks, const Combination& result) {
  // A sum of all entries is finite only if every entry is, and costs one sweep; who is to blame is found on failure.
  if (!std::isfinite(result.direction.squaredNorm()) || !result.weights.allFinite()) throw_not_finite(tasks);
}

Combination GramCombiner::combine(const TaskGradients& tasks) {
  check_tasks(tasks);
  const Eigen::MatrixXd gram = gram_matrix(tasks.gradients);
  check_gram(tasks, gram);
  Combination result;
  weigh(gram, tasks.losses, tasks.step, result);
  result.direction = weighted_sum(tasks.gradients, result.weights);
  check_finite(tasks, result);
  return result;
}

}  // namespace torsor
