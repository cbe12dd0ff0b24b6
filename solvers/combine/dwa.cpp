// Dynamic weight average: tasks whose losses fall slowly get more weight,
//
//   d = sum_i w_i g_i,    w = m softmax(r / T),    r_i = mean L_i in the last epoch / mean L_i in the one before.
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class DynamicWeightAverage final : public Weighter {
 public:
  DynamicWeightAverage(double temperature, Index epoch) : temperature_(temperature), epoch_(epoch) {}

  State state() const override {
    State state;
    state.set("sum", Eigen::MatrixXd(sum_));
    state.set("last", Eigen::MatrixXd(last_));
    state.set("before", Eigen::MatrixXd(before_));
    state.set("steps", static_cast<double>(steps_));
    return state;
  }
  void restore(const State& state) override {
    sum_ = state.vector("sum");
    last_ = state.vector("last");
    before_ = state.vector("before");
    steps_ = static_cast<Index>(state.number("steps"));
  }

 private:
  Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index) override {
    const Index m = losses.size();
    if (sum_.size() == 0) sum_ = Eigen::VectorXd::Zero(m);
    Eigen::VectorXd result = Eigen::VectorXd::Ones(m);
    if (before_.size() > 0) result = static_cast<double>(m) * softmax(last_.cwiseQuotient(before_) / temperature_);
    sum_ += positive(losses);
    if (++steps_ % epoch_ == 0) {
      before_ = last_;
      last_ = sum_ / static_cast<double>(epoch_);
      sum_.setZero();
    }
    return result;
  }

  double temperature_;
  Index epoch_, steps_ = 0;
  Eigen::VectorXd sum_, last_, before_;  // of losses: in this epoch; means of the last two
};

const RegisterCombiner registered({
    .name = "dwa",
    .title = "Dynamic weight average",
    .formula = "d = sum_i w_i g_i,  w = m softmax(r/T),  r_i = mean L_i in the last epoch / mean L_i in the one before",
    .source = "Liu, Johns, Davison: End-to-end multi-task learning with attention (CVPR 2019), eq. 7",
    .caveats = "An epoch is a number of steps here. The first two epochs have weights of one.",
    .options = {{"temperature", "real", "2", "T: large values make the weights equal", "> 0"},
                {"epoch", "integer", "100", "steps in an epoch", ">= 1"}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<DynamicWeightAverage>(values.real("temperature"), values.integer("epoch"));
        },
});

}  // namespace
}  // namespace torsor
