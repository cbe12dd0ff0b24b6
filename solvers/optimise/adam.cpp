// Adam, and with a weight decay AdamW.
//
//     m <- b1 m + (1 - b1) g,      v <- b2 v + (1 - b2) g^2       (entry by entry)
//     x <- x - rate ( m / (1 - b1^k) / (sqrt(v / (1 - b2^k)) + epsilon) + decay x ),     k = 1, 2, ...
//
// Sources: Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1;
// Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
#include <cmath>

#include "solvers/optimise/first_order.h"

namespace torsor {
namespace {

struct AdamOptions {
  double b1, b2, epsilon, weight_decay;
};

class Adam final : public Optimiser {
 public:
  explicit Adam(const AdamOptions& options) : options_(options) {}

  bool first_order() const override { return true; }

  StepReport update(const Eigen::VectorXd& direction, double learning_rate, Eigen::VectorXd& x) override {
    check_direction(direction, x, mean_);
    if (mean_.size() == 0) {
      mean_.setZero(x.size());
      square_.setZero(x.size());
    }
    ++steps_;
    mean_ = options_.b1 * mean_ + (1 - options_.b1) * direction;
    square_ = options_.b2 * square_ + (1 - options_.b2) * direction.cwiseAbs2();
    // Both averages start at zero; dividing by the sum of their weights makes them averages of gradients alone.
    const double mean_weight = 1 - std::pow(options_.b1, steps_), square_weight = 1 - std::pow(options_.b2, steps_);
    const Eigen::ArrayXd scale = (square_.array() / square_weight).sqrt() + options_.epsilon;
    const Eigen::VectorXd move = learning_rate * (mean_.array() / mean_weight / scale).matrix();
    return move_against(direction, move + learning_rate * options_.weight_decay * x, x);
  }

  State state() const override {
    State state;
    state.set("steps", static_cast<double>(steps_));
    state.set("mean", mean_);
    state.set("square", square_);
    return state;
  }
  void restore(const State& state) override {
    steps_ = static_cast<long>(state.number("steps"));
    mean_ = state.vector("mean");
    square_ = state.vector("square");
  }

 private:
  AdamOptions options_;
  long steps_ = 0;
  Eigen::VectorXd mean_, square_;  // empty before the first step
};

const RegisterOptimiser registration({
    .name = "adam",
    .title = "Adam, with decoupled weight decay (AdamW)",
    .formula = "m <- b1 m + (1 - b1) g,   v <- b2 v + (1 - b2) g^2   (entry by entry)\n"
               "x <- x - rate (m / (1 - b1^k) / (sqrt(v / (1 - b2^k)) + epsilon) + weight_decay x)",
    .source = "Kingma, Ba, ICLR 2015, algorithm 1; Loshchilov, Hutter, ICLR 2019, algorithm 2",
    .caveats = "The length of a step is about rate sqrt(parameters) whatever the gradient, so the loss ends as a noise "
               "whose level is set by the rate: use a schedule that decreases.",
    .first_order = true,
    .options = {{"b1", "real", "0.9", "decay of the mean of gradients", "in [0, 1)"},
                {"b2", "real", "0.999", "decay of the mean of squared gradients", "in [0, 1)"},
                {"epsilon", "real", "1e-8", "added to the root of the mean square", "> 0"},
                {"weight_decay", "real", "0", "share of x, times the rate, taken off in each step", ">= 0"}},
    .average = "b1",
    .make = [](const OptionValues& values, const std::vector<std::pair<Index, Index>>&) -> std::unique_ptr<Optimiser> {
      return std::make_unique<Adam>(AdamOptions{values.real("b1"), values.real("b2"), values.real("epsilon"),
                                                values.real("weight_decay")});
    },
});

}  // namespace
}  // namespace torsor
