#include "solvers/combine/task_moments.h"

#include <cmath>

namespace torsor {
namespace {

class TaskMoments final : public Combiner {
 public:
  TaskMoments(std::unique_ptr<Combiner> inner, const TaskMomentsOptions& options)
      : inner_(std::move(inner)), options_(options) {}

  std::vector<Index> wanted(Index step, Index m) override {
    if (options_.cyclic) return {step % m};
    return inner_->wanted(step, m);
  }

  bool averaged() const override { return !options_.pseudo_gradient; }

  bool observes() const override { return inner_->observes(); }
  void observe(const Eigen::VectorXd& losses_after) override { inner_->observe(losses_after); }

  Combination combine(const TaskGradients& tasks) override {
    check_tasks(tasks);
    const Index m = tasks.gradients.cols();
    if (steps_ == 0) start(tasks);
    const std::vector<Index> some = wanted(tasks.step, m);
    if (some.empty())
      for (Index i = 0; i < m; ++i) take(i, tasks);
    else
      for (const Index i : some) take(i, tasks);

    Combination result = inner_->combine({corrected_, losses_, tasks.step});
    ++steps_;
    result.weights.resize(0);  // the result is no combination of this step's gradients any more
    if (options_.pseudo_gradient) replace_by_pseudo_gradient(result);
    check_finite(tasks, result);
    return result;
  }

  State state() const override {
    State state;
    state.set("inner", inner_->state());
    state.set("steps", static_cast<double>(steps_));
    state.set("corrected", corrected_);
    state.set("seen", Eigen::MatrixXd(seen_));
    state.set("losses", Eigen::MatrixXd(losses_));
    state.set("previous", Eigen::MatrixXd(previous_));
    return state;
  }

  void restore(const State& state) override {
    inner_->restore(state.part("inner"));
    steps_ = static_cast<Index>(state.number("steps"));
    corrected_ = state.matrix("corrected");
    seen_ = state.vector("seen");
    losses_ = state.vector("losses");
    previous_ = state.vector("previous");
  }

 private:
  void start(const TaskGradients& tasks) {
    const Index d = tasks.gradients.rows(), m = tasks.gradients.cols();
    corrected_ = Eigen::MatrixXd::Zero(d, m);
    seen_ = Eigen::VectorXd::Zero(m);
    losses_ = Eigen::VectorXd::Ones(m);  // of tasks not seen yet, which have no gradient either
    previous_ = Eigen::VectorXd::Zero(d);
  }

  void take(Index i, const TaskGradients& tasks) {
    seen_[i] += 1;
    losses_[i] = tasks.losses[i];
    const double share = (1 - options_.beta1) / (1 - std::pow(options_.beta1, seen_[i]));
    corrected_.col(i) += share * (tasks.gradients.col(i) - corrected_.col(i));
  }

  void replace_by_pseudo_gradient(Combination& result) {
    const Eigen::VectorXd now = (1 - std::pow(options_.beta1, static_cast<double>(steps_))) * result.direction;
    result.direction = (now - options_.beta1 * previous_) / (1 - options_.beta1);
    previous_ = now;
  }

  std::unique_ptr<Combiner> inner_;
  TaskMomentsOptions options_;
  Index steps_ = 0;            // t
  Eigen::MatrixXd corrected_;  // c_i as columns
  Eigen::VectorXd seen_;       // t_i
  Eigen::VectorXd losses_;     // the last known of each task
  Eigen::VectorXd previous_;   // M_{t-1}
};

}  // namespace

std::unique_ptr<Combiner> with_task_moments(std::unique_ptr<Combiner> inner, const TaskMomentsOptions& options) {
  return std::make_unique<TaskMoments>(std::move(inner), options);
}

}  // namespace torsor
