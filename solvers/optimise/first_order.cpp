#include "solvers/optimise/first_order.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include "physics/error.h"

namespace torsor {

void check_direction(const Eigen::VectorXd& direction, const Eigen::VectorXd& x, const Eigen::VectorXd& memory) {
  if (direction.size() != x.size() || (memory.size() > 0 && memory.size() != x.size()))
    throw std::logic_error("a direction of " + std::to_string(direction.size()) + " entries for " +
                           std::to_string(x.size()) + " parameters and a memory of " +
                           std::to_string(memory.size()));
  for (Index i = 0; i < direction.size(); ++i)
    if (!std::isfinite(direction[i]))
      throw NumericalError("entry " + std::to_string(i) + " of the direction is " + std::to_string(direction[i]));
}

StepReport move_against(const Eigen::VectorXd& direction, const Eigen::VectorXd& move, Eigen::VectorXd& x) {
  x -= move;
  StepReport report;
  report.gradient_norm = direction.norm();
  report.step_norm = move.norm();
  return report;
}

}  // namespace torsor
