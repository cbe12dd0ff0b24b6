#include "physics/velocity_set.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

using Eigen::ArrayXd;
using Eigen::VectorXd;

double mean_of_power(const VelocitySet& set, int power) {
  return set.moment(VectorXd::Ones(set.size()), power);
}

TEST(VelocitySet, GaussIsExactToItsDegree) {
  for (int n : {1, 2, 3, 8, 17, 64, 200}) {
    const VelocitySet set = gauss_velocities(n);
    EXPECT_NEAR(set.weights.sum(), 1.0, 1e-15);
    for (int k = 0; k <= 2 * n - 1; ++k)
      EXPECT_NEAR(mean_of_power(set, k), k % 2 ? 0.0 : 1.0 / (k + 1), 1e-15) << n << " " << k;
  }
  // <v^4> = 1/5 is beyond two nodes: (1/3)^2.
  EXPECT_NEAR(mean_of_power(gauss_velocities(2), 4), 1.0 / 9.0, 1e-15);
}

TEST(VelocitySet, HalfRangeIsExactToItsDegree) {
  for (int n : {1, 4, 30, 100})
    for (int k = 0; k <= 2 * n - 1; ++k)
      EXPECT_NEAR(mean_of_power(half_range_velocities(n), k), 1.0 / (k + 1), 2e-15) << n << " " << k;
}

TEST(VelocitySet, DoubleGaussIntegratesAJumpAtZero) {
  const VelocitySet set = double_gauss_velocities(6);
  const ArrayXd v = set.nodes.array();
  const VectorXd jump = (v > 0.0).select(v.pow(5), 2.0 * v.square()).matrix();
  EXPECT_NEAR(set.moment(jump), 0.5 * (1.0 / 6.0 + 2.0 / 3.0), 1e-15);
  EXPECT_NEAR(set.moment(jump, 1), 0.5 * (1.0 / 7.0 - 2.0 / 4.0), 1e-15);
  EXPECT_NEAR(mean_of_power(set, 2), 1.0 / 3.0, 1e-15);
}

TEST(VelocitySet, WeightsArePositiveAndNodesAscend) {
  for (int n : {5, 300}) {
    for (const VelocitySet& set :
         {gauss_velocities(n), half_range_velocities(n), double_gauss_velocities(n)}) {
      EXPECT_GT(set.weights.minCoeff(), 0.0);
      EXPECT_GT((set.nodes.tail(set.size() - 1) - set.nodes.head(set.size() - 1)).minCoeff(), 0.0);
    }
  }
}

TEST(VelocitySet, ManyNodesIntegrateAnAnalyticFunctionToRounding) {
  // <exp(-40 (v - 0.3)^2)>, a narrow bell.
  const VelocitySet set = gauss_velocities(120);
  const VectorXd bell = (-40.0 * (set.nodes.array() - 0.3).square()).exp().matrix();
  const double root = std::sqrt(40.0);
  const double exact =
      0.25 * std::sqrt(std::acos(-1.0)) / root * (std::erf(0.7 * root) + std::erf(1.3 * root));
  EXPECT_NEAR(set.moment(bell), exact, 2e-15);
}

TEST(VelocitySet, ReflectionIsExact) {
  for (const VelocitySet& set : {gauss_velocities(7), double_gauss_velocities(4)}) {
    const Eigen::MatrixXd row = set.nodes.transpose();
    EXPECT_EQ((set.reflected(row) + row).cwiseAbs().maxCoeff(), 0.0);
    EXPECT_EQ((set.weights.reverse() - set.weights).cwiseAbs().maxCoeff(), 0.0);
  }
}

void expect_second_moments(const PlanarVelocitySet& set, double isotropic) {
  const VectorXd one = VectorXd::Ones(set.size());
  EXPECT_NEAR(set.moment(one), 1.0, 1e-14);
  EXPECT_NEAR(set.moment(one, 1, 0), 0.0, 1e-15);
  EXPECT_NEAR(set.moment(one, 0, 1), 0.0, 1e-15);
  EXPECT_NEAR(set.moment(one, 1, 1), 0.0, 1e-15);
  EXPECT_NEAR(set.moment(one, 2, 0), isotropic, 1e-14);
  EXPECT_NEAR(set.moment(one, 0, 2), isotropic, 1e-14);
}

TEST(VelocitySet, PlanarSetsHaveTheirMoments) {
  expect_second_moments(circle_velocities(8), 1.0 / 2.0);
  expect_second_moments(sphere_velocities(4, 8), 1.0 / 3.0);
  expect_second_moments(disc_velocities(4, 8), 1.0 / 4.0);
  const PlanarVelocitySet sphere = sphere_velocities(5, 12);
  const VectorXd one = VectorXd::Ones(sphere.size());
  EXPECT_NEAR(sphere.moment(one, 4, 0), 1.0 / 5.0, 1e-14);
  EXPECT_NEAR(sphere.moment(one, 2, 2), 1.0 / 15.0, 1e-14);
}

TEST(VelocitySet, PlanarReflectionsMatch) {
  const PlanarVelocitySet set = sphere_velocities(3, 12);
  for (Eigen::Index i = 0; i < set.size(); ++i) {
    const double x = set.nodes(i, 0), y = set.nodes(i, 1);
    EXPECT_NEAR((set.nodes.row(set.mirror(i)) - Eigen::RowVector2d(-x, -y)).norm(), 0.0, 1e-15);
    EXPECT_NEAR((set.nodes.row(set.mirror_x(i)) - Eigen::RowVector2d(-x, y)).norm(), 0.0, 1e-15);
    EXPECT_NEAR((set.nodes.row(set.mirror_y(i)) - Eigen::RowVector2d(x, -y)).norm(), 0.0, 1e-15);
  }
}

TEST(VelocitySet, RefusesBadArguments) {
  EXPECT_THROW(gauss_velocities(0), InputError);
  EXPECT_THROW(half_range_velocities(-1), InputError);
  EXPECT_THROW(double_gauss_velocities(0), InputError);
  EXPECT_THROW(circle_velocities(6), InputError);
  EXPECT_THROW(sphere_velocities(0, 8), InputError);
  EXPECT_THROW(disc_velocities(2, 0), InputError);
  EXPECT_THROW(gauss_velocities(3).moment(VectorXd::Ones(4)), InputError);
  EXPECT_THROW(gauss_velocities(3).moment(VectorXd::Ones(3), -1), InputError);
  EXPECT_THROW(half_range_velocities(3).reflected(VectorXd::Ones(3).transpose()), InputError);
  EXPECT_THROW(circle_velocities(8).moment(VectorXd::Ones(7)), InputError);
}

}  // namespace
}  // namespace torsor
