// RGB, rotation-based gradient balancing: every unit gradient is turned towards a running mean direction,
//
//   d <- U( mu d + (1 - mu) U(mean u_i) ),    u_i = U(g_i),
//   r_i = u_i turned towards d by x_i (plane_rotation.h),    direction = mean r_i.
//
// Norms of the gradients are dropped: |direction| <= 1.
#include "solvers/combine/adaptive_steps.h"
#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/plane_rotation.h"

namespace torsor {
namespace {

class RotationBalance final : public Combiner {
 public:
  RotationBalance(double mu, double lambda, double rate, const AdaptiveSteps& steps)
      : mu_(mu), lambda_(lambda), rate_(rate), steps_(steps) {}

  Combination combine(const TaskGradients& tasks) override {
    check_tasks(tasks);
    const Index m = tasks.gradients.cols();
    const Eigen::MatrixXd gram = gram_matrix(tasks.gradients);
    check_gram(tasks, gram);
    const UnitGram unit(gram);
    const Index inner_steps = steps_.next(tasks.losses);
    if (angles_.size() != m) angles_ = Eigen::VectorXd::Zero(m);
    Combination result;
    follow(tasks, unit);
    result.direction = turned_mean(tasks, unit, inner_steps);
    result.angles = angles_;
    check_finite(tasks, result);
    return result;
  }

  State state() const override {
    State state;
    state.set("mean_direction", Eigen::MatrixXd(mean_direction_));
    state.set("angles", Eigen::MatrixXd(angles_));
    state.set("losses", Eigen::MatrixXd(steps_.before()));
    return state;
  }
  void restore(const State& state) override {
    mean_direction_ = state.vector("mean_direction");
    angles_ = state.vector("angles");
    steps_.restore(state.vector("losses"));
  }

 private:
  // d with the mean of this step in it.
  void follow(const TaskGradients& tasks, const UnitGram& unit) {
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(unit.size());
    const double norm = combined_norm(unit.cosines, ones);
    if (mean_direction_.size() == 0) mean_direction_ = Eigen::VectorXd::Zero(tasks.gradients.rows());
    const bool first = mean_direction_.isZero(0);
    if (norm == 0) return;
    const Eigen::VectorXd mean =
        weighted_sum(tasks.gradients, unit.weights_of_gradients(ones / norm, tasks.gradients.cols()));
    mean_direction_ = first ? mean : Eigen::VectorXd(mu_ * mean_direction_ + (1 - mu_) * mean);
    mean_direction_.normalize();
  }

  Eigen::VectorXd turned_mean(const TaskGradients& tasks, const UnitGram& unit, Index inner_steps) {
    const Index m = tasks.gradients.cols(), k = unit.size();
    if (k == 0) return Eigen::VectorXd::Zero(tasks.gradients.rows());
    const Eigen::VectorXd all_products = products(tasks.gradients, mean_direction_);
    const Eigen::VectorXd cosines = Eigen::VectorXd(all_products(unit.tasks)).cwiseQuotient(unit.norms);
    const bool turns = !mean_direction_.isZero(0);
    const PlaneRotation rotation(unit.cosines, cosines, std::vector<bool>(static_cast<size_t>(k), turns), lambda_);
    const Eigen::VectorXd angles = rotation.minimise(angles_(unit.tasks), inner_steps, rate_);
    angles_ = unit.spread(angles, m);
    const auto rotated = rotation.rotated(angles);
    const double share = 1 / static_cast<double>(k);
    return weighted_sum(tasks.gradients, unit.weights_of_gradients(share * rotated.a, m)) +
           share * rotated.b.sum() * mean_direction_;
  }

  double mu_, lambda_, rate_;
  AdaptiveSteps steps_;
  Eigen::VectorXd mean_direction_;  // d
  Eigen::VectorXd angles_;
};

const RegisterCombiner registered({
    .name = "rgb",
    .title = "Rotation-based gradient balancing (RGB)",
    .formula =
        "d <- U(mu d + (1-mu) U(mean u_i)),  u_i = U(g_i);  r_i = u_i turned towards d by x_i;  direction = mean r_i\n"
        "angles minimise 1/(m(m-1)) sum_{i<j} (1 - r_i . r_j) + lambda/(2m) sum_i (1 - cos x_i)",
    .source = "RGB (OpenReview l0QAezg8HX, 2025), sections 4.1-4.3",
    .caveats =
        "Norms of the gradients are dropped. No task is safe from a negative product. Ours: angles are capped at d, "
        "and the search starts where the last step left them.",
    .options = {{"mu", "real", "0.9", "memory of the mean direction", "in [0, 1)"},
                {"lambda", "real", "1", "weight of staying close to the original gradients", ">= 0"},
                {"inner_steps_min", "integer", "1", "least gradient steps on the angles in a step", ">= 0"},
                {"inner_steps_max", "integer", "10", "most of them", ">= 0"},
                {"k_std", "real", "1", "spread of relative loss changes at which half of the range is used", "> 0"},
                {"inner_learning_rate", "real", "0.2", "of the steps on the angles", "> 0"}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<RotationBalance>(
              values.real("mu"), values.real("lambda"), values.real("inner_learning_rate"),
              AdaptiveSteps(values.integer("inner_steps_min"), values.integer("inner_steps_max"),
                            values.real("k_std")));
        },
});

}  // namespace
}  // namespace torsor
