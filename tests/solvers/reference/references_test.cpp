#include "solvers/reference/references.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "problems/builder.h"
#include "tests/solvers/reference/reference_checks.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

Problem problem_named(const std::string& name, const TaskInput& input = {}) {
  return make_problem(find_problem(name), input);
}

using Definition = std::function<void(ProblemBuilder&)>;

Problem built(const Definition& define) {
  ProblemBuilder builder("test", {});
  define(builder);
  return builder.build();
}

// Quasi-random points of the domain; of a box the last rows lie on its upper sides.
MatrixXd points_of(const Problem& problem, Index n = 500) {
  MatrixXd points = problem.box ? MatrixXd(n, problem.dimension())
                                : problem.domain->interior_points(n, *make_sampler("sobol"), 1);
  for (Index i = 0; i < problem.dimension() && problem.box; ++i) {
    const Coordinate& c = problem.coordinates[static_cast<size_t>(i)];
    for (Index k = 0; k < n; ++k) {
      const double turn = std::sqrt(2.0 + 3.0 * static_cast<double>(i)) * static_cast<double>(k);
      points(k, i) = c.low + (c.high - c.low) * (turn - std::floor(turn));
    }
    points(n - 1 - i, i) = c.high;
  }
  return points;
}

double relative_difference(const MatrixXd& a, const MatrixXd& b) {
  return (a - b).cwiseAbs().maxCoeff() / b.cwiseAbs().maxCoeff();
}

ReferenceSolution solve_with(const Problem& problem, const std::string& solver, double tolerance = 1e-9,
                             int max_resolution = 0) {
  const ReferenceSolution solution = solve_reference(problem, {solver, tolerance, max_resolution, true});
  EXPECT_EQ(solution.name, solver);
  EXPECT_LE(solution.error_estimate, tolerance);
  EXPECT_FALSE(solution.detail.empty());
  return solution;
}

double difference(const Problem& problem, const std::string& solver, const std::string& other,
                  double tolerance = 1e-9) {
  const MatrixXd points = points_of(problem);
  return relative_difference(solve_with(problem, solver, tolerance).evaluate(points),
                             solve_with(problem, other, tolerance).evaluate(points));
}

// ---- the registry -------------------------------------------------------------------------------

TEST(References, EveryProblemHasAnApplicableOne) {
  for (const ProblemDefinition& definition : problem_definitions()) {
    const Problem problem = problem_named(definition.name);
    const auto names = applicable_references(problem);
    ASSERT_FALSE(names.empty()) << definition.name;
    if (problem.reference != "auto") {
      EXPECT_NE(std::find(names.begin(), names.end(), problem.reference), names.end()) << definition.name;
    }
    if (problem.has_exact()) {
      EXPECT_EQ(names.front(), "exact") << definition.name;
    }
  }
  EXPECT_EQ(reference_names().size(), 15u);
}

TEST(References, AutoTakesTheExactSolution) {
  const Problem problem = problem_named("poisson-5d");
  const ReferenceSolution solution = solve_reference(problem);
  EXPECT_EQ(solution.name, "exact");
  EXPECT_EQ(solution.error_estimate, 0.0);
  const MatrixXd points = points_of(problem);
  const VectorXd u = (0.5 * std::numbers::pi * points.array()).sin().rowwise().sum();
  EXPECT_LE(relative_difference(solution.evaluate(points), u), 1e-15);
}

TEST(References, RefusalsNameTheRule) {
  const Problem poisson = problem_named("poisson"), heat = problem_named("heat"), kdv = problem_named("kdv");
  EXPECT_TRUE(says(refusal(poisson, "chebishev-collocation"), "did you mean 'chebyshev-collocation'"));
  EXPECT_TRUE(says(refusal(kdv, "exact"), "gives no exact solution"));
  EXPECT_TRUE(says(refusal(heat, "chebyshev-collocation"), "without time"));
  EXPECT_TRUE(says(refusal(poisson, "spectral-time"), "one space dimension and time"));
  EXPECT_TRUE(says(refusal(heat, "etdrk4"), "'x' is not periodic"));
  EXPECT_TRUE(says(refusal(poisson, "cole-hopf"), "named 'burgers'"));
  EXPECT_TRUE(says(refusal(poisson, "perforated-laplace"), "source is not constant"));
  EXPECT_TRUE(says(refusal(problem_named("helmholtz"), "perforated-laplace"), "it has u"));
  EXPECT_TRUE(
      says(refusal(problem_named("poisson-holes"), "chebyshev-collocation"), "box of the coordinates"));
  EXPECT_THROW(solve_reference(heat, {"auto", 0.0, 0, true}), InputError);
}

