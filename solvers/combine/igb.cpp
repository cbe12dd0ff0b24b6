// Improvable gap balancing, version 1: tasks that have improved least since an early time get more weight, on losses
// of any scale,
//
//   d = sum_i w_i grad log L_i = sum_i w_i / L_i g_i,    w = m softmax(L_i / base_i),
//
// base the mean losses of the first steps; until it is known w = 1.
#include "solvers/combine/warm_up.h"

namespace torsor {
namespace {

class ImprovableGaps final : public WarmUpWeighter {
 public:
  explicit ImprovableGaps(Index base_steps) : WarmUpWeighter(base_steps) {}

 private:
  Eigen::VectorXd weights_by(const Eigen::VectorXd& losses, const Eigen::VectorXd& means) const override {
    return static_cast<double>(losses.size()) * softmax(losses.cwiseQuotient(means)).cwiseQuotient(losses);
  }
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
