// The closed-form head from rows to solutions: assembly against a dense solve, Newton, hold-out residual,
// options.
#include <gtest/gtest.h>

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "physics/error.h"
#include "problems/builder.h"
#include "solvers/head/global_head.h"
#include "solvers/head/head_solver.h"
#include "solvers/head/smooth_start.h"
#include "solvers/head/time_window.h"
#include "solvers/head/uniqueness.h"
#include "solvers/reference/cole_hopf.h"
#include "solvers/reference/perforated_laplace.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

Problem shipped(const std::string& name, const std::map<std::string, double>& parameters = {},
                uint64_t seed = 0) {
  return make_problem(find_problem(name), {parameters, seed});
}

Problem written(const std::function<void(ProblemBuilder&)>& define) {
  return make_problem({"test", "", define}, {});
}

Problem on_square(const std::string& residual, const std::string& exact) {
  return written([&](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]");
    p.field("u");
    p.exact("u", exact);
    p.residual("pde", residual);
    p.boundary("bc", "u = u_exact");
  });
}

std::shared_ptr<const Ansatz> ansatz_for(const Problem& problem, Index features, double bandwidth,
                                         uint64_t seed = 0) {
  HeadOptions options;
  options.enrich = false;
  options.seed = seed;
  return make_ansatz(problem, options, whole_domain(problem), 0, features,
                     {Eigen::VectorXd::Constant(problem.dimension(), bandwidth)});
}

// n points along each coordinate, none of them a collocation point.
Eigen::MatrixXd grid(const Problem& problem, Index n) {
  const Index d = problem.dimension();
  const auto size = static_cast<Index>(std::lround(std::pow(n, d)));
  Eigen::MatrixXd points(size, d);
  for (Index k = 0; k < size; ++k) {
    Index rest = k;
    for (Index i = 0; i < d; ++i, rest /= n) {
      const auto& c = problem.coordinates[static_cast<size_t>(i)];
      points(k, i) = c.low + (c.high - c.low) * static_cast<double>(rest % n) / static_cast<double>(n - 1);
    }
  }
  return points;
}

std::vector<FieldJet> values_of(const Problem& problem) {
  std::vector<FieldJet> jets;
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f)
    jets.push_back({f, MultiIndex(static_cast<size_t>(problem.dimension()), 0)});
  return jets;
}

double relative_error(const Problem& problem, const Solution& solution, Index n = 41) {
  const Eigen::MatrixXd points = grid(problem, n);
  const Eigen::MatrixXd exact = problem.exact_jets(points, values_of(problem));
  return (solution.jets(points, values_of(problem)) - exact).norm() / exact.norm();
}

HeadResult solve(const Problem& problem, const HeadOptions& options = {}) {
  SilentProgress progress;
  return solve_heads({problem}, options, progress).front();
}

HeadOptions fixed(Index features, double bandwidth) {
  HeadOptions options;
  options.features = features;
  options.bandwidth = Eigen::VectorXd::Constant(1, bandwidth);
  options.boundary_weight = 10;
  return options;
}

// The weighted rows and right sides, written from the definition at the top of row_system.h.
struct DenseSystem {
  Eigen::MatrixXd a;
  Eigen::VectorXd b;
};

DenseSystem dense_system(const Problem& problem, const Ansatz& ansatz, const std::vector<TermPoints>& points,
                         double boundary_weight) {
  Index rows = 0, interior = 0;
  for (const auto& set : points) {
    rows += set.points.rows();
    if (problem.terms[static_cast<size_t>(set.term)].place == Place::interior)
      interior = std::max(interior, set.points.rows());
  }
  DenseSystem system{Eigen::MatrixXd::Zero(rows, ansatz.columns()), Eigen::VectorXd(rows)};
  Index first = 0;
  for (const auto& set : points) {
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    const Index n = set.points.rows();
    const auto linear = linearize(problem, term, set.points, set.normals,
                                  Eigen::MatrixXd::Zero(n, static_cast<Index>(term.jets.size())));
    ansatz.add_rows(0, set.points, term.jets, linear.coefficients, system.a.data() + first, nullptr, rows);
    const bool inside = term.place == Place::interior;
    const double weight =
        inside ? 1 : boundary_weight * std::sqrt(static_cast<double>(interior) / static_cast<double>(n));
    for (Index k = first; k < first + n; ++k) {
      const double scale = weight / system.a.row(k).norm();
      system.a.row(k) *= scale;
      system.b[k] = -scale * linear.residual[k - first];
    }
    first += n;
  }
  return system;
}

