// Orthonormal polynomials on velocity nodes.
#include "physics/velocity_basis.h"

#include <gtest/gtest.h>

#include "physics/error.h"

namespace torsor {
namespace {

VelocityBasis read(const std::string& text) {
  return parse_velocity(text, [](const std::string& number) { return std::stod(number); });
}

class EveryVelocityBasis : public testing::TestWithParam<const char*> {};

TEST_P(EveryVelocityBasis, IsOrthonormalAndComplete) {
  const VelocityBasis basis = read(GetParam());
  const Eigen::MatrixXd gram = basis.polynomials.transpose() * basis.weights.asDiagonal() * basis.polynomials;
  EXPECT_LT((gram - Eigen::MatrixXd::Identity(basis.size(), basis.size())).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((basis.polynomials.col(0).array() - 1).abs().maxCoeff(), 1e-14);
  EXPECT_EQ(static_cast<Eigen::Index>(basis.degrees.size()), basis.size());
}

TEST_P(EveryVelocityBasis, MultiplicationByTheVelocityCouplesNeighbouringDegreesOnly) {
  const VelocityBasis basis = read(GetParam());
  const Eigen::MatrixXd& p = basis.polynomials;
  for (Eigen::Index i = 0; i < basis.dimension(); ++i) {
    const Eigen::MatrixXd jacobi = p.transpose() * basis.weights.cwiseProduct(basis.nodes.col(i)).asDiagonal() * p;
    for (Eigen::Index l = 0; l < basis.size(); ++l)
      for (Eigen::Index m = 0; m < basis.size(); ++m) {
        if (std::abs(basis.degrees[static_cast<size_t>(l)] - basis.degrees[static_cast<size_t>(m)]) <= 1) continue;
        EXPECT_NEAR(jacobi(l, m), 0, 1e-12) << l << " " << m;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, EveryVelocityBasis,
                         testing::Values("v in gauss(1)", "v in gauss(16)", "v in gauss(160)", "v in double_gauss(8)",
                                         "vx, vy in circle(8)", "vx, vy in sphere(3, 8)", "vx, vy in disc(2, 8)"));

TEST(VelocityBasis, GaussNodesGiveLegendrePolynomials) {
  const VelocityBasis basis = read("v in gauss(12)");
  const Eigen::ArrayXd v = basis.nodes.col(0);
  EXPECT_LT((basis.polynomials.col(1).array() - std::sqrt(3.0) * v).abs().maxCoeff(), 1e-14);
  EXPECT_LT((basis.polynomials.col(2).array() - std::sqrt(5.0) * 0.5 * (3 * v * v - 1)).abs().maxCoeff(), 1e-13);
}

TEST(VelocityBasis, BadInputIsAnInputError) {
  for (const char* text : {"v in gaus(4)", "v in gauss(0)", "v in gauss(2.5)", "v in gauss(4, 4)", "vx, vy in gauss(4)",
                           "v in sphere(2, 4)", "v gauss(4)", "v in gauss 4", "vx, vy in circle(6)"})
    EXPECT_THROW(read(text), InputError) << text;
}

}  // namespace
}  // namespace torsor
