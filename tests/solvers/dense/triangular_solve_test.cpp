// Rank-revealing triangular solve against Eigen's complete orthogonal decomposition.
#include "solvers/dense/triangular_solve.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"
#include "tests/solvers/dense/dense_test_tools.h"

namespace torsor {
namespace {

using testing::as_eigen;
using testing::Matrix;
using testing::random_matrix;
using testing::reference_solution;

TriangularOptions with_cut_off(double rcond, PivotChoice pivots = PivotChoice::kAutomatic) {
  TriangularOptions options;
  options.rcond = rcond;
  options.pivots = pivots;
  return options;
}

/// A random matrix whose columns repeat, vanish and combine others.
Matrix deficient_matrix(int m, int n, unsigned seed) {
  Matrix a = random_matrix(m, n, seed);
  a.col(3) = a.col(1);
  a.col(n - 1) = a.col(0) - 2.0 * a.col(5) + 0.5 * a.col(7);
  a.col(4).setZero();
  a.col(9) = 3.0 * a.col(n - 1);
  return a;
}

TEST(TriangularSolve, HealthySystemsUseSubstitution) {
  const Matrix a = random_matrix(300, 60, 1), b = random_matrix(300, 3, 2);
  const TriangularSolution solution = solve_triangular(testing::stream(a, b, 64));
  EXPECT_EQ(solution.method, SolveMethod::kSubstitution);
  EXPECT_EQ(solution.rank, 60);
  EXPECT_LT((as_eigen(solution.w) - reference_solution(a, b)).norm(), 1e-12);
  for (int s = 0; s < 3; ++s) {
    const size_t i = static_cast<size_t>(s);
    EXPECT_NEAR(solution.residual_norms[i], (a * as_eigen(solution.w) - b).col(s).norm(), 1e-11);
    EXPECT_NEAR(solution.norms[i], as_eigen(solution.w).col(s).norm(), 1e-14);
  }
}

TEST(TriangularSolve, DeficientSystemsGiveTheLeastNorm) {
  for (PivotChoice pivots : {PivotChoice::kColumnNorms, PivotChoice::kSketch}) {
    for (int n : {30, 64, 200}) {
      const Matrix a = deficient_matrix(260, n, 3), b = random_matrix(260, 2, 4);
      const TriangularSolution solution =
          solve_triangular(testing::stream(a, b, 50), with_cut_off(1e-12, pivots));
      const Matrix reference = reference_solution(a, b);
      EXPECT_EQ(solution.method, SolveMethod::kCompleteOrthogonal);
      EXPECT_EQ(solution.rank, n - 4);
      EXPECT_LT((as_eigen(solution.w) - reference).norm(), 1e-11 * reference.norm());
      EXPECT_NEAR(solution.residual_norms[1], (a * reference - b).col(1).norm(), 1e-10);
    }
  }
}

TEST(TriangularSolve, LeastNormOfTheUnscaledProblemOnRequest) {
  const Matrix a = deficient_matrix(120, 40, 5), b = random_matrix(120, 1, 6);
  TriangularOptions options = with_cut_off(1e-12);
  options.unit_columns = false;
  const TriangularSolution solution = solve_triangular(testing::stream(a, b, 50), options);
  const Matrix reference = a.completeOrthogonalDecomposition().solve(b);
  EXPECT_LT((as_eigen(solution.w) - reference).norm(), 1e-11 * reference.norm());
}

TEST(TriangularSolve, FewerRowsThanColumns) {
  for (int m : {1, 20, 99}) {
    const Matrix a = random_matrix(m, 100, 7), b = random_matrix(m, 2, 8);
    const TriangularSolution solution = solve_triangular(testing::stream(a, b, 16));
    const Matrix reference = reference_solution(a, b);
    EXPECT_EQ(solution.rank, m);
    EXPECT_LT((as_eigen(solution.w) - reference).norm(), 1e-11 * reference.norm());
    EXPECT_LT((a * as_eigen(solution.w) - b).norm(), 1e-11 * b.norm());
  }
}

TEST(TriangularSolve, GradedColumns) {
  // w_j scales with the inverse of its column; the span, and so the fit, does not change.
  const Matrix a = random_matrix(200, 31, 9), b = random_matrix(200, 1, 10);
  const Matrix reference = reference_solution(a, b);
  for (double decades : {8.0, 150.0}) {
    Matrix graded = a;
    for (int j = 0; j < 31; ++j) graded.col(j) *= std::pow(10.0, decades * (j / 15.0 - 1.0));
    const TriangularSolution solution = solve_triangular(testing::stream(graded, b, 30));
    EXPECT_EQ(solution.method, SolveMethod::kSubstitution);
    for (int j = 0; j < 31; ++j) {
      const double scale = std::pow(10.0, decades * (j / 15.0 - 1.0));
      EXPECT_NEAR(solution.w(j, 0) * scale, reference(j, 0), 1e-12);
    }
  }
}

TEST(TriangularSolve, ExponentialDecayIsFittedToRoundOff) {
  // Monomials of degree 0..39 on [-1, 1]: condition beyond 1e16 in double, smooth right side.
  Matrix a(500, 40), b(500, 1);
  for (int i = 0; i < 500; ++i) {
    const double x = -1.0 + 2.0 * i / 499.0;
    for (int j = 0; j < 40; ++j) a(i, j) = std::pow(x, j);
    b(i, 0) = std::exp(x) * std::sin(5.0 * x);
  }
  for (PivotChoice pivots : {PivotChoice::kColumnNorms, PivotChoice::kSketch}) {
    const TriangularSolution solution =
        solve_triangular(testing::stream(a, b, 64), with_cut_off(1e-15, pivots));
    EXPECT_LT((a * as_eigen(solution.w) - b).lpNorm<Eigen::Infinity>(), 1e-12);
    EXPECT_LT(solution.norms[0], 1e4);
  }
}

TEST(TriangularSolve, GrowthLimitRaisesTheCutOff) {
  // Two columns 1e-9 apart and a right side along their difference ask for coefficients of 1e9.
  Matrix a = random_matrix(50, 6, 20);
  const Matrix direction = random_matrix(50, 1, 21);
  a.col(5) = a.col(2) + 1e-9 * direction;
  const TriangularSolution free = solve_triangular(testing::stream(a, direction, 20), [] {
    TriangularOptions options;
    options.max_growth = 1e12;
    return options;
  }());
  const TriangularSolution limited = solve_triangular(testing::stream(a, direction, 20));
  EXPECT_GT(free.scaled_norms[0], 1e8);
  EXPECT_EQ(free.rank, 6);
  EXPECT_LT(limited.scaled_norms[0], 1e2);
  EXPECT_EQ(limited.rank, 5);
  EXPECT_GT(limited.cut_off, 1e-10);
  EXPECT_NEAR(limited.residual_norms[0], (a * as_eigen(limited.w) - direction).norm(), 1e-8);
}

TEST(TriangularSolve, SingularValuesOnRequest) {
  const Matrix a = random_matrix(100, 20, 11), b = random_matrix(100, 1, 12);
  EXPECT_TRUE(solve_triangular(testing::stream(a, b, 40)).singular_values.empty());
  TriangularOptions options;
  options.singular_values = true;
  const std::vector<double> values = solve_triangular(testing::stream(a, b, 40), options).singular_values;
  const Matrix unit = a * a.colwise().norm().cwiseInverse().asDiagonal();
  const testing::Vector reference = unit.jacobiSvd().singularValues();
  ASSERT_EQ(values.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_NEAR(values[static_cast<size_t>(i)], reference(i), 1e-13);
}

TEST(TriangularSolve, EmptyAndZeroSystems) {
  const TriangularSolution empty = solve_triangular(StreamedQr(5, 2));
  EXPECT_EQ(empty.rank, 0);
  EXPECT_EQ(as_eigen(empty.w).norm(), 0.0);
  const Matrix a = Matrix::Zero(10, 5), b = random_matrix(10, 1, 13);
  const TriangularSolution zero = solve_triangular(testing::stream(a, b, 10));
  EXPECT_EQ(zero.rank, 0);
  EXPECT_EQ(as_eigen(zero.w).norm(), 0.0);
  EXPECT_NEAR(zero.residual_norms[0], b.norm(), 1e-14);
}

TEST(TriangularSolve, RejectsBadOptions) {
  EXPECT_THROW(solve_triangular(StreamedQr(2, 1), with_cut_off(-1.0)), InputError);
}

TEST(PivotedQr, SketchKeepsTheFactorisation) {
  const int m = 150, n = 210;
  const Matrix a = random_matrix(m, 90, 14) * random_matrix(90, n, 15);
  Matrix r = a, qt = Matrix::Identity(m, m);
  std::vector<int> pivots;
  const int rank =
      pivoted_qr(m, n, r.data(), m, m, qt.data(), m, 1e-10 * a.norm(), pivots, PivotChoice::kSketch);
  EXPECT_EQ(rank, 90);
  const Matrix upper = r.topRows(rank).triangularView<Eigen::Upper>();
  const Matrix product = qt.topRows(rank).transpose() * upper;
  for (int j = 0; j < n; ++j) {
    EXPECT_LT((product.col(j) - a.col(pivots[static_cast<size_t>(j)])).norm(), 1e-11 * a.norm());
  }
  EXPECT_LT((qt * qt.transpose() - Matrix::Identity(m, m)).norm(), 1e-12);
}

}  // namespace
}  // namespace torsor
