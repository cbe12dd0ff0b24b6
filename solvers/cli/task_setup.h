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

/// The hard constraints of every task: formulas of coordinates, parameters and definitions; of an unknown of the velocity the
/// factor without and the lift with the velocity in it, and a constraint for each moment. Throws InputError for other names,
/// unknown fields, and a lift without a factor.
std::vector<HeadOptions::Constraints> hard_constraints(const Config& config, const std::vector<Task>& tasks);

/// Throws InputError where they differ between the tasks: heads that are solved together need the same.
void check_common_constraints(const std::vector<HeadOptions::Constraints>& constraints);

/// With the hard constraints of the first task.
HeadOptions head_options(const Config& config, const std::vector<Task>& tasks);
ReferenceOptions reference_options(const Config& config);

}  // namespace torsor
