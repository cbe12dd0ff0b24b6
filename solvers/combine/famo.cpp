// Fast adaptive multi-task optimisation: all losses are to fall at the same relative rate, without any gradient but
// the combined one. With D_i = L_i - b_i (b_i a lower bound) and z = softmax(x),
//
//   d = sum_i z_i / (c D_i) g_i,    c = sum_j z_j / D_j,
//
// and after the step x descends along J^T delta, J the Jacobian of the softmax, delta_i = log D_i before - log D_i after.
#include <stdexcept>

#include "solvers/combine/task_adam.h"
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

constexpr double kTiny = 1e-8;  // added to D_i, as in the authors' code

class Famo final : public Weighter {
 public:
  Famo(double learning_rate, double decay, double lower_bound)
      : adam_(learning_rate, decay), lower_bound_(lower_bound) {}

  bool observes() const override { return true; }

  void observe(const Eigen::VectorXd& losses_after) override {
    if (gaps_.size() != losses_after.size()) throw std::logic_error("FAMO observes losses behind a step of its own");
    const Eigen::VectorXd delta = (gaps_.cwiseQuotient(gaps(losses_after))).array().log();
    const Eigen::VectorXd z = softmax(logits_);
    adam_.step(z.cwiseProduct((delta.array() - z.dot(delta)).matrix()), logits_);
  }

  State state() const override {
    State state;
    state.set("logits", Eigen::MatrixXd(logits_));
    state.set("gaps", Eigen::MatrixXd(gaps_));
    state.set("adam", adam_.state());
    return state;
  }
  void restore(const State& state) override {
    logits_ = state.vector("logits");
    gaps_ = state.vector("gaps");
    adam_.restore(state.part("adam"));
  }

 private:
  Eigen::VectorXd gaps(const Eigen::VectorXd& losses) const {
    return positive((losses.array() - lower_bound_ + kTiny).matrix());
  }

  Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index) override {
    if (logits_.size() == 0) logits_ = Eigen::VectorXd::Zero(losses.size());
    gaps_ = gaps(losses);
    const Eigen::VectorXd rates = softmax(logits_).cwiseQuotient(gaps_);
    return rates / rates.sum();
  }

  TaskAdam adam_;
  double lower_bound_;
  Eigen::VectorXd logits_, gaps_;  // x; D of the last step
};

const RegisterCombiner registered({
    .name = "famo",
    .title = "Fast adaptive multi-task optimisation",
    .formula = "d = sum_i z_i/(c D_i) g_i,  D_i = L_i - b + 1e-8,  z = softmax(x),  c = sum_j z_j/D_j\n"
               "after the step: Adam on x along J^T delta, J = diag(z) - z z^T,\n"
               "                delta_i = log D_i before - log D_i after",
    .source = "Liu, Feng, Stone, Liu: FAMO (NeurIPS 2023), algorithm 1, and the authors' code",
    .caveats = "Needs the losses behind the step on the same points: one more forward pass in every step.",
    .options = {{"learning_rate", "real", "0.025", "of x", "> 0"},
                {"decay", "real", "1e-3", "of x, added to its gradient", ">= 0"},
                {"lower_bound", "real", "0", "b, for all losses", ""}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<Famo>(values.real("learning_rate"), values.real("decay"), values.real("lower_bound"));
        },
});

}  // namespace
}  // namespace torsor
