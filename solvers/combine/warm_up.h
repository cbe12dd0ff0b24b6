// Weighters that need a size for each loss: its mean over the first steps, during which the weights are 1/L_i.
#pragma once

#include "solvers/combine/weighter.h"

namespace torsor {

class WarmUpWeighter : public Weighter {
 public:
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

 protected:
  explicit WarmUpWeighter(Index warm_up) : warm_up_(warm_up) {}

  /// The weights from the losses and their means over the first steps.
  virtual Eigen::VectorXd weights_by(const Eigen::VectorXd& losses, const Eigen::VectorXd& means) const = 0;

 private:
  Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index) override {
    positive(losses);
    if (steps_ == 0) sum_ = Eigen::VectorXd::Zero(losses.size());
    if (steps_ < warm_up_) {
      sum_ += losses;
      ++steps_;
      return losses.cwiseInverse();
    }
    return weights_by(losses, sum_ / static_cast<double>(warm_up_));
  }

  Index warm_up_, steps_ = 0;
  Eigen::VectorXd sum_;
};

}  // namespace torsor
