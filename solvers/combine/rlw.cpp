// Random loss weights: new in every step,
//
//   d = sum_i w_i g_i,    w = softmax(z),    z_i normal and independent.
#include "solvers/combine/random_stream.h"
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class RandomWeights final : public Weighter {
 public:
  explicit RandomWeights(std::uint64_t seed) : random_(seed) {}

  State state() const override {
    State state;
    state.set_text("random", random_.text());
    return state;
  }
  void restore(const State& state) override { random_.restore(state.text("random")); }

 private:
  Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index) override {
    Eigen::VectorXd z(losses.size());
    for (Index i = 0; i < z.size(); ++i) z[i] = random_.normal();
    return softmax(z);
  }

  RandomStream random_;
};

const RegisterCombiner registered({
    .name = "rlw",
    .title = "Random loss weights",
    .formula = "d = sum_i w_i g_i,  w = softmax(z),  z_i normal, drawn in every step",
    .source = "Lin, Ye, Zhang, Tsang: Reasonable effectiveness of random weighting (TMLR 2022)",
    .caveats = "The weights add up to one, so that steps are m times shorter than those of ls on average.",
    .options = {},
    .make = [](const OptionValues&, std::uint64_t seed) { return std::make_unique<RandomWeights>(seed); },
});

}  // namespace
}  // namespace torsor