TEST(References, NothingApplicableListsTheReasons) {
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]; t in [0, 1] time");
    p.field("u");
    p.residual("pde", "u_t - lap(u) = 0");
    p.boundary("bc", "u = 0");
    p.initial("ic", "u = sin(pi*x)*sin(pi*y)");
  });
  EXPECT_TRUE(applicable_references(problem).empty());
  const std::string text = refusal(problem, "auto");
  EXPECT_TRUE(says(text, "no reference solution"));
  EXPECT_TRUE(says(text, "spectral-time: one space dimension"));
}

TEST(References, EvolutionRefusals) {
  const auto evolution = [](const std::string& pde, const std::string& boundary, const std::string& initial) {
    return built([&](ProblemBuilder& p) {
      p.coordinates("x in [0, 1]; t in [0, 1] time");
      p.field("u");
      p.residual("pde", pde);
      p.boundary("bc", boundary);
      p.initial("ic", initial);
    });
  };
  const std::string solver = "spectral-time";
  EXPECT_TRUE(says(refusal(evolution("u*u_t = u_xx", "u = 0", "u = 1"), solver), "depends on the solution"));
  EXPECT_TRUE(
      says(refusal(evolution("u_t - u_xxt = 0", "u = 0", "u = 1"), solver), "highest time derivative"));
  EXPECT_TRUE(says(refusal(evolution("u_tt = u_xx", "u = 0", "u = 1"), solver), "2 initial conditions"));
  EXPECT_TRUE(says(refusal(evolution("u_t = u_xx", "u^2 = 0", "u = 1"), solver), "'bc' is not linear"));
  EXPECT_TRUE(
      says(refusal(evolution("u_t = u_xx", "u_t + u_x = 0", "u = 1"), solver), "has a time derivative"));
  EXPECT_TRUE(says(refusal(evolution("u_t = u_xx", "u + t*u_x = 0", "u = 1"), solver), "depends on time"));
  EXPECT_TRUE(says(refusal(evolution("u_t = u_xx", "u = 0", "u_x = 1"), solver), "no initial value"));
}

// ---- steady problems ----------------------------------------------------------------------------

TEST(References, ChebyshevMeetsTheExactSolutions) {
  for (const char* name : {"poisson", "helmholtz", "diffusion", "nonlinear-poisson", "reaction-diffusion"})
    EXPECT_LE(difference(problem_named(name), "chebyshev-collocation", "exact"), 1e-11) << name;
}

TEST(References, ChebyshevOnAnInterval) {
  // A boundary layer at the left, a Robin condition at the right.
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("x in [0, 2]");
    p.field("u");
    p.exact("u", "exp(-20*x) + x^2");
    p.residual("pde", "-u_xx/20 - u_x + u^3 - manufactured");
    p.boundary("left", "2*u = 2*u_exact", {"x_low"});
    p.boundary("right", "u + u_n - manufactured", {"x_high"});
  });
  EXPECT_LE(difference(problem, "chebyshev-collocation", "exact"), 1e-10);
}

TEST(References, ChebyshevWithNeumannSidesAndAnisotropy) {
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [-1, 2]");
    p.field("u");
    p.exact("u", "exp(x)*cos(y) + x*y^2");
    p.residual("pde", "-u_xx - 3*u_yy + u_xy/2 + u - manufactured");
    p.boundary("bc", "u = u_exact");
    p.boundary("flux", "u_n - n_y*d(u_exact, y) = 0", {"y_low", "y_high"});
  });
  EXPECT_LE(difference(problem, "chebyshev-collocation", "exact"), 1e-10);
}

// u against the same solver at a given degree.
double change_at(const Problem& problem, int degree) {
  const MatrixXd points = points_of(problem);
  return relative_difference(solve_with(problem, "chebyshev-collocation").evaluate(points),
                             solve_reference(problem, {"auto", 1e-14, degree, false}).evaluate(points));
}

// Two methods that share nothing but the definition: the corner singularities are right.
TEST(References, ConstantSourceByCollocationAndBySeries) {
  for (const char* pde : {"-lap(u) = 1", "2*u_xx + 2*u_yy - 3 = 0"}) {
    const Problem problem = built([&](ProblemBuilder& p) {
      p.coordinates("x in [0, 2]; y in [0, 1]");
      p.field("u");
      p.residual("pde", pde);
      p.boundary("bc", "u = 0");
      p.boundary("bottom", "u = x*(2 - x)", {"y_low"});
    });
    EXPECT_LE(difference(problem, "chebyshev-collocation", "perforated-laplace", 1e-10), 1e-10) << pde;
  }
}

