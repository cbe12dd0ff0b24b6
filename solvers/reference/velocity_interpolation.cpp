#include "solvers/reference/velocity_interpolation.h"

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"

namespace torsor {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd velocity_interpolation(const VectorXd& nodes, const VectorXd& points) {
  const Index n = nodes.size();
  if (n == 0) throw InputError("velocity_interpolation: there are no nodes");
  if (n == 1) return MatrixXd::Ones(points.size(), 1);
  // Differences in units of a quarter of the range: their products neither overflow nor vanish.
  const double unit = 0.25 * (nodes.maxCoeff() - nodes.minCoeff());
  VectorXd weights = VectorXd::Ones(n);
  for (Index j = 0; j < n; ++j)
    for (Index k = 0; k < n; ++k)
      if (k != j) weights(j) *= unit / (nodes(j) - nodes(k));
  return barycentric_interpolation(nodes, weights, points);
}

MatrixXd half_range_interpolation(const VectorXd& nodes, const VectorXd& points) {
  const Index below = (nodes.array() < 0.0).count(), above = nodes.size() - below;
  MatrixXd result = MatrixXd::Zero(points.size(), nodes.size());
  for (Index i = 0; i < points.size(); ++i) {
    const VectorXd point = points.segment(i, 1);
    const double share = point(0) == 0.0 ? 0.5 : 1.0;
    if (point(0) <= 0.0) result.row(i).head(below) = share * velocity_interpolation(nodes.head(below), point);
    if (point(0) >= 0.0) result.row(i).tail(above) = share * velocity_interpolation(nodes.tail(above), point);
  }
  return result;
}

}  // namespace torsor
