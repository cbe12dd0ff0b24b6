// The methods on a PINN: Poisson's equation in two dimensions.
#include "tests/solvers/optimise/poisson_network.h"

#include <gtest/gtest.h>

#include "tests/solvers/optimise/functions.h"

namespace torsor {
namespace {

using namespace testing;

TEST(PoissonNetwork, DerivativesFitTogether) {
  PoissonNetwork f({7, 6}, 5, 3);
  const VectorXd x = f.start(1), d = random_matrix(f.size(), 1, 2);
  VectorXd gradient, from_residuals = VectorXd::Zero(f.size());
  const double value = f.value_and_gradient(x, gradient), h = 1e-5;
  double sum = 0;
  f.residual_blocks(x, [&](Eigen::Ref<VectorXd> r, Eigen::Ref<MatrixXd> jacobian) {
    sum += r.squaredNorm();
    from_residuals += 2 * jacobian.transpose() * r;
  });
  EXPECT_NEAR(sum, value, 1e-12 * value);
  EXPECT_NEAR(f.value(x), value, 1e-12 * value);
  EXPECT_LT((gradient - from_residuals).norm(), 1e-11 * gradient.norm());
  EXPECT_NEAR((f.value(x + h * d) - f.value(x - h * d)) / (2 * h), gradient.dot(d), 1e-6 * gradient.norm() * d.norm());
}

double trained_error(const char* name, std::vector<Index> widths, int steps) {
  PoissonNetwork f(std::move(widths), 14, 8);
  VectorXd x = f.start(1);
  const auto optimiser = make_optimiser(name);
  minimise(*optimiser, f, x, steps);
  return f.error(x);
}

TEST(PoissonNetwork, QuasiNewtonMethodsReachSmallErrors) {
  EXPECT_LT(trained_error("ssbroyden", {12}, 1500), 3e-3);
  EXPECT_LT(trained_error("ssbfgs", {12}, 1500), 3e-3);
}

TEST(PoissonNetwork, GaussNewtonReachesSmallerOnes) { EXPECT_LT(trained_error("gauss-newton", {20}, 100), 1e-4); }

}  // namespace
}  // namespace torsor
