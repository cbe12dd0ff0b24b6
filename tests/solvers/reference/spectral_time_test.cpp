#include "solvers/reference/spectral_time.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;
using Eigen::ArrayXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Exact = std::function<double(double x, double t)>;

double max_error(const SpaceTimeSolution& s, double t0, double t1, const Exact& exact) {
  std::srand(3);
  MatrixXd points = 0.5 * (MatrixXd::Random(300, 2).array() + 1.0).matrix();
  points.col(0) = (s.basis.a + (s.basis.b - s.basis.a) * points.col(0).array()).matrix();
  points.col(1) = (t0 + (t1 - t0) * points.col(1).array()).matrix();
  const MatrixXd u = s.evaluate(points);
  double error = 0.0;
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    error = std::max(error, std::abs(u(i, 0) - exact(points(i, 0), points(i, 1))));
  return error;
}

EvolutionProblem heat_problem() {
  // u_t = u_xx/4 on [0, 1] with the exact solution exp(-pi^2 t/4) cos(pi x) + x: Dirichlet left, Neumann
  // right.
  EvolutionProblem p;
  p.initial = [](const VectorXd& x) { return MatrixXd((kPi * x.array()).cos() + x.array()); };
  p.rhs = [](double, const VectorXd&, const MatrixXd& j) { return MatrixXd(0.25 * j.col(2)); };
  p.conditions = {{0, false, {1.0}, [](double t) { return std::exp(-kPi * kPi * t / 4.0); }},
                  {0, true, {0.0, 1.0}, [](double) { return 1.0; }}};
  return p;
}

double heat_exact(double x, double t) {
  return std::exp(-kPi * kPi * t / 4.0) * std::cos(kPi * x) + x;
}

TEST(SpectralTime, HeatConvergesExponentiallyInSpace) {
  double before = INFINITY;
  for (int nodes : {6, 9, 12}) {
    const double error = max_error(solve_evolution_at(heat_problem(), nodes), 0.0, 1.0, heat_exact);
    EXPECT_LT(error, 0.03 * before);
    before = error;
  }
  const SpaceTimeSolution s = solve_evolution(heat_problem());
  EXPECT_LT(max_error(s, 0.0, 1.0, heat_exact), 1e-9);
  EXPECT_LE(s.error_estimate, 1e-8);
}

TEST(SpectralTime, HeatFollowsTheTimeTolerance) {
  EvolutionOptions options;
  for (double tolerance : {1e-6, 1e-8, 1e-10}) {
    options.relative_tolerance = tolerance;
    options.absolute_tolerance = 0.01 * tolerance;
    EXPECT_LT(max_error(solve_evolution_at(heat_problem(), 24, options), 0.0, 1.0, heat_exact),
              100.0 * tolerance);
  }
}

TEST(SpectralTime, AdvectionPeriodic) {
  EvolutionProblem p;
  p.a = 0.0;
  p.b = 2.0 * kPi;
  p.periodic = true;
  p.order = 1;
  p.initial = [](const VectorXd& x) { return MatrixXd(x.array().sin()); };
  p.rhs = [](double, const VectorXd&, const MatrixXd& j) { return MatrixXd(-30.0 * j.col(1)); };
  EvolutionOptions options;
  options.integrator = TimeIntegrator::kAdams;
  options.initial_nodes = 16;
  const SpaceTimeSolution s = solve_evolution(p, options);
  EXPECT_LT(max_error(s, 0.0, 1.0, [](double x, double t) { return std::sin(x - 30.0 * t); }), 1e-9);
}

TEST(SpectralTime, WaveAsFirstOrderSystem) {
  // u_tt = 4 u_xx on [0, 1], u = sin(pi x) cos(2 pi t) + sin(4 pi x) cos(8 pi t)/2, v = u_t.
  EvolutionProblem p;
  p.n_fields = 2;
  p.initial = [](const VectorXd& x) {
    MatrixXd u = MatrixXd::Zero(x.size(), 2);
    u.col(0) = (kPi * x.array()).sin() + 0.5 * (4.0 * kPi * x.array()).sin();
    return u;
  };
  p.rhs = [](double, const VectorXd&, const MatrixXd& j) {
    MatrixXd f(j.rows(), 2);
    f.col(0) = j.col(3);
    f.col(1) = 4.0 * j.col(2);
    return f;
  };
  p.conditions = {{0, false, {1.0}, {}}, {0, true, {1.0}, {}}, {1, false, {1.0}, {}}, {1, true, {1.0}, {}}};
  EvolutionOptions options;
  options.integrator = TimeIntegrator::kAdams;
  options.initial_nodes = 24;
  const SpaceTimeSolution s = solve_evolution(p, options);
  EXPECT_LT(max_error(s, 0.0, 1.0,
                      [](double x, double t) {
                        return std::sin(kPi * x) * std::cos(2.0 * kPi * t) +
                               0.5 * std::sin(4.0 * kPi * x) * std::cos(8.0 * kPi * t);
                      }),
            1e-9);
}