TEST(RowSystem, StreamedSolutionIsTheDenseOne) {
  const Problem problem = shipped("helmholtz", {{"k", 3}});
  const auto ansatz = ansatz_for(problem, 40, 6);
  const auto points = collocation_points(problem, whole_domain(problem), 40, {});
  double previous = -1;
  for (const double weight : {1.0, 30.0}) {
    SCOPED_TRACE(weight);
    NewtonOptions options;
    options.boundary_weight = weight;
    NewtonReport report;
    const Eigen::VectorXd w = solve_newton({&problem}, *ansatz, points, {}, options, report);
    const DenseSystem dense = dense_system(problem, *ansatz, points, weight);
    const Eigen::VectorXd expected = dense.a.householderQr().solve(dense.b);
    const double residual = (dense.a * expected - dense.b).norm();
    EXPECT_NEAR((dense.a * w - dense.b).norm(), residual, 1e-9 * residual);
    const double rms = residual / std::sqrt(static_cast<double>(dense.a.rows()));
    EXPECT_NEAR(report.head.residual, rms, 1e-9 * rms);
    EXPECT_EQ(report.head.rows, dense.a.rows());
    EXPECT_EQ(report.head.columns, 40);
    EXPECT_EQ(report.head.rank, 40);
    EXPECT_TRUE(report.linear && report.converged);
    const auto jets = values_of(problem);
    const Eigen::MatrixXd x = grid(problem, 21);
    EXPECT_LT((ansatz->jets(x, jets, w) - ansatz->jets(x, jets, expected)).norm(),
              1e-9 * ansatz->jets(x, jets, expected).norm());
    // A larger weight must bring the boundary values closer.
    const auto& boundary = points.back();
    const double misfit =
        (ansatz->jets(boundary.points, jets, w) - problem.exact_jets(boundary.points, jets)).norm();
    if (previous >= 0) {
      EXPECT_LT(misfit, 0.5 * previous);
    }
    previous = misfit;
  }
}

TEST(RowSystem, TasksTogetherAreTheTasksOneByOne) {
  std::vector<Problem> problems;
  for (const uint64_t seed : {0, 1, 2}) problems.push_back(shipped("poisson", {}, seed));
  const auto ansatz = ansatz_for(problems[0], 60, 10);
  const auto points = collocation_points(problems[0], whole_domain(problems[0]), 60, {});
  NewtonReport report;
  const Eigen::MatrixXd together =
      solve_newton({&problems[0], &problems[1], &problems[2]}, *ansatz, points, {}, {}, report);
  ASSERT_EQ(together.cols(), 3);
  const auto jets = values_of(problems[0]);
  const Eigen::MatrixXd x = grid(problems[0], 15);
  for (Index t = 0; t < 3; ++t) {
    const Eigen::VectorXd alone =
        solve_newton({&problems[static_cast<size_t>(t)]}, *ansatz, points, {}, {}, report);
    const Eigen::MatrixXd expected = ansatz->jets(x, jets, alone);
    EXPECT_LT((ansatz->jets(x, jets, together.col(t)) - expected).norm(), 1e-9 * expected.norm());
  }
}

TEST(RowSystem, TasksWithOtherOperatorsAreRefused) {
  const Problem a = shipped("helmholtz", {{"k", 3}}), b = shipped("helmholtz", {{"k", 4}});
  const auto points = collocation_points(a, whole_domain(a), 30, {});
  NewtonReport report;
  EXPECT_THROW(solve_newton({&a, &b}, *ansatz_for(a, 30, 4), points, {}, {}, report), InputError);
  const Problem cubic = shipped("nonlinear-poisson");
  EXPECT_THROW(solve_newton({&cubic, &cubic}, *ansatz_for(a, 30, 4), points, {}, {}, report), InputError);
}

TEST(RowSystem, MoreFeaturesThanRowsGivesTheMinimumNorm) {
  const Problem problem = shipped("poisson", {{"waves", 1}, {"modes", 1}});
  CollocationOptions few;
  few.interior = 49;
  few.boundary = 40;
  const auto points = collocation_points(problem, whole_domain(problem), 300, few);
  const auto ansatz = ansatz_for(problem, 300, 4);
  NewtonReport report;
  const Eigen::VectorXd w = solve_newton({&problem}, *ansatz, points, {}, {}, report);
  EXPECT_LT(report.head.rows, report.head.columns);
  EXPECT_LE(report.head.rank, report.head.rows);
  EXPECT_TRUE(w.allFinite());
  EXPECT_LT(report.head.residual, 1e-8);
  EXPECT_LT(relative_error(problem, Solution(-1, {{0, 0, ansatz, w}})), 1e-2);
}

TEST(ShareOperator, OnlyWhereJustTheDataDiffer) {
  const auto share = [](const Problem& a, const Problem& b) { return share_operator({&a, &b}); };
  EXPECT_TRUE(share(shipped("poisson", {}, 0), shipped("poisson", {}, 1)));
  EXPECT_TRUE(share(shipped("poisson-gauss", {}, 0), shipped("poisson-gauss", {}, 1)));
  EXPECT_FALSE(share(shipped("helmholtz", {{"k", 3}}), shipped("helmholtz", {{"k", 4}})));
  EXPECT_FALSE(share(shipped("diffusion", {{"contrast", 0.5}}), shipped("diffusion", {{"contrast", 1}})));
  EXPECT_FALSE(share(shipped("nonlinear-poisson"), shipped("nonlinear-poisson")));
  EXPECT_FALSE(
      share(shipped("poisson-holes", {{"radius", 0.1}}), shipped("poisson-holes", {{"radius", 0.12}})));
}

