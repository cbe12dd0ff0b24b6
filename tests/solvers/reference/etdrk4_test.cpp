#include "solvers/reference/etdrk4.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "solvers/reference/spectral_time.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// u_t = nu u_xx - u u_x, smooth.
SemilinearProblem burgers() {
  SemilinearProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.linear = {0.0, 0.0, 0.05};
  p.nonlinear_order = 1;
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) { return ArrayXd(-j.col(0) * j.col(1)); };
  p.initial = [](const ArrayXd& x) { return ArrayXd(-(kPi * x).sin()); };
  return p;
}

SemilinearProblem korteweg_de_vries() {
  SemilinearProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.linear = {0.0, 0.0, 0.0, -0.0025};
  p.nonlinear_order = 1;
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) { return ArrayXd(-j.col(0) * j.col(1)); };
  p.initial = [](const ArrayXd& x) { return ArrayXd((kPi * x).cos()); };
  return p;
}

TEST(Etdrk4, FourthOrderInTime) {
  SemilinearOptions options;
  options.nodes = 128;
  options.time_pieces = 1;
  auto at_end = [&](double h) {
    options.time_step = h;
    return VectorXd(solve_semilinear_at(burgers(), options).nodal(1.0));
  };
  const VectorXd exact = at_end(1.0 / 4096);
  double before = 0.0;
  for (double h : {1.0 / 128, 1.0 / 256, 1.0 / 512}) {
    const double error = (at_end(h) - exact).cwiseAbs().maxCoeff();
    if (before > 0.0) {
      EXPECT_NEAR(std::log2(before / error), 4.0, 0.25) << "h = " << h;
    }
    before = error;
  }
}

TEST(Etdrk4, LinearPartIsExact) {
  // N = 0: u_t = -u_xxx + 0.1 u_xx of one mode, whatever the step.
  SemilinearProblem p = burgers();
  p.linear = {0.0, 0.0, 0.1, -1.0};
  p.nonlinear = [](double, const ArrayXd& x, const ArrayXXd&) { return ArrayXd(ArrayXd::Zero(x.size())); };
  SemilinearOptions options;
  options.nodes = 16;
  options.time_step = 1.0;
  options.time_pieces = 200;
  const SpaceTimeSolution s = solve_semilinear_at(p, options);
  for (double t : {0.1234, 1.0}) {
    const double w = kPi, x = 0.3;
    const MatrixXd point = (MatrixXd(1, 2) << x, t).finished();
    // -sin(w x) travels at the speed -w^2 under -u_xxx.
    EXPECT_NEAR(s.evaluate(point)(0, 0), -std::sin(w * x + w * w * w * t) * std::exp(-0.1 * w * w * t),
                1e-11);
  }
}

TEST(Etdrk4, ConvergesExponentiallyInSpace) {
  SemilinearOptions options;
  options.time_step = 2e-3;
  options.dealias = false;
  auto run = [&](int nodes) {
    options.nodes = nodes;
    return solve_semilinear_at(burgers(), options);
  };
  const SpaceTimeSolution exact = run(256);
  const double at32 = relative_change(run(32), exact), at64 = relative_change(run(64), exact);
  EXPECT_LT(at64, 0.03 * at32);
  EXPECT_LT(relative_change(run(128), exact), 0.03 * at64);
}

TEST(Etdrk4, SolitonOfKorteweg) {
  // u_t + u u_x + u_xxx = 0 has u = 3 c sech^2(sqrt(c)/2 (x - c t)); on a period of 40 its tail is 1e-16.
  SemilinearProblem p = korteweg_de_vries();
  p.a = -20.0;
  p.b = 20.0;
  p.linear[3] = -1.0;
  const double c = 4.0;
  p.initial = [c](const ArrayXd& x) { return ArrayXd(3.0 * c / (0.5 * std::sqrt(c) * x).cosh().square()); };
  const SpaceTimeSolution s = solve_semilinear(p);
  MatrixXd points(2, 2);
  points << 2.5, 0.77, 4.1, 1.0;
  const MatrixXd u = s.evaluate(points);
  for (int i = 0; i < 2; ++i)
    EXPECT_NEAR(u(i, 0),
                3.0 * c / std::pow(std::cosh(0.5 * std::sqrt(c) * (points(i, 0) - c * points(i, 1))), 2),
                1e-7);
}

