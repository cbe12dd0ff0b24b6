#include "solvers/cli/finish_run.h"

#include <algorithm>
#include <cstdio>

#include "physics/error.h"
#include "solvers/cli/command_line.h"
#include "solvers/cli/run_builder.h"
#include "solvers/head/head_solver.h"
#include "solvers/progress.h"
#include "solvers/report/report.h"
#include "solvers/store/points_file.h"
#include "solvers/store/run_file.h"

namespace torsor {

namespace {

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

StoredModel stored_model(const std::vector<Task>& tasks, const Outcome& outcome) {
  const Problem& problem = tasks.front().problem;
  StoredModel model;
  model.problem = problem.name;
  model.coordinates = coordinate_names(problem.coordinates);
  for (const auto& field : problem.fields) model.fields.push_back(field.name);
  model.boundary_weight = outcome.boundary_weight;
  model.inputs = outcome.inputs;
  model.trained_heads = outcome.trained_heads;
  for (size_t t = 0; t < tasks.size(); ++t) model.tasks.push_back({tasks[t].name, outcome.solutions[t]});
  return model;
}

}  // namespace

void state(const Runtime& runtime) {
  std::fprintf(stderr, "torsor: LibTorch %s, BLAS %s, %d threads, %s\n", runtime.libtorch.c_str(),
               runtime.blas.c_str(), runtime.threads, runtime.precision.c_str());
  if (runtime.reference_blas)
    std::fprintf(stderr,
                 "torsor: warning: the reference BLAS is loaded; everything will be several times slower than with "
                 "OpenBLAS (Debian: libopenblas0-openmp)\n");
}

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

void finish_run(const Config& config, const std::vector<Task>& tasks, Outcome outcome, const HeadOptions& options,
                const Runtime& runtime, const std::string& command, const std::string& json_path) {
  const std::string folder = output_folder(config);
  RunRecord run = new_run(config, tasks.front().problem, runtime, command);
  run.history = std::move(outcome.history);
  run.gradients = std::move(outcome.gradients);
  const Index grid = config.is_auto("output.grid") ? 0 : static_cast<Index>(config.integer("output.grid"));
  const auto share = static_cast<double>(tasks.size());
  for (size_t t = 0; t < tasks.size(); ++t) {
    throw_if_stopped();
    const auto reference =
        outcome.references.empty() ? reference_of(tasks[t], reference_options(config)) : outcome.references[t];
    const Solution& solution = outcome.solutions[t];
    TaskRecord record = task_record(
        tasks[t], output_samples(tasks[t].problem, grid),
        [&](const Eigen::MatrixXd& x) { return field_values(tasks[t].problem, solution, x); },
        reference ? &*reference : nullptr);
    if (outcome.heads.empty())
      add_residuals(record, tasks[t], solution, holdout_of(tasks[t].problem, solution, options));
    else
      add_head(record, tasks[t], outcome.heads[t]);
    record.seconds.train = outcome.train_seconds / share;
    record.seconds.head = outcome.head_seconds / share;
    record.seconds.total = record.seconds.train + record.seconds.head + record.seconds.reference;
    run.tasks.push_back(std::move(record));
  }
  write_outputs(run, config, folder);
  write_solutions(stored_model(tasks, outcome), folder + "/model.h5");
  print_run(run, json_path);
  if (config.has("reference.data"))
    for (size_t t = 0; t < tasks.size(); ++t)
      compare_with_table(config.text("reference.data"), tasks[t], outcome.solutions[t]);
  std::printf("written to %s\n", folder.c_str());
}

std::vector<Problem> problems_of(const std::vector<Task>& tasks) {
  std::vector<Problem> problems;
  for (const auto& task : tasks) problems.push_back(task.problem);
  return problems;
}

}  // namespace torsor
