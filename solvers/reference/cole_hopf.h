// Viscous Burgers equation on the line, u_t + u u_x = nu u_xx, u(x, 0) = u0(x), by the Cole-Hopf transform:
//
//   u(x, t) = int u0(y) G dy / int G dy,  G = exp(-U0(y)/(2 nu) - (x - y)^2/(4 nu t)),  U0' = u0.
//
// With y = x - sqrt(4 nu t) eta both integrals carry exp(-eta^2) and are taken by Gauss-Hermite quadrature,
// in logarithms. u0 = -sin(pi x) is odd about 0 and +-1, so that the line solution also solves the problem on
// [-1, 1] with u = 0 at the ends.
//
// Sources: J. D. Cole, Quart. Appl. Math. 9 (1951); E. Hopf, CPAM 3 (1950); C. Basdevant et al., Spectral and
// finite difference solutions of the Burgers equation, Computers & Fluids 14 (1986); nodes after G. H. Golub,
// J. H. Welsch, Math. Comp. 23 (1969).
#pragma once

#include <Eigen/Core>
#include <functional>

namespace torsor {

/// int f(eta) exp(-eta^2) d eta = sum_i weights(i) exp(-nodes(i)^2) f(nodes(i)): the weights are free of the
/// Gaussian factor, which would underflow.
struct GaussHermite {
  Eigen::VectorXd nodes, weights;
};

/// The rule with n nodes. InputError unless 1 <= n <= 600 (beyond, exp(-eta^2/2) underflows).
GaussHermite gauss_hermite(int n);

struct ColeHopfProblem {
  double nu = 0.0;
  std::function<Eigen::ArrayXd(const Eigen::ArrayXd&)> initial;         ///< u0 on the whole line
  std::function<Eigen::ArrayXd(const Eigen::ArrayXd&)> antiderivative;  ///< U0, any constant
};

/// u0 = -sin(pi x), U0 = cos(pi x)/pi. InputError unless nu > 0.
ColeHopfProblem burgers_sine(double nu);

struct ColeHopfOptions {
  int initial_nodes = 64;    ///< doubled from here
  int max_nodes = 512;       ///< reaches |eta| = 32
  double tolerance = 1e-11;  ///< on max |u_2n - u_n| over the points
};

/// u at M x 2 points (x, t); u0 at t = 0. The number of nodes is doubled until the values settle.
/// InputError for nu <= 0, a negative time or points not M x 2; NumericalError when max_nodes do not suffice
/// (nu too small for the time asked).
Eigen::VectorXd cole_hopf(const ColeHopfProblem& problem, const Eigen::MatrixXd& points,
                          const ColeHopfOptions& options = {});

}  // namespace torsor
