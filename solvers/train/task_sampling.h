// Stratified sampling of tasks: the tasks, sorted by their parameters, are cut into m consecutive strata of nearly equal
// size, and every step draws one task of each. A combiner's k-th gradient then always comes from stratum k, so that what it
// remembers of each gradient (moments, angles) keeps its meaning although the tasks change: for parameters spread evenly in
// their logarithm, this is HRGrad's log-uniform sampling (Z. Liang, arXiv 2604.24745, 2026) with one draw for each equal
// slice of the logarithm.
#pragma once

#include <vector>

#include "problems/problem.h"

namespace torsor {

class TaskSampling {
 public:
  /// `per_step` strata; 0: as many as tasks, all are taken in every step. Throws InputError for more strata than tasks.
  TaskSampling(const std::vector<Problem>& tasks, Index per_step, uint64_t seed);

  Index strata() const { return static_cast<Index>(strata_.size()); }
  /// The tasks of every stratum, in the order of their parameters.
  const std::vector<std::vector<Index>>& members() const { return strata_; }
  /// Whether steps leave tasks out.
  bool samples() const { return samples_; }
  /// What a task's gradient counts as: its stratum, or itself where all tasks are taken.
  Index slot(Index task) const { return slot_of_task_[static_cast<size_t>(task)]; }
  /// One task of each stratum, uniformly and independently of other steps: a function of seed and step alone, so that a
  /// restart draws what an uninterrupted run does.
  std::vector<Index> draw(Index step) const;

 private:
  std::vector<std::vector<Index>> strata_;
  std::vector<Index> slot_of_task_;
  bool samples_;
  uint64_t seed_;
};

}  // namespace torsor