TEST(SpectralTime, FourthOrderWithTwoConditionsPerSide) {
  // u_t = -u_xxxx on [0, 1], u = u_xx = 0 at both ends: exp(-pi^4 t) sin(pi x).
  EvolutionProblem p;
  p.t1 = 0.02;
  p.order = 4;
  p.initial = [](const VectorXd& x) { return MatrixXd((kPi * x.array()).sin()); };
  p.rhs = [](double, const VectorXd&, const MatrixXd& j) { return MatrixXd(-j.col(4)); };
  for (bool upper : {false, true}) {
    p.conditions.push_back({0, upper, {1.0}, {}});
    p.conditions.push_back({0, upper, {0.0, 0.0, 1.0}, {}});
  }
  const Exact exact = [](double x, double t) { return std::exp(-std::pow(kPi, 4) * t) * std::sin(kPi * x); };
  EXPECT_LT(max_error(solve_evolution_at(p, 18), 0.0, 0.02, exact), 1e-8);
}

EvolutionProblem burgers(double nu) {
  EvolutionProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.initial = [](const VectorXd& x) { return MatrixXd(-(kPi * x.array()).sin()); };
  p.rhs = [nu](double, const VectorXd&, const MatrixXd& j) {
    return MatrixXd(nu * j.col(2).array() - j.col(0).array() * j.col(1).array());
  };
  p.partials = [nu](double, const VectorXd&, const MatrixXd& j) {
    MatrixXd d(j.rows(), 3);
    d.col(0) = -j.col(1);
    d.col(1) = -j.col(0);
    d.col(2).setConstant(nu);
    return d;
  };
  p.conditions = {{0, false, {1.0}, {}}, {0, true, {1.0}, {}}};
  return p;
}

TEST(SpectralTime, DifferencedAndGivenPartialsAgree) {
  EvolutionProblem differenced = burgers(0.1);
  differenced.partials = nullptr;
  const SpaceTimeSolution a = solve_evolution_at(burgers(0.1), 40), b = solve_evolution_at(differenced, 40);
  EXPECT_LT(relative_change(a, b), 1e-10);
}

TEST(SpectralTimeSlow, BurgersLayerHasTheKnownSlope) {
  // C. Basdevant et al., Computers & Fluids 14 (1986): max |u_x(0, t)| = 152.00516 at pi t = 1.6037.
  EvolutionOptions options;
  options.cluster_width = 0.02;  // poles of tanh(x/(2 nu)) at 0.01 i
  options.initial_nodes = 64;
  const SpaceTimeSolution s = solve_evolution(burgers(0.01 / kPi), options);
  MatrixXd point(1, 2);
  point << 0.0, 1.6037 / kPi;
  EXPECT_NEAR(s.evaluate(point, 1)(0, 0), -152.00516, 2e-4);
  EXPECT_LE(s.error_estimate, 1e-8);
}

TEST(SpectralTime, RefusesAndReports) {
  EvolutionProblem p = heat_problem();
  p.order = 5;
  EXPECT_THROW(solve_evolution(p), InputError);
  p = heat_problem();
  p.conditions[0].field = 1;
  EXPECT_THROW(solve_evolution(p), InputError);
  p = heat_problem();
  p.conditions[0].coefficients = {0.0};
  EXPECT_THROW(solve_evolution(p), InputError);
  p = heat_problem();  // u' = u^2 from 1: blow-up at t = 1
  p.t1 = 2.0;
  p.conditions.clear();
  p.initial = [](const VectorXd& x) { return MatrixXd(MatrixXd::Ones(x.size(), 1)); };
  p.rhs = [](double, const VectorXd&, const MatrixXd& j) { return MatrixXd(j.col(0).array().square()); };
  EXPECT_THROW(solve_evolution(p), NumericalError);
  EvolutionOptions options;
  options.max_nodes = 64;
  EXPECT_THROW(solve_evolution(burgers(0.01 / kPi), options), NumericalError);
  const SpaceTimeSolution s = solve_evolution_at(heat_problem(), 12);
  EXPECT_THROW(s.nodal(1.1), InputError);
}

}  // namespace
}  // namespace torsor
