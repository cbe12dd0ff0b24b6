// Improvable gap balancing, version 1: tasks that have improved least since an early time get more weight, on losses
// of any scale,
//
//   d = sum_i w_i grad log L_i = sum_i w_i / L_i g_i,    w = m softmax(L_i / base_i),
//
// base the mean losses of the first steps; until it is known w = 1.
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class ImprovableGaps final : public Weighter {
 public:
  explicit ImprovableGaps(Index base_steps) : base_steps_(base_steps) {}

  State state() const override {
    State state;
    state.set("sum", Eigen::MatrixXd(sum_));
    state.set("steps", static_cast<double>(steps_));
    return state;
  }
  void restore(const State& state) override {
    sum_ = state.vector("sum");
    steps_ = static_cast<Index>(state.number("steps"));
  }

 private:
  Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index) override {
    positive(losses);
    if (steps_ == 0) sum_ = Eigen::VectorXd::Zero(losses.size());
    if (steps_ < base_steps_) {
      sum_ += losses;
      ++steps_;
      return losses.cwiseInverse();
    }
    const Eigen::VectorXd base = sum_ / static_cast<double>(base_steps_);
    return static_cast<double>(losses.size()) * softmax(losses.cwiseQuotient(base)).cwiseQuotient(losses);
  }

  Index base_steps_, steps_ = 0;
  Eigen::VectorXd sum_;  // of the first losses
};

const RegisterCombiner registered({
    .name = "igb",
    .title = "Improvable gap balancing (version 1)",
    .formula =
        "d = sum_i w_i/L_i g_i,  w = m softmax(L_i/base_i),  base = mean losses of the first steps (w = 1 there)",
    .source = "Dai, Fei, Lu: Improvable gap balancing for multi-task learning (UAI 2023), section 3.2",
    .caveats = "The paper takes the second epoch as base; here the first base_steps steps. Its version 2, which learns "
               "the weights by reinforcement, is not offered.",
    .options = {{"base_steps", "integer", "100", "first steps whose mean losses are the base", ">= 1"}},
    .make = [](const OptionValues& values,
               std::uint64_t) { return std::make_unique<ImprovableGaps>(values.integer("base_steps")); },
});

}  // namespace
}  // namespace torsor
