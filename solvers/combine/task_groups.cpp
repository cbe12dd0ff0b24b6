#include "solvers/combine/task_groups.h"

#include <algorithm>
#include <numeric>

#include "physics/error.h"
#include "solvers/combine/gram.h"

namespace torsor {
namespace {

class TaskGroups final : public Combiner {
 public:
  TaskGroups(std::unique_ptr<Combiner> inner, const OptionValues& options)
      : inner_(std::move(inner)),
        period_(options.integer("period")),
        threshold_(options.real("threshold")),
        beta_(options.real("beta")) {}

  std::vector<Index> wanted(Index step, Index) override {
    std::vector<Index> group;
    if (colours_.size() == 0) return group;
    const Index active = step % (static_cast<Index>(colours_.maxCoeff()) + 1);
    for (Index i = 0; i < colours_.size(); ++i)
      if (static_cast<Index>(colours_[i]) == active) group.push_back(i);
    return group;
  }

  bool observes() const override { return inner_->observes(); }
  bool averaged() const override { return inner_->averaged(); }
  void observe(const Eigen::VectorXd& losses_after) override { inner_->observe(losses_after); }

  Combination combine(const TaskGradients& tasks) override {
    check_tasks(tasks);
    const Index m = tasks.gradients.cols();
    if (!inner_->wanted(tasks.step, m).empty())
      throw InputError("task groups cannot be used with a combiner that chooses the tasks of a step itself");
    const std::vector<Index> group = wanted(tasks.step, m);
    Combination result = group.empty() ? inner_->combine(tasks) : combine_group(tasks, group);
    average(tasks, group);
    if (++steps_ % period_ == 0) colour();
    return result;
  }

  State state() const override {
    State state;
    state.set("inner", inner_->state());
    state.set("steps", static_cast<double>(steps_));
    state.set("averages", averages_);
    state.set("colours", Eigen::MatrixXd(colours_));
    return state;
  }

  void restore(const State& state) override {
    inner_->restore(state.part("inner"));
    steps_ = static_cast<Index>(state.number("steps"));
    averages_ = state.matrix("averages");
    colours_ = state.vector("colours");
  }

 private:
  Combination combine_group(const TaskGradients& tasks, const std::vector<Index>& group) {
    Eigen::MatrixXd active = Eigen::MatrixXd::Zero(tasks.gradients.rows(), tasks.gradients.cols());
    for (const Index i : group) active.col(i) = tasks.gradients.col(i);
    return inner_->combine({active, tasks.losses, tasks.step});
  }

  void average(const TaskGradients& tasks, const std::vector<Index>& group) {
    if (averages_.size() == 0) averages_ = Eigen::MatrixXd::Zero(tasks.gradients.rows(), tasks.gradients.cols());
    for (Index i = 0; i < averages_.cols(); ++i)
      if (group.empty() || std::find(group.begin(), group.end(), i) != group.end())
        averages_.col(i) = beta_ * averages_.col(i) + (1 - beta_) * tasks.gradients.col(i);
  }

  void colour() {
    const Index m = averages_.cols();
    const UnitGram unit(gram_matrix(averages_));
    Eigen::Matrix<bool, -1, -1> adjacent = Eigen::Matrix<bool, -1, -1>::Constant(m, m, false);
    for (Index a = 0; a < unit.size(); ++a)
      for (Index b = 0; b < unit.size(); ++b)
        adjacent(unit.tasks[static_cast<size_t>(a)], unit.tasks[static_cast<size_t>(b)]) =
            a != b && unit.cosines(a, b) < threshold_;
    const std::vector<Index> colours = greedy_colouring(adjacent);
    colours_.resize(m);
    for (Index i = 0; i < m; ++i) colours_[i] = static_cast<double>(colours[static_cast<size_t>(i)]);
  }

  std::unique_ptr<Combiner> inner_;
  Index period_;
  double threshold_, beta_;
  Index steps_ = 0;
  Eigen::MatrixXd averages_;  // m_i as columns
  Eigen::VectorXd colours_;   // of the tasks; none before the first colouring
};

}  // namespace

const std::vector<Option>& task_group_options() {
  static const std::vector<Option> options = {
      {"period", "integer", "32", "steps between two colourings", ">= 1"},
      {"threshold", "real", "-0.25", "cosine below which two tasks are never active together", "in [-1, 1]"},
      {"beta", "real", "0.9", "memory of the averaged gradients", "in [0, 1)"}};
  return options;
}

std::unique_ptr<Combiner> with_task_groups(std::unique_ptr<Combiner> inner, const OptionValues& options) {
  return std::make_unique<TaskGroups>(std::move(inner), options);
}

std::vector<Index> greedy_colouring(const Eigen::Ref<const Eigen::Matrix<bool, -1, -1>>& adjacent) {
  const Index m = adjacent.rows();
  std::vector<Index> order(static_cast<size_t>(m)), colours(static_cast<size_t>(m), -1);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](Index a, Index b) { return adjacent.col(a).count() > adjacent.col(b).count(); });
  for (const Index i : order) {
    std::vector<bool> taken(static_cast<size_t>(m) + 1, false);
    for (Index j = 0; j < m; ++j)
      if (adjacent(i, j) && colours[static_cast<size_t>(j)] >= 0)
        taken[static_cast<size_t>(colours[static_cast<size_t>(j)])] = true;
    colours[static_cast<size_t>(i)] = std::find(taken.begin(), taken.end(), false) - taken.begin();
  }
  return colours;
}

}  // namespace torsor
