#include "solvers/reference/transport_fronts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "physics/error.h"
#include "solvers/reference/transport_laplace.h"
#include "tests/problems/kinetic_problems.h"
#include "tests/solvers/reference/reference_checks.h"
#include "tests/solvers/reference/transport_slabs.h"

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using kinetic_problems::problem_of;
using kinetic_problems::Transport;
using kinetic_problems::Unknowns;

VelocityBasis nodes(int half = 4) { return make_velocity_basis({"v"}, "double_gauss", {half}); }

// Inflow 1 from the left into nothing.
FrontsSlab inflow(const VelocityBasis& v, double eps) { return {inflow_from_the_left(v, eps), {}}; }

FrontsSlab everything(const VelocityBasis& v, double eps) {
  return {general_slab(v, eps), 0.3 + 0.2 * v.nodes.col(0).array()};
}

LaplaceSlab for_laplace(const VelocityBasis& v, const FrontsSlab& slab) {
  LaplaceSlab laplace{slab, {}};
  if (slab.initial.size() == 0) return laplace;
  const VectorXd moments = v.polynomials.transpose() * v.weights.cwiseProduct(slab.initial);
  laplace.initial_moments = [moments](const VectorXd& x) {
    return MatrixXd(VectorXd::Ones(x.size()) * moments.transpose());
  };
  return laplace;
}

MatrixXd points_of(const FrontsSlab& slab, double from, double end, Index n = 500) {
  MatrixXd points(n, 2);
  for (Index k = 0; k < n; ++k)
    points.row(k) << slab.a + (slab.b - slab.a) * std::fmod(0.6180339887498949 * static_cast<double>(k), 1.0),
        from + (end - from) * static_cast<double>(k) / static_cast<double>(n - 1);
  return points;
}

MatrixXd point(double x, double t) {
  MatrixXd at(1, 2);
  at << x, t;
  return at;
}

double relative(const MatrixXd& a, const MatrixXd& b) { return (a - b).norm() / b.norm(); }

// Of cells and steps together, fronts included.
TEST(TransportFronts, OrderOnInflow) {
  const VelocityBasis v = nodes();
  for (const double eps : {0.1, 0.4}) {
    const FrontsSlab slab = inflow(v, eps);
    const MatrixXd points = points_of(slab, 0.0, 0.1);
    const auto density = [&](int cells) {
      return VectorXd(TransportFronts(v, slab, {0.1, cells, std::min(cells, 256)}).evaluate(points) * v.weights);
    };
    const VectorXd finest = density(1024);
    const double coarse = relative(density(64), finest), fine = relative(density(256), finest);
    EXPECT_LE(fine, 2e-5) << eps;
    EXPECT_GT(coarse / fine, 16.0) << eps;  // second order would be 16, third 64
  }
}

TEST(TransportFronts, AgreesWithTheLaplaceTransform) {
  const VelocityBasis v = nodes();
  const auto check = [&](const FrontsSlab& slab, double from, double end, double largest) {
    const MatrixXd points = points_of(slab, from, end);
    const MatrixXd exact =
        TransportLaplace(v, for_laplace(v, slab), 40, 16).moments(points) * v.polynomials.transpose();
    const MatrixXd coarse = TransportFronts(v, slab, {end, 128, 128}).evaluate(points);
    const MatrixXd fine = TransportFronts(v, slab, {end, 256, 256}).evaluate(points);
    EXPECT_LE(relative(fine, exact), largest) << slab.eps;
    EXPECT_LE(relative(fine, exact), relative(coarse, fine)) << slab.eps;  // the estimate of a reference
    EXPECT_GT(relative(coarse, exact) / relative(fine, exact), 4.0) << slab.eps;
  };
  check(inflow(v, 2e-3), 1e-3, 0.01, 4e-4);  // 2500 mean free times
  check(inflow(v, 0.02), 0.05, 0.1, 2e-5);
  check(everything(v, 0.02), 0.05, 0.1, 2e-4);
  check(everything(v, 0.2), 2.0, 6.0, 5e-5);  // fronts have crossed the slab
}

TEST(TransportFronts, EarlyTimesAreFreeFlow) {
  const VelocityBasis v = nodes();
  const TransportFronts solved(v, inflow(v, 1.0), {0.1, 128, 128});
  for (const double t : {1e-3, 3e-3})
    for (const double x : {0.0, 0.0002, 0.0005, 0.0008, 0.0012, 0.0025}) {
      const VectorXd f = solved.evaluate(point(x, t)).row(0).transpose();
      for (Index j = 0; j < v.size(); ++j) {
        // What comes in and what one collision brings: the part s of the way back at which v_k is met behind its front.
        const double u = v.nodes(j, 0), entry = u > 0.0 ? std::min(t, x / u) : t;
        double expected = u * t > x ? 1.0 - entry : 0.0;
        for (Index k = 0; k < v.size(); ++k) {
          const double c = v.nodes(k, 0);
          if (c <= 0.0) continue;
          const double turn = (c * t - x) / (c - u);  // c (t - s) = x - u s
          double met = 0.0;
          if (k == j)
            met = c * t > x ? entry : 0.0;
          else
            met = c > u ? std::clamp(turn, 0.0, entry) : entry - std::clamp(turn, 0.0, entry);
          expected += v.weights(k) * met;
        }
        EXPECT_NEAR(f(j), expected, 2.0 * t * t) << x << " " << t << " " << u;
      }
    }
}