// u(x, y) = v(x, y/2) with -Lap v = 1 on the square: -u_xx - 4 u_yy = 1 on [0, 1] x [0, 2].
TEST(References, CornerSingularitiesOfAnAnisotropicEquation) {
  const auto box = [](const std::string& coordinates, const std::string& pde) {
    return built([&](ProblemBuilder& p) {
      p.coordinates(coordinates);
      p.field("u");
      p.residual("pde", pde);
      p.boundary("bc", "u = 0");
    });
  };
  const Problem square = box("x in [0, 1]; y in [0, 1]", "-lap(u) = 1");
  const Problem stretched = box("x in [0, 1]; y in [0, 2]", "-u_xx - 4*u_yy = 1");
  const MatrixXd points = points_of(square);
  MatrixXd moved = points;
  moved.col(1) *= 2.0;
  EXPECT_LE(relative_difference(solve_with(stretched, "chebyshev-collocation").evaluate(moved),
                                solve_with(square, "perforated-laplace").evaluate(points)),
            1e-9);
}

TEST(ReferencesSlow, CornerSingularProblemsConverge) {
  for (uint64_t seed : {0u, 1u, 2u})
    EXPECT_LE(change_at(problem_named("poisson-gauss", {{}, seed}), 120), 1e-10) << seed;
  for (double lambda : {1.0, 6.0})
    EXPECT_LE(change_at(problem_named("bratu", {{{"lambda", lambda}}, 0}), 80), 1e-9) << lambda;
}

TEST(References, MissedTolerance) {
  const Problem problem = problem_named("poisson-gauss");
  ReferenceOptions options{"auto", 1e-9, 20, true};
  EXPECT_THROW(solve_reference(problem, options), NumericalError);
  options.require_convergence = false;
  EXPECT_GT(solve_reference(problem, options).error_estimate, 1e-9);
}

TEST(References, PerforatedSquare) {
  const Problem problem = problem_named("poisson-holes");
  const ReferenceSolution solution = solve_reference(problem);
  EXPECT_EQ(solution.name, "perforated-laplace");
  EXPECT_LE(solution.error_estimate, 1e-9);
  for (const BoundaryPiece& piece : problem.pieces) {
    const MatrixXd points = piece.map(VectorXd::LinSpaced(50, 0.01, 0.99)).points;
    const double data = piece.name.starts_with("circle") ? 0.0 : 1.0;
    EXPECT_LE((solution.evaluate(points).array() - data).abs().maxCoeff(), 1e-9) << piece.name;
  }
}

// Harmonic data on each piece by another condition; a disc that leaves the box is refused.
TEST(References, PerforatedDataByPiece) {
  const auto with = [](const std::string& domain) {
    return built([&](ProblemBuilder& p) {
      p.coordinates("x in [-1, 1]; y in [0, 1]");
      p.domain(domain);
      p.field("u");
      p.exact("u", "x^2 - y^2 + log((x - 0.3)^2 + (y - 0.5)^2)");
      p.residual("pde", "-3*lap(u) = 0");
      p.boundary("sides", "u = u_exact");
      p.boundary("left", "2*u - 2*u_exact", {"x_low"});
    });
  };
  EXPECT_LE(difference(with("box minus disk(0.3, 0.5, 0.2)"), "perforated-laplace", "exact"), 1e-9);
  EXPECT_TRUE(says(refusal(with("box minus disk(0.3, 1.0, 0.2)"), "perforated-laplace"), "whole circle"));
}

// ---- evolution ----------------------------------------------------------------------------------

TEST(ReferencesInTime, SpectralTimeMeetsTheExactSolutions) {
  for (const char* name : {"advection", "heat", "wave"})
    EXPECT_LE(difference(problem_named(name), "spectral-time", "exact"), 1e-9) << name;
}

TEST(ReferencesInTime, Etdrk4OfALinearEquationIsExact) {
  EXPECT_LE(difference(problem_named("advection"), "etdrk4", "exact"), 1e-12);
}

