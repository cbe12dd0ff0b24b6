#include "solvers/reference/chebyshev_collocation.h"

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

VectorXd zeros(const MatrixXd& points) {
  return VectorXd::Zero(points.rows());
}

VectorXd vec(double a) {
  return VectorXd::Constant(1, a);
}

MatrixXd random_points(int n, const VectorXd& lower, const VectorXd& upper) {
  std::srand(7);
  MatrixXd p = 0.5 * (MatrixXd::Random(n, lower.size()).array() + 1.0).matrix();
  for (Eigen::Index k = 0; k < lower.size(); ++k)
    p.col(k) = (lower(k) + (upper(k) - lower(k)) * p.col(k).array()).matrix();
  return p;
}

using Field = std::function<VectorXd(const MatrixXd&)>;

double max_error(const ChebyshevSolution& s, const Field& exact) {
  const MatrixXd points = random_points(400, s.lower, s.upper);
  return (s.evaluate(points) - exact(points)).cwiseAbs().maxCoeff();
}

// Every solver below is asked at three degrees: the error must fall by `factor` at each, to `floor`.
void expect_exponential(const ChebyshevProblem& problem, const Field& exact, std::vector<int> degrees,
                        double factor, double floor) {
  double before = INFINITY;
  for (int degree : degrees) {
    const double error = max_error(solve_chebyshev_at(problem, degree), exact);
    EXPECT_LT(error, std::max(factor * before, floor)) << "degree " << degree;
    before = error;
  }
  EXPECT_LT(before, floor);
}

ChebyshevProblem square(double a, double b, const JetResidual& interior, const JetResidual& side) {
  return {VectorXd::Constant(2, a), VectorXd::Constant(2, b), interior, {side, side, side, side}, {}};
}

VectorXd sine_product(const MatrixXd& p) {
  return ((kPi * p.col(0).array()).sin() * (2.0 * kPi * p.col(1).array()).sin()).matrix();
}

TEST(ChebyshevCollocation, PoissonConvergesExponentially) {
  const JetResidual poisson = [](const MatrixXd& p, const MatrixXd& j, VectorXd& r, MatrixXd& d) {
    r = -j.col(3) - j.col(5) - 5.0 * kPi * kPi * sine_product(p);
    d.col(3).setConstant(-1.0);
    d.col(5).setConstant(-1.0);
  };
  expect_exponential(square(0.0, 1.0, poisson, dirichlet_condition(zeros)), sine_product, {8, 12, 16, 24},
                     3e-2, 1e-11);
  const ChebyshevSolution s = solve_chebyshev(square(0.0, 1.0, poisson, dirichlet_condition(zeros)));
  EXPECT_EQ(s.newton_iterations, 1);  // linear
  EXPECT_LT(max_error(s, sine_product), 1e-10);
  EXPECT_LE(s.error_estimate, 1e-9);
}

TEST(ChebyshevCollocation, VariableCoefficientDiffusion) {
  // -div(a grad u) = f, a = 1 + x y/2, u = exp(x) cos(y):  f = -(a_x u_x + a_y u_y) as u is harmonic.
  const Field exact = [](const MatrixXd& p) {
    return VectorXd(p.col(0).array().exp() * p.col(1).array().cos());
  };
  const JetResidual diffusion = [](const MatrixXd& p, const MatrixXd& j, VectorXd& r, MatrixXd& d) {
    const ArrayXd x = p.col(0).array(), y = p.col(1).array(), a = 1.0 + 0.5 * x * y;
    const ArrayXd f = -(0.5 * y * x.exp() * y.cos() - 0.5 * x * x.exp() * y.sin());
    d.col(1) = -0.5 * y;
    d.col(2) = -0.5 * x;
    d.col(3) = -a;
    d.col(5) = -a;
    r = d.cwiseProduct(j).rowwise().sum() - f.matrix();
  };
  expect_exponential(square(-1.0, 1.0, diffusion, dirichlet_condition(exact)), exact, {4, 8, 12, 16}, 3e-2,
                     1e-12);
}

TEST(ChebyshevCollocation, HelmholtzWithWaveNumberTen) {
  // Lap u + k^2 u = 0 with the plane wave u = cos(k (0.6 x + 0.8 y)); k^2 = 100 is no eigenvalue of [-1,
  // 1]^2.
  const Field exact = [](const MatrixXd& p) {
    return VectorXd((6.0 * p.col(0) + 8.0 * p.col(1)).array().cos());
  };
  const JetResidual helmholtz = [](const MatrixXd&, const MatrixXd& j, VectorXd& r, MatrixXd& d) {
    r = j.col(3) + j.col(5) + 100.0 * j.col(0);
    d.col(0).setConstant(100.0);
    d.col(3).setOnes();
    d.col(5).setOnes();
  };
  expect_exponential(square(-1.0, 1.0, helmholtz, dirichlet_condition(exact)), exact, {12, 20, 28}, 3e-2,
                     1e-10);
}

