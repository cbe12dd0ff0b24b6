#include "solvers/reference/spectral_basis.h"

#include <cmath>
#include <string>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"
#include "solvers/reference/fourier.h"

namespace torsor {
namespace {

struct SinhMap {
  double alpha, beta;
};

SinhMap sinh_map(const SpectralBasis& basis) {
  if (basis.cluster_center < basis.a || basis.cluster_center > basis.b)
    throw InputError("SpectralBasis: cluster_center " + std::to_string(basis.cluster_center) +
                     " lies outside [" + std::to_string(basis.a) + ", " + std::to_string(basis.b) + "]");
  const double right = std::asinh((basis.b - basis.cluster_center) / basis.cluster_width);
  const double left = std::asinh((basis.cluster_center - basis.a) / basis.cluster_width);
  return {0.5 * (right + left), 0.5 * (right - left)};
}

}  // namespace

Eigen::VectorXd SpectralBasis::nodes() const {
  if (periodic) return fourier_nodes(size, a, b);
  if (cluster_width <= 0.0) return chebyshev_nodes(size - 1, a, b);
  const SinhMap map = sinh_map(*this);
  const Eigen::ArrayXd s = chebyshev_nodes(size - 1, -1.0, 1.0).array();
  Eigen::VectorXd x = (cluster_center + cluster_width * (map.alpha * s + map.beta).sinh()).matrix();
  x(0) = a;
  x(size - 1) = b;
  return x;
}

Eigen::MatrixXd SpectralBasis::differentiation(int order) const {
  if (periodic) return fourier_differentiation(size, a, b, order);
  if (order < 0) throw InputError("SpectralBasis: order " + std::to_string(order) + " is negative");
  Eigen::MatrixXd first;
  if (cluster_width <= 0.0) {
    first = chebyshev_differentiation(size - 1, a, b);
  } else {
    const SinhMap map = sinh_map(*this);
    const Eigen::ArrayXd s = chebyshev_nodes(size - 1, -1.0, 1.0).array();
    const Eigen::ArrayXd slope = cluster_width * map.alpha * (map.alpha * s + map.beta).cosh();
    first = slope.inverse().matrix().asDiagonal() * chebyshev_differentiation(size - 1, -1.0, 1.0);
  }
  Eigen::MatrixXd d = Eigen::MatrixXd::Identity(size, size);
  for (int k = 0; k < order; ++k) d = first * d;
  return d;
}

Eigen::MatrixXd SpectralBasis::interpolation(const Eigen::VectorXd& points) const {
  if (periodic) return fourier_interpolation(size, a, b, points);
  if (cluster_width <= 0.0) return chebyshev_interpolation(size - 1, a, b, points);
  const SinhMap map = sinh_map(*this);
  const Eigen::VectorXd s =
      ((((points.array() - cluster_center) / cluster_width).asinh() - map.beta) / map.alpha).matrix();
  return chebyshev_interpolation(size - 1, -1.0, 1.0, s);
}

}  // namespace torsor
