// Laplace's equation, or Poisson's with a constant right side, on a rectangle minus disjoint discs:
//
//   Lap u = s in R \ (D_1 u ... u D_J),  u = g on the sides of R,  u = g_j on the circle of D_j,
//
// by the series
//
//   u = s |z - z0|^2/4 + Re p(z) + sum_j (a_j log(|z - c_j|/r_j) + Re q_j(r_j/(z - c_j)))
//       + sum_{corners, k} b_k Im(zeta^{2k} log zeta),  z = x + i y,
//
// with polynomials p of degree n and q_j of degree m (q_j(0) = 0), fitted to the boundary data by least
// squares; zeta is z seen from a corner, the rectangle being its first quadrant. The corner terms are all the
// singularities that data analytic along each side can cause: a jump (k = 0) or a source that meets zero data
// (k = 1) cost nothing. The error is harmonic, so that its maximum is the boundary misfit (maximum
// principle). Convergence is exponential for such data.
//
// Sources: L. N. Trefethen, Series solution of Laplace problems, ANZIAM J. 60 (2018); P. D. Brubeck,
// Y. Nakatsukasa, L. N. Trefethen, Vandermonde with Arnoldi, SIAM Review 63 (2021), for the basis of p;
// R. S. Lehman, Developments at an analytic corner of solutions of elliptic PDE, J. Math. Mech. 8 (1959).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <vector>

namespace torsor {

struct Disc {
  double x = 0.0, y = 0.0, radius = 0.0;
};

/// Values at M x 2 points.
using PlanarFunction = std::function<Eigen::VectorXd(const Eigen::MatrixXd& points)>;

/// The function that is `value` everywhere.
PlanarFunction constant_function(double value);

struct PerforatedProblem {
  Eigen::Vector2d lower{0.0, 0.0}, upper{1.0, 1.0};  ///< the rectangle
  std::vector<Disc> discs;                           ///< disjoint, inside the rectangle
  PlanarFunction outer;                              ///< g on the four sides
  std::vector<PlanarFunction> inner;                 ///< g_j, one for each disc
  double source = 0.0;                               ///< s = Lap u
};

struct PerforatedOptions {
  int initial_degree = 24;          ///< n at first; grows by half each time
  int max_degree = 192;             ///< cap of n: some 1000 columns, least squares in half a minute
  double tolerance = 1e-8;          ///< on the boundary misfit, absolute
  bool require_convergence = true;  ///< false: keep the best fit and report its misfit
};

class PerforatedSolution {
 public:
  int degree = 0;          ///< n
  int laurent_degree = 0;  ///< m
  double misfit = 0.0;     ///< max boundary misfit at fresh points: bounds the error everywhere
  double seconds = 0.0;    ///< wall time, smaller degrees included

  /// u at M x 2 points of the closed domain (not checked: inside a disc the series is meaningless).
  Eigen::VectorXd evaluate(const Eigen::MatrixXd& points) const;

 private:
  /// The columns of the series at `points` from the values of the polynomial basis there.
  Eigen::MatrixXd series_matrix(const Eigen::MatrixXcd& polynomials, const Eigen::MatrixXd& points) const;
  /// (z - z0)/R with the centre z0 and half the diagonal R of the rectangle.
  Eigen::ArrayXcd scaled(const Eigen::MatrixXd& points) const;
  /// s |z - z0|^2/4.
  Eigen::VectorXd particular(const Eigen::ArrayXcd& scaled_points) const;

  friend PerforatedSolution fit_perforated_laplace(const PerforatedProblem&, int, int);
  Eigen::Vector2d lower_{0.0, 0.0}, upper_{1.0, 1.0};
  std::vector<Disc> discs_;
  double source_ = 0.0;
  Eigen::MatrixXcd hessenberg_;  // Arnoldi recurrence of the polynomial basis
  Eigen::VectorXd coefficients_;
};

/// The fit with given degrees n and m of p and of the q_j. InputError for discs that touch or leave the
/// rectangle, or missing data.
PerforatedSolution fit_perforated_laplace(const PerforatedProblem& problem, int degree, int laurent_degree);

/// Raises the degrees until the misfit is below the tolerance. NumericalError when max_degree does not
/// suffice (unless require_convergence is false).
PerforatedSolution solve_perforated_laplace(const PerforatedProblem& problem,
                                            const PerforatedOptions& options = {});

}  // namespace torsor
