// Closed-form heads of kinetic equations at every Knudsen number: exact solutions, data out of equilibrium, the limit.
#include <gtest/gtest.h>

#include "physics/norms.h"
#include "physics/transport_exact.h"
#include "problems/quantities.h"
#include "solvers/head/head_solver.h"
#include "solvers/head/time_window.h"
#include "solvers/reference/transport_volterra.h"
#include "tests/problems/kinetic_problems.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

Problem slab(double eps, int nodes, double end, const std::string& f0) {
  kinetic_problems::Transport transport;
  transport.eps = eps;
  transport.velocity = "v in gauss(" + std::to_string(nodes) + ")";
  transport.end = end;
  transport.initial = f0;
  return kinetic_problems::problem_of(transport);
}

Eigen::MatrixXd grid(double begin, double end) {
  Eigen::MatrixXd points(41 * 21, 2);
  for (Index i = 0; i < 41; ++i)
    for (Index k = 0; k < 21; ++k) {
      points(i * 21 + k, 0) = static_cast<double>(i) / 40;
      points(i * 21 + k, 1) = begin + (end - begin) * static_cast<double>(k) / 20;
    }
  return points;
}

HeadResult solve(const Problem& problem) {
  SilentProgress progress;
  HeadOptions options;
  options.seed = 1;
  return solve_heads({problem}, options, progress).front();
}

class EveryKnudsenNumber : public testing::TestWithParam<double> {};

// From the eigenmode's own data: rho, the flux and f.
TEST_P(EveryKnudsenNumber, EigenmodeOfTheSlab) {
  const double eps = GetParam();
  const std::string e = exact_text(eps);
  const TransportEigenmode exact(eps, 2 * kPi);
  const double a = 1 + eps * eps * exact.decay_rate();
  const std::string mode = "(" + exact_text(a) + "*cos(2*pi*x) + 2*pi*" + e + "*v*sin(2*pi*x))/(" + exact_text(a) +
                           "^2 + (2*pi*" + e + "*v)^2)";
  const Problem problem = slab(eps, eps > 0.15 ? 48 : 16, 0.1, mode);
  const HeadResult result = solve(problem);
  const Eigen::MatrixXd points = grid(0, 0.1);
  const Eigen::MatrixXd rho = kinetic_problems::quantity(problem, result.solutions.front(), "rho", points);
  const Eigen::MatrixXd flux = kinetic_problems::quantity(problem, result.solutions.front(), "flux", points);
  const Eigen::MatrixXd f = kinetic_problems::quantity(problem, result.solutions.front(), "f", points);
  Eigen::MatrixXd true_rho(rho.rows(), 1), true_flux(rho.rows(), 1), true_f(f.rows(), f.cols());
  for (Index k = 0; k < points.rows(); ++k) {
    true_rho(k, 0) = exact.rho(points(k, 1), points(k, 0));
    true_flux(k, 0) = exact.flux(points(k, 1), points(k, 0));
    for (Index j = 0; j < f.cols(); ++j) true_f(k, j) = exact.f(points(k, 1), points(k, 0), problem.velocity->nodes(j, 0));
  }
  EXPECT_LT((rho - true_rho).norm() / true_rho.norm(), 1e-9);
  EXPECT_LT((f - true_f).norm() / true_f.norm(), 1e-8);
  // The data are rounded before g = (f - rho)/eps is made of them.
  EXPECT_LT((flux - true_flux).norm() / true_flux.norm(), std::max(1e-8, 1e-15 / eps));
}

INSTANTIATE_TEST_SUITE_P(Of, EveryKnudsenNumber, testing::Values(0.2, 0.1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8),
                         [](const auto& one) { return "case" + std::to_string(one.index); });

TEST(KineticHead, RelaxationIsThatOfTheEquation) {
  EXPECT_NEAR(relaxation_rate(slab(1e-3, 4, 1, "cos(2*pi*x)")), 1e6, 1);
  EXPECT_NEAR(relaxation_rate(slab(0.5, 4, 1, "cos(2*pi*x)")), 4, 1e-9);
}

// Data out of equilibrium: an initial layer of length eps^2, and decay after it.
double out_of_equilibrium(double eps) {
  const Problem problem = slab(eps, 12, 0.3, kinetic_problems::Transport().initial);
  const HeadResult result = solve(problem);
  const TransportVolterra exact(0, 1, eps,
                                transport_modes([](double x) { return 1 + std::cos(4 * kPi * x); },
                                                [](double v) { return std::exp(-v * v / 2) / std::sqrt(2 * kPi); }, 0, 1),
                                0.3);
  double worst = 0;
  for (const double begin : {0.0, 0.1}) {
    const Eigen::MatrixXd points = grid(begin, 0.3);
    worst = std::max(worst, relative_l2(kinetic_problems::quantity(problem, result.solutions.front(), "rho", points).col(0), exact.rho(points)));
  }
  return worst;
}

TEST(KineticHeadSlow, InitialLayersAtEveryKnudsenNumber) {
  for (const double eps : {1.0, 1e-2, 1e-6}) EXPECT_LT(out_of_equilibrium(eps), 1e-6) << eps;
}

// Vacuum outside of the walls, the diffusion limit with rho = (1 - cos 2 pi x)/2 at t = 0 out of equilibrium in v: the field
// fits the walls, its derivative in time does not.
TEST(KineticHeadSlow, WallsAfterAnInitialLayer) {
  kinetic_problems::Transport transport;
  transport.eps = 1e-8;
  transport.velocity = "v in double_gauss(2)";
  transport.end = 0.1;
  transport.initial = "(1 - cos(2*pi*x))/2*(1 + v^2)*3/4";
  transport.periodic = false;
  const Problem problem = kinetic_problems::problem_of(transport);
  const HeadResult result = solve(problem);
  const auto exact = [](double x, double t) {
    double sum = 0;
    for (int n = 1; n < 200; n += 2)
      sum -= 8 / (kPi * n * (n * n - 4)) * std::sin(n * kPi * x) * std::exp(-n * n * kPi * kPi * t / 3);
    return sum;
  };
  const Eigen::MatrixXd points = grid(0.001, 0.1);
  Eigen::VectorXd values(points.rows());
  for (Index k = 0; k < points.rows(); ++k) values[k] = exact(points(k, 0), points(k, 1));
  EXPECT_LT(relative_l2(kinetic_problems::quantity(problem, result.solutions.front(), "rho", points).col(0), values), 1e-6);
}

}  // namespace
}  // namespace torsor
