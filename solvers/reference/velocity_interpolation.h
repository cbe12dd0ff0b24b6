// Functions of the velocity between two sets of nodes on the line, by polynomials.
//
// The interpolant of n Gauss nodes is as good as the function is smooth on [-1, 1]. Where a function may jump at v = 0,
// as behind a boundary with inflow, each half range has its own polynomial.
#pragma once

#include <Eigen/Core>

namespace torsor {

/// Matrix P, points x nodes: (P f)_i is the polynomial through all f_j at v = points(i). InputError for no nodes.
Eigen::MatrixXd velocity_interpolation(const Eigen::VectorXd& nodes, const Eigen::VectorXd& points);

/// The same with one polynomial for the nodes v > 0 and one for v < 0; at v = 0 the mean of both. `nodes` ascend and do
/// not hold 0. InputError when a half range that a point needs has no nodes.
Eigen::MatrixXd half_range_interpolation(const Eigen::VectorXd& nodes, const Eigen::VectorXd& points);

}  // namespace torsor
