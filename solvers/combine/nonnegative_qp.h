// Small quadratic programs over non-negative weights, on Gram matrices.
//
//   non-negative least squares   min  s^T Q s / 2 - c^T s                 over s >= 0
//   point of least norm          min  |G a|^2                             over a >= 0, sum a = 1
//   projection on the dual cone  min  |y - G u|^2                         over y with G^T y >= 0
//
// The first is solved by the active-set method of Lawson and Hanson (Solving Least Squares Problems, chapter 23), which
// stops at the exact solution after finitely many steps; the others are cases of it (see the .cpp).
#pragma once

#include <Eigen/Core>

namespace torsor {

using Eigen::Index;

/// s of the first problem, for positive semidefinite Q with c in its range and diagonal entries of about one.
Eigen::VectorXd nonnegative_least_squares(const Eigen::MatrixXd& q, const Eigen::VectorXd& c);

/// a of the second problem. Zero gradients get no weight (though they would give the norm zero); a = 0 where all are.
Eigen::VectorXd least_norm_weights(const Eigen::MatrixXd& gram);

/// v >= u with G v = the projection of G u on {y: G^T y >= 0} (Moreau: the rest is a non-positive combination).
Eigen::VectorXd dual_cone_weights(const Eigen::MatrixXd& gram, const Eigen::VectorXd& u);

}  // namespace torsor
