// Gradient sign dropout: every coordinate takes one sign, drawn with the probability of its share,
//
//   P = (1 + sum_i g_i / sum_i |g_i|) / 2  (coordinate by coordinate),    u uniform in [0, 1),
//   d = sum_i (leak + (1 - leak) k_i) g_i,    k_i = 1 where g_i > 0 and P > u, or g_i < 0 and P < u, else 0.
#include <cmath>

#include "solvers/combine/combiner.h"
#include "solvers/combine/random_stream.h"

namespace torsor {
namespace {

class SignDropout final : public Combiner {
 public:
  SignDropout(double leak, std::uint64_t seed) : leak_(leak), random_(seed) {}

  Combination combine(const TaskGradients& tasks) override {
    check_tasks(tasks);
    const auto& g = tasks.gradients;
    Combination result;
    Eigen::VectorXd positive = Eigen::VectorXd::Zero(g.rows()), negative = Eigen::VectorXd::Zero(g.rows());
    for (Index i = 0; i < g.cols(); ++i) {
      positive += g.col(i).cwiseMax(0.0);
      negative += g.col(i).cwiseMin(0.0);
    }
    result.direction = positive + negative;
    check_finite(tasks, result);
    for (Index k = 0; k < g.rows(); ++k) {
      // With the sums p >= 0 >= n of both signs, P = p / (p - n).
      const bool keep_positive = random_.uniform() * (positive[k] - negative[k]) < positive[k];
      result.direction[k] = (keep_positive ? positive[k] : negative[k]) + leak_ * (keep_positive ? negative[k] : positive[k]);
    }
    return result;
  }

  State state() const override {
    State state;
    state.set_text("random", random_.text());
    return state;
  }
  void restore(const State& state) override { random_.restore(state.text("random")); }

 private:
  double leak_;
  RandomStream random_;
};

const RegisterCombiner registered({
    .name = "graddrop",
    .title = "Gradient sign dropout (GradDrop)",
    .formula = "for every coordinate: P = (1 + sum g_i/sum |g_i|)/2, u uniform;\n"
               "d = sum of the positive g_i if P > u, else of the negative ones (the others times leak)",
    .source = "Chen, Ngiam, Huang, Luong, Kretzschmar, Chai, Anguelov: Just pick a sign (NeurIPS 2020), eq. 1-2",
    .caveats = "On the gradients by the shared parameters (the paper: by the shared activations).",
    .options = {{"leak", "real", "0", "share of the dropped sign that stays", "in [0, 1]"}},
    .make =
        [](const OptionValues& values, std::uint64_t seed) {
          return std::make_unique<SignDropout>(values.real("leak"), seed);
        },
});

}  // namespace
}  // namespace torsor
