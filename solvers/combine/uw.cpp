// Uncertainty weights: minimise  sum_i L_i exp(-s_i)/2 + s_i/2  over the network and over s (Kendall, Gal and Cipolla,
// CVPR 2018, eq. 7), so that
//
//   d = sum_i exp(-s_i)/2 g_i,    ds_i = (1 - L_i exp(-s_i))/2  goes to Adam.
//
// The optimum over s is s_i = log L_i: weights 1/(2 L_i).
#include "solvers/combine/task_adam.h"
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class UncertaintyWeights final : public Weighter {
 public:
  UncertaintyWeights(double learning_rate, double start) : adam_(learning_rate), start_(start) {}

  State state() const override {
    State state;
    state.set("log_variances", Eigen::MatrixXd(log_variances_));
    state.set("adam", adam_.state());
    return state;
  }
  void restore(const State& state) override {
    log_variances_ = state.vector("log_variances");
    adam_.restore(state.part("adam"));
  }

 private:
  Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index) override {
    if (log_variances_.size() == 0) log_variances_ = Eigen::VectorXd::Constant(losses.size(), start_);
    const Eigen::VectorXd precision = (-log_variances_).array().exp();
    adam_.step((0.5 * (1 - losses.array() * precision.array())).matrix(), log_variances_);
    return 0.5 * precision;
  }

  TaskAdam adam_;
  double start_;
  Eigen::VectorXd log_variances_;  // s
};

const RegisterCombiner registered({
    .name = "uw",
    .title = "Uncertainty weights",
    .formula = "d = sum_i exp(-s_i)/2 g_i,  s learned with Adam on sum_i L_i exp(-s_i)/2 + s_i/2",
    .source = "Kendall, Gal, Cipolla: Multi-task learning using uncertainty to weigh losses (CVPR 2018), eq. 7",
    .caveats =
        "s has its own Adam here, with its own learning rate, so that a step of the network does not wait for it; "
        "the weights of this step are those before the update of s.",
    .options = {{"learning_rate", "real", "1e-3", "of s", "> 0"},
                {"start", "real", "-0.5", "first value of every s_i", ""}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<UncertaintyWeights>(values.real("learning_rate"), values.real("start"));
        },
});

}  // namespace
}  // namespace torsor
