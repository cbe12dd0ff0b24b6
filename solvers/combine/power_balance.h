// The system C x = k / x^p (entry by entry) for x > 0, with C positive semidefinite, k > 0 and p > 0: the conditions of
//
//   min  x^T C x / 2 + sum_i k_i phi(x_i),    phi(x) = -log x (p = 1) or x^(1-p) / (p-1),
//
// which is strictly convex. Nash-MTL is p = 1, FairGrad p = 1/alpha. There is a solution unless C l = 0 for some
// l >= 0, l not 0 (Pareto stationary gradients); then the minimum runs away.
#pragma once

#include <Eigen/Core>
#include <optional>

namespace torsor {

/// x, by Newton steps with a line search; nothing where there is no solution.
std::optional<Eigen::VectorXd> solve_power_balance(const Eigen::MatrixXd& c, const Eigen::VectorXd& k, double p);

}  // namespace torsor
