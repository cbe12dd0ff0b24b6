// Methods that only weigh the losses: direction = sum_i w_i g_i with w from the losses and what is remembered of them.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <string>

#include "physics/error.h"
#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"

namespace torsor {

class Weighter : public Combiner {
 public:
  Combination combine(const TaskGradients& tasks) final {
    check_tasks(tasks);
    Combination result;
    result.weights = weights(tasks.losses, tasks.step);
    result.direction = weighted_sum(tasks.gradients, result.weights);
    check_finite(tasks, result);
    return result;
  }

 protected:
  virtual Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index step) = 0;
};

/// exp(x_i) / sum_j exp(x_j).
inline Eigen::VectorXd softmax(const Eigen::VectorXd& x) {
  const Eigen::VectorXd powers = (x.array() - x.maxCoeff()).exp();
  return powers / powers.sum();
}

/// The losses; throws NumericalError where one is not positive, for methods that take logarithms or ratios.
inline const Eigen::VectorXd& positive(const Eigen::VectorXd& losses) {
  for (Index i = 0; i < losses.size(); ++i)
    if (!(losses[i] > 0))
      throw NumericalError("the loss of task " + std::to_string(i) + " is " + scientific(losses[i]) +
                           ", but this combiner needs positive losses");
  return losses;
}

}  // namespace torsor
