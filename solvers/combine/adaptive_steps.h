// How many inner steps to take: more where the losses move at different rates (RGB, eq. 2),
//
//   n = floor( n_min + (n_max - n_min) s / (s + k) ),    s = standard deviation over the tasks of (L_i - L_i') / L_i',
//
// L' the losses one step earlier; n_min in the first step. The deviation divides by m - 1 (our choice).
#pragma once

#include <Eigen/Core>
#include <cmath>

namespace torsor {

class AdaptiveSteps {
 public:
  AdaptiveSteps(Eigen::Index least, Eigen::Index most, double k)
      : least_(static_cast<double>(least)), most_(static_cast<double>(most)), k_(k) {}

  Eigen::Index next(const Eigen::VectorXd& losses) {
    const double s = spread(losses);
    before_ = losses;
    return static_cast<Eigen::Index>(std::floor(least_ + (most_ - least_) * s / (s + k_)));
  }

  const Eigen::VectorXd& before() const { return before_; }
  void restore(Eigen::VectorXd before) { before_ = std::move(before); }

 private:
  double spread(const Eigen::VectorXd& losses) const {
    if (before_.size() != losses.size() || losses.size() < 2) return 0;
    const Eigen::VectorXd change = (losses - before_).cwiseQuotient(before_);
    const double variance = (change.array() - change.mean()).square().sum() / static_cast<double>(losses.size() - 1);
    return std::isfinite(variance) ? std::sqrt(variance) : 0;  // a loss of exactly zero has no rate
  }

  double least_, most_, k_;
  Eigen::VectorXd before_;  // L'
};

}  // namespace torsor
