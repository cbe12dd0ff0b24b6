// Chebyshev-Lobatto collocation on an interval [a, b].
//
//   nodes           x_j = (a + b)/2 - (b - a)/2 cos(j pi / n),  j = 0..n  (ascending)
//   differentiation D_ij = (c_i / c_j) (-1)^{i+j} / (x_i - x_j),  D_ii = -sum_{j != i} D_ij,
//                   c_0 = c_n = 2, c_j = 1 otherwise
//   interpolation   p(x) = sum_j w_j/(x - x_j) u_j / sum_j w_j/(x - x_j),  w_j = (-1)^j / c_j
//
// Sources: L. N. Trefethen, Spectral Methods in MATLAB, SIAM 2000 (differentiation, quadrature);
// J.-P. Berrut, L. N. Trefethen, Barycentric Lagrange interpolation, SIAM Review 46 (2004);
// R. Baltensperger, M. R. Trummer, Spectral differencing with a twist, SIAM J. Sci. Comput. 24 (2003), for
// the node differences by trigonometric identities and the diagonal by negative sums.
#pragma once

#include <Eigen/Core>

namespace torsor {

/// The degree + 1 Chebyshev-Lobatto nodes of [a, b], ascending, both ends included exactly.
/// InputError unless degree >= 1 and a < b.
Eigen::VectorXd chebyshev_nodes(int degree, double a, double b);

/// First-order differentiation matrix, (degree + 1) x (degree + 1), on chebyshev_nodes(degree, a, b).
/// InputError as for the nodes.
Eigen::MatrixXd chebyshev_differentiation(int degree, double a, double b);

/// Barycentric weights w_j of the Chebyshev-Lobatto nodes (scale-free), degree + 1 of them.
Eigen::VectorXd chebyshev_barycentric_weights(int degree);

/// Matrix P, points x nodes, with (P u)_i = the interpolant of the nodal values u at points(i); a point
/// that is a node takes the nodal value. InputError when the nodes and the weights differ in number.
Eigen::MatrixXd barycentric_interpolation(const Eigen::VectorXd& nodes, const Eigen::VectorXd& weights,
                                          const Eigen::VectorXd& points);

/// barycentric_interpolation from chebyshev_nodes(degree, a, b) to `points`.
Eigen::MatrixXd chebyshev_interpolation(int degree, double a, double b, const Eigen::VectorXd& points);

/// Clenshaw-Curtis weights: sum_j w_j u(x_j) = int_a^b u dx, exact for polynomials up to the degree.
/// InputError as for the nodes.
Eigen::VectorXd clenshaw_curtis_weights(int degree, double a, double b);

/// Coefficients c_k of p = sum_k c_k T_k from values at ascending Chebyshev-Lobatto nodes, column by column
/// (shape of `values`). InputError for fewer than two rows.
Eigen::MatrixXd chebyshev_coefficients(const Eigen::MatrixXd& values);

}  // namespace torsor
