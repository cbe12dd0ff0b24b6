// Classical reference solutions of Problems: each solver of this room behind one door.
//
// The equations come from the problem's one definition. An adapter asks problems/problem.h for residuals and
// their derivatives by the jets (linearize) and decides from them whether its solver applies:
//
//   exact                  every field has an exact solution
//   perforated-laplace     a (u_xx + u_yy) = const on a rectangle minus discs, Dirichlet data
//   chebyshev-collocation  one field, steady, box of 1 or 2 dimensions, order <= 2, any nonlinearity
//   cole-hopf              the problem named "burgers" (its equation and data are known by that name only)
//   transport-volterra     linear transport (transport_form.h), periodic, constant sigma_S: nearly to rounding
//   transport-modes        the same at discrete velocities, on a line or in the plane, with absorption: to rounding
//   transport-laplace      inflow constant in time on a line, constant medium, small eps: nearly to rounding
//   transport-fronts       inflow and initial data constant, constant medium, the problem's velocities: third order
//   transport-characteristics  inflow on a line, at most 20 mean free times: second order, fronts included
//   micro-macro, even-odd  linear transport with time, periodic or with inflow, any Knudsen number, second order
//   diffusion-synthetic    steady linear transport with inflow on a line, second order
//   even-parity            the same in a rectangle
//   etdrk4                 u_t = F(t, x, u, u_x, ...) in one periodic dimension: one field, or a system whose
//                          highest x-derivatives have constant coefficients
//   spectral-time          any fields with d^p u/dt^p = F, p <= 2, on an interval, linear side conditions
#pragma once

#include <Eigen/Core>
#include <functional>
#include <string>
#include <vector>

#include "problems/problem.h"

namespace torsor {

struct ReferenceOptions {
  std::string solver = "auto";      ///< a name of reference_names(), or "auto"
  double tolerance = 1e-9;          ///< on the estimated error relative to max |u|
  int max_resolution = 0;           ///< cap of the degree or of the nodes per axis; 0: each solver's own
  bool require_convergence = true;  ///< false: keep the finest solution and report its error_estimate
};

struct ReferenceSolution {
  std::string name;  ///< of the solver that was used
  /// The fields at points (N x d, coordinates in the problem's order): N x fields. Owns all it needs.
  std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points)> evaluate;
  double seconds = 0;         ///< to solve; evaluation comes on top
  double error_estimate = 0;  ///< relative to max |u|, of grid schemes in L2; 0 for an exact solution
  std::string detail;         ///< e.g. "degree 48", "512 nodes, 956 steps"
};

/// The names of all solvers, best first.
std::vector<std::string> reference_names();

/// Those of reference_names() that can solve this problem, in the same order.
std::vector<std::string> applicable_references(const Problem& problem);

/// Solves by options.solver; "auto" is the problem's own choice (Problem::reference) or, where that is "auto"
/// too, the first of applicable_references(). InputError for an unknown name, for a solver that cannot do the
/// problem (naming the rule that fails), and when nothing is applicable; NumericalError when the tolerance is
/// missed.
ReferenceSolution solve_reference(const Problem& problem, const ReferenceOptions& options = {});

}  // namespace torsor
