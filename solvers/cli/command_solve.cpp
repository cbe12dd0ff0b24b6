// torsor solve CONFIG, torsor adapt --model MODEL.h5 CONFIG, torsor reference CONFIG.
#include <cstdio>

#include "physics/error.h"
#include "solvers/cli/command_line.h"
#include "solvers/cli/finish_run.h"
#include "solvers/cli/run_builder.h"
#include "solvers/cli/schema.h"
#include "solvers/cli/terminal_progress.h"
#include "solvers/cli/train_setup.h"
#include "solvers/cli/training_run.h"
#include "solvers/clock.h"
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
    train_and_finish(config, runtime, command_text("solve", arguments), json_path(given), nullptr);
    return 0;
  }
  const auto tasks = make_tasks(config);
  HeadOptions head = head_options(config, tasks);
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
  const auto tasks = make_tasks(config);
  HeadOptions head = head_options(config, tasks);
  if (head.boundary_weight == 0) head.boundary_weight = model.boundary_weight;
  check_before_solving(config, tasks.front().problem);
  const ResultFolder folder(output_folder(config));
  state(runtime);
  std::vector<HeadResult> results;
  const double start = wall_seconds();
  {
    TerminalProgress progress("adapt");
    results = adapt_heads(problems_of(tasks), model.tasks.front().solution, head, progress);
  }
  const double seconds = wall_seconds() - start;
  finish_run(config, tasks, outcome_of(std::move(results), seconds), head, runtime, command_text("adapt", arguments),
             json_path(given));
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
