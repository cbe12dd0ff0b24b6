// From a configuration to tasks and options.
#pragma once

#include "problems/builder.h"
#include "solvers/cli/config.h"
#include "solvers/head/head_options.h"
#include "solvers/reference/references.h"

namespace torsor {

/// A task and the parameters that were given for it.
struct Task {
  std::string name;
  TaskInput input;
  Problem problem;
};

/// The definition a configuration asks for: a shipped problem, or the equation written in it.
/// Throws InputError for an unknown name, and for keys of an own equation beside a shipped problem.
ProblemDefinition problem_definition(const Config& config);

/// All tasks of a configuration: the seeds times the product of the parameters' values. A parameter uniform(low,
/// high) or log_uniform(low, high) is drawn anew for each seed.
std::vector<Task> make_tasks(const Config& config);

HeadOptions head_options(const Config& config, const std::vector<Task>& tasks);
ReferenceOptions reference_options(const Config& config);

}  // namespace torsor