// exp(-(1 - w) tau): what has not scattered into another direction.
TEST(TransportFronts, JumpsAreSharpAndOfTheExactHeight) {
  const VelocityBasis v = nodes();
  const double eps = 0.3, t = 0.1, tau = t / (eps * eps);
  const TransportFronts solved(v, inflow(v, eps), {t, 64, 64});
  for (Index k = 4; k < 8; ++k) {
    const double front = v.nodes(k, 0) * t / eps;
    const MatrixXd jump = solved.evaluate(point(front - 1e-10, t)) - solved.evaluate(point(front + 1e-10, t));
    for (Index j = 0; j < 8; ++j)
      EXPECT_NEAR(jump(0, j), j == k ? std::exp(-(1.0 - v.weights(k)) * tau) : 0.0, 1e-8) << k << " " << j;
  }
}

// int rho(T) dx = int rho(0) dx + (1/eps) int <v f> dt between the walls.
TEST(TransportFronts, KeepsTheBalanceOfMass) {
  const VelocityBasis v = nodes();
  FrontsSlab slab = everything(v, 0.4);
  slab.absorption = slab.source = 0.0;
  const double end = 0.1, length = slab.b - slab.a;
  const TransportFronts solved(v, slab, {end, 512, 128});
  const Index n = 20000, m = 2000;
  MatrixXd line(n, 2), left(m, 2), right(m, 2);
  line << VectorXd::LinSpaced(n, slab.a + 0.5 * length / n, slab.b - 0.5 * length / n), VectorXd::Constant(n, end);
  const VectorXd times = VectorXd::LinSpaced(m, 0.5 * end / m, end - 0.5 * end / m);
  left << VectorXd::Constant(m, slab.a), times;
  right << VectorXd::Constant(m, slab.b), times;
  const VectorXd flux = v.weights.cwiseProduct(v.nodes.col(0)) / slab.eps;
  const double mass = (solved.evaluate(line) * v.weights).mean() * length;
  const double gained = ((solved.evaluate(left) - solved.evaluate(right)) * flux).mean() * end;
  EXPECT_NEAR(mass, length * v.weights.dot(slab.initial) + gained, 2e-5 * mass);  // jumps between the points
}

TEST(TransportFronts, WallsAreAlikeAndConstantsStay) {
  const VelocityBasis v = nodes();
  const FrontsSlab slab = everything(v, 0.3);
  FrontsSlab mirrored = slab;
  mirrored.inflow.reverseInPlace();
  mirrored.initial.reverseInPlace();
  const MatrixXd points = points_of(slab, 0.0, 0.2, 101);
  MatrixXd turned = points;
  turned.col(0) = slab.a + slab.b - points.col(0).array();
  const FrontsOptions options{0.2, 96, 32};
  const MatrixXd f = TransportFronts(v, slab, options).evaluate(points);
  EXPECT_LE(relative(TransportFronts(v, mirrored, options).evaluate(turned).rowwise().reverse(), f), 1e-11);

  FrontsSlab constant = inflow(v, 0.3);
  constant.inflow = constant.initial = VectorXd::Constant(8, 2.0);
  const MatrixXd still = TransportFronts(v, constant, options).evaluate(points_of(constant, 0.0, 0.2));
  EXPECT_LE((still.array() - 2.0).abs().maxCoeff(), 1e-13);
}

TEST(TransportFronts, CornersHaveTheInitialData) {
  const VelocityBasis v = nodes();
  const TransportFronts solved(v, inflow(v, 0.5), {0.1, 64, 64});
  EXPECT_EQ(solved.evaluate(point(0.0, 0.0)).cwiseAbs().maxCoeff(), 0.0);
  EXPECT_NEAR(solved.evaluate(point(0.0, 1e-12)).rightCols(4).minCoeff(), 1.0, 1e-10);
  EXPECT_NEAR(solved.evaluate(point(0.0, 0.07)).rightCols(4).minCoeff(), 1.0, 1e-12);
}

