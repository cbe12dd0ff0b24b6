// Adam (Kingma and Ba 2015) for the few numbers that a weighting method learns, one for each task.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include "solvers/state.h"

namespace torsor {

class TaskAdam {
 public:
  /// L2 decay is added to the gradient, as in torch.optim.Adam.
  TaskAdam(double learning_rate, double decay = 0) : learning_rate_(learning_rate), decay_(decay) {}

  void step(const Eigen::VectorXd& gradient, Eigen::VectorXd& x) {
    if (steps_ == 0) first_ = second_ = Eigen::VectorXd::Zero(x.size());
    steps_ += 1;
    const Eigen::VectorXd g = gradient + decay_ * x;
    first_ = kBeta1 * first_ + (1 - kBeta1) * g;
    second_ = kBeta2 * second_ + (1 - kBeta2) * g.cwiseAbs2();
    const double correction1 = 1 - std::pow(kBeta1, steps_), correction2 = 1 - std::pow(kBeta2, steps_);
    x.array() -= learning_rate_ / correction1 * first_.array() / ((second_ / correction2).array().sqrt() + kTiny);
  }

  State state() const {
    State state;
    state.set("steps", steps_);
    state.set("first", Eigen::MatrixXd(first_));
    state.set("second", Eigen::MatrixXd(second_));
    return state;
  }

  void restore(const State& state) {
    steps_ = state.number("steps");
    first_ = state.vector("first");
    second_ = state.vector("second");
  }

 private:
  static constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kTiny = 1e-8;

  double learning_rate_, decay_;
  double steps_ = 0;
  Eigen::VectorXd first_, second_;
};

}  // namespace torsor
