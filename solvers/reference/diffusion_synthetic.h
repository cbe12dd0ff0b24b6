// Steady one-dimensional transport in the diffusive scaling by source iteration with diffusion synthetic
// acceleration:
//
//   v f_x + S_t f = S_s rho + eps Q,   S_s = sigma_S/eps,   S_t = S_s + eps sigma_A,   rho = <f>,
//
// with inflow at both ends. Diamond differences on cells of width h, f at their edges:
//
//   v (f_{i+1/2} - f_{i-1/2})/h + S_t f_i = S_s rho_i + eps Q_i,   f_i = (f_{i+1/2} + f_{i-1/2})/2.
//
// A sweep solves this for given rho, in the direction of flight. Source iteration, rho <- <f>, contracts like
// S_s/S_t at best: not at all for small eps. So after each sweep a correction d + 3 v e of f is found from
// the zeroth and first moment of the same differences,
//
//   (e_{i+1/2} - e_{i-1/2})/h + (S_t - S_s) d_i = S_s (<f>_i - rho_i),
//   (d_{i+1/2} - d_{i-1/2})/(3h) + S_t e_i = 0,
//
// without incoming half-range current at the ends: tridiagonal in the edge values of d. Then rho <- <f> + d.
// Because the differences are those of the sweep, the iteration contracts by less than 0.23 for any h and
// eps. Sweeps are made for g = (f - rho)/eps, so that a small eps costs no digits.
//
// Second order in h; for eps -> 0 rho satisfies a difference equation of diffusion, so that cells may be many
// mean free paths wide. An anisotropic inflow however needs a mesh that resolves its layer of width eps: in
// thick cells f oscillates from edge to edge undamped (diamond differences are not positive), and rho is off
// by some per cent of F in the whole slab.
//
// Sources: R. E. Alcouffe, Nucl. Sci. Eng. 64 (1977); E. W. Larsen, Nucl. Sci. Eng. 82 (1982); M. L. Adams,
// E. W. Larsen, Prog. Nucl. Energy 40 (2002), section II.
#pragma once

#include <vector>

#include "solvers/reference/transport_problem.h"

namespace torsor {

struct DiffusionSyntheticOptions {
  int cells = 100;
  int half_range_nodes = 16;  ///< of each half range, double Gauss
  double tolerance = 1e-12;   ///< on max |change of rho| / max |rho|; not below the rounding of inflow/eps
  int max_iterations = 200;
  bool accelerate = true;  ///< false: plain source iteration, for comparison
};

struct SteadyTransportSolution {
  Eigen::VectorXd x;  ///< centres of the cells
  VelocitySet velocities;
  Eigen::VectorXd rho, flux;    ///< means of the edges of each cell; flux j = <v f>/eps
  Eigen::MatrixXd f;            ///< the same, cells x velocities
  std::vector<double> changes;  ///< max |change of rho| / max |rho| of each iteration
  double seconds = 0.0;

  int iterations() const { return static_cast<int>(changes.size()); }
  /// Geometric mean of the ratios of successive changes, the first left out, down to 1e-11 (rounding comes
  /// soon after); 0 with fewer than three such changes.
  double spectral_radius() const;
};

/// The steady state of `problem` with its inflow at t = 0; `periodic` and `initial` are not read.
/// InputError unless a < b, eps > 0, the functions are given and finite, sigma_S + sigma_A > 0 everywhere,
/// cells >= 2, half_range_nodes >= 2, tolerance > 0 and max_iterations >= 1; NumericalError when
/// max_iterations do not suffice.
SteadyTransportSolution solve_steady_transport(const TransportProblem& problem,
                                               const DiffusionSyntheticOptions& options = {});

}  // namespace torsor
