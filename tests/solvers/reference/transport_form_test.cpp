#include "solvers/reference/transport_form.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "physics/velocity_set.h"
#include "solvers/reference/grid_solution.h"
#include "solvers/reference/velocity_interpolation.h"
#include "tests/error_checks.h"
#include "tests/problems/kinetic_problems.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using kinetic_problems::problem_of;
using kinetic_problems::Transport;
using kinetic_problems::Unknowns;

constexpr double kPi = std::numbers::pi;

// A medium that varies, and inflow that depends on v and t.
Transport variable(Unknowns unknowns, double eps) {
  Transport t;
  t.unknowns = unknowns;
  t.eps = eps;
  t.scattering = "1.5 + sin(2*pi*x)";
  t.absorption = "1 + cos(2*pi*x)";
  t.source = "0.5 + sin(2*pi*x)";
  t.periodic = false;
  t.inflow_left = "1 + v*sin(t)";
  t.inflow_right = "2 - v^2";
  return t;
}

TransportForm form_of(const Transport& t) { return TransportForm(std::make_shared<const Problem>(problem_of(t))); }

std::string obstacle_of(const std::function<void(ProblemBuilder&)>& define) {
  ProblemBuilder problem("test", {});
  problem.coordinates("x in [0, 1] periodic; t in [0, 1] time");
  define(problem);
  return TransportForm::obstacle(problem.build());
}

void define_distribution(ProblemBuilder& problem, const std::string& equation) {
  problem.velocity("v in gauss(4)");
  problem.field("f(v)");
  problem.residual("pde", equation);
  problem.initial("start", "f = 1 + v");
}

TEST(TransportForm, SameEquationInAllUnknowns) {
  const double x = 0.3, angle = 2.0 * kPi * x;
  for (const double eps : {1.0, 1e-2, 1e-4, 1e-8})
    for (const Unknowns unknowns : {Unknowns::micro_macro, Unknowns::even_odd, Unknowns::distribution}) {
      const Transport t = variable(unknowns, eps);
      ASSERT_EQ(TransportForm::obstacle(problem_of(t)), "") << eps;
      const TransportForm form = form_of(t);
      EXPECT_NEAR(form.eps() / eps, 1.0, 1e-13);
      EXPECT_FALSE(form.steady());
      EXPECT_FALSE(form.periodic());
      const MatrixXd medium = form.medium(VectorXd::Constant(1, x));
      EXPECT_NEAR(medium(0, 0), 1.5 + std::sin(angle), 1e-12);
      // sigma_S/eps + eps sigma_A is one coefficient of an equation for f: what double holds of sigma_A in it.
      const double lost = unknowns == Unknowns::distribution ? std::min(1.0, 1e-15 / (eps * eps)) : 0.0;
      EXPECT_NEAR(medium(0, 1), 1.0 + std::cos(angle), 1e-12 + lost) << eps;
      EXPECT_NEAR(medium(0, 2), 0.5 + std::sin(angle), 1e-12);
      const VectorXd v = form.velocities().nodes.col(0);
      const VectorXd f0 =
          ((1.0 + std::cos(2.0 * angle)) / std::sqrt(2.0 * kPi) * (-0.5 * v.array().square()).exp()).matrix();
      EXPECT_LE((form.initial(VectorXd::Constant(1, x)).row(0).transpose() - f0).cwiseAbs().maxCoeff(), 1e-14);
    }
}

TEST(TransportForm, InflowAndInitialDataForOtherVelocities) {
  for (const Unknowns unknowns : {Unknowns::micro_macro, Unknowns::even_odd, Unknowns::distribution})
    for (const char* velocity : {"v in gauss(16)", "v in double_gauss(8)"}) {
      Transport t = variable(unknowns, 1e-4);
      t.velocity = velocity;
      const TransportProblem problem = form_of(t).transport(VectorXd::LinSpaced(5, 0.0, 1.0));
      EXPECT_NEAR(problem.inflow_left(0.7, 0.33), 1.0 + 0.33 * std::sin(0.7), 1e-11);
      EXPECT_NEAR(problem.inflow_right(0.2, -0.61), 2.0 - 0.61 * 0.61, 1e-12);
      EXPECT_NEAR(problem.initial(0.37, 0.123),
                  (1.0 + std::cos(4.0 * kPi * 0.37)) / std::sqrt(2.0 * kPi) * std::exp(-0.5 * 0.123 * 0.123), 1e-8);
      EXPECT_NEAR(problem.scattering(0.25), 2.5, 1e-12);                    // a place of the table
      EXPECT_NEAR(problem.scattering(0.125), 1.5 + std::sqrt(0.5), 1e-12);  // and one that is not
    }
}

TEST(TransportForm, SteadyEquationUpToEps) {
  for (const double eps : {1.0, 1e-4})
    for (const Unknowns unknowns : {Unknowns::micro_macro, Unknowns::even_odd, Unknowns::distribution}) {
      Transport t = variable(unknowns, eps);
      t.end = 0.0;
      t.inflow_left = "1";
      ASSERT_EQ(TransportForm::obstacle(problem_of(t)), "");
      const TransportForm form = form_of(t);
      const MatrixXd medium = form.medium(VectorXd::Constant(1, 0.25));
      EXPECT_TRUE(form.steady());
      EXPECT_NEAR(medium(0, 0) / form.eps() * eps / 2.5, 1.0, 1e-11);
      EXPECT_NEAR(medium(0, 1) * form.eps() / eps, 1.0, 1e-6);
      EXPECT_NEAR(medium(0, 2) * form.eps() / eps, 1.5, 1e-11);
    }
}