TEST(Newton, ConvergesQuadratically) {
  const Problem problem = on_square("-lap(u) + 40*u^3 - manufactured", "2*sin(2*x + 1)*cos(y) + x*y");
  const auto ansatz = ansatz_for(problem, 200, 4);
  const auto points = collocation_points(problem, whole_domain(problem), 200, {});
  NewtonReport report;
  const Eigen::VectorXd w = solve_newton({&problem}, *ansatz, points, {}, {}, report);
  EXPECT_TRUE(report.converged);
  EXPECT_FALSE(report.linear);
  ASSERT_GE(report.updates.size(), 4U);
  EXPECT_EQ(report.residuals.size(), report.updates.size() + 1);
  // In the last phase each change is about the square of the one before.
  int pairs = 0;
  for (size_t k = 1; k < report.updates.size(); ++k) {
    const double before = report.updates[k - 1], after = report.updates[k];
    if (before > 0.2 || after < 1e-10) continue;
    EXPECT_GT(std::log(after) / std::log(before), 1.5) << before << " -> " << after;
    ++pairs;
  }
  EXPECT_GE(pairs, 1);
  EXPECT_LT(report.residuals.back(), 1e-6 * report.residuals.front());
  EXPECT_LT(relative_error(problem, Solution(-1, {{0, 0, ansatz, w}})), 1e-6);
}

TEST(Newton, StartsFromAnyField) {
  const Problem problem = shipped("nonlinear-poisson");
  const auto ansatz = ansatz_for(problem, 120, 6);
  const auto points = collocation_points(problem, whole_domain(problem), 120, {});
  NewtonReport cold, warm;
  const Eigen::VectorXd a = solve_newton({&problem}, *ansatz, points, {}, {}, cold);
  const FieldFunction exact = [&](const Eigen::MatrixXd& x, const std::vector<FieldJet>& jets) {
    return problem.exact_jets(x, jets);
  };
  const Eigen::VectorXd b = solve_newton({&problem}, *ansatz, points, exact, {}, warm);
  EXPECT_LE(warm.iterations, cold.iterations);
  const auto jets = values_of(problem);
  const Eigen::MatrixXd x = grid(problem, 15);
  EXPECT_LT((ansatz->jets(x, jets, a) - ansatz->jets(x, jets, b)).norm(),
            1e-6 * ansatz->jets(x, jets, a).norm());
}

TEST(Newton, FailuresAreReported) {
  // Beyond its fold (lambda = 6.81) Bratu's equation has no solution.
  const Problem beyond = written([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]");
    p.field("u");
    p.residual("pde", "-lap(u) = 30*exp(u)");
    p.boundary("bc", "u = 0");
  });
  const auto points = collocation_points(beyond, whole_domain(beyond), 40, {});
  const auto ansatz = ansatz_for(beyond, 40, 6);
  NewtonReport report;
  try {
    solve_newton({&beyond}, *ansatz, points, {}, {}, report);
  } catch (const NumericalError&) {  // a minimum of the residual may be returned as well, but not as converged
  }
  EXPECT_FALSE(report.converged);
  const Problem cubic = shipped("nonlinear-poisson");
  NewtonOptions one;
  one.max_iterations = 1;
  try {
    solve_newton({&cubic}, *ansatz_for(cubic, 80, 4), collocation_points(cubic, whole_domain(cubic), 80, {}),
                 {}, one, report);
    ADD_FAILURE() << "no error";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("did not converge in 1 iteration"), std::string::npos)
        << error.what();
  }
  SilentProgress progress;
  EXPECT_THROW(solve_heads({beyond}, fixed(40, 6), progress), NumericalError);
}

TEST(Newton, LinearityIsRecognised) {
  for (const auto& [name, linear] :
       std::vector<std::pair<std::string, bool>>{{"poisson", true},
                                                 {"diffusion", true},
                                                 {"wave", true},
                                                 {"kdv", false},
                                                 {"bratu", false},
                                                 {"reaction-diffusion", false}}) {
    const Problem problem = shipped(name);
    EXPECT_EQ(is_linear(problem, collocation_points(problem, whole_domain(problem), 40, {})), linear) << name;
  }
}