TEST(ChebyshevCollocation, CubicReactionIsQuadratic) {
  // -Lap u + u^3 = f with u = 10 sin(pi x) sin(2 pi y).
  const Field exact = [](const MatrixXd& p) { return VectorXd(10.0 * sine_product(p)); };
  const JetResidual cubic = [&](const MatrixXd& p, const MatrixXd& j, VectorXd& r, MatrixXd& d) {
    const ArrayXd u = 10.0 * sine_product(p).array();
    r = (-j.col(3) - j.col(5)).array() + j.col(0).array().cube() - 5.0 * kPi * kPi * u - u.cube();
    d.col(0) = 3.0 * j.col(0).array().square();
    d.col(3).setConstant(-1.0);
    d.col(5).setConstant(-1.0);
  };
  const ChebyshevProblem problem = square(0.0, 1.0, cubic, dirichlet_condition(zeros));
  expect_exponential(problem, exact, {10, 14, 18, 24}, 0.1, 1e-9);
  // e_{k+1} <= C e_k^2: with the corrections as errors, in the quadratic regime, above rounding.
  const ChebyshevSolution s = solve_chebyshev_at(problem, 20);
  int quadratic = 0;
  for (std::size_t k = 1; k < s.newton_steps.size(); ++k) {
    if (s.newton_steps[k - 1] > 0.5) continue;
    EXPECT_LT(s.newton_steps[k], s.newton_steps[k - 1] * s.newton_steps[k - 1] + 1e-11);
    ++quadratic;
  }
  EXPECT_GE(quadratic, 1);
}

TEST(ChebyshevCollocation, BratuLowerBranch) {
  // u'' + exp(u) = 0, u(0) = u(1) = 0: u = 2 log(cosh(q/4) / cosh(q (x - 1/2)/2)), q = sqrt 2 cosh(q/4).
  double q = 1.5;
  for (int k = 0; k < 100; ++k) q = std::numbers::sqrt2 * std::cosh(q / 4.0);
  const Field exact = [q](const MatrixXd& p) {
    return VectorXd(2.0 * (std::cosh(q / 4.0) / (0.5 * q * (p.col(0).array() - 0.5)).cosh()).log());
  };
  const JetResidual bratu = [](const MatrixXd&, const MatrixXd& j, VectorXd& r, MatrixXd& d) {
    r = j.col(2) + j.col(0).array().exp().matrix();
    d.col(0) = j.col(0).array().exp();
    d.col(2).setOnes();
  };
  const JetResidual zero = dirichlet_condition(zeros);
  const ChebyshevProblem problem{vec(0.0), vec(1.0), bratu, {zero, zero}, {}};
  expect_exponential(problem, exact, {4, 8, 12, 16}, 3e-2, 1e-12);
}

TEST(ChebyshevCollocation, RobinAndNeumannSides) {
  // -Lap u = f on [0, 1] x [0, 2], u = sin(x) exp(y/2): Robin u + 2 u_x, Neumann u_x and u_y, one Dirichlet
  // side.
  const Field exact = [](const MatrixXd& p) {
    return VectorXd(p.col(0).array().sin() * (0.5 * p.col(1).array()).exp());
  };
  const Field ux = [](const MatrixXd& p) {
    return VectorXd(p.col(0).array().cos() * (0.5 * p.col(1).array()).exp());
  };
  const JetResidual poisson = [&](const MatrixXd& p, const MatrixXd& j, VectorXd& r, MatrixXd& d) {
    r = -j.col(3) - j.col(5) - 0.75 * exact(p);
    d.col(3).setConstant(-1.0);
    d.col(5).setConstant(-1.0);
  };
  ChebyshevProblem problem{VectorXd::Zero(2), (VectorXd(2) << 1.0, 2.0).finished(), poisson, {}, {}};
  problem.sides = {
      robin_condition(2, 0, 1.0, 2.0, [&](const MatrixXd& p) { return VectorXd(exact(p) + 2.0 * ux(p)); }),
      robin_condition(2, 0, 0.0, 1.0, ux),
      robin_condition(2, 1, 0.0, 1.0, [&](const MatrixXd& p) { return VectorXd(0.5 * exact(p)); }),
      dirichlet_condition(exact)};
  expect_exponential(problem, exact, {4, 8, 12, 16}, 3e-2, 1e-11);
  const ChebyshevSolution s = solve_chebyshev_at(problem, 16);
  const MatrixXd points = random_points(50, s.lower, s.upper);
  EXPECT_LT((s.evaluate_jets(points).col(1) - ux(points)).cwiseAbs().maxCoeff(), 1e-10);
}

TEST(ChebyshevCollocation, ReportsWhatItCannotSolve) {
  const JetResidual zero = dirichlet_condition(zeros);
  const JetResidual singular = [](const MatrixXd&, const MatrixXd&, VectorXd& r, MatrixXd&) { r.setOnes(); };
  EXPECT_THROW(solve_chebyshev({vec(0.0), vec(1.0), singular, {zero, zero}, {}}), NumericalError);
  EXPECT_THROW(solve_chebyshev({vec(0.0), vec(1.0), singular, {zero}, {}}), InputError);
  // Beyond the fold (lambda = 3.5138) Bratu's equation has no solution.
  const JetResidual fold = [](const MatrixXd&, const MatrixXd& j, VectorXd& r, MatrixXd& d) {
    r = j.col(2) + 5.0 * j.col(0).array().exp().matrix();
    d.col(0) = 5.0 * j.col(0).array().exp();
    d.col(2).setOnes();
  };
  EXPECT_THROW(solve_chebyshev({vec(0.0), vec(1.0), fold, {zero, zero}, {}}), NumericalError);
  // |x|-like data cannot reach 1e-9: the cap is reported, or the estimate returned.
  const JetResidual kink = [](const MatrixXd& p, const MatrixXd& j, VectorXd& r, MatrixXd& d) {
    r = j.col(2).array() - (p.col(0).array() - 0.3).sign();
    d.col(2).setOnes();
  };
  ChebyshevOptions options;
  options.max_degree = 48;
  EXPECT_THROW(solve_chebyshev({vec(0.0), vec(1.0), kink, {zero, zero}, {}}, options), NumericalError);
  options.require_convergence = false;
  EXPECT_GT(solve_chebyshev({vec(0.0), vec(1.0), kink, {zero, zero}, {}}, options).error_estimate, 1e-9);
}

}  // namespace
}  // namespace torsor
