// GradNorm: weights are learned so that weighted gradients get equal norms, larger ones for tasks that lag behind,
//
//   d = sum_i w_i g_i,    minimise over w  sum_i | w_i |g_i| - target_i |,    target_i = mean_j(w_j |g_j|) r_i^alpha,
//
// r_i = (L_i / L_i at the start) / their mean over the tasks; target is held fixed in the derivative. Adam on w, then
// sum w = m again.
#include <cmath>

#include "solvers/combine/gram.h"
#include "solvers/combine/task_adam.h"
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

constexpr double kSmallestWeight = 1e-3;  // weights stay positive

class GradNorm final : public GramCombiner {
 public:
  GradNorm(double alpha, double learning_rate) : alpha_(alpha), adam_(learning_rate) {}

  State state() const override {
    State state;
    state.set("weights", Eigen::MatrixXd(weights_));
    state.set("first", Eigen::MatrixXd(first_));
    state.set("adam", adam_.state());
    return state;
  }
  void restore(const State& state) override {
    weights_ = state.vector("weights");
    first_ = state.vector("first");
    adam_.restore(state.part("adam"));
  }

 private:
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd& losses, Index, Combination& result) override {
    if (weights_.size() == 0) {
      weights_ = Eigen::VectorXd::Ones(losses.size());
      first_ = positive(losses);
    }
    result.weights = weights_;
    learn(gram.diagonal().cwiseSqrt(), losses);
  }

  void learn(const Eigen::VectorXd& norms, const Eigen::VectorXd& losses) {
    const Eigen::VectorXd progress = positive(losses).cwiseQuotient(first_);
    const Eigen::VectorXd lag = progress / progress.mean();
    const Eigen::VectorXd weighted = weights_.cwiseProduct(norms);
    const Eigen::VectorXd target = weighted.mean() * lag.array().pow(alpha_);
    adam_.step(((weighted - target).array().sign() * norms.array()).matrix(), weights_);
    weights_ = weights_.cwiseMax(kSmallestWeight);
    weights_ *= static_cast<double>(weights_.size()) / weights_.sum();
  }

  double alpha_;
  TaskAdam adam_;
  Eigen::VectorXd weights_, first_;  // w; losses of the first step
};

const RegisterCombiner registered({
    .name = "gradnorm",
    .title = "GradNorm",
    .formula = "d = sum_i w_i g_i,  Adam on sum_i | w_i |g_i| - mean_j(w_j |g_j|) r_i^alpha | over w, then sum w = m\n"
               "r_i = (L_i/L_i at the start) / mean over the tasks; the second term held fixed",
    .source = "Chen, Badrinarayanan, Lee, Rabinovich: GradNorm (ICML 2018), eq. 2 and algorithm 1",
    .caveats =
        "Norms are those of the gradients by all shared parameters (the paper: by the last shared layer). Weights "
        "are kept above 1e-3.",
    .options = {{"alpha", "real", "1.5", "how strongly tasks that lag behind are pulled", ">= 0"},
                {"learning_rate", "real", "0.025", "of w", "> 0"}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<GradNorm>(values.real("alpha"), values.real("learning_rate"));
        },
});

}  // namespace
}  // namespace torsor
