#include "solvers/reference/chebyshev.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

TEST(Chebyshev, NodesAscendAndHoldTheEnds) {
  const Eigen::VectorXd x = chebyshev_nodes(7, -0.3, 2.1);
  EXPECT_EQ(x(0), -0.3);
  EXPECT_EQ(x(7), 2.1);
  for (int j = 0; j < 7; ++j) EXPECT_LT(x(j), x(j + 1));
}

TEST(Chebyshev, DifferentiationIsExactForPolynomials) {
  const Eigen::ArrayXd x = chebyshev_nodes(6, 1.0, 3.0).array();
  const Eigen::VectorXd u = (x.pow(6) - 2.0 * x.cube()).matrix();
  const Eigen::VectorXd expected = (6.0 * x.pow(5) - 6.0 * x.square()).matrix();
  EXPECT_LT((chebyshev_differentiation(6, 1.0, 3.0) * u - expected).cwiseAbs().maxCoeff(), 1e-10);
}

TEST(Chebyshev, DifferentiationConvergesExponentially) {
  // exp(3x) is entire: the error falls faster than any power, below 1e-11 at degree 24.
  auto error = [](int degree) {
    const Eigen::ArrayXd x = chebyshev_nodes(degree, -1.0, 1.0).array();
    const Eigen::VectorXd u = (3.0 * x).exp().matrix();
    return (chebyshev_differentiation(degree, -1.0, 1.0) * u - 3.0 * u).cwiseAbs().maxCoeff();
  };
  EXPECT_LT(error(16), 1e-3 * error(8));
  EXPECT_LT(error(24), 1e-11);
}

TEST(Chebyshev, InterpolationReproducesPolynomialsAndNodes) {
  Eigen::VectorXd points(4);
  points << 0.0, 0.1234, 0.9, chebyshev_nodes(5, 0.0, 1.0)(2);
  const Eigen::ArrayXd x = chebyshev_nodes(5, 0.0, 1.0).array();
  const Eigen::VectorXd value = chebyshev_interpolation(5, 0.0, 1.0, points) * (x.pow(5) - x).matrix();
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(value(i), std::pow(points(i), 5) - points(i), 1e-14);
}

TEST(Chebyshev, ClenshawCurtisIntegratesTheExponential) {
  for (int degree : {15, 16}) {
    const Eigen::ArrayXd x = chebyshev_nodes(degree, -1.0, 2.0).array();
    EXPECT_NEAR(clenshaw_curtis_weights(degree, -1.0, 2.0).dot(x.exp().matrix()),
                std::exp(2.0) - std::exp(-1.0), 1e-13);
  }
}

TEST(Chebyshev, CoefficientsOfASingleMode) {
  const Eigen::ArrayXd x = chebyshev_nodes(8, -1.0, 1.0).array();
  const Eigen::VectorXd c = chebyshev_coefficients((4.0 * x.cube() - 3.0 * x).matrix());
  for (int k = 0; k <= 8; ++k) EXPECT_NEAR(c(k), k == 3 ? 1.0 : 0.0, 1e-14);
}

TEST(Chebyshev, RefusesBadArguments) {
  EXPECT_THROW(chebyshev_nodes(0, 0.0, 1.0), InputError);
  EXPECT_THROW(chebyshev_nodes(4, 1.0, 1.0), InputError);
  EXPECT_THROW(barycentric_interpolation(Eigen::VectorXd(3), Eigen::VectorXd(2), Eigen::VectorXd(1)),
               InputError);
}

}  // namespace
}  // namespace torsor
