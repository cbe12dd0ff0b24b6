// Smooth Tchebycheff scalarisation: descends along the (smoothed) worst of the losses relative to a nadir,
//
//   minimise m mu log sum_i exp(l_i / mu),    l_i = log(L_i / nadir_i):
//   d = sum_i m p_i / L_i g_i,    p = softmax(l / mu).
//
// The nadir is the mean of the losses in the first steps, in which sum_i log L_i is minimised.
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class SmoothTchebycheff final : public Weighter {
 public:
  SmoothTchebycheff(double mu, Index warm_up) : mu_(mu), warm_up_(warm_up) {}

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
    if (steps_ < warm_up_) {
      sum_ += losses;
      ++steps_;
      return losses.cwiseInverse();
    }
    const Eigen::VectorXd nadir = sum_ / static_cast<double>(warm_up_);
    const Eigen::VectorXd logs = losses.cwiseQuotient(nadir).array().log();
    return static_cast<double>(losses.size()) * softmax(logs / mu_).cwiseQuotient(losses);
  }

  double mu_;
  Index warm_up_, steps_ = 0;
  Eigen::VectorXd sum_;  // of the first losses
};

const RegisterCombiner registered({
    .name = "stch",
    .title = "Smooth Tchebycheff scalarisation",
    .formula = "d = sum_i m p_i/L_i g_i,  p = softmax(log(L_i/nadir_i)/mu): the gradient of\n"
               "m mu log sum_i exp(log(L_i/nadir_i)/mu);  nadir = mean losses of the first steps (p = 1/m there)",
    .source = "Lin, Zhang, Yang, Liu, Wang, Zhang: Smooth Tchebycheff scalarization (ICML 2024), eq. 13; logarithms, "
              "warm-up and factor m as in the authors' multi-task code",
    .caveats = "",
    .options = {{"mu", "real", "0.5", "smoothing: small values take the worst loss alone", "> 0"},
                {"warm_up", "integer", "100", "first steps, whose mean losses are the nadir", ">= 1"}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<SmoothTchebycheff>(values.real("mu"), values.integer("warm_up"));
        },
});

}  // namespace
}  // namespace torsor
