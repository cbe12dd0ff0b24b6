// Gradient descent with momentum.
//
//     v <- momentum v + g,      x <- x - rate v               (heavy ball)
//                               x <- x - rate (g + momentum v)   (Nesterov)
//
// Sources: Polyak, USSR Comput. Math. Math. Phys. 4 (1964) 1-17; Nesterov, Soviet Math. Dokl. 27 (1983) 372-376;
// the form with a constant rate: Sutskever, Martens, Dahl, Hinton, ICML 2013.
#include "solvers/optimise/first_order.h"

namespace torsor {
namespace {

class Sgd final : public Optimiser {
 public:
  Sgd(double momentum, bool nesterov) : momentum_(momentum), nesterov_(nesterov) {}

  bool first_order() const override { return true; }

  StepReport update(const Eigen::VectorXd& direction, double learning_rate, Eigen::VectorXd& x) override {
    check_direction(direction, x, velocity_);
    if (velocity_.size() == 0) velocity_.setZero(x.size());
    velocity_ = momentum_ * velocity_ + direction;
    if (!nesterov_) return move_against(direction, learning_rate * velocity_, x);
    return move_against(direction, learning_rate * (direction + momentum_ * velocity_), x);
  }

  State state() const override {
    State state;
    state.set("velocity", velocity_);
    return state;
  }
  void restore(const State& state) override { velocity_ = state.vector("velocity"); }

 private:
  double momentum_;
  bool nesterov_;
  Eigen::VectorXd velocity_;  // empty before the first step
};

const RegisterOptimiser registration({
    .name = "sgd",
    .title = "Gradient descent with momentum",
    .formula = "v <- momentum v + g\n"
               "x <- x - rate v                  (nesterov = no)\n"
               "x <- x - rate (g + momentum v)   (nesterov = yes)",
    .source = "Polyak, USSR Comput. Math. Math. Phys. 4 (1964) 1-17; Nesterov, Soviet Math. Dokl. 27 (1983) 372-376",
    .caveats = "A momentum of 0.9 makes steps ten times longer in the long run: use a smaller rate than without. Slow on "
               "losses with derivatives, whose Hessians are badly conditioned.",
    .first_order = true,
    .options = {{"momentum", "real", "0.9", "share of the last velocity that is kept", "in [0, 1)"},
                {"nesterov", "boolean", "no", "look ahead along the velocity", ""}},
    .average = "momentum",
    .make = [](const OptionValues& values, const std::vector<std::pair<Index, Index>>&) -> std::unique_ptr<Optimiser> {
      return std::make_unique<Sgd>(values.real("momentum"), values.boolean("nesterov"));
    },
});

}  // namespace
}  // namespace torsor
