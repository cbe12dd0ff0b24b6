// Steady linear transport in a rectangle at discrete velocities in the diffusive scaling, by finite elements for the
// even parity and source iteration with diffusion synthetic acceleration:
//
//   v . grad f = (sigma_S/eps)(rho - f) - eps sigma_A f + eps Q,   f = F where v . n < 0,
//
// with f(v) = r(v) + eps j(v), r even and j odd in v, S = sigma_S + eps^2 sigma_A, j = -(v . grad r)/S. The parity
// r = rho + eps^2 e(v), <e> = 0 solves, for every test function s(x),
//
//   int (v . grad s)(v . grad r)/S + s (sigma_S e + sigma_A r) + (1/eps) int_boundary |v . n| s (r - F) = int s Q.
//
// All of it is the minimum of one quadratic form. Bilinear elements on nx x ny cells, masses lumped (no oscillation in
// layers thinner than a cell). For eps -> 0 the form forces r = rho(x), and what is left is the bilinear element method
// for -div(<v v> grad rho/sigma_S) + sigma_A rho = Q on the same mesh: asymptotic-preserving. Source iteration solves
// for e with rho given, a sparse Cholesky factor for each pair v, -v; then rho is corrected by the minimum over
// functions of x alone, (<K> + M_A + <B>/eps) d = M_S <e>. That is a projection in the form's own inner product: the
// iteration converges for every medium, and contracts by less than 1/4 in a homogeneous one for every eps and mesh.
//
// Second order in h, in the L2 norm, where the solution is smooth (first order at the four corners themselves). In a
// thick medium with anisotropic inflow rho_wall is the mean of F with the weight |v . n|, within some per cent of the
// exact one.
//
// Sources: E. E. Lewis, W. F. Miller, Computational Methods of Neutron Transport, 1984, chapter 6 (even parity); M. L.
// Adams, E. W. Larsen, Prog. Nucl. Energy 40 (2002), section II (synthetic acceleration).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <vector>

#include "physics/velocity_basis.h"

namespace torsor {

enum class PlaneSide { x_low, x_high, y_low, y_high };

struct PlaneTransportProblem {
  double x_low = 0.0, x_high = 1.0, y_low = 0.0, y_high = 1.0;
  double eps = 1.0;
  VelocityBasis velocities;  ///< of two components, with -v for each v
  /// sigma_S, sigma_A, Q in columns at points (N x 2).
  std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points)> medium;
  /// F at points of a side: N x nodes; those of outgoing velocities are not read.
  std::function<Eigen::MatrixXd(PlaneSide side, const Eigen::MatrixXd& points)> inflow;
};

struct EvenParityOptions {
  int cells_x = 32, cells_y = 32;
  double tolerance = 1e-10;  ///< on max |change of rho| / max |rho|
  int max_iterations = 200;
};

struct PlaneTransportSolution {
  Eigen::VectorXd x, y;       ///< nodes of the mesh
  /// At node (i, k), row i + k (cells_x + 1).
  Eigen::VectorXd rho;
  Eigen::MatrixXd even, odd;  ///< e = (r - rho)/eps^2 and j, nodes x velocities
  std::vector<double> changes;
  double seconds = 0.0;
  int iterations() const { return static_cast<int>(changes.size()); }
};

/// InputError unless the rectangle has an area, eps > 0, the functions are given and finite, sigma_S and sigma_A >= 0
/// with sigma_S + sigma_A > 0, each v has its -v, cells >= 2, tolerance > 0 and max_iterations >= 1. NumericalError
/// when max_iterations do not suffice.
PlaneTransportSolution solve_even_parity(const PlaneTransportProblem& problem, const EvenParityOptions& options = {});

}  // namespace torsor