TEST(Etdrk4, AgreesWithTheMethodOfLines) {
  EvolutionProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.periodic = true;
  p.initial = [](const VectorXd& x) { return MatrixXd(-(kPi * x.array()).sin()); };
  p.rhs = [](double, const VectorXd&, const MatrixXd& j) {
    return MatrixXd(0.05 * j.col(2).array() - j.col(0).array() * j.col(1).array());
  };
  const SpaceTimeSolution lines = solve_evolution_at(p, 128), etd = solve_semilinear(burgers());
  EXPECT_LT(relative_change(lines, etd), 2e-9);
}

TEST(Etdrk4, KortewegDeVriesOfZabuskyAndKruskal) {
  SemilinearOptions options;
  options.time_step = 1e-3;
  const SpaceTimeSolution s = solve_semilinear(korteweg_de_vries(), options);
  EXPECT_LE(s.error_estimate, 1e-8);
  // Mass and int u^2 are conserved: 0 and 1 (the trapezoidal rule is spectrally accurate).
  const ArrayXd u = s.nodal(1.0).col(0).array();
  EXPECT_NEAR(u.mean(), 0.0, 1e-12);
  EXPECT_NEAR(2.0 * u.square().mean(), 1.0, 1e-7);
}

TEST(Etdrk4Slow, AllenCahnWithAKinkInTheData) {
  // u_t = 1e-4 u_xx + 5 u - 5 u^3, u0 = x^2 cos(pi x): u0' jumps at +-1.
  SemilinearProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.linear = {5.0, 0.0, 1e-4};
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) { return ArrayXd(-5.0 * j.col(0).cube()); };
  p.initial = [](const ArrayXd& x) { return ArrayXd(x.square() * (kPi * x).cos()); };
  SemilinearOptions options;
  options.nodes = 1024;
  options.time_step = 4e-3;
  options.compare_from = 0.05;
  options.initial_oversampling = 256;
  const SpaceTimeSolution s = solve_semilinear(p, options);
  EXPECT_LE(s.error_estimate, 1e-8);
  // The even solution also solves the problem on [0, 1] with Neumann sides, where Chebyshev clusters at the
  // kink.
  EvolutionProblem lines;
  lines.initial = [](const VectorXd& x) { return MatrixXd(x.array().square() * (kPi * x.array()).cos()); };
  lines.rhs = [](double, const VectorXd&, const MatrixXd& j) {
    return MatrixXd(1e-4 * j.col(2).array() + 5.0 * j.col(0).array() - 5.0 * j.col(0).array().cube());
  };
  lines.conditions = {{0, false, {0.0, 1.0}, {}}, {0, true, {0.0, 1.0}, {}}};
  EvolutionOptions lines_options;
  lines_options.relative_tolerance = 1e-10;
  lines_options.absolute_tolerance = 1e-12;
  const SpaceTimeSolution other = solve_evolution_at(lines, 800, lines_options);
  MatrixXd points(400, 2);
  std::srand(9);
  points = (MatrixXd::Random(400, 2).array() + 1.0) / 2.0;
  points.col(1) = (0.05 + 0.95 * points.col(1).array()).matrix();
  const double difference = (s.evaluate(points) - other.evaluate(points)).cwiseAbs().maxCoeff();
  EXPECT_LT(difference, 1e-6);
}

TEST(Etdrk4, RefusesAndReports) {
  SemilinearOptions options;
  options.nodes = 7;
  EXPECT_THROW(solve_semilinear(burgers(), options), InputError);
  SemilinearProblem p = burgers();  // u_t = u^2 from 3: blow-up at t = 1/3
  p.linear = {0.0};
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) { return ArrayXd(j.col(0).square()); };
  p.initial = [](const ArrayXd& x) { return ArrayXd(ArrayXd::Constant(x.size(), 3.0)); };
  EXPECT_THROW(solve_semilinear_at(p), NumericalError);
  options.nodes = 16;
  options.max_nodes = 32;
  EXPECT_THROW(solve_semilinear(korteweg_de_vries(), options), NumericalError);
}

}  // namespace
}  // namespace torsor
