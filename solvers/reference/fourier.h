// Fourier collocation for functions of period b - a.
//
//   nodes           x_j = a + j (b - a)/n,  j = 0..n-1
//   interpolant     p(x) = sum_k u^_k exp(i w_k (x - a)),  w_k = 2 pi k/(b - a),  |k| <= n/2, the two modes
//                   k = +-n/2 of an even n taken with half weight each (their sum is a cosine)
//   differentiation D^(m)_ij = d^m/dx^m of the cardinal function of node j, at node i
//
// Source: L. N. Trefethen, Spectral Methods in MATLAB, SIAM 2000, chapters 1-3.
#pragma once

#include <Eigen/Core>

namespace torsor {

/// The n equispaced nodes of [a, b), a included. InputError unless n >= 2 and a < b.
Eigen::VectorXd fourier_nodes(int n, double a, double b);

/// Differentiation matrix of any order >= 0, n x n; exact for the trigonometric interpolant.
/// The mode n/2 of an even n has the derivative 0 for odd orders. InputError for a negative order.
Eigen::MatrixXd fourier_differentiation(int n, double a, double b, int order);

/// Matrix P, points x n, of trigonometric interpolation; points may lie outside [a, b) (periodicity).
Eigen::MatrixXd fourier_interpolation(int n, double a, double b, const Eigen::VectorXd& points);

}  // namespace torsor