TEST(ReferencesInTime, MovingSidesOfAWaveWithTimeFirst) {
  // Neumann at the left, Dirichlet data that move at the right; coefficients that depend on x and t.
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("t in [0.5, 1.5] time; x in [0, 1]");
    p.field("u");
    p.exact("u", "sin(2*x - 3*t) + x*exp(-t)");
    p.residual("pde", "(2 + x*t)*u_tt - u_xx + u_t/2 + u^2 - manufactured");
    p.boundary("left", "u_n - manufactured", {"x_low"});
    p.boundary("right", "3*u = 3*u_exact", {"x_high"});
    p.initial("ic", "u = u_exact");
    p.initial("velocity", "2*u_t + u - manufactured");
  });
  EXPECT_LE(difference(problem, "spectral-time", "exact"), 1e-9);
}

TEST(ReferencesInTime, SystemsOfTwoFields) {
  // A first-order wave system with a mass matrix that is not diagonal, periodic.
  const Problem waves = built([](ProblemBuilder& p) {
    p.coordinates("x in [0, 2*pi] periodic; t in [0, 1] time");
    p.field("u");
    p.field("v");
    p.exact("u", "sin(x + t)");
    p.exact("v", "sin(x + t) + cos(x - t)");
    p.residual("first", "u_t + v_t - v_x - u_x - manufactured");
    p.residual("second", "u_t - 2*v_t + u_x + u*v - manufactured");
    p.initial("one", "u + v = u_exact + v_exact");
    p.initial("two", "u - v = u_exact - v_exact");
  });
  EXPECT_LE(difference(waves, "spectral-time", "exact"), 1e-9);
  EXPECT_LE(difference(waves, "etdrk4", "exact"), 1e-9);

  const Problem reaction = built([](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; t in [0, 1] time");
    p.field("u");
    p.field("v");
    p.exact("u", "exp(-t)*sin(pi*x)");
    p.exact("v", "cos(pi*x)*(1 + t)");
    p.residual("activator", "u_t - u_xx/10 - u*v + u^3 - manufactured");
    p.residual("inhibitor", "v_t - v_xx/5 - u + v - manufactured");
    p.boundary("ends", "u = 0");
    p.boundary("walls", "v_n = 0");
    p.initial("u0", "u = u_exact");
    p.initial("v0", "v = v_exact");
  });
  EXPECT_LE(difference(reaction, "spectral-time", "exact"), 1e-9);
}

// The problem of two periodic fields with these equations, and data like sin and cos.
Problem periodic_pair(const std::string& first, const std::string& second) {
  return built([&](ProblemBuilder& p) {
    p.coordinates("x in [-1, 1] periodic; t in [0, 1] time");
    p.field("u");
    p.field("v");
    p.residual("first", first);
    p.residual("second", second);
    p.initial("u0", "u = sin(pi*x)");
    p.initial("v0", "v = cos(pi*x)/2");
  });
}

TEST(ReferencesInTime, ReactionAndDiffusionOfTwoFieldsByTwoMethods) {
  // FitzHugh-Nagumo with cross-diffusion; a mass matrix that is not diagonal.
  const Problem problem = periodic_pair("u_t + v_t/2 - u_xx/50 - v_xx/40 - u + u^3 + v = 0",
                                        "v_t - u_t/4 - v_xx/10 + u_xx/100 - u/2 + v*(1 + u*v) + t/5 = 0");
  EXPECT_EQ(solve_reference(problem, {"auto", 1e-8, 0, true}).name, "etdrk4");
  EXPECT_LE(difference(problem, "etdrk4", "spectral-time", 1e-8), 1e-8);
}

TEST(ReferencesInTime, LinearPartWithUnlikeFieldsInTheCoefficients) {
  // u - v vanishes where all jets are alike: the coefficient of v_x must still be seen to vary.
  const Problem problem =
      periodic_pair("u_t - u_xx/20 - (u - v)*v_x = 0", "v_t - v_xx/20 - (u - v)*u_x + sin(pi*x)*u/3 = 0");
  EXPECT_LE(difference(problem, "etdrk4", "spectral-time", 1e-8), 1e-8);
}