TEST(HoldOut, IsZeroForTheSolutionAndAboutOneForGarbage) {
  for (const char* name : {"poisson", "diffusion", "heat", "wave", "nonlinear-poisson"}) {
    SCOPED_TRACE(name);
    const Problem problem = shipped(name);
    const auto points = holdout_points(problem, whole_domain(problem), 100, {});
    ASSERT_EQ(points.size(), problem.terms.size());
    const auto exact = evaluate_holdout(
        problem, points,
        [&](const Eigen::MatrixXd& x, const std::vector<FieldJet>& j) { return problem.exact_jets(x, j); });
    EXPECT_LT(exact.worst, 1e-13);
    const auto ansatz = ansatz_for(problem, 60, 8);
    const Eigen::VectorXd w = Eigen::VectorXd::LinSpaced(60, -1, 1);
    const auto garbage = evaluate_holdout(
        problem, points,
        [&](const Eigen::MatrixXd& x, const std::vector<FieldJet>& j) { return ansatz->jets(x, j, w); });
    EXPECT_GT(garbage.worst, 0.2);
    EXPECT_LT(garbage.worst, 20);
    double worst = 0;
    for (const auto& term : garbage.terms) {
      worst = std::max(worst, term.relative);
      EXPECT_LE(term.rms, term.max);
      EXPECT_NEAR(term.values.norm() / std::sqrt(static_cast<double>(term.values.size())), term.relative,
                  1e-12 * term.relative);
    }
    EXPECT_EQ(worst, garbage.worst);
  }
}

TEST(HoldOut, PointsAreNotThoseOfTheFit) {
  const Problem problem = shipped("poisson");
  const auto fit = collocation_points(problem, whole_domain(problem), 60, {});
  const auto unseen = holdout_points(problem, whole_domain(problem), 60, {});
  for (size_t s = 0; s < fit.size(); ++s)
    for (Index k = 0; k < unseen[s].points.rows(); ++k)
      EXPECT_GT((fit[s].points.rowwise() - unseen[s].points.row(k)).rowwise().norm().minCoeff(), 1e-9);
}

TEST(HeadOptionsTest, SeedDecidesTheBits) {
  const Problem problem = shipped("poisson");
  HeadOptions options = fixed(120, 8);
  options.seed = 5;
  const HeadResult a = solve(problem, options), b = solve(problem, options);
  options.seed = 6;
  const HeadResult c = solve(problem, options);
  const auto jets = values_of(problem);
  const Eigen::MatrixXd x = grid(problem, 9);
  EXPECT_EQ(a.solutions[0].windows()[0].head, b.solutions[0].windows()[0].head);
  EXPECT_EQ(a.solutions[0].jets(x, jets), b.solutions[0].jets(x, jets));
  EXPECT_NE(a.solutions[0].jets(x, jets), c.solutions[0].jets(x, jets));
}

