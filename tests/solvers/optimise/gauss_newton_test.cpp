// Gauss-Newton on linear problems of any shape and rank, Levenberg-Marquardt's step against dense algebra.
#include <gtest/gtest.h>

#include <Eigen/Dense>

#include "physics/error.h"
#include "solvers/optimise/damped_model.h"
#include "tests/solvers/optimise/functions.h"

namespace torsor {
namespace {

using namespace testing;

struct Sample {
  MatrixXd a;
  VectorXd b;
};

// Over- and under-determined, of full and of smaller rank, with residuals that vanish and that do not.
std::vector<Sample> samples() {
  std::vector<Sample> list;
  unsigned seed = 1;
  for (auto [m, n] : {std::pair<Index, Index>{40, 8}, {8, 40}, {12, 12}, {1, 1}, {1, 5}, {5, 1}, {2500, 30}})
    for (Index rank : {std::min(m, n), std::max<Index>(1, std::min(m, n) / 2)})
      list.push_back({random_matrix(m, rank, ++seed) * random_matrix(rank, n, ++seed), random_matrix(m, 1, ++seed)});
  return list;
}

TEST(GaussNewton, SolvesLinearProblemsInOneStep) {
  for (const auto& [a, b] : samples()) {
    LeastSquares f = linear(a, b);
    const VectorXd start = random_matrix(a.cols(), 1, 99);
    VectorXd x = start;
    const StepReport report = make_optimiser("gauss-newton", {"damping=none"})->step(f, x);
    // The solution nearest to the start.
    const VectorXd exact = start + a.completeOrthogonalDecomposition().solve(b - a * start);
    EXPECT_FALSE(report.stopped);
    EXPECT_LT((x - exact).norm(), 1e-9 * (1 + exact.norm())) << a.rows() << " x " << a.cols();
  }
}

TEST(GaussNewton, StopsAtTheSolutionAndSaysWhy) {
  for (const auto& [a, b] : samples()) {
    LeastSquares f = linear(a, b);
    for (const char* damping : {"damping=none", "damping=search", "damping=gain"}) {
      const auto optimiser = make_optimiser("gauss-newton", {damping});
      VectorXd x = VectorXd::Zero(a.cols());
      const StepReport report = minimise(*optimiser, f, x, 60);
      EXPECT_TRUE(report.stopped) << damping << ", " << a.rows() << " x " << a.cols();
      EXPECT_NE(report.reason.find("below the rounding"), std::string::npos) << report.reason;
    }
  }
}

TEST(DampedModel, StepsEqualDenseAlgebra) {
  for (const auto& [a, b] : samples()) {
    LeastSquares f = linear(a, b);
    const VectorXd x = random_matrix(a.cols(), 1, 98), r = a * x - b;
    for (DampingScale scale : {DampingScale::identity, DampingScale::columns}) {
      const DampedModel model(f, x, scale);
      VectorXd weights = VectorXd::Ones(a.cols());
      if (scale == DampingScale::columns) weights = a.colwise().norm();
      EXPECT_NEAR(model.gradient_norm(), (2 * a.transpose() * r).norm(), 1e-10 * a.squaredNorm());
      EXPECT_NEAR(model.squared_residual(), r.squaredNorm(), 1e-12 * r.squaredNorm());
      for (double mu : {1e-3, 1.0, 100.0}) {
        MatrixXd stacked(a.rows() + a.cols(), a.cols());
        stacked << a, std::sqrt(mu) * MatrixXd(weights.asDiagonal());
        VectorXd right = VectorXd::Zero(stacked.rows());
        right.head(a.rows()) = -r;
        const VectorXd exact = stacked.householderQr().solve(right);
        const DampedStep step = model.solve(mu, 1e-15);
        EXPECT_LT((step.d - exact).norm(), 1e-8 * (1 + exact.norm())) << a.rows() << " x " << a.cols();
        EXPECT_NEAR(step.predicted, r.squaredNorm() - (a * exact + r).squaredNorm(), 1e-9 * r.squaredNorm());
        EXPECT_NEAR(step.length, (weights.cwiseProduct(exact)).norm(), 1e-8 * (1 + exact.norm() * weights.norm()));
      }
    }
  }
}

TEST(LevenbergMarquardt, ReachesKnownMinima) {
  for (const char* damping : {"damping=gain", "damping=search"}) {
    for (const char* scale : {"scale=identity", "scale=columns"}) {
      for (KnownMinimum& problem : known_minima()) {
        const auto optimiser = make_optimiser("gauss-newton", {damping, scale});
        VectorXd x = problem.start;
        minimise(*optimiser, problem.objective, x, 300);
        EXPECT_NEAR(problem.objective.value(x), problem.minimum, 1e-20)
            << problem.name << ", " << damping << ", " << scale;
      }
    }
  }
}

TEST(GaussNewton, NeedsResiduals) {
  struct Plain final : Objective {
    Index size() const override { return 2; }
    double value(const VectorXd& x) override { return x.squaredNorm(); }
    double value_and_gradient(const VectorXd& x, VectorXd&) override { return value(x); }
  } plain;
  VectorXd x = VectorXd::Ones(2);
  EXPECT_THROW(make_optimiser("gauss-newton")->step(plain, x), InputError);
}

TEST(GaussNewton, NamesTheResidualThatIsNotFinite) {
  for (Index m : {250, 3}) {
    LeastSquares f(5, m, [m](const VectorXd&, VectorXd& r, MatrixXd& jacobian) {
      r.setOnes();
      jacobian.setOnes();
      jacobian(m - 2, 3) = std::nan("");
    });
    VectorXd x = VectorXd::Ones(5);
    try {
      make_optimiser("gauss-newton")->step(f, x);
      ADD_FAILURE();
    } catch (const NumericalError& error) {
      EXPECT_NE(std::string(error.what()).find("residual " + std::to_string(m - 2)), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace torsor
