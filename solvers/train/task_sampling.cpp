#include "solvers/train/task_sampling.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "physics/error.h"
#include "physics/random.h"

namespace torsor {
namespace {

/// Tasks in the order of their parameters, the first declared before the others.
std::vector<Index> sorted_by_parameters(const std::vector<Problem>& tasks) {
  std::vector<Index> order(tasks.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) {
    const auto &first = tasks[static_cast<size_t>(a)].parameters, &second = tasks[static_cast<size_t>(b)].parameters;
    return std::lexicographical_compare(first.begin(), first.end(), second.begin(), second.end(),
                                        [](const Parameter& p, const Parameter& q) { return p.value < q.value; });
  });
  return order;
}

}  // namespace

TaskSampling::TaskSampling(const std::vector<Problem>& tasks, Index per_step, uint64_t seed)
    : slot_of_task_(tasks.size()), seed_(seed) {
  const auto count = static_cast<Index>(tasks.size());
  if (per_step > count)
    throw InputError("train.tasks_per_step = " + std::to_string(per_step) + ": there are " + std::to_string(count) + " tasks");
  samples_ = per_step > 0 && per_step < count;
  std::vector<Index> order(tasks.size());
  std::iota(order.begin(), order.end(), 0);
  if (samples_) order = sorted_by_parameters(tasks);
  const Index m = samples_ ? per_step : count;
  for (Index k = 0; k < m; ++k) {
    strata_.emplace_back(order.begin() + k * count / m, order.begin() + (k + 1) * count / m);
    for (const Index task : strata_.back()) slot_of_task_[static_cast<size_t>(task)] = k;
  }
}

std::vector<Index> TaskSampling::draw(Index step) const {
  Random random(stream_seed(stream_seed(seed_, 0x7461736b73), static_cast<uint64_t>(step)));
  std::vector<Index> result;
  for (const auto& stratum : strata_) {
    const auto size = static_cast<Index>(stratum.size());
    const auto place = size == 1 ? 0 : static_cast<Index>(random.uniform() * static_cast<double>(size));
    result.push_back(stratum[static_cast<size_t>(std::min(place, size - 1))]);
  }
  return result;
}

}  // namespace torsor
