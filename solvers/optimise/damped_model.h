// The model of Gauss-Newton's and Levenberg-Marquardt's step d from a point with residuals r (m) and Jacobian J (m x n):
//
//     min_d |J d + r|^2 + mu |D d|^2,      D = I or diag(max(|J_j|, tiny)).
//
// J is factored once, [J D^-1, -r] = Q [T, c]; every mu then costs O(n^3) without the rows,
//
//     min_z |T z - c|^2 + mu |z|^2  by QR of [T; sqrt(mu) I],      d = D^-1 z.
//
// With fewer residuals than parameters the same is done in the space of the residuals: J D^-1 = L P^T with P (n x m)
// of orthonormal columns, z = P w, and L takes the place of J D^-1. No normal equations: they would lose half the digits.
//
// Sources: More, "The Levenberg-Marquardt algorithm: implementation and theory", LNM 630 (1978) 105-116;
// Bjorck, Numerical Methods for Least Squares Problems, SIAM 1996, sections 2.6 and 9.2.
#pragma once

#include <Eigen/Core>

#include "solvers/dense/streamed_qr.h"
#include "solvers/optimise/optimiser.h"

namespace torsor {

enum class DampingScale { identity, columns };

struct DampedStep {
  Eigen::VectorXd d;
  double predicted = 0;  ///< |r|^2 - |J d + r|^2 of the linear model
  double length = 0;     ///< |D d|
  Index rank = 0;        ///< directions kept of those of [T; sqrt(mu) I]
};

class DampedModel {
 public:
  /// Reads the objective's residuals and Jacobian at x. Throws InputError for an objective without residuals,
  /// NumericalError where one of them is not finite.
  DampedModel(Objective& objective, const Eigen::VectorXd& x, DampingScale scale);

  /// mu >= 0. Directions that T does not determine (below rcond of the largest) are left out where mu is too small
  /// to make up for them: the d of least |D d|.
  DampedStep solve(double mu, double rcond) const;

  double gradient_norm() const { return gradient_norm_; }  ///< |2 J^T r|
  double squared_residual() const { return squared_residual_; }
  /// Largest |T_j|^2: the size of mu that turns the step into one of steepest descent.
  double largest_curvature() const { return largest_curvature_; }

 private:
  void factor_parameters(Objective& objective, const Eigen::VectorXd& x, DampingScale scale);
  void factor_samples(Objective& objective, const Eigen::VectorXd& x, DampingScale scale);
  void summarise();

  StreamedQr triangle_{1, 1};   // [T, c]
  Eigen::VectorXd weights_;     // diagonal of D
  Eigen::MatrixXd directions_;  // P; empty in the space of the parameters
  double gradient_norm_ = 0, squared_residual_ = 0, largest_curvature_ = 0;
};

}  // namespace torsor