TEST(TransportFronts, RefusesWhatItCannotSolve) {
  const VelocityBasis v = nodes();
  const auto error = [&](const std::function<void(FrontsSlab&, FrontsOptions&)>& change) {
    FrontsSlab slab = inflow(v, 0.5);
    FrontsOptions options{0.1, 16, 8};
    change(slab, options);
    return error_of([&] { TransportFronts(v, slab, options); });
  };
  EXPECT_TRUE(says(error([](FrontsSlab& s, FrontsOptions&) { s.b = s.a; }), "a < b"));
  EXPECT_TRUE(says(error([](FrontsSlab& s, FrontsOptions&) { s.scattering = 0.0; }), "must be positive"));
  EXPECT_TRUE(says(error([](FrontsSlab& s, FrontsOptions&) { s.absorption = -1.0; }), "not negative"));
  EXPECT_TRUE(says(error([](FrontsSlab& s, FrontsOptions&) { s.inflow = VectorXd::Ones(3); }), "one inflow for each"));
  EXPECT_TRUE(says(error([](FrontsSlab& s, FrontsOptions&) { s.initial = VectorXd::Ones(3); }), "one initial value"));
  EXPECT_TRUE(says(error([](FrontsSlab& s, FrontsOptions&) { s.inflow(0) = NAN; }), "finite"));
  EXPECT_TRUE(says(error([](FrontsSlab&, FrontsOptions& o) { o.end = 0.0; }), "end must be positive"));
  EXPECT_TRUE(says(error([](FrontsSlab&, FrontsOptions& o) { o.cells = 4; }), "8 cells"));
  const TransportFronts solved(v, inflow(v, 0.5), {0.1, 16, 8});
  EXPECT_TRUE(says(error_of([&] { solved.evaluate(point(1.1, 0.0)); }), "is outside"));
  EXPECT_TRUE(says(error_of([&] { solved.evaluate(point(0.5, 0.2)); }), "is outside"));
  EXPECT_TRUE(says(error_of([&] { solved.evaluate(MatrixXd::Zero(1, 3)); }), "2 columns"));
}

// ---- as a reference ------------------------------------------------------------------------------

Transport inflow_problem(double eps) {
  Transport t;
  t.eps = eps;
  t.end = 0.1;
  t.velocity = "v in double_gauss(4)";
  t.initial = "0*v";
  t.periodic = false;
  t.inflow_left = "1";
  return t;
}

TEST(TransportFrontsReference, IsTakenWhereFrontsAreSeen) {
  for (const double eps : {0.0198, 0.212, 1.0}) {
    const ReferenceSolution solution = solve_reference(problem_of(inflow_problem(eps)), {"auto", 5e-4, 0, true});
    EXPECT_EQ(solution.name, "transport-fronts") << eps;
    EXPECT_LE(solution.error_estimate, 5e-4);
    EXPECT_TRUE(says(solution.detail, "cells"));
  }
  EXPECT_EQ(applicable_references(problem_of(inflow_problem(2e-3))).front(), "transport-laplace");
}

TEST(TransportFrontsReference, AnswersInAllUnknownsWithinItsEstimate) {
  Transport t = inflow_problem(0.3);
  t.absorption = "0.5";
  t.source = "0.2";
  t.initial = "0.1";
  t.inflow_right = "0.4";
  const auto f_of = [&](Unknowns unknowns, double tolerance, double& estimate) {
    t.unknowns = unknowns;
    const Problem form = problem_of(t);
    const ReferenceSolution solution = solve_reference(form, {"transport-fronts", tolerance, 0, true});
    estimate = solution.error_estimate;
    const MatrixXd map = form.derived.empty() ? form.velocity_fields.front().basis : form.derived.front().map;
    return MatrixXd(solution.evaluate(points_of({}, 0.0, 0.1)) * map.transpose());
  };
  double estimate = 0.0, unused = 0.0;
  const MatrixXd f = f_of(Unknowns::micro_macro, 1e-3, estimate);
  EXPECT_LE(relative(f_of(Unknowns::even_odd, 1e-3, unused), f), 1e-12);
  EXPECT_LE(relative(f_of(Unknowns::distribution, 1e-3, unused), f), 1e-12);
  EXPECT_LE(relative(f, f_of(Unknowns::micro_macro, 1e-6, unused)), estimate);
  EXPECT_LE(unused, 1e-6);
}

TEST(TransportFrontsReference, SaysWhatItRefuses) {
  const auto reason = [](const std::function<void(Transport&)>& change) {
    Transport t = inflow_problem(0.3);
    change(t);
    return refusal(problem_of(t), "transport-fronts");
  };
  EXPECT_TRUE(says(reason([](Transport& t) { t.end = 0.0; }), "it has no time"));
  EXPECT_TRUE(says(reason([](Transport& t) { t.periodic = true; }), "periodic"));
  EXPECT_TRUE(says(reason([](Transport& t) { t.scattering = "1 + x"; }), "must be constant"));
  EXPECT_TRUE(says(reason([](Transport& t) { t.inflow_left = "1 + t"; }), "constant in time"));
  EXPECT_TRUE(says(reason([](Transport& t) { t.initial = "x + 0*v"; }), "must not depend on x"));
  EXPECT_TRUE(says(reason([](Transport& t) { t.eps = 1e-3; }), "mean free times"));
  EXPECT_THROW(solve_reference(problem_of(inflow_problem(0.1)), {"transport-fronts", 1e-12, 64, true}),
               NumericalError);
}

}  // namespace
}  // namespace torsor
