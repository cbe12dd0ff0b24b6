// Tensor-product Chebyshev collocation for a linear or nonlinear second-order PDE on a 1-D or 2-D box:
//
//   r(x, J u(x)) = 0 inside,  b_s(x, J u(x)) = 0 on side s,
//
// where J u is the jet of u, one row for each point:
//
//   1-D: u, u_x, u_xx          2-D: u, u_x, u_y, u_xx, u_xy, u_yy.
//
// The nodal values solve the collocated equations by Newton's method with the affine-invariant damping of
// P. Deuflhard, Newton Methods for Nonlinear Problems, Springer 2004, section 3.3 (natural monotonicity);
// discretisation after L. N. Trefethen, Spectral Methods in MATLAB, SIAM 2000, chapters 7, 9 and 13. Its
// linear systems are solved by GMRES (tensor_gmres.h) on a rectangle with Dirichlet sides, by dense
// elimination elsewhere.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <vector>

namespace torsor {

/// A pointwise equation r(x, J) = 0: from points (N x d) and jets (N x n_jets, order above) it fills
/// residual (N) and partials dr/dJ (N x n_jets). Both outputs arrive sized and set to zero.
using JetResidual = std::function<void(const Eigen::MatrixXd& points, const Eigen::MatrixXd& jets,
                                       Eigen::VectorXd& residual, Eigen::MatrixXd& partials)>;

/// Number of jet entries, 3 in 1-D and 6 in 2-D. InputError for another dimension.
int jet_size(int dimension);

/// u - value(x) = 0.
JetResidual dirichlet_condition(std::function<Eigen::VectorXd(const Eigen::MatrixXd&)> value);

/// alpha u + beta du/dx_axis - value(x) = 0: Neumann for alpha = 0, Robin otherwise; the derivative is along
/// the axis, not along the outward normal.
JetResidual robin_condition(int dimension, int axis, double alpha, double beta,
                            std::function<Eigen::VectorXd(const Eigen::MatrixXd&)> value);

struct ChebyshevProblem {
  Eigen::VectorXd lower;  ///< d lower ends of the box, d = 1 or 2
  Eigen::VectorXd upper;  ///< d upper ends
  JetResidual interior;   ///< the PDE
  /// The 2 d sides in the order x = lower, x = upper, y = lower, y = upper. A corner takes the side whose
  /// condition has no derivative, else the side of x.
  std::vector<JetResidual> sides;
  /// First Newton iterate at N x d points; zero when absent. It selects the branch of a nonlinear problem.
  std::function<Eigen::VectorXd(const Eigen::MatrixXd&)> initial_guess;
};

struct ChebyshevOptions {
  int initial_degree = 12;  ///< per axis; resolves one or two oscillations
  int max_degree = 0;       ///< per axis; 0 means 384 in 1-D, 48 in 2-D (dense LU of 2401^2 in seconds)
  double tolerance = 1e-9;  ///< on max |u_2n - u_n| / (1 + max |u|); rounding in D^2 forbids much less
  double newton_tolerance = 1e-10;  ///< on the last Newton correction, relative in the same way
  int max_newton_iterations = 50;   ///< quadratic convergence takes 5-8; the rest is for damping
  bool require_convergence = true;  ///< false: keep the finest solution and report its error_estimate
};

/// The collocation polynomial.
class ChebyshevSolution {
 public:
  Eigen::VectorXd lower, upper;      ///< the box
  int degree = 0;                    ///< per axis
  Eigen::VectorXd values;            ///< (degree + 1)^d nodal values, the index of y running fastest
  double seconds = 0.0;              ///< wall time of everything, coarser degrees included
  int newton_iterations = 0;         ///< at the last degree
  std::vector<double> newton_steps;  ///< max norms of the corrections at the last degree
  bool eliminated = true;            ///< by dense LU in Newton's last system, not by GMRES (tensor_gmres.h)
  double residual = 0.0;             ///< max |collocated residual| at the end
  double error_estimate = 0.0;       ///< last relative change under doubling; NaN for a single degree

  /// The (degree + 1)^d nodes, N x d.
  Eigen::MatrixXd nodes() const;
  /// u at M x d points of the box. InputError for another number of columns.
  Eigen::VectorXd evaluate(const Eigen::MatrixXd& points) const;
  /// The jets at M x d points, M x jet_size(d).
  Eigen::MatrixXd evaluate_jets(const Eigen::MatrixXd& points) const;
};

/// Solves at one given degree. InputError for a malformed problem; NumericalError when Newton fails, the
/// matrix is singular or the residual is not finite.
ChebyshevSolution solve_chebyshev_at(const ChebyshevProblem& problem, int degree,
                                     const ChebyshevOptions& options = {});

/// Doubles the degree until two solutions in a row agree. Errors as above, and NumericalError when
/// max_degree does not reach the tolerance (unless require_convergence is false).
ChebyshevSolution solve_chebyshev(const ChebyshevProblem& problem, const ChebyshevOptions& options = {});

}  // namespace torsor
