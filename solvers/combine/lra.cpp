// Learning-rate annealing: every task's typical gradient entry is brought to the largest of a reference task (the
// residual of a physics-informed network),
//
//   d = sum_i w_i g_i,    w_i <- beta w_i + (1 - beta) max|g_ref| / mean|g_i|,    w_ref = 1.
#include <Eigen/Core>

#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class LearningRateAnnealing final : public Combiner {
 public:
  LearningRateAnnealing(double beta, Index reference) : beta_(beta), reference_(reference) {}

  Combination combine(const TaskGradients& tasks) override {
    check_tasks(tasks);
    const Index m = tasks.gradients.cols();
    if (reference_ >= m)
      throw InputError("the option 'reference' is " + std::to_string(reference_) + ", but there are " +
                       std::to_string(m) + " tasks");
    if (weights_.size() == 0) weights_ = Eigen::VectorXd::Ones(m);
    const double largest = tasks.gradients.col(reference_).cwiseAbs().maxCoeff();
    for (Index i = 0; i < m; ++i) {
      const double typical = tasks.gradients.col(i).cwiseAbs().mean();
      if (i != reference_ && typical > 0) weights_[i] = beta_ * weights_[i] + (1 - beta_) * largest / typical;
    }
    Combination result;
    result.weights = weights_;
    result.direction = weighted_sum(tasks.gradients, weights_);
    check_finite(tasks, result);
    return result;
  }

  State state() const override {
    State state;
    state.set("weights", Eigen::MatrixXd(weights_));
    return state;
  }
  void restore(const State& state) override { weights_ = state.vector("weights"); }

 private:
  double beta_;
  Index reference_;
  Eigen::VectorXd weights_;
};

const RegisterCombiner registered({
    .name = "lra",
    .title = "Learning-rate annealing",
    .formula = "d = sum_i w_i g_i,  w_i <- beta w_i + (1 - beta) max|g_ref|/mean|g_i|,  w_ref = 1, all start at 1",
    .source =
        "Wang, Teng, Perdikaris: Understanding and mitigating gradient flow pathologies in physics-informed neural "
        "networks (2021), algorithm 1",
    .caveats = "A task whose gradient is zero keeps its weight.",
    .options = {{"beta", "real", "0.9", "memory of the weights", "in [0, 1)"},
                {"reference", "integer", "0", "the task (from 0) with weight one, usually the residual", ">= 0"}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<LearningRateAnnealing>(values.real("beta"), values.integer("reference"));
        },
});

}  // namespace
}  // namespace torsor
