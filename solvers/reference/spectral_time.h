// Method of lines in one space dimension for a vector u of n_fields unknowns:
//
//   u_t = F(t, x, u, u_x, ..., d^order u/dx^order),  a < x < b,  t0 <= t <= t1,  u(x, t0) given,
//
// Fourier collocation in x when periodic, else Chebyshev with linear side conditions
// sum_k c_k d^k u_f/dx^k = g(t), whose nodal unknowns are eliminated; CVODE in t (variable-order BDF with
// Newton and a dense Jacobian, or variable-order Adams). A wave-type equation u_tt = ... is passed as
// the system (u, v = u_t).
//
// Sources: L. N. Trefethen, Spectral Methods in MATLAB, SIAM 2000; A. C. Hindmarsh et al., SUNDIALS, ACM
// TOMS 31 (2005).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <vector>

#include "solvers/reference/space_time_solution.h"

namespace torsor {

/// sum_k coefficients[k] d^k u_field/dx^k = value(t) at one end: {1} Dirichlet, {0, 1} Neumann, {h, 1} Robin.
struct SideCondition {
  int field = 0;
  bool at_upper = false;
  std::vector<double> coefficients{1.0};
  std::function<double(double)> value;  ///< zero when absent
};

/// Pointwise function of t, the nodes x (N) and the jets (N x n_fields (order + 1)); column
/// field (order + 1) + k of the jets is d^k u_field/dx^k.
using EvolutionFunction =
    std::function<Eigen::MatrixXd(double t, const Eigen::VectorXd& x, const Eigen::MatrixXd& jets)>;

struct EvolutionProblem {
  double a = 0.0, b = 1.0;
  double t0 = 0.0, t1 = 1.0;
  bool periodic = false;
  int n_fields = 1;
  int order = 2;                                                     ///< highest x-derivative in F, 1..4
  std::function<Eigen::MatrixXd(const Eigen::VectorXd& x)> initial;  ///< N x n_fields
  EvolutionFunction rhs;                                             ///< F, N x n_fields
  /// dF_i/dJ_m in column i n_jets + m, N x (n_fields n_jets); by central differences when absent.
  EvolutionFunction partials;
  /// Not periodic: any number for each field and end. Those of a wave equation include v = g'(t).
  std::vector<SideCondition> conditions;
};

enum class TimeIntegrator {
  kBdf,   ///< stiff problems: diffusion, small layers
  kAdams  ///< non-stiff or oscillatory ones: advection, waves; explicit (fixed-point iteration)
};

struct EvolutionOptions {
  TimeIntegrator integrator = TimeIntegrator::kBdf;
  int initial_nodes = 32;             ///< doubled from here
  int max_nodes = 512;                ///< dense LU of (512 n_fields)^2 in hundredths of a second
  double tolerance = 1e-8;            ///< on the relative change under doubling of the nodes
  double relative_tolerance = 1e-12;  ///< of CVODE: local, so three to four digits under `tolerance`
  double absolute_tolerance = 1e-14;  ///< of CVODE: near rounding, solutions are of order one
  long max_time_steps = 500000;       ///< guards against a blow-up
  double compare_from = 0.0;          ///< changes count from t0 + this on: kinks need time
  double cluster_center = 0.0;        ///< SpectralBasis: interior layer of a Chebyshev problem
  double cluster_width = 0.0;         ///< SpectralBasis: 0 means no clustering
  bool require_convergence = true;    ///< false: keep the finest solution and report its error_estimate
};

/// Integrates with a given number of nodes. InputError for a malformed problem; NumericalError with CVODE's
/// message when the integration fails.
SpaceTimeSolution solve_evolution_at(const EvolutionProblem& problem, int nodes,
                                     const EvolutionOptions& options = {});

/// Doubles the nodes until two solutions in a row agree, then repeats the coarser one with tolerances ten
/// times larger: error_estimate is the larger of the two relative changes. NumericalError when max_nodes does
/// not suffice or the time integration misses the tolerance (unless require_convergence is false).
SpaceTimeSolution solve_evolution(const EvolutionProblem& problem, const EvolutionOptions& options = {});

}  // namespace torsor
