// The cached factor against Eigen's complete orthogonal decomposition.
#include "solvers/dense/cached_factor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "physics/error.h"
#include "tests/solvers/dense/dense_test_tools.h"

namespace torsor {
namespace {

using testing::Matrix;
using testing::random_matrix;
using testing::reference_solution;

Matrix solve(const Matrix& a, const Matrix& b, const CachedFactorOptions& options = {}) {
  const int m = static_cast<int>(a.rows()), n = static_cast<int>(a.cols());
  const CachedFactor factor(a.data(), m, m, n, options);
  Matrix w = Matrix::Constant(n, b.cols(), 7.0);
  factor.solve(b.data(), m, static_cast<int>(b.cols()), w.data(), n);
  return w;
}

TEST(CachedFactor, MatchesTheReference) {
  const Matrix a = random_matrix(300, 50, 1), b = random_matrix(300, 40, 2);
  const Matrix reference = reference_solution(a, b);
  EXPECT_LT((solve(a, b) - reference).norm(), 1e-12 * reference.norm());
}

TEST(CachedFactor, DeficientMatricesGiveTheLeastNorm) {
  Matrix a = random_matrix(200, 40, 3);
  a.col(11) = a.col(30);
  a.col(12) = a.col(1) - a.col(2);
  a.col(20).setZero();
  const Matrix b = random_matrix(200, 3, 4);
  CachedFactorOptions options;
  options.rcond = 1e-12;
  const Matrix reference = reference_solution(a, b);
  EXPECT_LT((solve(a, b, options) - reference).norm(), 1e-11 * reference.norm());
  EXPECT_EQ(CachedFactor(a.data(), 200, 200, 40, options).rank(), 37);
}

TEST(CachedFactor, FewerRowsThanColumnsAndZeros) {
  const Matrix a = random_matrix(20, 60, 5), b = random_matrix(20, 2, 6);
  const Matrix reference = reference_solution(a, b);
  EXPECT_LT((solve(a, b) - reference).norm(), 1e-11 * reference.norm());
  EXPECT_EQ(solve(Matrix::Zero(20, 6), b).norm(), 0.0);
}

TEST(CachedFactor, GradedColumns) {
  const Matrix a = random_matrix(150, 21, 7), b = random_matrix(150, 1, 8);
  const Matrix reference = reference_solution(a, b);
  Matrix graded = a;
  for (int j = 0; j < 21; ++j) graded.col(j) *= std::pow(10.0, 15.0 * (j - 10));
  const Matrix w = solve(graded, b);
  for (int j = 0; j < 21; ++j) EXPECT_NEAR(w(j, 0) * std::pow(10.0, 15.0 * (j - 10)), reference(j, 0), 1e-13);
}

TEST(CachedFactor, RejectsBadInput) {
  Matrix a = random_matrix(10, 4, 9);
  EXPECT_THROW(CachedFactor(a.data(), 9, 10, 4), InputError);
  EXPECT_THROW(CachedFactor(a.data(), 10, 0, 4), InputError);
  a(3, 2) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(CachedFactor(a.data(), 10, 10, 4), NumericalError);
}

}  // namespace
}  // namespace torsor