TEST(HeadOptionsTest, HardConstraintsHoldExactly) {
  const Problem problem = on_square("-lap(u) - manufactured", "sin(2*x)*cos(y) + x");
  HeadOptions options = fixed(150, 6);
  options.enrich = false;
  options.constraints["u"] = {Expression::parse("x*(1 - x)*y*(1 - y)"), *problem.exact[0]};
  const HeadResult result = solve(problem, options);
  const auto points = collocation_points(problem, whole_domain(problem), 50, {});
  const auto jets = values_of(problem);
  const Eigen::MatrixXd on_boundary = points.back().points;
  EXPECT_LT((result.solutions[0].jets(on_boundary, jets) - problem.exact_jets(on_boundary, jets))
                .cwiseAbs()
                .maxCoeff(),
            1e-14);
  EXPECT_LT(relative_error(problem, result.solutions[0]), 1e-6);

  // Without a lift the equation is left to the features.
  options.constraints["u"] = {Expression::parse("x*(1 - x)*y*(1 - y)"), Expression()};
  const Problem zero = shipped("poisson", {{"waves", 2}});
  const HeadResult homogeneous = solve(zero, options);
  EXPECT_LT(homogeneous.solutions[0].jets(on_boundary, jets).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_LT(relative_error(zero, homogeneous.solutions[0]), 1e-5);
}

TEST(HeadOptionsTest, OptionsThatDoNotFitAreRefused) {
  const Problem problem = shipped("poisson");
  const auto message = [&](const std::function<void(HeadOptions&)>& change) {
    HeadOptions options = fixed(40, 4);
    change(options);
    return error_of([&] { solve(problem, options); });
  };
  const auto expect = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect(message([](HeadOptions& o) { o.patches = {2, 2, 2}; }), "head.patches");
  expect(message([](HeadOptions& o) { o.windows = 3; }), "head.windows");
  expect(message([](HeadOptions& o) { o.bandwidth = Eigen::VectorXd::Ones(3); }), "head.bandwidth");
  expect(message([](HeadOptions& o) { o.constraints["v"] = {}; }), "'v'");
  expect(message([](HeadOptions& o) { o.body.kind = "sines"; }), "'sine'");
  expect(message([](HeadOptions& o) { o.collocation.sampler = "sobel"; }), "'sobol'");
}

TEST(HeadOptionsTest, MlpBodySolvesPoisson) {
  HeadOptions options = fixed(300, 6);
  options.body.kind = "mlp";
  options.body.activation = "tanh";
  const Problem problem = shipped("poisson", {{"waves", 2}});
  EXPECT_LT(relative_error(problem, solve(problem, options).solutions[0]), 1e-4);
}

TEST(HeadOptionsTest, PatchesAgreeWithTheExactSolution) {
  HeadOptions options = fixed(100, 10);
  options.patches = {3, 2};
  const Problem problem = shipped("poisson");
  const HeadResult result = solve(problem, options);
  EXPECT_EQ(result.patches, 6);
  EXPECT_LT(relative_error(problem, result.solutions[0]), 1e-5);
}

TEST(HeadOptionsTest, SingularValuesAreAddedOnRequest) {
  const Problem problem = shipped("poisson");
  const HeadOptions options = fixed(60, 6);
  HeadResult result = solve(problem, options);
  EXPECT_TRUE(result.newton.head.singular_values.empty());
  add_singular_values(problem, options, result);
  const auto& values = result.newton.head.singular_values;
  ASSERT_EQ(static_cast<Index>(values.size()), result.newton.head.columns);
  EXPECT_TRUE(std::is_sorted(values.rbegin(), values.rend()));
}

TEST(Adapt, KeepsTheBodiesForAnotherTask) {
  const Problem first = shipped("poisson", {}, 0), second = shipped("poisson", {}, 3);
  HeadOptions options = fixed(300, 11);
  const HeadResult pretrained = solve(first, options);
  SilentProgress progress;
  const HeadResult adapted = adapt_heads({second}, pretrained.solutions[0], options, progress).front();
  EXPECT_LT(relative_error(second, adapted.solutions[0]), 1e-4);
  EXPECT_EQ(adapted.solutions[0].windows()[0].ansatz, pretrained.solutions[0].windows()[0].ansatz);
  EXPECT_THROW(adapt_heads({shipped("poisson-5d")}, pretrained.solutions[0], options, progress), InputError);
  EXPECT_THROW(adapt_heads({shipped("reaction-diffusion")}, pretrained.solutions[0], options, progress),
               InputError);
}

// The head of this task stays where another one has no much smaller loss, and goes where it has.
TEST(Adapt, KeepsAHeadThatIsNotMuchWorse) {
  const Problem task = shipped("poisson");
  HeadOptions options = fixed(200, 9);
  const Solution own = solve(task, options).solutions[0];
  const Eigen::VectorXd& head = own.windows()[0].head;
  options.keep_better = true;
  SilentProgress progress;
  for (const double disturbance : {0.0, 0.3}) {
    Window window = own.windows()[0];
    window.head *= 1 + disturbance;
    const HeadResult adapted = adapt_heads({task}, Solution(-1, {window}), options, progress).front();
    EXPECT_EQ(adapted.kept_pretrained, disturbance == 0);
    EXPECT_LT((adapted.solutions[0].windows()[0].head - head).norm(), disturbance == 0 ? 1e-15 : 0.1 * disturbance * head.norm());
    EXPECT_LT(relative_error(task, adapted.solutions[0]), 1e-4);
  }
}

// Beside few features of another task, as many random ones as the solution asks for.
TEST(Adapt, JoinsRandomFeatures) {
  const Problem task = shipped("burgers", {{"nu", 0.1}}), other = shipped("burgers", {{"nu", 0.3}});
  HeadOptions few = fixed(30, 4), options;
  few.windows = 1;
  SilentProgress progress;
  const Solution pretrained = solve(other, few).solutions[0];
  const HeadResult joined = join_head(task, pretrained, options, progress);
  EXPECT_LT(joined.holdout, 1e-3);
  const auto& body = joined.solutions[0].windows()[0].ansatz->patchwork(0).body(0);
  EXPECT_EQ(body.kind(), "joined");
  options.windows = 1;
  EXPECT_THROW(join_head(shipped("reaction-diffusion"), pretrained, options, progress), InputError);
  EXPECT_THROW(join_head(task, joined.solutions[0], options, progress), InputError);  // many windows
}

TEST(Adapt, TasksTogetherAreTheTasksOneByOne) {
  const auto expect_equal = [](const std::vector<Problem>& tasks, HeadOptions options) {
    // The guard against growing heads has one cut-off for all right sides.
    options.newton.least_squares.max_growth = 1e300;
    SilentProgress progress;
    const Solution pretrained = solve(tasks.front(), options).solutions[0];
    const auto together = adapt_heads(tasks, pretrained, options, progress);
    ASSERT_EQ(together.size(), tasks.size());
    for (size_t t = 0; t < tasks.size(); ++t) {
      const Eigen::MatrixXd x = grid(tasks[t], 15);
      const auto jets = values_of(tasks[t]);
      const HeadResult own = adapt_heads({tasks[t]}, pretrained, options, progress).front();
      const Eigen::MatrixXd alone = own.solutions[0].jets(x, jets);
      // Where features do not resolve a task its head is large (1e8 for the last one), and rounding moves the field
      // within its error.
      const double tolerance = std::max(1e-10, own.holdout);
      EXPECT_LT((together[t].solutions[0].jets(x, jets) - alone).norm(), tolerance * alone.norm());
    }
  };
  expect_equal({shipped("poisson", {}, 0), shipped("poisson", {}, 3), shipped("poisson", {}, 5)}, fixed(300, 11));
  const auto heat = [](const std::string& exact) {  // several windows
    return written([&](ProblemBuilder& p) {
      p.coordinates("x in [0, 1]; t in [0, 1] time");
      p.field("u");
      p.exact("u", exact);
      p.residual("pde", "u_t = 0.1*u_xx");
      p.boundary("bc", "u = u_exact");
      p.initial("ic", "u = u_exact");
    });
  };
  HeadOptions windows;
  windows.windows = 3;
  expect_equal({heat("exp(-0.1*pi^2*t)*sin(pi*x)"), heat("exp(-0.4*pi^2*t)*cos(2*pi*x)")}, windows);
  // Another operator: one by one.
  expect_equal({shipped("helmholtz", {{"k", 3}}), shipped("helmholtz", {{"k", 4}})}, fixed(200, 8));
}

// With exact solutions that are orthogonal to the null spaces.
TEST(NullSpace, IsFoundAndRemoved) {
  const Problem constant = written([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 2]");
    p.field("u");
    p.exact("u", "cos(pi*x)*cos(pi*y)");
    p.residual("pde", "-lap(u) = manufactured");
    p.boundary("bc", "n_x*u_x + n_y*u_y = 0");
  });
  // 5^2 + 5^2 = 1^2 + 7^2 = 50: sin 5 pi x sin 5 pi y and the two with 1 and 7 solve Lap u + 50 pi^2 u = 0.
  const Problem resonance = written([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]");
    p.field("u");
    p.exact("u", "sin(2*pi*x)*sin(3*pi*y)");
    p.residual("pde", "lap(u) + 50*pi^2*u = manufactured");
    p.boundary("bc", "u = 0");
  });
  for (const auto& [problem, dimension] : {std::pair{constant, 1}, std::pair{resonance, 3}}) {
    const HeadResult result = solve(problem);
    EXPECT_EQ(result.null_space, dimension);
    EXPECT_LT(relative_error(problem, result.solutions[0]), 1e-7);
  }
}

