// torsor solve CONFIG, torsor adapt --model MODEL.h5 CONFIG, torsor reference CONFIG.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "physics/error.h"
#include "solvers/cli/command_line.h"
#include "solvers/cli/finish_run.h"
#include "solvers/cli/run_builder.h"
#include "solvers/cli/schema.h"
#include "solvers/cli/terminal_progress.h"
#include "solvers/cli/train_setup.h"
#include "solvers/cli/training_run.h"
#include "solvers/clock.h"
#include "solvers/head/global_head.h"
#include "solvers/head/head_solver.h"
#include "solvers/store/atomic_file.h"

namespace po = boost::program_options;

namespace torsor {
namespace {

std::string json_path(const po::variables_map& given) {
  return given.count("json") ? given["json"].as<std::string>() : "";
}

Outcome outcome_of(std::vector<HeadResult> results, double seconds) {
  Outcome outcome;
  for (const auto& result : results) outcome.solutions.push_back(result.solutions.front());
  outcome.boundary_weight = results.front().boundary_weight;
  outcome.heads = std::move(results);
  outcome.head_seconds = seconds;
  return outcome;
}

/// The stored network for another task: with its parameters as inputs, and its hard constraints.
Solution solution_for(const StoredModel& model, const Problem& task, const HeadOptions::Constraints& constraints) {
  const Eigen::VectorXd constants = constant_inputs(model.inputs, task);
  for (Index i = 0; i < constants.size(); ++i) {
    const ParameterInput& input = model.inputs[static_cast<size_t>(i)];
    constexpr double kRounding = 1e-12;
    if (std::abs(constants[i]) > 1 + kRounding)
      std::fprintf(stderr, "torsor: warning: %s is outside of [%g, %g], where the network was trained\n",
                   input.name.c_str(), input.low, input.high);
  }
  return with_constant_inputs(model.tasks.front().solution, constants, [&](Index field) -> std::optional<HardConstraint> {
    const auto given = constraints.find(task.fields[static_cast<size_t>(field)].name);
    if (given == constraints.end()) return std::nullopt;
    return formula_constraint(coordinate_names(task.coordinates), given->second.factor, given->second.lift);
  });
}

/// The network alone at the tasks' parameters.
Outcome network_outcome(const StoredModel& model, const std::vector<Task>& tasks, const Config& config) {
  if (model.inputs.empty() || !model.trained_heads)
    throw config.error("head.resolve", "the model has no heads for other tasks: needs model.task_inputs = parameters and "
                                       "train.resolve = no where it was trained");
  Outcome outcome;
  outcome.inputs = model.inputs;
  outcome.trained_heads = true;
  const auto constraints = hard_constraints(config, tasks);
  for (size_t t = 0; t < tasks.size(); ++t) {
    check_adaptable(tasks[t].problem, model.tasks.front().solution);
    outcome.solutions.push_back(solution_for(model, tasks[t].problem, constraints[t]));
  }
  return outcome;
}

/// Heads solved again. Tasks share the body, and where they share their operator its factorisations, but for networks that
/// take their parameters.
Outcome adapted_outcome(const StoredModel& model, const std::vector<Task>& tasks, const Config& config,
                        const HeadOptions& options) {
  TerminalProgress progress("adapt");
  const double start = wall_seconds();
  std::vector<HeadResult> results;
  const bool join = config.text("head.resolve") == "joined";
  HeadOptions of_network = options;
  of_network.keep_better = config.text("head.resolve") == "auto" && model.trained_heads;
  if (model.inputs.empty() && !join) {
    results = adapt_heads(problems_of(tasks), model.tasks.front().solution, options, progress);
  } else {
    const auto constraints = hard_constraints(config, tasks);
    for (size_t t = 0; t < tasks.size(); ++t) {
      const Solution& stored = model.tasks.front().solution;
      check_adaptable(tasks[t].problem, stored, join);
      const Solution network = model.inputs.empty() ? stored : solution_for(model, tasks[t].problem, constraints[t]);
      results.push_back(join ? join_head(tasks[t].problem, network, options, progress)
                             : adapt_heads({tasks[t].problem}, network, of_network, progress).front());
    }
  }
  Outcome outcome = outcome_of(std::move(results), wall_seconds() - start);
  outcome.inputs = model.inputs;
  return outcome;
}

/// Adapts the model to the configuration's tasks and writes the run.
void adapt_and_finish(const Config& config, const StoredModel& model, const Runtime& runtime, const std::string& command,
                      const std::string& json) {
  const auto tasks = make_tasks(config);
  HeadOptions head = head_options(config, tasks);
  if (head.boundary_weight == 0) head.boundary_weight = model.boundary_weight;
  check_before_solving(config, tasks.front().problem);
  const ResultFolder folder(output_folder(config));
  state(runtime);
  Outcome outcome = config.text("head.resolve") == "no" ? network_outcome(model, tasks, config)
                                                        : adapted_outcome(model, tasks, config, head);
  finish_run(config, tasks, std::move(outcome), head, runtime, command, json);
}

/// Throws InputError for parameters to adapt to that the problem does not have: an equation that is written down would take
/// them for new ones.
void check_adaptation(const Config& config, const std::string& key, const std::string& name) {
  std::vector<std::string> known;
  const auto tasks = make_tasks(config);
  for (const auto& parameter : tasks.front().problem.parameters) known.push_back(parameter.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  throw config.error(key, "the problem has no parameter '" + name + "'; the nearest is '" + nearest_name(name, known) + "'");
}

/// The configuration of the tasks that a trained network is adapted to when training has ended, if there are any.
std::optional<Config> adaptation_of(const Config& config) {
  const std::string prefix = "adapt.parameter.";
  Config adapted = config;
  const auto keys = config.keys_under("adapt.parameter");
  for (const auto& key : keys) {
    const std::string name = key.substr(prefix.size());
    check_adaptation(config, key, name);
    adapted.set("problem.parameter." + name + "=" + config.text(key));
  }
  if (keys.empty()) return std::nullopt;
  adapted.set("output.folder=" + output_folder(config) + "/adapted");
  make_tasks(adapted);  // what is wrong with them should not come to light after hours of training
  return adapted;
}

}  // namespace

int command_solve(const Arguments& arguments) {
  po::options_description options = run_options();
  options.add_options()("help-config", "list every key of a configuration");
  for (const auto& argument : arguments)
    if (argument == "--help-config") {
      std::printf("%s", config_schema().help().c_str());
      return 0;
    }
  const auto given = parse_arguments(arguments, options, {"CONFIG"});
  const Config config = read_config(given);
  const Runtime runtime = start_runtime();
  if (trains(config)) {
    const std::string command = command_text("solve", arguments);
    const auto adapted = adaptation_of(config);
    train_and_finish(config, runtime, command, json_path(given), nullptr);
    if (adapted)
      adapt_and_finish(*adapted, read_solutions(output_folder(config) + "/model.h5"), runtime, command, "");
    return 0;
  }
  if (config.has("model.positive"))
    throw config.error("model.positive", "is for trained fields; a closed-form head is linear (train.steps = 0)");
  const auto tasks = make_tasks(config);
  HeadOptions head = head_options(config, tasks);
  check_common_constraints(hard_constraints(config, tasks));
  head.newton.least_squares.singular_values = false;
  check_before_solving(config, tasks.front().problem);
  const ResultFolder folder(output_folder(config));
  state(runtime);
  std::vector<HeadResult> results;
  const double start = wall_seconds();
  {
    TerminalProgress progress("head");
    results = solve_heads(problems_of(tasks), head, progress);
  }
  const double seconds = wall_seconds() - start;
  if (config.boolean("head.singular_values"))
    for (size_t t = 0; t < tasks.size(); ++t) add_singular_values(tasks[t].problem, head, results[t]);
  finish_run(config, tasks, outcome_of(std::move(results), seconds), head, runtime, command_text("solve", arguments),
             json_path(given));
  return 0;
}

int command_adapt(const Arguments& arguments) {
  po::options_description options = run_options();
  options.add_options()("model", po::value<std::string>(), "model.h5 of an earlier run");
  const auto given = parse_arguments(arguments, options, {"CONFIG"});
  if (!given.count("model")) throw InputError("option --model MODEL.h5 is missing");
  const StoredModel model = read_solutions(given["model"].as<std::string>());
  const Config config = read_config(given);
  const Runtime runtime = start_runtime();
  adapt_and_finish(config, model, runtime, command_text("adapt", arguments), json_path(given));
  return 0;
}

int command_reference(const Arguments& arguments) {
  const auto given = parse_arguments(arguments, run_options(), {"CONFIG"});
  const Config config = read_config(given);
  const Runtime runtime = start_runtime();
  const auto tasks = make_tasks(config);
  const ResultFolder folder(output_folder(config));
  state(runtime);
  RunRecord run = new_run(config, tasks.front().problem, runtime, command_text("reference", arguments));
  const Index grid = config.is_auto("output.grid") ? 0 : static_cast<Index>(config.integer("output.grid"));
  for (const auto& task : tasks) {
    throw_if_stopped();
    const ReferenceSolution reference = solve_reference(task.problem, reference_options(config));
    TaskRecord record = task_record(task, output_samples(task.problem, grid), reference.evaluate, nullptr);
    record.reference_name = reference.name;
    record.reference_error_estimate = reference.error_estimate;
    record.seconds.reference = record.seconds.total = reference.seconds;
    std::printf("%s: %s, %s, estimated relative error %.1e\n", task.name.c_str(), reference.name.c_str(),
                reference.detail.c_str(), reference.error_estimate);
    run.tasks.push_back(std::move(record));
  }
  write_outputs(run, config, output_folder(config));
  print_run(run, json_path(given));
  std::printf("written to %s\n", output_folder(config).c_str());
  return 0;
}

}  // namespace torsor
