// Similarity-aware momentum gradient surgery. With s the mean over pairs of 2 |g_i| |g_j| / (|g_i|^2 + |g_j|^2):
//
//   s < gamma (norms differ)    d = mean_j |g_j| sum_i U(g_i)
//   otherwise                   d = sum_i g_i * |M_i| / sqrt(v)      (coordinate by coordinate),
//   M_i = first moment of g_i, bias-corrected (beta1);    v = moment of (1 - s)^2 + 1e-8/(1 - beta2), likewise (beta2).
#include <cmath>

#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"

namespace torsor {
namespace {

constexpr double kTiny = 1e-8;  // added to the moment of (1 - s)^2 in every step, as in the authors' code

class SimilarityMomentum final : public Combiner {
 public:
  SimilarityMomentum(double gamma, double beta1, double beta2) : gamma_(gamma), beta1_(beta1), beta2_(beta2) {}

  Combination combine(const TaskGradients& tasks) override {
    check_tasks(tasks);
    const Eigen::VectorXd norms = tasks.gradients.colwise().norm();
    const double similarity = mean_similarity(norms);
    update_moments(tasks, similarity);
    Combination result;
    if (similarity < gamma_) {
      result.weights = (norms.array() == 0).select(0.0, norms.mean() / norms.array());
      result.direction = weighted_sum(tasks.gradients, result.weights);
    } else {
      result.direction = modulated(tasks);
    }
    check_finite(tasks, result);
    return result;
  }

  State state() const override {
    State state;
    state.set("moments", moments_);
    state.set("dissimilarity", dissimilarity_);
    state.set("steps", steps_);
    return state;
  }
  void restore(const State& state) override {
    moments_ = state.matrix("moments");
    dissimilarity_ = state.number("dissimilarity");
    steps_ = state.number("steps");
  }

 private:
  // s; 1 where there is no pair of gradients.
  static double mean_similarity(const Eigen::VectorXd& norms) {
    double sum = 0, pairs = 0;
    for (Index j = 0; j < norms.size(); ++j)
      for (Index i = 0; i < j; ++i)
        if (norms[i] > 0 && norms[j] > 0) {
          const double ratio = norms[i] / norms[j];
          sum += 2 / (ratio + 1 / ratio);
          pairs += 1;
        }
    return pairs > 0 ? sum / pairs : 1;
  }

  void update_moments(const TaskGradients& tasks, double similarity) {
    if (steps_ == 0) moments_ = Eigen::MatrixXd::Zero(tasks.gradients.rows(), tasks.gradients.cols());
    steps_ += 1;
    moments_ = beta1_ * moments_ + (1 - beta1_) * tasks.gradients;
    dissimilarity_ = beta2_ * dissimilarity_ + (1 - beta2_) * (1 - similarity) * (1 - similarity) + kTiny;
  }

  Eigen::VectorXd modulated(const TaskGradients& tasks) const {
    const double v = dissimilarity_ / (1 - std::pow(beta2_, steps_));
    const double factor = 1 / ((1 - std::pow(beta1_, steps_)) * std::sqrt(v));
    return factor * tasks.gradients.cwiseProduct(moments_.cwiseAbs()).rowwise().sum();
  }

  double gamma_, beta1_, beta2_;
  Eigen::MatrixXd moments_;
  double dissimilarity_ = 0, steps_ = 0;
};

const RegisterCombiner registered({
    .name = "sam-gs",
    .title = "Similarity-aware momentum gradient surgery (SAM-GS)",
    .formula =
        "s = mean over pairs of 2|g_i||g_j|/(|g_i|^2 + |g_j|^2)\n"
        "s < gamma: d = mean_j |g_j| sum_i U(g_i);  else d = sum_i g_i * |M_i|/sqrt(v), coordinate by coordinate,\n"
        "M_i, v bias-corrected moments of g_i and (1-s)^2",
    .source =
        "Borsani, Rosani, Nicosia, Di Fatta: Gradient similarity surgery in multi-task deep learning (2025), algorithm "
        "1, and the authors' code",
    .caveats =
        "The authors multiply the result by m; we do not. In the second case the length is quadratic in the gradients "
        "and grows without bound as norms become equal (v -> 0): use it with Adam.",
    .options = {{"gamma", "real", "0.1", "similarity below which norms are equalised", "in [0, 1]"},
                {"beta1", "real", "0.9", "memory of the gradients' moments", "in [0, 1)"},
                {"beta2", "real", "0.99", "memory of the dissimilarity", "in [0, 1)"}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<SimilarityMomentum>(values.real("gamma"), values.real("beta1"), values.real("beta2"));
        },
});

}  // namespace
}  // namespace torsor
