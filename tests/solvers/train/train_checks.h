// What the tests of training share: problems, networks, point sets.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "problems/builder.h"
#include "solvers/train/trainer.h"

namespace torsor {

inline Problem shipped(const std::string& name, const std::map<std::string, double>& parameters = {}, uint64_t seed = 0) {
  return make_problem(find_problem(name), {parameters, seed});
}

/// A linear system, a nonlinear equation and an evolution equation, with several tasks each.
inline std::vector<std::vector<Problem>> families() {
  return {{shipped("poisson", {}, 1), shipped("poisson", {}, 2), shipped("poisson", {}, 3)},
          {shipped("bratu", {{"lambda", 1}}), shipped("bratu", {{"lambda", 2}})},
          {shipped("burgers", {{"nu", 0.05}}), shipped("burgers", {{"nu", 0.1}})}};
}

inline NetworkOptions small_network(TaskInputs inputs = TaskInputs::heads) {
  NetworkOptions options;
  options.widths = {9, 7};
  options.task_inputs = inputs;
  options.seed = 3;
  return options;
}

inline std::vector<PointSet> few_points(const std::vector<Problem>& tasks, Index interior = 40) {
  PointOptions options;
  options.interior = interior;
  options.seed = 5;
  return TrainingPoints(tasks, options).sets();
}

inline TrainOptions short_training(const std::string& optimiser, Index steps) {
  TrainOptions options;
  options.network = small_network();
  options.points.interior = 60;
  const OptimiserInfo& info = find_optimiser(optimiser);
  options.phases = {{optimiser, OptionValues(info.options), steps}};
  options.combiner_options = OptionValues(find_combiner("ls").options);
  options.task_group_options = {};
  options.log_every = 1;
  return options;
}

inline void set_combiner(TrainOptions& options, const std::string& name) {
  options.combiner = name;
  options.combiner_options = OptionValues(find_combiner(name).options);
}

}  // namespace torsor
