// Smooth Tchebycheff scalarisation: descends along the (smoothed) worst of the losses relative to a nadir,
//
//   minimise m mu log sum_i exp(l_i / mu),    l_i = log(L_i / nadir_i):
//   d = sum_i m p_i / L_i g_i,    p = softmax(l / mu).
//
// The nadir is the mean of the losses in the first steps, in which sum_i log L_i is minimised.
#include "solvers/combine/warm_up.h"

namespace torsor {
namespace {

class SmoothTchebycheff final : public WarmUpWeighter {
 public:
  SmoothTchebycheff(double mu, Index warm_up) : WarmUpWeighter(warm_up), mu_(mu) {}

 private:
  Eigen::VectorXd weights_by(const Eigen::VectorXd& losses, const Eigen::VectorXd& means) const override {
    const Eigen::VectorXd logs = losses.cwiseQuotient(means).array().log();
    return static_cast<double>(losses.size()) * softmax(logs / mu_).cwiseQuotient(losses);
  }

  double mu_;
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
