// The chain solver against a dense least-squares solve of the assembled matrix.
#include "solvers/dense/chain_qr.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <string>

#include "physics/error.h"
#include "tests/solvers/dense/dense_test_tools.h"

namespace torsor {
namespace {

using testing::as_eigen;
using testing::Matrix;
using testing::random_matrix;

/// A chain of random rows, with the assembled matrix to compare with.
struct Problem {
  ChainShape shape;
  std::vector<ChainSource> sources;
  std::vector<Matrix> own, next, right;  // of each source
  Matrix a, b;
};

constexpr int kBlock = 24;

Problem make_problem(std::vector<int> sizes, bool periodic, int rows_per_source, int nrhs,
                     bool alone = true) {
  Problem p;
  p.shape = {std::move(sizes), periodic};
  const int groups = static_cast<int>(p.shape.sizes.size());
  const int blocks = (rows_per_source + kBlock - 1) / kBlock;
  for (int g = 0; g < groups; ++g) {
    if (periodic || g + 1 < groups) p.sources.push_back({g, true, blocks});
    if (alone) p.sources.push_back({g, false, blocks});
  }
  unsigned seed = 100;
  for (const ChainSource& source : p.sources) {
    const size_t g = static_cast<size_t>(source.group);
    p.own.push_back(random_matrix(rows_per_source, p.shape.sizes[g], ++seed));
    p.next.push_back(random_matrix(rows_per_source, p.shape.sizes[(g + 1) % p.shape.sizes.size()], ++seed));
    p.right.push_back(random_matrix(rows_per_source, nrhs, ++seed));
  }
  return p;
}

void assemble(Problem& p) {
  std::vector<int> first(p.shape.sizes.size() + 1, 0);
  std::partial_sum(p.shape.sizes.begin(), p.shape.sizes.end(), first.begin() + 1);
  const int rows = static_cast<int>(p.right[0].rows()), sources = static_cast<int>(p.sources.size());
  p.a = Matrix::Zero(rows * sources, first.back());
  p.b = Matrix::Zero(rows * sources, p.right[0].cols());
  for (int i = 0; i < sources; ++i) {
    const size_t s = static_cast<size_t>(i), g = static_cast<size_t>(p.sources[s].group);
    p.a.block(i * rows, first[g], rows, p.own[s].cols()) = p.own[s];
    if (p.sources[s].with_next) {
      p.a.block(i * rows, first[(g + 1) % p.shape.sizes.size()], rows, p.next[s].cols()) = p.next[s];
    }
    p.b.middleRows(i * rows, rows) = p.right[s];
  }
}

ChainSolution solve(const Problem& p, const ChainOptions& options = {}) {
  const auto copy = [](const Matrix& from, int first, int k, double* to, int ld) {
    for (int j = 0; j < from.cols(); ++j) {
      for (int i = 0; i < k; ++i) to[i + static_cast<ptrdiff_t>(j) * ld] = from(first + i, j);
    }
  };
  return solve_chain(
      p.shape, static_cast<int>(p.right[0].cols()), p.sources,
      [&](int source, int block, const ChainBlock& buffer) {
        const size_t s = static_cast<size_t>(source);
        const int first = block * kBlock;
        const int k = std::min(kBlock, static_cast<int>(p.own[s].rows()) - first);
        copy(p.own[s], first, k, buffer.own, buffer.ld);
        EXPECT_EQ(buffer.next != nullptr, p.sources[s].with_next);
        if (buffer.next != nullptr) copy(p.next[s], first, k, buffer.next, buffer.ld);
        copy(p.right[s], first, k, buffer.b, buffer.ld);
        return k;
      },
      options);
}

void expect_dense_solution(Problem& p) {
  assemble(p);
  const ChainSolution solution = solve(p);
  const Matrix reference = testing::reference_solution(p.a, p.b);
  EXPECT_EQ(solution.rank, p.a.cols());
  EXPECT_LT((as_eigen(solution.w) - reference).norm(), 1e-10 * reference.norm());
  for (int s = 0; s < p.b.cols(); ++s) {
    EXPECT_NEAR(solution.residual_norms[static_cast<size_t>(s)], (p.a * reference - p.b).col(s).norm(),
                1e-10);
  }
}

TEST(ChainQr, OpenChainsMatchTheDenseSolve) {
  for (const std::vector<int>& sizes : {std::vector<int>{12}, {9, 14}, {5, 6, 7}, {20, 11, 30, 8, 17}}) {
    for (bool alone : {true, false}) {
      if (sizes.size() == 1 && !alone) continue;
      Problem p = make_problem(sizes, false, 70, 2, alone);
      expect_dense_solution(p);
    }
  }
}

TEST(ChainQr, PeriodicChainsMatchTheDenseSolve) {
  for (const std::vector<int>& sizes : {std::vector<int>{9, 14}, {5, 6, 7}, {20, 11, 30, 8, 17}}) {
    for (bool alone : {true, false}) {
      Problem p = make_problem(sizes, true, 70, 2, alone);
      expect_dense_solution(p);
    }
  }
}

TEST(ChainQr, FewRowsPerSource) {
  // No source fills its own triangle, but together they determine the solution.
  Problem p = make_problem({10, 10, 10, 10}, true, 9, 1);
  expect_dense_solution(p);
  Problem open = make_problem({10, 10, 10, 10}, false, 9, 1);
  expect_dense_solution(open);
}

TEST(ChainQr, DeficientGroupsKeepTheLeastResidual) {
  for (bool periodic : {false, true}) {
    Problem p = make_problem({12, 15, 10, 13}, periodic, 60, 2);
    for (size_t s = 0; s < p.sources.size(); ++s) {
      for (Matrix* part : {&p.own[s], &p.next[s]}) {
        if (part->cols() == 15) {
          part->col(3) = part->col(7);
          part->col(14) = part->col(0) + part->col(1);
        }
        if (part->cols() == 12) part->col(5).setZero();
      }
    }
    assemble(p);
    const ChainSolution solution = solve(p);
    const Matrix reference = testing::reference_solution(p.a, p.b);
    EXPECT_EQ(solution.rank, 47);
    EXPECT_EQ(solution.group_ranks, (std::vector<int>{11, 13, 10, 13}));
    const Matrix residual = p.a * as_eigen(solution.w) - p.b;
    for (int s = 0; s < 2; ++s) {
      EXPECT_NEAR(residual.col(s).norm(), (p.a * reference - p.b).col(s).norm(), 1e-10);
      EXPECT_NEAR(solution.residual_norms[static_cast<size_t>(s)], residual.col(s).norm(), 1e-10);
    }
    EXPECT_LT(solution.norms[0], 10.0 * reference.col(0).norm());
  }
}

TEST(ChainQr, UndeterminedChainStaysBounded) {
  for (bool periodic : {false, true}) {
    Problem p = make_problem({20, 20, 20}, periodic, 8, 1);
    assemble(p);
    const ChainSolution solution = solve(p);
    EXPECT_EQ(solution.rank, p.a.rows());
    EXPECT_LT((p.a * as_eigen(solution.w) - p.b).norm(), 1e-10);
  }
}

// Nearly dependent columns and right sides that they do not fit: a long solution, unless it is bounded.
TEST(ChainQr, CutOffRisesUntilTheSolutionIsShort) {
  for (bool periodic : {false, true}) {
    Problem p = make_problem({12, 15, 10}, periodic, 60, 2);
    for (size_t s = 0; s < p.sources.size(); ++s) {
      for (Matrix* part : {&p.own[s], &p.next[s]}) {
        if (part->cols() == 15) part->col(3) = part->col(7) + 1e-10 * part->col(3);
      }
    }
    assemble(p);
    ChainOptions options;
    EXPECT_EQ(solve(p, options).rank, 37);
    EXPECT_GT(solve(p, options).scaled_norms[0], 1e6 * p.b.col(0).norm());
    options.max_growth = 100;
    const ChainSolution bounded = solve(p, options);
    EXPECT_EQ(bounded.group_ranks, (std::vector<int>{12, 14, 10}));
    EXPECT_GT(bounded.cut_off, 1e-11);
    const Matrix w = as_eigen(bounded.w), residual = p.a * w - p.b;
    for (int s = 0; s < 2; ++s) {
      const auto i = static_cast<size_t>(s);
      EXPECT_LT(bounded.scaled_norms[i], 100 * p.b.col(s).norm());
      EXPECT_NEAR(bounded.scaled_norms[i], p.a.colwise().norm().transpose().cwiseProduct(w.col(s)).norm(), 1e-10);
      EXPECT_NEAR(bounded.residual_norms[i], residual.col(s).norm(), 1e-10);
    }
  }
}

TEST(ChainQr, RidgeMatchesAppendedRows) {
  for (bool periodic : {false, true}) {
    Problem p = make_problem({8, 9, 7}, periodic, 40, 1);
    assemble(p);
    ChainOptions options;
    options.ridge = 0.1;
    const int n = static_cast<int>(p.a.cols()), m = static_cast<int>(p.a.rows());
    Matrix a(m + n, n), b = Matrix::Zero(m + n, 1);
    a << p.a, Matrix((std::sqrt(0.1) * p.a.colwise().norm()).asDiagonal());
    b.topRows(m) = p.b;
    const Matrix reference = testing::reference_solution(a, b);
    const ChainSolution solution = solve(p, options);
    EXPECT_LT((as_eigen(solution.w) - reference).norm(), 1e-11);
    EXPECT_NEAR(solution.residual_norms[0], (a * reference - b).norm(), 1e-11);
  }
}

TEST(ChainQr, RepeatsItsBits) {
  Problem p = make_problem({30, 25, 40, 20}, true, 100, 1);
  const ChainSolution first = solve(p), second = solve(p);
  EXPECT_EQ(first.w.data, second.w.data);
}

TEST(ChainQr, NamesTheEntryThatIsNotFinite) {
  Problem p = make_problem({6, 6}, false, 60, 1);
  p.own[2](kBlock + 5, 4) = std::numeric_limits<double>::quiet_NaN();
  try {
    solve(p);
    FAIL();
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("source 2, block 1: matrix: row 5, column 4"), std::string::npos)
        << error.what();
  }
}

TEST(ChainQr, RejectsBadInput) {
  const ChainProducer none = [](int, int, const ChainBlock&) { return 0; };
  EXPECT_THROW(solve_chain({{}, false}, 1, {}, none), InputError);
  EXPECT_THROW(solve_chain({{3}, true}, 1, {}, none), InputError);
  EXPECT_THROW(solve_chain({{3, 0}, false}, 1, {}, none), InputError);
  EXPECT_THROW(solve_chain({{3, 3}, false}, 1, {{1, true, 1}}, none), InputError);
  EXPECT_THROW(solve_chain({{3, 3}, false}, 1, {{0, true, 1}, {0, true, 1}}, none), InputError);
  EXPECT_EQ(solve_chain({{3, 3}, true}, 1, {{1, true, 1}}, none).rank, 0);
}

}  // namespace
}  // namespace torsor
