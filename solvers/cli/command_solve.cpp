// torsor solve CONFIG, torsor adapt --model MODEL.h5 CONFIG, torsor reference CONFIG.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "physics/error.h"
#include "solvers/cli/command_line.h"
#include "solvers/cli/run_builder.h"
#include "solvers/cli/schema.h"
#include "solvers/cli/solution_store.h"
#include "solvers/cli/terminal_progress.h"
#include "solvers/clock.h"
#include "solvers/head/head_solver.h"
#include "solvers/report/report.h"
#include "solvers/store/atomic_file.h"
#include "solvers/store/points_file.h"
#include "solvers/store/run_file.h"

namespace po = boost::program_options;

namespace torsor {
namespace {

void state(const Runtime& runtime) {
  std::fprintf(stderr, "torsor: LibTorch %s, BLAS %s, %d threads, %s\n", runtime.libtorch.c_str(),
               runtime.blas.c_str(), runtime.threads, runtime.precision.c_str());
  if (runtime.reference_blas)
    std::fprintf(stderr,
                 "torsor: warning: the reference BLAS is loaded; everything will be several times slower than with "
                 "OpenBLAS (Debian: libopenblas0-openmp)\n");
}

/// The reference of a task; nothing when none is wanted or none applies.
std::optional<ReferenceSolution> reference_of(const Task& task, const ReferenceOptions& options) {
  if (options.solver == "none") return std::nullopt;
  if (options.solver == "auto" && task.problem.reference == "auto" && applicable_references(task.problem).empty())
    return std::nullopt;
  // An inaccurate reference with an honest estimate of its error is better than none.
  constexpr double kUseless = 1e-2;
  ReferenceOptions best_effort = options;
  best_effort.require_convergence = false;
  try {
    ReferenceSolution reference = solve_reference(task.problem, best_effort);
    if (!(reference.error_estimate <= kUseless))
      throw NumericalError(reference.name + ": " + reference.detail + " leave an estimated relative error of " +
                           scientific(reference.error_estimate));
    if (reference.error_estimate > options.tolerance)
      std::fprintf(stderr, "torsor: warning: the reference for %s (%s, %s) is accurate to %s only\n", task.name.c_str(),
                   reference.name.c_str(), reference.detail.c_str(), scientific(reference.error_estimate).c_str());
    return reference;
  } catch (const NumericalError& error) {
    std::fprintf(stderr, "torsor: warning: no reference for %s: %s\n", task.name.c_str(), error.what());
    return std::nullopt;
  }
}

/// Compares a solution with a table of coordinates and field values; one line of text.
void compare_with_table(const std::string& path, const Task& task, const Solution& solution) {
  const Eigen::MatrixXd table = read_table(path);
  const Index d = task.problem.dimension(), fields = static_cast<Index>(task.problem.fields.size());
  if (table.cols() < d + fields)
    throw InputError("reference.data = " + path + ": " + std::to_string(table.cols()) + " columns; " +
                     std::to_string(d) + " coordinates and " + std::to_string(fields) + " fields are needed");
  const Eigen::MatrixXd values = field_values(task.problem, solution, table.leftCols(d));
  for (Index f = 0; f < fields; ++f)
    std::printf("%s: %s against %s: rel L2 %.3e, max %.3e\n", task.name.c_str(),
                task.problem.fields[static_cast<size_t>(f)].name.c_str(), path.c_str(),
                (values.col(f) - table.col(d + f)).norm() / table.col(d + f).norm(),
                (values.col(f) - table.col(d + f)).cwiseAbs().maxCoeff());
}

/// What would otherwise be found wrong only after the solve.
void check_before_solving(const Config& config, const Problem& problem) {
  const std::string solver = config.text("reference.solver");
  const auto known = reference_names();
  if (solver != "auto" && solver != "none") {
    if (std::find(known.begin(), known.end(), solver) == known.end())
      throw config.error("reference.solver", unknown_name_message("reference", solver, known));
    const auto able = applicable_references(problem);
    if (std::find(able.begin(), able.end(), solver) == able.end())
      throw config.error("reference.solver", "this solver does not fit the problem");
  }
  if (config.has("reference.data")) read_table(config.text("reference.data"));
}

void write_outputs(const RunRecord& run, const Config& config, const std::string& folder) {
  write_run(run, folder);
  if (config.boolean("output.report")) write_report(run, folder);
}

StoredModel stored_model(const std::vector<Task>& tasks, const std::vector<HeadResult>& results) {
  const Problem& problem = tasks.front().problem;
  StoredModel model;
  model.problem = problem.name;
  model.coordinates = coordinate_names(problem.coordinates);
  for (const auto& field : problem.fields) model.fields.push_back(field.name);
  model.boundary_weight = results.front().boundary_weight;
  for (size_t t = 0; t < tasks.size(); ++t) model.tasks.push_back({tasks[t].name, results[t].solutions.front()});
  return model;
}

/// Everything after the heads are solved: references, errors, files, table. `seconds` is what all heads took together.
int finish(const Config& config, const std::vector<Task>& tasks, const std::vector<HeadResult>& results,
           double seconds, const HeadOptions& options, const Runtime& runtime, const std::string& command,
           const po::variables_map& given) {
  const std::string folder = output_folder(config);
  RunRecord run = new_run(config, tasks.front().problem, runtime, command);
  const Index grid = config.is_auto("output.grid") ? 0 : static_cast<Index>(config.integer("output.grid"));
  for (size_t t = 0; t < tasks.size(); ++t) {
    throw_if_stopped();
    const auto reference = reference_of(tasks[t], reference_options(config));
    const Solution& solution = results[t].solutions.front();
    TaskRecord record = task_record(
        tasks[t], output_samples(tasks[t].problem, grid),
        [&](const Eigen::MatrixXd& x) { return field_values(tasks[t].problem, solution, x); },
        reference ? &*reference : nullptr);
    add_head(record, tasks[t], results[t]);
    record.seconds.head = seconds / static_cast<double>(tasks.size());
    record.seconds.total = record.seconds.head + record.seconds.reference;
    run.tasks.push_back(std::move(record));
  }
  write_outputs(run, config, folder);
  write_solutions(stored_model(tasks, results), options, folder + "/model.h5");
  print_run(run, given.count("json") ? given["json"].as<std::string>() : "");
  if (config.has("reference.data"))
    for (size_t t = 0; t < tasks.size(); ++t)
      compare_with_table(config.text("reference.data"), tasks[t], results[t].solutions.front());
  std::printf("written to %s\n", folder.c_str());
  return 0;
}

std::vector<Problem> problems_of(const std::vector<Task>& tasks) {
  std::vector<Problem> problems;
  for (const auto& task : tasks) problems.push_back(task.problem);
  return problems;
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
  const auto tasks = make_tasks(config);
  HeadOptions head = head_options(config, tasks.front().problem);
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
  return finish(config, tasks, results, seconds, head, runtime, command_text("solve", arguments), given);
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
  HeadOptions head = head_options(config, tasks.front().problem);
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
  return finish(config, tasks, results, wall_seconds() - start, head, runtime, command_text("adapt", arguments), given);
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
  print_run(run, given.count("json") ? given["json"].as<std::string>() : "");
  std::printf("written to %s\n", output_folder(config).c_str());
  return 0;
}

}  // namespace torsor
