#include "solvers/cli/training_run.h"

#include <cmath>
#include <cstdio>

#include "physics/error.h"
#include "solvers/cli/command_line.h"
#include "solvers/cli/finish_run.h"
#include "solvers/cli/run_builder.h"
#include "solvers/cli/terminal_progress.h"
#include "solvers/cli/train_setup.h"
#include "solvers/clock.h"
#include "solvers/head/collocation.h"
#include "solvers/head/head_solver.h"
#include "solvers/store/atomic_file.h"

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

  std::vector<std::pair<std::string, double>> operator()(const Trainer& trainer) const {
    std::vector<std::pair<std::string, double>> errors;
    for (const auto& w : watched_) {
      const Problem& problem = trainer.tasks()[static_cast<size_t>(w.task)];
      const Eigen::MatrixXd values = field_values(problem, trainer.solution(w.task, false), w.points);
      for (Index f = 0; f < values.cols(); ++f)
        errors.emplace_back("error." + problem.fields[static_cast<size_t>(f)].name +
                                (trainer.tasks().size() > 1 ? "." + std::to_string(w.task) : ""),
                            (values.col(f) - w.values.col(f)).norm() / w.values.col(f).norm());
    }
    return errors;
  }

 private:
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

void report(const Trainer& trainer, const ErrorMonitor& monitor) {
  std::printf("trained: %ld steps in %.1f s, %ld parameters, loss %.3e\n", static_cast<long>(trainer.steps_taken()),
              trainer.seconds(), static_cast<long>(trainer.network().size()), trainer.total_loss());
  for (const auto& ending : trainer.endings()) std::printf("  %s\n", ending.c_str());
  for (const auto& [name, value] : monitor(trainer)) std::printf("  %s of the network %.3e\n", name.c_str(), value);
}

/// The heads solved again on all hidden layers; tasks share the body where they have heads of their own.
std::vector<HeadResult> resolve(const Trainer& trainer, const HeadOptions& options) {
  TerminalProgress progress("head");
  if (trainer.network().own_heads()) return adapt_heads(trainer.tasks(), trainer.solution(0, true), options, progress);
  std::vector<HeadResult> results;
  for (size_t t = 0; t < trainer.tasks().size(); ++t)
    results.push_back(
        adapt_heads({trainer.tasks()[t]}, trainer.solution(static_cast<Index>(t), true), options, progress).front());
  return results;
}

}  // namespace

void train_and_finish(const Config& config, const Runtime& runtime, const std::string& command,
                      const std::string& json_path, const Checkpoint* checkpoint) {
  const auto tasks = make_tasks(config);
  const HeadOptions head = head_options(config, tasks.front().problem);
  check_before_solving(config, tasks.front().problem);
  Trainer trainer(problems_of(tasks), train_options(config));
  if (checkpoint) trainer.restore(checkpoint->state);
  const std::string folder = output_folder(config);
  const ResultFolder result_folder(folder);
  state(runtime);
  Outcome outcome;
  for (const auto& task : tasks) {
    throw_if_stopped();
    outcome.references.push_back(reference_of(task, reference_options(config)));
  }
  const ErrorMonitor monitor(tasks, outcome.references);
  const auto save = [&](const Trainer& now) { write_checkpoint({config.text(), command, now.state()}, folder); };
  try {
    TerminalProgress progress("train");
    trainer.run(progress, monitor, save, config.real("train.checkpoint_seconds"));
  } catch (const Interrupted&) {
    throw Interrupted("stopped after step " + std::to_string(trainer.steps_taken()) + "; to go on: torsor resume " +
                      folder);
  }
  save(trainer);
  report(trainer, monitor);
  outcome.train_seconds = trainer.seconds();
  outcome.history = records_of(trainer.history());
  if (config.boolean("train.resolve")) {
    const double start = wall_seconds();
    outcome.heads = resolve(trainer, head);
    outcome.head_seconds = wall_seconds() - start;
    outcome.boundary_weight = outcome.heads.front().boundary_weight;
    for (const auto& result : outcome.heads) outcome.solutions.push_back(result.solutions.front());
  } else {
    for (size_t t = 0; t < tasks.size(); ++t)
      outcome.solutions.push_back(trainer.solution(static_cast<Index>(t), config.boolean("model.concatenate")));
  }
  finish_run(config, tasks, std::move(outcome), head, runtime, command, json_path);
}

}  // namespace torsor
