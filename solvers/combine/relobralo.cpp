// Relative loss balancing with random look-back: losses that fall slowly, since the last step and since the first one,
// get more weight,
//
//   d = sum_i w_i g_i,
//   w(t) = beta (w(t-1), or by chance s(t, 0)) + (1 - beta) s(t, t-1),    s(t, u) = m softmax( L(t) / (tau L(u)) ).
#include "solvers/combine/random_stream.h"
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class RelativeLossBalance final : public Weighter {
 public:
  RelativeLossBalance(double beta, double tau, double rho, std::uint64_t seed)
      : beta_(beta), tau_(tau), rho_(rho), random_(seed) {}

  State state() const override {
    State state;
    state.set("weights", Eigen::MatrixXd(weights_));
    state.set("first", Eigen::MatrixXd(first_));
    state.set("last", Eigen::MatrixXd(last_));
    state.set_text("random", random_.text());
    return state;
  }
  void restore(const State& state) override {
    weights_ = state.vector("weights");
    first_ = state.vector("first");
    last_ = state.vector("last");
    random_.restore(state.text("random"));
  }

 private:
  Eigen::VectorXd balance(const Eigen::VectorXd& losses, const Eigen::VectorXd& before) const {
    return static_cast<double>(losses.size()) * softmax(losses.cwiseQuotient(before) / tau_);
  }

  Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index) override {
    positive(losses);
    if (weights_.size() == 0) {
      weights_ = Eigen::VectorXd::Ones(losses.size());
      first_ = losses;
    } else {
      const bool keep = random_.uniform() < rho_;
      weights_ = beta_ * (keep ? weights_ : balance(losses, first_)) + (1 - beta_) * balance(losses, last_);
    }
    last_ = losses;
    return weights_;
  }

  double beta_, tau_, rho_;
  RandomStream random_;
  Eigen::VectorXd weights_, first_, last_;  // w; losses of the first and the last step
};

const RegisterCombiner registered({
    .name = "relobralo",
    .title = "Relative loss balancing with random look-back",
    .formula = "d = sum_i w_i g_i,  w <- beta (w with probability rho, else s(first)) + (1 - beta) s(last)\n"
               "s(u) = m softmax(L_i / (tau L_i at u))",
    .source = "Bischof, Kraus: Multi-objective loss balancing for physics-informed deep learning (2021), eq. 11-13",
    .caveats = "",
    .options = {{"beta", "real", "0.999", "memory of the weights", "in [0, 1]"},
                {"tau", "real", "0.1", "temperature: large values make the weights equal", "> 0"},
                {"rho", "real", "0.999", "probability not to look back to the first step", "in [0, 1]"}},
    .make =
        [](const OptionValues& values, std::uint64_t seed) {
          return std::make_unique<RelativeLossBalance>(values.real("beta"), values.real("tau"), values.real("rho"),
                                                       seed);
        },
});

}  // namespace
}  // namespace torsor
