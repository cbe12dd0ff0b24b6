#include "solvers/reference/cole_hopf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "solvers/reference/spectral_time.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;
using Eigen::MatrixXd;
using Eigen::VectorXd;

double integral(int n, const std::function<double(double)>& f) {
  const GaussHermite rule = gauss_hermite(n);
  double total = 0.0;
  for (int i = 0; i < n; ++i)
    total += rule.weights(i) * std::exp(-rule.nodes(i) * rule.nodes(i)) * f(rule.nodes(i));
  return total;
}

double at(double nu, double x, double t) {
  return cole_hopf(burgers_sine(nu), (MatrixXd(1, 2) << x, t).finished())(0);
}

TEST(ColeHopf, GaussHermiteIsExactToItsDegree) {
  // int x^(2m) exp(-x^2) = Gamma(m + 1/2); exact up to degree 2n - 1.
  for (int m = 0; m < 5; ++m)
    EXPECT_NEAR(integral(5, [m](double x) { return std::pow(x, 2 * m); }), std::tgamma(m + 0.5), 1e-12);
  EXPECT_GT(std::abs(integral(5, [](double x) { return std::pow(x, 10); }) - std::tgamma(5.5)), 1.0);
  EXPECT_NEAR(integral(600, [](double x) { return std::cos(2.0 * x); }), std::sqrt(kPi) * std::exp(-1.0),
              1e-12);
  // int cosh(14 x) exp(-x^2) = sqrt(pi) exp(49) lives at |x| = 7: relative accuracy of the small weights.
  EXPECT_NEAR(integral(128, [](double x) { return std::cosh(14.0 * x); }) / (std::sqrt(kPi) * std::exp(49.0)),
              1.0, 1e-10);
}

TEST(ColeHopf, QuadratureConvergesExponentially) {
  const MatrixXd point = (MatrixXd(1, 2) << 0.3, 0.4).finished();
  const double exact = cole_hopf(burgers_sine(0.05), point)(0);
  double before = 1.0;
  for (int n : {8, 16, 32}) {
    ColeHopfOptions options{n / 2, n, 1e9};
    const double error = std::abs(cole_hopf(burgers_sine(0.05), point, options)(0) - exact);
    EXPECT_LT(error, 0.1 * before);
    before = error;
  }
  EXPECT_LT(before, 1e-7);
}

TEST(ColeHopf, StartsAtTheInitialValueAndKeepsTheEnds) {
  EXPECT_DOUBLE_EQ(at(0.01 / kPi, 0.3, 0.0), -std::sin(0.3 * kPi));
  EXPECT_NEAR(at(0.01 / kPi, 0.3, 1e-9), -std::sin(0.3 * kPi), 1e-7);
  for (double x : {-1.0, 0.0, 1.0}) EXPECT_NEAR(at(0.01 / kPi, x, 0.7), 0.0, 1e-12);
}

TEST(ColeHopf, MatchesTheFiniteElementTable) {
  // PINNacle's reference data for Burgers1D (COMSOL), nu = 0.01/pi. Their own error is about 1e-2 once the
  // layer forms (relative L2 1.3e-2 over the table): see the agreement with the spectral solver to 1e-10
  // below.
  const double table[][3] = {{-0.98, 0.1, 0.047599793441306694}, {-0.04, 0.5, 0.98409537624574},
                             {-0.02, 1.0, 0.7012461288791818},   {0.12, 0.4, -0.9912914221893425},
                             {0.34, 0.3, -0.9369736434261866},   {0.4, 0.8, -0.5313419195816638}};
  for (const auto& row : table)
    EXPECT_NEAR(at(0.01 / kPi, row[0], row[1]), row[2], row[1] < 0.15 ? 2e-4 : 1.5e-2)
        << row[0] << " " << row[1];
}

TEST(ColeHopf, KnownSlopeOfTheLayer) {
  // Basdevant et al. 1986: max |u_x(0, t)| = 152.00516 at pi t = 1.6037.
  const double h = 2e-4, t = 1.6037 / kPi, nu = 0.01 / kPi;
  const double slope =
      (8.0 * (at(nu, h, t) - at(nu, -h, t)) - (at(nu, 2 * h, t) - at(nu, -2 * h, t))) / (12.0 * h);
  EXPECT_NEAR(slope, -152.00516, 1e-3);
}

TEST(ColeHopf, TravellingFrontWithGivenAntiderivative) {
  // u = 1 - tanh((x - t)/(2 nu)) is exact: u0 = 1 - tanh(x/(2 nu)), U0 = x - 2 nu log cosh(x/(2 nu)).
  ColeHopfProblem problem;
  problem.nu = 0.1;
  problem.initial = [](const Eigen::ArrayXd& x) { return Eigen::ArrayXd(1.0 - (5.0 * x).tanh()); };
  problem.antiderivative = [](const Eigen::ArrayXd& x) {
    return Eigen::ArrayXd(x - 0.2 * (5.0 * x).cosh().log());
  };
  MatrixXd points(3, 2);
  points << -0.2, 0.5, 0.4, 0.3, 1.1, 1.0;
  const VectorXd u = cole_hopf(problem, points);
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(u(i), 1.0 - std::tanh(5.0 * (points(i, 0) - points(i, 1))), 1e-10);
}

void expect_spectral_agreement(double nu, double cluster_width, double tolerance) {
  EvolutionProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.initial = [](const VectorXd& x) { return MatrixXd(-(kPi * x.array()).sin()); };
  p.rhs = [nu](double, const VectorXd&, const MatrixXd& j) {
    return MatrixXd(nu * j.col(2).array() - j.col(0).array() * j.col(1).array());
  };
  p.conditions = {{0, false, {1.0}, {}}, {0, true, {1.0}, {}}};
  EvolutionOptions options;
  options.cluster_width = cluster_width;
  const SpaceTimeSolution s = solve_evolution_at(p, cluster_width > 0.0 ? 256 : 128, options);
  std::srand(5);
  MatrixXd points = MatrixXd::Random(300, 2);
  points.col(1) = points.col(1).cwiseAbs();
  points.topRows(100).col(0) *= 0.03;  // the layer
  const double difference = (cole_hopf(burgers_sine(nu), points) - s.evaluate(points)).cwiseAbs().maxCoeff();
  EXPECT_LT(difference, tolerance);
}

TEST(ColeHopf, AgreesWithTheSpectralSolver) {
  expect_spectral_agreement(0.05, 0.0, 1e-8);
}

TEST(ColeHopf, AgreesWithTheSpectralSolverInTheLayer) {
  expect_spectral_agreement(0.01 / kPi, 0.02, 1e-7);
}

TEST(ColeHopf, RefusesBadArguments) {
  EXPECT_THROW(burgers_sine(0.0), InputError);
  EXPECT_THROW(gauss_hermite(0), InputError);
  EXPECT_THROW(at(0.1, 0.0, -0.1), InputError);
  EXPECT_THROW(cole_hopf(burgers_sine(0.1), MatrixXd::Zero(2, 3)), InputError);
  EXPECT_THROW(at(1e-4, 0.1, 1.0), NumericalError);
}

}  // namespace
}  // namespace torsor
