#include "solvers/reference/fourier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

TEST(Fourier, DifferentiatesEveryModeExactly) {
  for (int n : {11, 12}) {
    const Eigen::ArrayXd x = fourier_nodes(n, -1.0, 1.0).array();
    const Eigen::VectorXd u = (3.0 * kPi * x).sin().matrix();
    const Eigen::VectorXd v = (3.0 * kPi * x).cos().matrix();
    const double w = 3.0 * kPi;
    const Eigen::VectorXd expected[5] = {u, w * v, -w * w * u, -w * w * w * v, w * w * w * w * u};
    for (int order = 0; order < 5; ++order)
      EXPECT_LT((fourier_differentiation(n, -1.0, 1.0, order) * u - expected[order]).cwiseAbs().maxCoeff(),
                1e-13 * std::pow(kPi * n, order));
  }
}

TEST(Fourier, DifferentiationConvergesExponentially) {
  // u = 1/(2 + cos x) has its poles at the distance log(2 + sqrt 3) = 1.317: 16 more nodes win exp(-8
  // * 1.317).
  auto error = [](int n) {
    const Eigen::ArrayXd x = fourier_nodes(n, 0.0, 2.0 * kPi).array();
    const Eigen::ArrayXd u = 1.0 / (2.0 + x.cos());
    const Eigen::VectorXd expected = (x.sin() * u.square()).matrix();
    return (fourier_differentiation(n, 0.0, 2.0 * kPi, 1) * u.matrix() - expected).cwiseAbs().maxCoeff();
  };
  EXPECT_LT(error(32), 1e-4 * error(16));
  EXPECT_LT(error(64), 1e-12);
}

TEST(Fourier, InterpolatesPeriodically) {
  Eigen::VectorXd points(4);
  points << 0.0, 0.3, -3.7, 2.0;
  for (int n : {9, 10}) {
    const Eigen::ArrayXd x = fourier_nodes(n, 0.0, 2.0).array();
    const Eigen::VectorXd u = ((kPi * x).sin() + (4.0 * kPi * x).cos()).matrix();
    const Eigen::VectorXd value = fourier_interpolation(n, 0.0, 2.0, points) * u;
    for (int i = 0; i < 4; ++i)
      EXPECT_NEAR(value(i), std::sin(kPi * points(i)) + std::cos(4.0 * kPi * points(i)), 1e-13);
  }
}

TEST(Fourier, RefusesBadArguments) {
  EXPECT_THROW(fourier_nodes(1, 0.0, 1.0), InputError);
  EXPECT_THROW(fourier_nodes(8, 1.0, 0.0), InputError);
  EXPECT_THROW(fourier_differentiation(8, 0.0, 1.0, -1), InputError);
}

}  // namespace
}  // namespace torsor
