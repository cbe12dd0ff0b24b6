// A Problem as linear transport in the diffusive scaling (transport_problem.h) in one or two space coordinates,
//
//   eps f_t + v . grad f = (sigma_S(x)/eps)(<f> - f) - eps sigma_A(x) f + eps Q(x),
//
// or the same without f_t, whatever its unknowns are: f itself, rho and g of f = rho + eps g, or rho, r and j of
// f = rho + r + eps j. What f is of the unknowns is said by the derived quantity "f", or by an unknown of the velocity
// that is all there is.
//
// With f(v_j) = sum_f S(j, f) u_f and the orthonormal polynomials p_l of the velocity nodes (physics/velocity_basis.h),
// m_l = <p_l f> = (T u)_l are the moments of f. The interior terms, linear in the fields' jets,
//
//   A_t u_t + A_x u_x (+ A_y u_y) + A_0 u + r = 0,   u = T^-1 m,
//
// are transport when some matrix N makes them
//
//   eps m_t + V m_x (+ W m_y) + [Sigma_S (I - e_0 e_0^T) + Sigma_A I] m - eps Q e_0 = 0,   V_kl = <p_k v p_l>,
//
// W the same with v_y:
//
// N = eps (A_t T^-1)^-1 with eps the ratio of V to (A_t T^-1)^-1 A_x T^-1, and without time N = V (A_x T^-1)^-1. Then
// Sigma_S = sigma_S/eps and Sigma_A = eps sigma_A. The steady equation determines these two but not eps, which is taken
// as 1 over the largest Sigma_S met, at most 1.
//
// Rows and columns of these matrices differ by powers of eps, down to 1e-16. Each is divided by its largest entry
// before an inverse is taken, and what is rounding of the inverse is set to zero: else 1e-16 in a row of size 1 would
// be the error of one of size eps^2. (What the Problem's own formulas have rounded off is lost: of an equation for f
// itself that holds sigma_S/eps and eps sigma_A in one coefficient, sigma_A at eps = 1e-8.)
#pragma once

#include <Eigen/Core>
#include <memory>
#include <string>
#include <vector>

#include "problems/problem.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_problem.h"
#include "solvers/reference/transport_slab.h"

namespace torsor {

class TransportForm {
 public:
  /// The rule that keeps the problem from this form, empty if none.
  static std::string obstacle(const Problem& problem);
  /// The same with one space coordinate alone allowed.
  static std::string obstacle_on_line(const Problem& problem);
  /// The same with time and one space coordinate that is not periodic.
  static std::string obstacle_in_slab(const Problem& problem);
  /// Only without obstacle.
  explicit TransportForm(std::shared_ptr<const Problem> problem);

  double eps() const { return eps_; }
  bool steady() const { return problem_->time() < 0; }
  Index dimension() const { return velocities().dimension(); }  ///< of space
  bool periodic() const;                                         ///< in all space coordinates
  const Coordinate& space_axis(Index i = 0) const;
  double start() const;     ///< of time; 0 when steady
  double duration() const;  ///< of time; 0 when steady
  const VelocityBasis& velocities() const { return *problem_->velocity; }
  /// The nodes of each half range when the problem's set is double Gauss, else 0.
  int double_gauss_nodes() const;

  /// V of each space coordinate.
  std::vector<Eigen::MatrixXd> streaming() const;
  /// sigma_S, sigma_A, Q in columns, at x (N x space coordinates).
  Eigen::MatrixXd medium(const Eigen::MatrixXd& x) const;
  /// f at the first time, N x velocity nodes. Not when steady.
  Eigen::MatrixXd initial(const Eigen::MatrixXd& x) const;
  /// The same as moments, N x nodes: where an unknown is multiplied by eps, its moments lose no digits to rho.
  Eigen::MatrixXd initial_moments(const Eigen::MatrixXd& x) const;
  /// f of the velocities that come in at points of a side (N x all coordinates), N x nodes; 0 for the others.
  Eigen::MatrixXd inflow(const BoxSide& side, const Eigen::MatrixXd& points) const;
  /// Matrix points x nodes: f at other velocities, |v| <= 1, from f at the nodes. On each half range for double Gauss.
  Eigen::MatrixXd between_velocities(const Eigen::VectorXd& points) const;

  /// All of it for a solver on a line, with t = 0 at the first time. Medium and initial data at `places` are worked
  /// out together and kept: each other x costs a call of every term. NumericalError when inflow is not smooth in time.
  TransportProblem transport(const Eigen::VectorXd& places) const;

  /// Why a problem without obstacle_in_slab has no constant_slab: coefficients that are not constant, sigma_S = 0, inflow
  /// that changes in time. Empty if none.
  std::string obstacle_to_constant_slab() const;
  TransportSlab constant_slab() const;

  /// On a line: the fields (N x fields) from columns rho, flux j = <v f>/eps and f at the nodes (N x (2 + nodes)).
  /// The first two moments are those of rho and j, so that a small eps costs them no digits; the others are of f -
  /// rho, with the rounding 1e-16 |f|/eps for fields that are multiplied by eps in f.
  Eigen::MatrixXd fields(const Eigen::MatrixXd& values) const;
  /// The fields from the moments of f (N x nodes).
  Eigen::MatrixXd fields_of_moments(const Eigen::MatrixXd& moments) const;

 private:
  Eigen::MatrixXd probed_medium() const;
  Eigen::MatrixXd probed_inflow() const;

  std::shared_ptr<const Problem> problem_;
  double eps_ = 1.0;
};

/// Where the schemes evaluate medium and initial data: ends and centres of cells.
Eigen::VectorXd cell_places(const Coordinate& axis, int cells);

/// Points (x, t) of a problem on a line, t = 0 at the first time, at which solutions are compared: at equal steps of
/// time, x by the golden ratio. The last is at the end, the first at t = 0 or, without the start, one step later.
Eigen::MatrixXd comparison_points(const TransportForm& form, Index count, bool with_start);

}  // namespace torsor
