// The linear systems of Newton's method in tensor-product collocation with Dirichlet sides, without their
// matrix:
//
//   sum_m diag(p_m) (D_x^{a_m} kron D_y^{b_m}) u = r inside,   p_0 u = r on the sides,
//
// by GMRES, preconditioned by the operator with mean coefficients a D_x^2 + b D_y^2 + c, which the
// eigenvectors of the one-dimensional D^2 diagonalise: O(n^3) for each application instead of O(n^6) for
// elimination.
//
// Sources: D. B. Haidvogel, T. Zang, J. Comput. Phys. 30 (1979) (diagonalisation); Y. Saad, M. H. Schultz,
// SIAM J. Sci. Stat. Comput. 7 (1986) (GMRES).
#pragma once

#include <Eigen/Core>
#include <array>
#include <optional>

namespace torsor {

/// D^0, D^1, D^2 along each axis (n x n); nodal values have the index of y running fastest.
struct TensorDerivatives {
  std::array<Eigen::MatrixXd, 3> x, y;
};

class TensorGmres {
 public:
  /// Whether it applies: only p_0 on the sides, mean coefficients of u_xx and u_yy of one sign. `partials`,
  /// nodes x 6, are the p_m of u, u_x, u_y, u_xx, u_xy, u_yy.
  static bool applies(const TensorDerivatives& d, const Eigen::MatrixXd& partials);
  /// Refers to both arguments, which must outlive it.
  TensorGmres(const TensorDerivatives& d, const Eigen::MatrixXd& partials);
  /// Nothing when GMRES does not reach rounding level in 120 steps: the coefficients vary too much.
  std::optional<Eigen::VectorXd> solve(const Eigen::VectorXd& r) const;

 private:
  Eigen::VectorXd apply(const Eigen::VectorXd& u) const;
  Eigen::VectorXd precondition(const Eigen::VectorXd& r) const;

  const TensorDerivatives& d_;
  const Eigen::MatrixXd& partials_;
  double a_ = 0.0, b_ = 0.0;                                       // mean coefficients of u_xx and u_yy
  Eigen::MatrixXd x_vectors_, x_inverse_, y_vectors_, y_inverse_;  // of the interior blocks of D^2
  Eigen::MatrixXd divisors_;                                       // a lambda_i + b mu_j + c
};

}  // namespace torsor