TEST(NullSpace, RegularProblemsHaveNone) {
  for (const double k : {9.0, 13.0}) EXPECT_EQ(solve(shipped("helmholtz", {{"k", k}})).null_space, 0) << k;
}

TEST(MaximumPrinciple, HoldsOnlyWhereItsConditionsDo) {
  const auto holds = [](const std::string& residual, const std::string& boundary) {
    const Problem problem = written([&](ProblemBuilder& p) {
      p.coordinates("x in [0, 1]; y in [0, 1]");
      p.field("u");
      p.residual("pde", residual);
      p.boundary("bc", boundary);
    });
    return has_maximum_principle(problem, collocation_points(problem, whole_domain(problem), 30, {}));
  };
  EXPECT_TRUE(holds("-lap(u) = 1", "u = 0"));
  EXPECT_TRUE(holds("lap(u) + u_x = 1", "2*u = 1"));
  EXPECT_TRUE(holds("-u_xx - (1 + x)*u_yy + 0.5*u_xy + x*u = 1", "u = 0"));
  EXPECT_FALSE(holds("-lap(u) - u = 1", "u = 0"));
  EXPECT_FALSE(holds("lap(u) + (x - 0.5)*u = 1", "u = 0"));
  EXPECT_FALSE(holds("u_xx - u_yy = 1", "u = 0"));
  EXPECT_FALSE(holds("(x - 0.5)*u_xx + u_yy = 1", "u = 0"));
  EXPECT_FALSE(holds("lap(lap(u)) = 1", "u = 0"));
  EXPECT_FALSE(holds("-lap(u) = 1", "n_x*u_x + n_y*u_y = 0"));
  EXPECT_FALSE(holds("-lap(u) = 1", "u + n_x*u_x = 0"));
  const Problem open = written([&](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]");
    p.field("u");
    p.residual("pde", "-lap(u) = 1");
    p.boundary("bc", "u = 0", {"x_low", "x_high", "y_low"});
  });
  EXPECT_FALSE(has_maximum_principle(open, collocation_points(open, whole_domain(open), 30, {})));
}

// Convection by the solution itself: linearised about zero nothing but little diffusion is left.
const char* const kConvection = "-0.005*lap(u) + u*u_x + u^3*u_y = manufactured";