TEST(TransportForm, FieldsKeepSmallParts) {
  Transport t;
  t.eps = 1e-8;
  const TransportForm form = form_of(t);
  const VectorXd v = form.velocities().nodes.col(0);
  MatrixXd values(1, 2 + v.size());
  values << 1.0, 0.123456789012345, VectorXd::Ones(v.size()).transpose();
  const MatrixXd fields = form.fields(values);
  EXPECT_NEAR(fields(0, 0), 1.0, 1e-15);
  EXPECT_NEAR(fields(0, 1), std::sqrt(3.0) * 0.123456789012345, 1e-14);  // g_1 = <p_1 g>, p_1 = sqrt(3) v
  EXPECT_LE(fields.rightCols(fields.cols() - 2).cwiseAbs().maxCoeff(), 1e-7);
}

TEST(TransportForm, NamesTheRuleThatBreaks) {
  EXPECT_TRUE(says(obstacle_of([](ProblemBuilder& p) {
                     p.field("u");
                     p.residual("pde", "u_t + u_x = 0");
                     p.initial("start", "u = 1");
                   }),
                   "no velocity"));
  const auto distribution = [](const std::string& equation) {
    return obstacle_of([&](ProblemBuilder& p) { define_distribution(p, equation); });
  };
  EXPECT_EQ(distribution("f_t + v*f_x = mean(f) - f"), "");
  EXPECT_TRUE(says(distribution("f_t + v*f_x = mean(f)*(mean(f) - f)"), "not linear"));
  EXPECT_TRUE(says(distribution("f_t + v*f_x = mean(f) - f + f_xx"), "f0_xx, beyond first order"));
  EXPECT_TRUE(says(distribution("f_t + v^3*f_x = mean(f) - f"), "not v f_x"));
  EXPECT_TRUE(says(distribution("f_t - v*f_x = mean(f) - f"), "not v f_x"));
  EXPECT_TRUE(says(distribution("f_t + (2 + sin(2*pi*x))*v*f_x = mean(f) - f"), "Knudsen number is not constant"));
  EXPECT_TRUE(says(distribution("f_t + v*f_x = (1 + v^2)*(mean(f) - f)"), "what is left"));
  EXPECT_TRUE(says(distribution("f_t + v*f_x = f - mean(f)"), "sigma_S is negative"));
  EXPECT_TRUE(says(distribution("f_t + v*f_x = mean(f) - f + 0.1*f"), "sigma_A is negative"));
  EXPECT_TRUE(says(distribution("f_t + v*f_x = mean(f) - f + v^2"), "source depends on v"));
  EXPECT_TRUE(says(distribution("f_t + v*f_x = (1 + t)*(mean(f) - f)"), "changes in time"));
}

TEST(TransportForm, NeedsADistributionAndItsInflow) {
  EXPECT_TRUE(says(obstacle_of([](ProblemBuilder& p) {
                     p.velocity("v in gauss(4)");
                     p.field("rho");
                     p.field("g(v) zero-mean");
                     p.residual("macro", "rho_t + mean(v*g_x) = 0");
                     p.residual("micro", "g_t + v*g_x - mean(v*g_x) + v*rho_x + g = 0");
                     p.initial("density", "rho = 1");
                     p.initial("deviation", "g = 0*v");
                   }),
                   "a derived quantity 'f' is needed"));
  ProblemBuilder problem("test", {});
  problem.coordinates("x in [0, 1]; t in [0, 1] time");
  define_distribution(problem, "f_t + v*f_x = mean(f) - f");
  problem.boundary("left", "f = 1", {"x_low"});
  problem.boundary("right", "f + f_x = 1", {"x_high"});
  EXPECT_TRUE(says(TransportForm::obstacle(problem.build()), "a derivative"));
}

TEST(VelocityInterpolation, PolynomialsAndJumps) {
  const VectorXd nodes = gauss_velocities(8).nodes, halves = double_gauss_velocities(4).nodes;
  const VectorXd points = VectorXd::LinSpaced(21, -1.0, 1.0);
  EXPECT_LE((velocity_interpolation(nodes, points) * nodes.array().pow(7).matrix() - points.array().pow(7).matrix())
                .cwiseAbs()
                .maxCoeff(),
            1e-13);
  const auto step = [](double v) { return v > 0.0 ? 1.0 + v * v * v : v < 0.0 ? v : 0.5; };
  EXPECT_LE((half_range_interpolation(halves, points) * halves.unaryExpr(step) - points.unaryExpr(step))
                .cwiseAbs()
                .maxCoeff(),
            1e-13);
}

TEST(GridSolution, IsExactForCubics) {
  const VectorXd x = VectorXd::LinSpaced(9, 0.0, 2.0);
  const std::vector<double> times{0.0, 0.1, 0.3, 0.7, 0.8, 1.5};
  const auto cubic = [](double at, double t) { return (1.0 + at * at * at - at) * (2.0 - t * t * t + t); };
  std::vector<MatrixXd> values;
  for (const double t : times) values.emplace_back(x.unaryExpr([&](double at) { return cubic(at, t); }));
  const GridSolution solution(x, 0.0, times, values);
  MatrixXd points(4, 2);
  points << 0.0, 0.0, 2.0, 1.5, 0.77, 0.2, 1.9, 1.2;
  for (Index i = 0; i < points.rows(); ++i)
    EXPECT_NEAR(solution.evaluate(points)(i, 0), cubic(points(i, 0), points(i, 1)), 1e-13);
  EXPECT_THROW(GridSolution(x, 0.0, {0.0}, {}), InputError);
}

}  // namespace
}  // namespace torsor
