#include "solvers/cli/training_run.h"

#include <cmath>
#include <cstdio>

#include "physics/error.h"
#include "problems/quantities.h"
#include "solvers/cli/command_line.h"
#include "solvers/cli/finish_run.h"
#include "solvers/cli/run_builder.h"
#include "solvers/cli/terminal_progress.h"
#include "solvers/cli/train_setup.h"
#include "solvers/clock.h"
#include "solvers/head/collocation.h"
#include "solvers/head/global_head.h"
#include "solvers/head/head_solver.h"
#include "solvers/store/atomic_file.h"
#include "solvers/train/window_training.h"

namespace torsor {
namespace {

/// Errors against references at points of their own, while training goes on.
class ErrorMonitor {
 public:
  ErrorMonitor(const std::vector<Task>& tasks, const std::vector<std::optional<ReferenceSolution>>& references) {
    for (size_t t = 0; t < tasks.size(); ++t) {
      if (!references[t]) continue;
      const Problem& problem = tasks[t].problem;
      const auto axes = whole_domain(problem);
      CollocationOptions options;
      options.sampler = "sobol";
      options.interior = kPoints;
      options.seed = kSeed;
      Watched watched{static_cast<Index>(t), interior_of(problem, collocation_points(problem, axes, kPoints, options)), {}};
      watched.values = references[t]->evaluate(watched.points);
      watched_.push_back(std::move(watched));
    }
  }

  std::vector<std::pair<std::string, double>> operator()(const WindowTraining& training) const {
    std::vector<std::pair<std::string, double>> errors;
    for (const auto& w : watched_) {
      const Problem& problem = training.tasks()[static_cast<size_t>(w.task)];
      const auto rows = rows_until(problem, w.points, training.reached());
      const Eigen::MatrixXd expected = w.values(rows, Eigen::all);
      const Eigen::MatrixXd points = w.points(rows, Eigen::all);
      const Eigen::MatrixXd values = field_values(problem, training.solution(w.task, false), points);
      for (const auto& quantity : quantities(problem)) {
        const Eigen::MatrixXd found = quantity.of(points, values), truth = quantity.of(points, expected);
        errors.emplace_back("error." + quantity.name + (training.tasks().size() > 1 ? "." + std::to_string(w.task) : ""),
                            (found - truth).norm() / truth.norm());
      }
    }
    return errors;
  }

 private:
  static std::vector<Index> rows_until(const Problem& problem, const Eigen::MatrixXd& points, double time) {
    std::vector<Index> rows;
    for (Index k = 0; k < points.rows(); ++k)
      if (problem.time() < 0 || points(k, problem.time()) <= time) rows.push_back(k);
    return rows;
  }

  static constexpr Index kPoints = 1024;
  static constexpr uint64_t kSeed = 0x6d6f6e69;
  struct Watched {
    Index task;
    Eigen::MatrixXd points, values;
  };
  std::vector<Watched> watched_;
};

std::vector<HistoryRecord> records_of(const std::map<std::string, Series>& history) {
  std::vector<HistoryRecord> records;
  for (const auto& [name, series] : history) records.push_back({name, series.steps, series.values});
  return records;
}

void report(const WindowTraining& training, const ErrorMonitor& monitor) {
  std::printf("trained: %ld steps in %.1f s, %ld parameters, loss %.3e\n", static_cast<long>(training.steps_taken()),
              training.seconds(), static_cast<long>(training.now().network().size()), training.now().total_loss());
  for (const auto& ending : training.endings()) std::printf("  %s\n", ending.c_str());
  for (const auto& [name, value] : monitor(training)) std::printf("  %s of the network %.3e\n", name.c_str(), value);
}

/// The heads solved again on all hidden layers; tasks share the body where they have heads of their own.
std::vector<HeadResult> resolve(const WindowTraining& training, const HeadOptions& options) {
  TerminalProgress progress("head");
  const auto& tasks = training.tasks();
  if (training.now().network().own_heads()) return adapt_heads(tasks, training.solution(0, true), options, progress);
  std::vector<HeadResult> results;
  for (size_t t = 0; t < tasks.size(); ++t)
    results.push_back(
        adapt_heads({tasks[t]}, training.solution(static_cast<Index>(t), true), options, progress).front());
  return results;
}

TrainOptions options_of(const Config& config, const std::vector<Task>& tasks) {
  TrainOptions options = train_options(config);
  for (const auto& constraints : hard_constraints(config, tasks))
    for (const auto& [field, constraint] : constraints)
      options.network.constraints[field].push_back(
          formula_constraint(coordinate_names(tasks.front().problem.coordinates), constraint.factor, constraint.lift));
  return options;
}

}  // namespace

void train_and_finish(const Config& config, const Runtime& runtime, const std::string& command,
                      const std::string& json_path, const Checkpoint* checkpoint) {
  const auto tasks = make_tasks(config);
  const HeadOptions head = head_options(config, tasks);
  check_before_solving(config, tasks.front().problem);
  WindowTraining training(problems_of(tasks), options_of(config, tasks),
                          static_cast<Index>(config.integer("train.windows")));
  if (checkpoint) training.restore(checkpoint->state);
  const std::string folder = output_folder(config);
  const ResultFolder result_folder(folder);
  state(runtime);
  Outcome outcome;
  for (const auto& task : tasks) {
    throw_if_stopped();
    outcome.references.push_back(reference_of(task, reference_options(config)));
  }
  const ErrorMonitor monitor(tasks, outcome.references);
  const auto save = [&](const WindowTraining& now) { write_checkpoint({config.text(), command, now.state()}, folder); };
  try {
    TerminalProgress progress("train");
    training.run(progress, monitor, save, config.real("train.checkpoint_seconds"));
  } catch (const Interrupted&) {
    throw Interrupted("stopped after step " + std::to_string(training.steps_taken()) + "; to go on: torsor resume " +
                      folder);
  }
  save(training);
  report(training, monitor);
  outcome.train_seconds = training.seconds();
  outcome.history = records_of(training.history());
  outcome.gradients = training.now().gradient_names();
  outcome.inputs = training.now().network().inputs();
  outcome.trained_heads = !config.boolean("train.resolve");
  if (config.boolean("train.resolve")) {
    const double start = wall_seconds();
    outcome.heads = resolve(training, head);
    outcome.head_seconds = wall_seconds() - start;
    outcome.boundary_weight = outcome.heads.front().boundary_weight;
    for (const auto& result : outcome.heads) outcome.solutions.push_back(result.solutions.front());
  } else {
    for (size_t t = 0; t < tasks.size(); ++t)
      outcome.solutions.push_back(training.solution(static_cast<Index>(t), config.boolean("model.concatenate")));
  }
  finish_run(config, tasks, std::move(outcome), head, runtime, command, json_path);
}

}  // namespace torsor
