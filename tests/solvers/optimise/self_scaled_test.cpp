// Properties of the self-scaled updates over sampled H, s, y.
#include "solvers/optimise/self_scaled.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <random>

#include "tests/solvers/optimise/functions.h"

namespace torsor {
namespace {

using namespace testing;

MatrixXd applied(const MatrixXd& hessian, const SymmetricUpdate& u, const VectorXd& s, const VectorXd& h) {
  return hessian / u.tau + u.a * s * s.transpose() + u.b * (s * h.transpose() + h * s.transpose()) +
         u.c * h * h.transpose();
}

MatrixXd random_positive(Index n, double spread, unsigned seed) {
  const MatrixXd q = Eigen::HouseholderQR<MatrixXd>(random_matrix(n, n, seed)).householderQ();
  const VectorXd d = (spread * random_matrix(n, 1, seed + 1)).array().exp();
  return q * d.asDiagonal() * q.transpose();
}

class SelfScaledRule : public ::testing::TestWithParam<ScalingRule> {};

TEST_P(SelfScaledRule, KeepsTheSecantEquationAndPositiveDefiniteness) {
  for (unsigned sample = 0; sample < 500; ++sample) {
    const Index n = 2 + sample % 9;
    const MatrixXd h0 = random_positive(n, 1.0, 10 * sample);
    const VectorXd s = random_matrix(n, 1, 10 * sample + 5);
    const VectorXd y = random_positive(n, 1.0, 10 * sample + 6) * s;  // y^T s > 0
    const VectorXd h = h0 * y;
    const double y_s = y.dot(s), y_h = y.dot(h), s_hs = s.dot(h0.llt().solve(s));
    const SelfScaling scaling = GetParam()({s_hs / y_s, y_h / y_s, n});
    EXPECT_GT(scaling.tau, 0);
    EXPECT_LE(scaling.tau, 1 + 1e-12);
    const MatrixXd h1 = applied(h0, self_scaled_update(scaling, y_s, y_h), s, h);
    EXPECT_LT((h1 * y - s).norm(), 1e-9 * (h1.norm() * y.norm() + s.norm()));
    EXPECT_GT(Eigen::SelfAdjointEigenSolver<MatrixXd>(h1).eigenvalues().minCoeff(), 0) << "sample " << sample;
  }
}

// s parallel to H y: v = 0, and the formulas of the rule divide zero by zero.
TEST_P(SelfScaledRule, ParallelStepIsHarmless) {
  for (double factor : {0.1, 1.0, 10.0}) {
    const SelfScaling scaling = GetParam()({factor, 1 / factor, 5});
    EXPECT_TRUE(std::isfinite(scaling.tau) && std::isfinite(scaling.phi));
    EXPECT_GT(scaling.tau, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, SelfScaledRule, ::testing::Values(ssbfgs_scaling, ssbroyden_scaling));

TEST(SelfScaled, ThetaZeroIsBfgs) {
  const MatrixXd h0 = random_positive(6, 1, 1);
  const VectorXd s = random_matrix(6, 1, 2), y = random_positive(6, 1, 3) * s, h = h0 * y;
  const double y_s = y.dot(s);
  const MatrixXd left = MatrixXd::Identity(6, 6) - s * y.transpose() / y_s;
  const MatrixXd bfgs = left * h0 * left.transpose() + s * s.transpose() / y_s;
  const MatrixXd updated = applied(h0, self_scaled_update({1, 1}, y_s, y.dot(h)), s, h);
  EXPECT_LT((updated - bfgs).norm(), 1e-12 * bfgs.norm());
}

TEST(InverseHessian, OneSweepEqualsDenseAlgebra) {
  for (Index n : {1, 2, 17, 300}) {
    InverseHessian packed(n, 0.5);
    MatrixXd dense = 0.5 * MatrixXd::Identity(n, n);
    for (unsigned k = 0; k < 5; ++k) {
      const VectorXd s = random_matrix(n, 1, 4 * k), h = random_matrix(n, 1, 4 * k + 1);
      const VectorXd x = random_matrix(n, 1, 4 * k + 2), z = random_matrix(n, 1, 4 * k + 3);
      const SymmetricUpdate update{.tau = 1.5, .a = 0.3, .b = -0.2, .c = 0.1 * k};
      packed.update(update, s, h);
      dense = applied(dense, update, s, h);
      if (k == 2) continue;  // two updates in a row
      VectorXd hx, hz;
      packed.multiply(x, z, hx, hz);
      EXPECT_LT((hx - dense * x).norm() + (hz - dense * z).norm(), 1e-12 * dense.norm() * (x.norm() + z.norm()));
    }
    EXPECT_LT((packed.dense() - dense).norm(), 1e-13 * dense.norm());
  }
}

// The direction is descent and the conditions of the search hold at every accepted step.
TEST(QuasiNewton, EveryAcceptedStepSatisfiesTheWolfeConditions) {
  for (const char* name : {"lbfgs", "ssbfgs", "ssbroyden"}) {
    for (KnownMinimum& problem : known_minima()) {
      const auto optimiser = make_optimiser(name, {"rounding=0"});
      VectorXd x = problem.start, before, after;
      for (int k = 0; k < 40; ++k) {
        const VectorXd start = x;
        const double value = problem.objective.value_and_gradient(start, before);
        if (value < 1e-12 || optimiser->step(problem.objective, x).stopped) break;
        const double next = problem.objective.value_and_gradient(x, after), slope = before.dot(x - start);
        EXPECT_LT(slope, 0) << name << ", " << problem.name << ", step " << k;
        EXPECT_LE(next, value + 0.99e-4 * slope) << name << ", " << problem.name << ", step " << k;
        EXPECT_LE(std::abs(after.dot(x - start)), 0.9001 * std::abs(slope)) << name << ", " << problem.name;
      }
    }
  }
}

TEST(QuasiNewton, StopsWithAReasonWhereNoStepGoesDown) {
  // The gradient is wrong: it points downhill where the value goes up.
  struct Wrong final : Objective {
    Index size() const override { return 2; }
    double value(const VectorXd& x) override { return x.squaredNorm(); }
    double value_and_gradient(const VectorXd& x, VectorXd& gradient) override {
      gradient = -2 * x;
      return x.squaredNorm();
    }
  } wrong;
  for (const char* name : {"lbfgs", "ssbfgs", "ssbroyden"}) {
    VectorXd x = Eigen::Vector2d(1, 1);
    const StepReport report = make_optimiser(name)->step(wrong, x);
    EXPECT_TRUE(report.stopped);
    EXPECT_NE(report.reason.find("no step along the negative gradient"), std::string::npos) << report.reason;
    EXPECT_EQ(x, Eigen::Vector2d(1, 1));
  }
}

TEST(QuasiNewton, EvaluatesAPointOnce) {
  const VectorXd minimiser = random_matrix(30, 1, 1);
  LeastSquares f = quadratic(minimiser, 1e3, 2);
  for (const char* name : {"lbfgs", "ssbfgs", "ssbroyden"}) {
    const auto optimiser = make_optimiser(name);
    VectorXd x = VectorXd::Zero(30);
    Index evaluations = 0;
    for (int k = 0; k < 30; ++k) evaluations += optimiser->step(f, x).evaluations;
    EXPECT_LT(evaluations, 50) << name;
  }
}

}  // namespace
}  // namespace torsor
