// What the first-order methods share.
#pragma once

#include <Eigen/Core>

#include "solvers/optimise/optimiser.h"

namespace torsor {

/// Throws NumericalError naming the first entry of the direction that is not finite: one of them would stay in the
/// moments for ever. Throws std::logic_error for a direction of another length than x, or than `memory` where that
/// is not empty.
void check_direction(const Eigen::VectorXd& direction, const Eigen::VectorXd& x, const Eigen::VectorXd& memory);

/// x <- x - move, with norms for the report.
StepReport move_against(const Eigen::VectorXd& direction, const Eigen::VectorXd& move, Eigen::VectorXd& x);

}  // namespace torsor