TEST(ReferencesInTime, SystemsThatAreNotSemilinear) {
  const Problem quasilinear = periodic_pair("u_t = (1 + v^2/4)*u_xx/20", "v_t = v_xx/20");
  EXPECT_TRUE(says(refusal(quasilinear, "etdrk4"), "not semilinear"));
  EXPECT_EQ(applicable_references(quasilinear).front(), "spectral-time");
  const Problem varying = periodic_pair("u_t = u_xx/20", "v_t = (2 + sin(pi*x))*v_xx/20");
  EXPECT_TRUE(says(refusal(varying, "etdrk4"), "not semilinear"));
  const Problem waves = built([](ProblemBuilder& p) {
    p.coordinates("x in [-1, 1] periodic; t in [0, 1] time");
    p.field("u");
    p.residual("pde", "u_tt = u_xx");
    p.initial("u0", "u = sin(pi*x)");
    p.initial("velocity", "u_t = 0");
  });
  EXPECT_TRUE(says(refusal(waves, "etdrk4"), "field 'u' has a second time derivative"));
  EXPECT_EQ(applicable_references(waves).front(), "spectral-time");
}

TEST(ReferencesInTimeSlow, SchroedingerWithKinkedData) {
  // i h_t + h_xx/2 + |h|^2 h = 0; the periodic extension of 2 sech(x) has a kink at +-5 that dispersion
  // keeps.
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("x in [-5, 5] periodic; t in [0, pi/2] time");
    p.field("u");
    p.field("v");
    p.residual("real", "u_t = -v_xx/2 - (u^2 + v^2)*v");
    p.residual("imaginary", "v_t = u_xx/2 + (u^2 + v^2)*u");
    p.initial("u0", "u = 2*sech(x)");
    p.initial("v0", "v = 0");
  });
  const ReferenceSolution solution = solve_reference(problem, {"auto", 3e-5, 0, true});
  EXPECT_EQ(solution.name, "etdrk4");
  EXPECT_LE(solution.error_estimate, 3e-5);
  // The solution is even in x, and int |h|^2 is conserved.
  constexpr int kPoints = 1000;
  for (double t : {0.0, 0.01, 0.4, 1.1, std::numbers::pi / 2.0}) {
    MatrixXd points(kPoints, 2);
    points << VectorXd::LinSpaced(kPoints, -5.0, 5.0 - 10.0 / kPoints), VectorXd::Constant(kPoints, t);
    const MatrixXd h = solution.evaluate(points);
    EXPECT_NEAR(10.0 * h.rowwise().squaredNorm().mean(), 8.0 * std::tanh(5.0), 1e-4) << t;
    points.col(0) *= -1.0;
    EXPECT_LE((solution.evaluate(points) - h).cwiseAbs().maxCoeff(), 1e-9) << t;
  }
}

TEST(ReferencesInTimeSlow, BurgersByQuadratureAndInTime) {
  const Problem problem = problem_named("burgers", {{{"nu", 0.05}}, 0});
  EXPECT_LE(difference(problem, "cole-hopf", "spectral-time"), 1e-9);
}

TEST(ReferencesInTimeSlow, KdvByTwoMethodsAtEarlyTimes) {
  Problem problem = problem_named("kdv");
  problem.coordinates[1].high = 0.1;
  EXPECT_LE(difference(problem, "etdrk4", "spectral-time", 1e-8), 1e-8);
  const ReferenceSolution whole = solve_reference(problem_named("kdv"));
  EXPECT_EQ(whole.name, "etdrk4");
  EXPECT_LE(whole.error_estimate, 1e-9);
}

TEST(ReferencesInTimeSlow, AllenCahnByTwoMethods) {
  // Smooth data, so that both converge from the start; a coefficient that varies goes to the nonlinear part.
  const Problem problem = built([](ProblemBuilder& p) {
    p.coordinates("x in [-1, 1] periodic; t in [0, 0.5] time");
    p.field("u");
    p.residual("pde", "2*u_t - (0.02 + 0.005*sin(pi*x))*u_xx - 10*u + 10*u^3 + t*u_x = 0");
    p.initial("ic", "u = cos(pi*x)/2");
  });
  EXPECT_LE(difference(problem, "etdrk4", "spectral-time", 1e-8), 1e-8);
}

TEST(ReferencesInTimeSlow, AllenCahnWithKinkedData) {
  const Problem problem = problem_named("allen-cahn");
  const ReferenceSolution solution = solve_reference(problem);
  EXPECT_EQ(solution.name, "etdrk4");
  EXPECT_LE(solution.error_estimate, 1e-9);
  MatrixXd start(5, 2);
  start.col(0) << -1.0, -0.97, 0.0, 0.4, 1.0;
  start.col(1).setZero();
  const Eigen::ArrayXd x = start.col(0).array();
  const VectorXd data = x.square() * (std::numbers::pi * x).cos();
  EXPECT_LE((solution.evaluate(start) - data).cwiseAbs().maxCoeff(), 1e-15);
}

}  // namespace
}  // namespace torsor
