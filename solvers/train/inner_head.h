// Variable projection: the heads that minimise the training loss while the hidden layers stay, solved by least squares in
// every step. The loss is then a function of the hidden layers alone,
//
//   L(theta) = min_w L(theta, w),    dL/dtheta = (partial L / partial theta)(theta, w*),
//
// for the derivative through w* has the factor partial L / partial w = 0: the gradient at the solved heads is the exact
// derivative through the solve. Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
// problems whose variables separate", SIAM J. Numer. Anal. 10 (1973).
#pragma once

#include "solvers/train/task_losses.h"

namespace torsor {

/// Replaces the last layer in `parameters` by the minimiser of sum_s factor_s L_s (Gauss-Newton for nonlinear terms,
/// from the layer that is there). Throws NumericalError where a residual is not finite.
void solve_inner_heads(const std::vector<Problem>& tasks, const TaskNetwork& network, const std::vector<PointSet>& sets,
                       const Eigen::VectorXd& factors, Eigen::VectorXd& parameters);

}  // namespace torsor