TEST(OtherStarts, SolveWhatNewtonFromZeroDoesNot) {
  const Problem problem = on_square(kConvection, "2 + sin(3*pi*x)*sin(pi*y)");
  EXPECT_LT(relative_error(problem, solve(problem).solutions[0]), 1e-8);
  const Problem steep = on_square("-lap(u) + sinh(3*u) = manufactured", "3*cos(3*x)*exp(y)");
  EXPECT_LT(relative_error(steep, solve(steep).solutions[0]), 1e-8);
}

TEST(OtherStarts, SmoothStartMeetsTheBoundaryData) {
  const Problem problem = on_square(kConvection, "exp(x)*sin(y)");  // harmonic
  const auto ansatz = ansatz_for(problem, 150, 4);
  const auto points = collocation_points(problem, whole_domain(problem), 150, {});
  const Eigen::MatrixXd x = grid(problem, 15);
  const Eigen::MatrixXd start = smooth_start(problem, ansatz, points, {})(x, values_of(problem));
  const Eigen::MatrixXd exact = problem.exact_jets(x, values_of(problem));
  EXPECT_LT((start - exact).norm(), 1e-6 * exact.norm());
}

TEST(OtherStarts, LoadContinuationEndsAtTheSameSolution) {
  const Problem problem = shipped("nonlinear-poisson");
  const auto ansatz = ansatz_for(problem, 120, 6);
  const auto points = collocation_points(problem, whole_domain(problem), 120, {});
  NewtonOptions by_load;
  by_load.load_continuation = true;
  NewtonReport direct, stepped;
  const Eigen::VectorXd a = solve_newton({&problem}, *ansatz, points, {}, {}, direct);
  const Eigen::VectorXd b = solve_newton({&problem}, *ansatz, points, {}, by_load, stepped);
  EXPECT_TRUE(stepped.converged);
  const auto jets = values_of(problem);
  const Eigen::MatrixXd x = grid(problem, 15);
  EXPECT_LT((ansatz->jets(x, jets, a) - ansatz->jets(x, jets, b)).norm(), 1e-6 * ansatz->jets(x, jets, a).norm());
}

// Re-entrant corner: the exact solution r^(2/3) sin(2 phi / 3) has unbounded derivatives.
TEST(Enrichment, ReentrantCorner) {
  const auto corner = [](const std::string& residual, const std::string& exact) {
    return written([&](ProblemBuilder& p) {
      p.coordinates("x in [-1, 1]; y in [-1, 1]");
      p.domain("box minus box(0 2, -2 0)");
      p.field("u");
      p.exact("u", exact);
      p.residual("pde", residual);
      p.boundary("bc", "u = u_exact");
    });
  };
  const std::string singular = "(x^2 + y^2)^(1/3)*sin(2/3*(atan2(-y - x, y - x) + 3*pi/4))";
  const Problem harmonic = corner("-lap(u) = 0", singular);
  // Not where derivatives are infinite.
  const Eigen::RowVector2d near(-0.01, 0.01), far(0.4, 0.7);
  for (const auto& problem : {harmonic, corner("-lap(u) + 4*u = 4*" + singular, singular)}) {
    const HeadResult result = solve(problem);
    for (const auto& x : {near, far}) {
      const double exact = problem.exact_jets(x, values_of(problem))(0, 0);
      EXPECT_NEAR(result.solutions[0].jets(x, values_of(problem))(0, 0), exact, 1e-6) << x;
    }
  }
}

// -Lap u = 1 with u = 0 on the unit square; u(1/2, 1/2) = 0.07367135328 by the sine series.
TEST(Enrichment, CornersOfTheSquare) {
  const Problem problem = written([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]");
    p.field("u");
    p.residual("pde", "-lap(u) = 1");
    p.boundary("bc", "u = 0");
  });
  double series = 0;
  for (int i = 1; i < 4000; i += 2) {
    // One sum in closed form: u(1/2, 1/2) = 1/8 - sum_odd 4 (-1)^((i-1)/2) / ((i pi)^3 cosh(i pi / 2)).
    const double k = i * std::numbers::pi;
    series += 4 * (i % 4 == 1 ? 1 : -1) / (k * k * k * std::cosh(std::min(k / 2, 300.0)));
  }
  const double expected = 0.125 - series;
  ASSERT_NEAR(expected, 0.07367135328, 1e-11);
  const auto error = [&](bool enrich) {
    HeadOptions options = fixed(300, 10);
    options.enrich = enrich;
    const HeadResult result = solve(problem, options);
    return std::abs(result.solutions[0].jets(Eigen::RowVector2d(0.5, 0.5), values_of(problem))(0, 0) -
                    expected);
  };
  const double with = error(true), without = error(false);
  EXPECT_LT(with, 1e-8);
  EXPECT_LT(with, 0.1 * without);
}

