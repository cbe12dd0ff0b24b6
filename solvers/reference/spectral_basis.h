// The spatial basis of a 1-D spectral method: Fourier on a period, or Chebyshev-Lobatto, optionally through
// the map that clusters nodes at an interior layer,
//
//   x(s) = c + eps sinh(alpha s + beta),  x(-1) = a, x(1) = b,
//   alpha, beta = (asinh((b - c)/eps) +- asinh((c - a)/eps))/2.
//
// A layer of tanh((x - c)/w) wants eps near its poles' distance pi w/2.
// Source: T. W. Tee, L. N. Trefethen, A rational spectral collocation method with adaptively transformed
// Chebyshev grid points, SIAM J. Sci. Comput. 28 (2006).
#pragma once

#include <Eigen/Core>

namespace torsor {

struct SpectralBasis {
  double a = 0.0, b = 1.0;      ///< the interval
  bool periodic = false;        ///< Fourier when true
  int size = 0;                 ///< number of nodes
  double cluster_center = 0.0;  ///< c above, read when cluster_width > 0
  double cluster_width = 0.0;   ///< eps above; 0 means no map

  /// The nodes, ascending; without b when periodic. InputError for a bad interval, size or map.
  Eigen::VectorXd nodes() const;
  /// Dense size x size matrix of d^order/dx^order at the nodes.
  Eigen::MatrixXd differentiation(int order) const;
  /// Dense points x size interpolation matrix.
  Eigen::MatrixXd interpolation(const Eigen::VectorXd& points) const;
};

}  // namespace torsor
