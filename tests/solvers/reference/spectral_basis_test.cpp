#include "solvers/reference/spectral_basis.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

using Eigen::ArrayXd;
using Eigen::VectorXd;

// A layer of width 0.01 at x = 0.3, with its derivative.
ArrayXd layer(const ArrayXd& x) {
  return (100.0 * (x - 0.3)).tanh();
}

double interpolation_error(const SpectralBasis& basis) {
  const VectorXd points = VectorXd::LinSpaced(501, basis.a, basis.b);
  const VectorXd u = basis.interpolation(points) * layer(basis.nodes().array()).matrix();
  return (u.array() - layer(points.array())).abs().maxCoeff();
}

TEST(SpectralBasis, ClusteringResolvesALayer) {
  SpectralBasis basis{-1.0, 2.0, false, 64, 0.0, 0.0};
  const double plain = interpolation_error(basis);
  basis.cluster_center = 0.3;
  basis.cluster_width = 0.0157;  // the poles of tanh(100 s) are at 0.0157 i
  const double clustered = interpolation_error(basis);
  EXPECT_GT(plain, 0.05);
  EXPECT_LT(clustered, 1e-3);
  basis.size = 128;
  EXPECT_LT(interpolation_error(basis), 1e-3 * clustered);  // exponential
}

TEST(SpectralBasis, ClusteredDerivatives) {
  const SpectralBasis basis{-1.0, 2.0, false, 160, 0.3, 0.0157};
  const ArrayXd u = layer(basis.nodes().array());
  const ArrayXd first = 100.0 * (1.0 - u.square());
  EXPECT_LT(((basis.differentiation(1) * u.matrix()).array() - first).abs().maxCoeff(), 1e-6);
  EXPECT_LT(((basis.differentiation(2) * u.matrix()).array() + 200.0 * u * first).abs().maxCoeff(), 1e-2);
}

TEST(SpectralBasis, RefusesACentreOutside) {
  EXPECT_THROW((SpectralBasis{0.0, 1.0, false, 8, 2.0, 0.1}.nodes()), InputError);
  EXPECT_THROW((SpectralBasis{1.0, 0.0, true, 8, 0.0, 0.0}.nodes()), InputError);
}

}  // namespace
}  // namespace torsor