TEST(TimeMarch, WindowProblemsTakeTheirStartFromTheWindowBefore) {
  const Problem problem = shipped("wave");
  const auto ansatz = ansatz_for(problem, 30, 3);
  const auto before =
      std::make_shared<const Window>(Window{0, 0.4, ansatz, Eigen::VectorXd::LinSpaced(30, -1, 1)});
  const Problem next = window_problem(problem, 0.4, 0.7, before);
  EXPECT_EQ(next.coordinates[1].low, 0.4);
  EXPECT_EQ(next.coordinates[1].high, 0.7);
  Eigen::MatrixXd points(3, 2);
  points << 0.1, 0.4, 0.5, 0.4, 0.8, 0.4;
  int initial = 0;
  for (const auto& term : next.terms) {
    if (term.place != Place::initial) continue;
    ++initial;
    const Eigen::MatrixXd jets = ansatz->jets(points, term.jets, before->head);
    EXPECT_LT(evaluate_residual(next, term, points, {}, jets).norm(), 1e-12) << term.name;
    EXPECT_GT(evaluate_residual(next, term, points, {}, jets.array() + 1).norm(), 1) << term.name;
  }
  EXPECT_EQ(initial, 2);
}

struct Expected {
  const char* name;
  double error;
  Index windows;
};

void expect_solved(const Expected& wanted) {
  SCOPED_TRACE(wanted.name);
  const Problem problem = shipped(wanted.name);
  HeadOptions options;
  options.windows = wanted.windows;
  const HeadResult result = solve(problem, options);
  const double error = relative_error(problem, result.solutions[0], 61);
  EXPECT_LT(error, wanted.error);
  EXPECT_LT(result.holdout, 1e3 * wanted.error);
  EXPECT_FALSE(result.trials.empty() && wanted.windows == 1);
}

TEST(AutomaticSteadySlow, Poisson) {
  expect_solved({"poisson", 1e-10, 0});
}
TEST(AutomaticSteadySlow, Helmholtz) {
  expect_solved({"helmholtz", 1e-10, 0});
}
TEST(AutomaticSteadySlow, Diffusion) {
  expect_solved({"diffusion", 1e-8, 0});
}
TEST(AutomaticSteadySlow, NonlinearPoisson) {
  expect_solved({"nonlinear-poisson", 1e-8, 0});
}
TEST(AutomaticEvolutionSlow, Heat) {
  expect_solved({"heat", 1e-7, 0});
}
TEST(AutomaticEvolutionSlow, Wave) {
  expect_solved({"wave", 1e-7, 0});
}
TEST(AutomaticEvolutionSlow, Advection) {
  expect_solved({"advection", 1e-7, 0});
}
TEST(AutomaticEvolutionSlow, HeatInOnePiece) {
  expect_solved({"heat", 1e-6, 1});
}

TEST(TimeMarchSlow, BurgersAgreesWithColeHopf) {
  const Problem problem = shipped("burgers", {{"nu", 0.05}});
  const HeadResult result = solve(problem);
  const Eigen::MatrixXd points = grid(problem, 41);
  const Eigen::VectorXd expected = cole_hopf(burgers_sine(0.05), points);
  EXPECT_LT((result.solutions[0].jets(points, values_of(problem)) - expected).norm(), 1e-6 * expected.norm());
  // Windows follow each other without gaps.
  const auto& windows = result.solutions[0].windows();
  EXPECT_EQ(windows.front().start, 0);
  EXPECT_EQ(windows.back().end, 1);
  for (size_t w = 1; w < windows.size(); ++w) EXPECT_EQ(windows[w].start, windows[w - 1].end);
}

TEST(EnrichmentSlow, PerforatedSquareAgreesWithTheSeries) {
  const Problem problem = shipped("poisson-holes");
  const HeadResult result = solve(problem);
  PerforatedProblem series{{-0.5, -0.5}, {0.5, 0.5}, {}, constant_function(1), {}, 0};
  for (const double x : {-0.3, 0.3})
    for (const double y : {-0.3, 0.3}) {
      series.discs.push_back({x, y, 0.1});
      series.inner.push_back(constant_function(0));
    }
  const PerforatedSolution expected = solve_perforated_laplace(series);
  const Eigen::MatrixXd all = grid(problem, 61);
  const Eigen::VectorXd distance = problem.domain->signed_distance(all);
  std::vector<Index> inside;
  for (Index k = 0; k < all.rows(); ++k)
    if (distance[k] <= 0) inside.push_back(k);
  const Eigen::MatrixXd points = all(inside, Eigen::all);
  const Eigen::VectorXd truth = expected.evaluate(points);
  EXPECT_LT((result.solutions[0].jets(points, values_of(problem)) - truth).norm(), 1e-5 * truth.norm());
}

}  // namespace
}  // namespace torsor
