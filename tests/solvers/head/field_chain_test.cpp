// Systems of many fields of which each term couples few: chunks of fields, and the chain of chunks against the dense
// solve of the same rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <random>
#include <string>

#include "problems/builder.h"
#include "solvers/head/head_solver.h"

namespace torsor {
namespace {

using Ends = std::vector<Index>;

std::vector<FieldSpan> neighbours(Index fields) {
  std::vector<FieldSpan> spans;
  for (Index l = 0; l < fields; ++l) spans.push_back({std::max<Index>(l - 1, 0), std::min(l + 1, fields - 1)});
  return spans;
}

TEST(ChunkFields, ChunksAreAsSmallAsTheCouplingAllows) {
  EXPECT_EQ(chunk_fields(neighbours(8), 8), (Ends{1, 3, 5, 7, 8}));
  EXPECT_EQ(chunk_fields({{0, 0}, {1, 1}, {2, 2}, {3, 3}}, 4), (Ends{1, 2, 3, 4}));  // decoupled
  EXPECT_EQ(chunk_fields({{0, 1}, {1, 2}, {2, 3}}, 4), (Ends{1, 2, 3, 4}));          // bidiagonal
  EXPECT_EQ(chunk_fields({{0, 5}, {1, 2}}, 6), (Ends{1, 6}));                        // one term with all fields
  EXPECT_EQ(chunk_fields({}, 2), (Ends{1, 2}));
  EXPECT_EQ(chunk_fields({{0, 0}}, 1), (Ends{1}));
}

TEST(ChunkFields, NoTermTouchesMoreThanTwoNeighbours) {
  constexpr Index kFields = 40;
  std::mt19937 generator(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<FieldSpan> spans;
    for (int i = 0; i < 30; ++i) {
      const auto first = static_cast<Index>(generator() % kFields), width = static_cast<Index>(generator() % 6);
      spans.push_back({first, std::min(first + width, kFields - 1)});
    }
    const Ends ends = chunk_fields(spans, kFields);
    EXPECT_TRUE(std::is_sorted(ends.begin(), ends.end()));
    EXPECT_EQ(ends.back(), kFields);
    const auto chunk = [&](Index field) { return std::upper_bound(ends.begin(), ends.end(), field) - ends.begin(); };
    for (const auto& span : spans) EXPECT_LE(chunk(span.last) - chunk(span.first), 1);
  }
}

std::string name(int l) { return "m" + std::to_string(l); }

// Moments of a kinetic equation in normalised Legendre polynomials, with the factor eps of the diffusive scaling in all
// moments but the first:
//
//   m_0t + b_1 m_1x = ...,    eps^2 m_lt + eps (b_l m_{l-1,x} + b_{l+1} m_{l+1,x}) + m_l = ...,
//
// b_l = l / sqrt(4 l^2 - 1), with right sides that make a given m exact.
Problem moments(int fields, double eps, const std::function<std::string(int)>& exact) {
  const auto define = [&](ProblemBuilder& p) {
    const auto b = [](int l) { return exact_text(l / std::sqrt(4.0 * l * l - 1)); };
    const std::string e = exact_text(eps);
    p.coordinates("x in [0, 2*pi] periodic; t in [0, 1] time");
    for (int l = 0; l < fields; ++l) p.field(name(l));
    for (int l = 0; l < fields; ++l) {
      p.exact(name(l), exact(l));
      p.initial("initial " + std::to_string(l), name(l) + " = " + name(l) + "_exact");
      std::string flux = l == 0 ? "0" : b(l) + "*" + name(l - 1) + "_x";
      if (l + 1 < fields) flux += " + " + b(l + 1) + "*" + name(l + 1) + "_x";
      p.residual("moment " + std::to_string(l),
                 l == 0 ? name(0) + "_t + " + flux + " - manufactured"
                        : e + "^2*" + name(l) + "_t + " + e + "*(" + flux + ") + " + name(l) + " - manufactured");
    }
  };
  return make_problem({"moments", "", define}, {});
}

std::string wave(int l) {
  return exact_text(std::pow(0.7, l)) + "*sin(x + " + exact_text(0.4 * l) + ")*exp(-t)*(1 + 0.3*cos(2*x - t))";
}

std::string kink(int l) {
  return exact_text(std::pow(0.7, l)) + "*abs(sin(x + " + exact_text(0.4 * l) + " - 0.5*t))";
}

HeadOptions fixed(Index features, double bandwidth) {
  HeadOptions options;
  options.windows = 1;
  options.features = features;
  options.bandwidth = Eigen::VectorXd::Constant(1, bandwidth);
  options.boundary_weight = 10;
  return options;
}

HeadResult solve(const Problem& problem, const HeadOptions& options) {
  SilentProgress progress;
  return solve_heads({problem}, options, progress).front();
}

// Singular values are those of the whole matrix: asked for, they keep it in one piece.
HeadResult solve_dense(const Problem& problem, HeadOptions options) {
  options.newton.least_squares.singular_values = true;
  return solve(problem, options);
}

double relative_error(const Problem& problem, const Solution& solution) {
  constexpr Index n = 31;
  Eigen::MatrixXd points(n * n, 2);
  for (Index i = 0; i < n * n; ++i)
    points.row(i) << 2 * std::numbers::pi * static_cast<double>(i / n) / (n - 1), static_cast<double>(i % n) / (n - 1);
  std::vector<FieldJet> values;
  for (size_t f = 0; f < problem.fields.size(); ++f) values.push_back({static_cast<Index>(f), {0, 0}});
  const Eigen::MatrixXd exact = problem.exact_jets(points, values);
  return (solution.jets(points, values) - exact).norm() / exact.norm();
}

TEST(FieldChain, IsAsAccurateAsTheDenseSolve) {
  for (const double eps : {1.0, 0.1, 1e-3}) {
    SCOPED_TRACE(eps);
    const Problem problem = moments(8, eps, wave);
    const HeadOptions options = fixed(160, 4);
    const HeadResult chain = solve(problem, options), dense = solve_dense(problem, options);
    EXPECT_EQ(chain.newton.head.method, "chain of fields");
    EXPECT_EQ(dense.newton.head.method, "complete orthogonal decomposition");
    EXPECT_EQ(chain.newton.head.rows, dense.newton.head.rows);
    EXPECT_LT(chain.newton.head.rank, chain.newton.head.columns);  // as random features are
    EXPECT_LT(chain.holdout, 10 * dense.holdout);
    const double error = relative_error(problem, chain.solutions[0]);
    EXPECT_LT(error, 10 * relative_error(problem, dense.solutions[0]));
    EXPECT_LT(error, 1e-5);
  }
}

// Few features resolve a kink badly; without a bound on the head the error would be above 1e4.
TEST(FieldChain, UnresolvedDataDoNotRuinTheFit) {
  const Problem problem = moments(7, 0.1, kink);
  const HeadOptions options = fixed(100, 4);
  const HeadResult chain = solve(problem, options), dense = solve_dense(problem, options);
  EXPECT_EQ(chain.newton.head.method, "chain of fields");
  EXPECT_GT(chain.newton.head.cut_off, 1e-15);
  EXPECT_LT(relative_error(problem, chain.solutions[0]), 2 * relative_error(problem, dense.solutions[0]));
  EXPECT_LT(chain.holdout, 2 * dense.holdout);
}

TEST(FieldChain, HealthyRowsGiveTheDenseHead) {
  const Problem problem = moments(7, 1, wave);
  const HeadOptions options = fixed(12, 12);
  const HeadResult chain = solve(problem, options), dense = solve_dense(problem, options);
  EXPECT_EQ(chain.newton.head.method, "chain of fields");
  EXPECT_EQ(dense.newton.head.method, "substitution");
  const Eigen::VectorXd& expected = dense.solutions[0].windows()[0].head;
  EXPECT_LT((chain.solutions[0].windows()[0].head - expected).norm(), 1e-9 * expected.norm());
  EXPECT_NEAR(chain.newton.head.residual, dense.newton.head.residual, 1e-9 * dense.newton.head.residual);
  EXPECT_NEAR(chain.newton.head.norm, dense.newton.head.norm, 1e-9 * dense.newton.head.norm);
}

TEST(FieldChain, TwoChunksAreSolvedDensely) {
  EXPECT_NE(solve(moments(3, 1, wave), fixed(60, 4)).newton.head.method, "chain of fields");
}

// About the zero state of the first iteration no term couples two fields.
TEST(FieldChain, FollowsCouplingsThatDependOnTheState) {
  constexpr int kFields = 5;
  const Problem problem = make_problem({"products", "", [](ProblemBuilder& p) {
    p.coordinates("x in [0, 2*pi] periodic; t in [0, 1] time");
    for (int l = 0; l < kFields; ++l) p.field(name(l));
    for (int l = 0; l < kFields; ++l) {
      const std::string product = l == 0 ? "" : " + 0.5*" + name(l - 1) + "*" + name(l);
      p.exact(name(l), wave(l));
      p.initial("initial " + std::to_string(l), name(l) + " = " + name(l) + "_exact");
      p.residual("rate " + std::to_string(l), name(l) + "_t" + product + " - manufactured");
    }
  }}, {});
  const HeadResult result = solve(problem, fixed(160, 4));
  EXPECT_EQ(result.newton.head.method, "chain of fields");
  EXPECT_FALSE(result.newton.linear);
  EXPECT_TRUE(result.newton.converged);
  EXPECT_LT(relative_error(problem, result.solutions[0]), 1e-5);
}

}  // namespace
}  // namespace torsor
