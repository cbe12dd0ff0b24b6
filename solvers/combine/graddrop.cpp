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
    result.direction = g.rowwise().sum();
    Eigen::VectorXd absolute = g.cwiseAbs().rowwise().sum();
    check_finite(tasks, result);
    // Sums p >= 0 >= n of both signs are half of sum and difference of the two; P = p / (p - n) without a quotient.
    double* d = result.direction.data();
    for (Index k = 0; k < g.rows(); ++k) {
      const double p = 0.5 * (absolute[k] + d[k]), n = 0.5 * (d[k] - absolute[k]);
      const double up = random_.uniform() * absolute[k] < p ? 1.0 : 0.0;
      d[k] = up * (p + leak_ * n) + (1 - up) * (n + leak_ * p);
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
    .make = [](const OptionValues& values,
               std::uint64_t seed) { return std::make_unique<SignDropout>(values.real("leak"), seed); },
});

}  // namespace
}  // namespace torsor
