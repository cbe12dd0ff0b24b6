// The leading singularity at the corners of a rectangle of a second-order equation with smooth data.
//
// Let a u_xx + b u_yy + (lower order) = f, a b > 0, at a corner between two sides with Dirichlet data. Smooth
// u would need a g''(x) + b g''(y) + ... = f there, with the data g along both sides; when they disagree,
//
//   u = c S + (smoother),  S = Im(zeta^2 log zeta),  zeta = X + i Y,
//
// where X, Y >= 0 are the distances from the sides in units that make the principal part +-Lap. S is
// harmonic, zero on Y = 0 and -pi/2 Y^2 on X = 0, so that u - c S has g'' changed by c pi there:
// the residual r0 of the equation at the corner, formed with g'' for both derivatives, gives c = -+r0/pi.
// What remains is of the order |zeta|^4 log |zeta|; a Chebyshev method of degree n resolves it like n^-8
// instead of n^-4.
//
// Source: R. S. Lehman, Developments at an analytic corner of solutions of elliptic PDE, J. Math. Mech. 8
// (1959).
#pragma once

#include <Eigen/Core>
#include <array>
#include <vector>

namespace torsor {

/// One corner with its c. `direction` is +1 where the rectangle lies on the side of larger coordinates.
struct CornerSingularity {
  std::array<double, 2> corner{0.0, 0.0};
  std::array<double, 2> direction{1.0, 1.0};
  std::array<double, 2> scale{1.0, 1.0};  ///< X = direction (x - corner) scale
  double coefficient = 0.0;
};

/// u, u_x, u_y, u_xx, u_xy, u_yy of sum_j c_j S_j at N x 2 points, N x 6. At a corner itself, where the
/// second derivatives are infinite, they are taken as if log zeta were 0.
Eigen::MatrixXd singular_jets(const std::vector<CornerSingularity>& corners, const Eigen::MatrixXd& points);

}  // namespace torsor
