// Trains one network on all tasks.
//
// A step draws points where they are due, evaluates all tasks, or those drawn for it, in one pass with one gradient for
// each task (or term, or both), lets the combiner make one direction of them for the shared parameters, adds the plain
// gradient of each task's own head, and lets a first-order optimiser step. Optimisers that ask for the objective themselves
// (quasi-Newton, Gauss-Newton) take the weighted sum of all losses. Phases follow one another: Adam, then SSBroyden, for
// instance.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "solvers/combine/combiner.h"
#include "solvers/optimise/optimiser.h"
#include "solvers/optimise/schedules.h"
#include "solvers/progress.h"
#include "solvers/train/loss_weights.h"
#include "solvers/train/task_losses.h"
#include "solvers/train/task_sampling.h"
#include "solvers/train/training_points.h"

namespace torsor {

struct TrainPhase {
  std::string optimiser = "adam";
  OptionValues options;
  Index steps = 0;
};

struct TrainOptions {
  NetworkOptions network;
  PointOptions points;
  LossWeightOptions weights;
  std::vector<TrainPhase> phases;
  Schedule schedule;  ///< of first-order phases, `steps` is set for each
  std::string combiner = "ls";
  OptionValues combiner_options;
  /// First moments of each task's gradient around the combiner (task_moments.h); HRGrad and M-ConFIG have their own.
  bool task_moments = false;
  /// Graph-coloured groups of tasks around the combiner (task_groups.h).
  bool task_groups = false;
  OptionValues task_group_options;
  /// What has a gradient of its own: "task", "term", "both", "place" (interior, boundary, initial), "conditions" (all
  /// equations, all boundary and initial conditions); "auto": tasks where there are several, else terms.
  std::string gradients = "auto";
  /// Tasks in a step of a first-order method, one of each stratum (task_sampling.h); 0: all. Needs the tasks' parameters
  /// as inputs. Other optimisers need the same objective in every step: all tasks.
  Index tasks_per_step = 0;
  /// What quasi-Newton methods minimise: the total loss L ("loss"), its root, or its logarithm. All have the same
  /// minimisers; the others' curvature does not fade with L (Urban, Stefanou, Pons, "Unveiling the optimization process of
  /// physics informed neural networks", JCP 2025). Gauss-Newton needs the loss.
  std::string objective = "loss";
  /// Whether the heads are solved in closed form in every step (inner_head.h); first-order optimisers only.
  bool solve_heads = false;
  /// Radius of the perturbation of flat-region steps; 0: none. Phan et al., "Improving multi-task learning via seeking
  /// task-based flat regions", 2022.
  double flat_radius = 0;
  /// Share of the shared parameters' neurons that move; 1: all. "Proactive gradient conflict mitigation in multi-task
  /// learning: a sparse training perspective", 2024.
  double moving_share = 1;
  /// Most seconds of training; 0: no limit. The learning rate then follows the time if that is further on.
  double seconds = 0;
  Index log_every = 10;
  uint64_t seed = 0;
};

/// A quantity over the steps.
struct Series {
  std::vector<double> steps, values;
};

/// Series as a part of a state, and back.
State state_of(const std::map<std::string, Series>& history);
std::map<std::string, Series> series_of(const State& state);

class Trainer {
 public:
  /// Further quantities for the history: errors against a reference, for instance.
  using Monitor = std::function<std::vector<std::pair<std::string, double>>(const Trainer&)>;

  /// Throws InputError for options that do not fit the tasks.
  Trainer(std::vector<Problem> tasks, TrainOptions options);
  ~Trainer();

  /// Trains to the end, or until a stop is asked for (throws Interrupted, after a last checkpoint). `checkpoint` is
  /// called every `checkpoint_seconds`. Throws NumericalError naming step, task, term and point at the first value that
  /// is not finite.
  void run(Progress& progress, const Monitor& monitor, const std::function<void(const Trainer&)>& checkpoint,
           double checkpoint_seconds);

  /// Other weights to begin with, before the first step.
  void start_from(const Eigen::VectorXd& parameters) { parameters_ = parameters; }

  /// One step; false when training has ended.
  bool step();

  Index steps_taken() const { return step_; }
  Index steps_planned() const;
  double seconds() const { return seconds_; }
  const std::vector<Problem>& tasks() const { return tasks_; }
  const TaskSampling& sampling() const { return sampling_; }
  const TaskNetwork& network() const { return network_; }
  const Eigen::VectorXd& parameters() const { return parameters_; }
  /// The fields of a task; `concatenate`: with the features of all hidden layers, for another head.
  Solution solution(Index task, bool concatenate) const;
  const std::map<std::string, Series>& history() const { return history_; }
  /// What each of the gradients that a combiner sees is of: tasks by their parameters, terms by their names.
  std::vector<std::string> gradient_names() const;
  /// Why each phase ended, the one that goes on included.
  std::vector<std::string> endings() const;
  double total_loss() const;

  /// Everything: parameters, optimiser, combiner, points, weights, histories. Restoring it into a trainer made of the
  /// same tasks and options continues with the same bits.
  State state() const;
  void restore(const State& state);

 private:
  void check() const;
  void begin_phase();
  void end_phase(const std::string& why);
  std::string ending(const std::string& why) const;
  void change_points();
  std::vector<Index> gradients_asked() const;
  void first_order_step();
  void objective_step();
  Eigen::VectorXd direction(const TaskLosses::Gradients& now);
  Eigen::MatrixXd flat_parts(const TaskLosses::Gradients& now) const;
  /// The drawn sets' factors, 0 outside of these groups; no groups: all.
  Eigen::VectorXd factors_of(const std::vector<Index>& groups) const;
  void draw_tasks();
  Eigen::VectorXd group_losses(const Eigen::VectorXd& set_losses) const;
  double learning_rate_now() const;
  void record(const std::string& name, double value);
  void record_at(Index step, const std::string& name, double value);
  void record_step();

  std::vector<Problem> tasks_;
  TrainOptions options_;
  TaskNetwork network_;
  TaskLosses losses_;
  TrainingPoints points_;
  LossWeights weights_;
  TaskSampling sampling_;
  Eigen::VectorXd drawn_;  ///< of every set, 1 where its task is in this step, else 0
  std::vector<Index> group_of_set_;
  Index groups_ = 1;
  std::unique_ptr<Combiner> combiner_, flat_combiner_;
  std::unique_ptr<Optimiser> optimiser_;
  Eigen::VectorXd parameters_, mask_;
  Index step_ = 0, phase_ = 0, phase_step_ = 0;
  double seconds_ = 0;
  std::map<std::string, Series> history_;
  std::vector<std::string> endings_;

  // What the last step saw, for the history.
  struct Seen {
    Eigen::MatrixXd gram;
    Combination combination;
    StepReport report;
    double rate = 0;
  } seen_;
  Index fallbacks_ = 0;
  Eigen::VectorXd set_losses_;  ///< the last known of every set; empty before the first, and where no method gave them
};

}  // namespace torsor
