#include "solvers/reference/perforated_laplace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numbers>
#include <sstream>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;
using Eigen::ArrayXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

PerforatedProblem two_holes(const PlanarFunction& exact, double source) {
  PerforatedProblem p;
  p.lower << -1.0, 0.0;
  p.upper << 2.0, 1.5;
  p.discs = {{-0.3, 0.6, 0.35}, {1.2, 0.9, 0.2}};
  p.outer = exact;
  p.inner = {exact, exact};
  p.source = source;
  return p;
}

// Random points of the rectangle outside the discs.
MatrixXd domain_points(const PerforatedProblem& p, int n) {
  std::srand(11);
  MatrixXd points(n, 2);
  for (int i = 0; i < n;) {
    const Eigen::Array2d unit = 0.5 * (Eigen::Array2d::Random() + 1.0);
    const Eigen::Vector2d q = p.lower + ((p.upper - p.lower).array() * unit).matrix();
    bool inside = true;
    for (const Disc& d : p.discs) inside = inside && std::hypot(q(0) - d.x, q(1) - d.y) >= d.radius;
    if (inside) points.row(i++) = q.transpose();
  }
  return points;
}

double max_error(const PerforatedSolution& s, const PerforatedProblem& p, const PlanarFunction& exact) {
  const MatrixXd points = domain_points(p, 500);
  return (s.evaluate(points) - exact(points)).cwiseAbs().maxCoeff();
}

// Harmonic outside the first disc's inside, with a log, a dipole off its centre and an entire part.
VectorXd harmonic(const MatrixXd& p) {
  const ArrayXd x = p.col(0).array(), y = p.col(1).array();
  const ArrayXd r2 = (x + 0.2).square() + (y - 0.6).square();
  return (x.exp() * y.cos() + 0.5 * r2.log() + 0.1 * (y - 0.6) / r2).matrix();
}

TEST(PerforatedLaplace, ManufacturedConvergesExponentially) {
  const PerforatedProblem p = two_holes(harmonic, 0.0);
  double before = INFINITY;
  for (int degree : {4, 8, 12, 16}) {
    const double error = max_error(fit_perforated_laplace(p, degree, degree), p, harmonic);
    EXPECT_LT(error, 0.1 * before) << degree;
    before = error;
  }
  const PerforatedSolution s = solve_perforated_laplace(p);
  EXPECT_LE(s.misfit, 1e-8);
  EXPECT_LT(max_error(s, p, harmonic), 1.1 * s.misfit + 1e-14);  // the maximum principle
}

TEST(PerforatedLaplace, ConstantSource) {
  const PlanarFunction exact = [](const MatrixXd& q) {
    return VectorXd(harmonic(q).array() + 1.5 * q.col(0).array().square());
  };
  const PerforatedProblem p = two_holes(exact, 3.0);
  EXPECT_LT(max_error(solve_perforated_laplace(p), p, exact), 2e-8);
}

TEST(PerforatedLaplace, CornerTermsTakeJumpsAndSources) {
  PerforatedProblem p;
  const MatrixXd middle = MatrixXd::Constant(1, 2, 0.5);
  // 1 on the right side, 0 on the others: a quarter in the middle, by symmetry.
  p.outer = [](const MatrixXd& q) { return VectorXd((q.col(0).array() == 1.0).cast<double>().matrix()); };
  const PerforatedSolution jump = solve_perforated_laplace(p);
  EXPECT_NEAR(jump.evaluate(middle)(0), 0.25, 1e-10);
  // And the series sum_{odd k} 4/(k pi) sinh(k pi x)/sinh(k pi) sin(k pi y).
  double series = 0.0;
  for (int k = 1; k < 200; k += 2)
    series += 4.0 / (k * kPi) * std::exp(-0.3 * k * kPi) * (1.0 - std::exp(-1.4 * k * kPi)) /
              (1.0 - std::exp(-2.0 * k * kPi)) * std::sin(0.2 * k * kPi);
  EXPECT_NEAR(jump.evaluate((MatrixXd(1, 2) << 0.7, 0.2).finished())(0), series, 1e-9);
  // Lap u = -1, u = 0 on the sides: the classical value in the middle.
  p.outer = constant_function(0.0);
  p.source = -1.0;
  EXPECT_NEAR(solve_perforated_laplace(p).evaluate(middle)(0), 0.0736713532814, 1e-9);
}

TEST(PerforatedLaplace, SourceWithZeroDataAroundHoles) {
  PerforatedProblem p = two_holes(constant_function(0.0), -1.0);
  const PerforatedSolution s = solve_perforated_laplace(p);
  EXPECT_LE(s.misfit, 1e-8);
  EXPECT_GT(s.evaluate(domain_points(p, 500)).minCoeff(), -1e-8);
}

PerforatedProblem square_with_four_discs() {
  PerforatedProblem p;
  p.lower << -0.5, -0.5;
  p.upper << 0.5, 0.5;
  p.outer = constant_function(1.0);
  for (double x : {-0.3, 0.3})
    for (double y : {-0.3, 0.3}) {
      p.discs.push_back({x, y, 0.1});
      p.inner.push_back(constant_function(0.0));
    }
  return p;
}

TEST(PerforatedLaplace, SquareWithFourDiscs) {
  const PerforatedProblem p = square_with_four_discs();
  const PerforatedSolution s = solve_perforated_laplace(p);
  EXPECT_LE(s.misfit, 1e-8);
  const VectorXd u = s.evaluate(domain_points(p, 500));
  EXPECT_GE(u.minCoeff(), -1e-8);
  EXPECT_LE(u.maxCoeff(), 1.0 + 1e-8);
  // The eight symmetries of the square.
  MatrixXd orbit(4, 2);
  orbit << 0.11, 0.23, 0.23, 0.11, -0.11, 0.23, -0.23, -0.11;
  const VectorXd same = s.evaluate(orbit);
  EXPECT_LT(same.maxCoeff() - same.minCoeff(), 2e-8);
}

TEST(PerforatedLaplace, AgreesWithTheFiniteElementTable) {
  const char* shared = std::getenv("TORSOR_SHARED_DATA");
  std::ifstream file(shared == nullptr ? "" : std::string(shared) + "/pinnacle/poisson2d-c.dat");
  if (!file) GTEST_SKIP() << "TORSOR_SHARED_DATA holds no pinnacle/poisson2d-c.dat";
  std::vector<double> numbers;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '%') continue;
    std::istringstream row(line);
    for (double value; row >> value;) numbers.push_back(value);
  }
  const Eigen::Index rows = static_cast<Eigen::Index>(numbers.size()) / 3;
  ASSERT_GT(rows, 1000);
  const MatrixXd table =
      Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>>(numbers.data(), rows, 3);
  const VectorXd u = solve_perforated_laplace(square_with_four_discs()).evaluate(table.leftCols(2));
  const double error = (u - table.col(2)).norm() / u.norm();
  EXPECT_LT(error, 1e-3);
}

TEST(PerforatedLaplace, RefusesAndReports) {
  PerforatedProblem p = square_with_four_discs();
  p.discs[0].radius = 0.2;
  EXPECT_THROW(solve_perforated_laplace(p), InputError);
  p = square_with_four_discs();
  p.discs[1].x = -0.15;
  p.discs[1].y = -0.25;
  EXPECT_THROW(solve_perforated_laplace(p), InputError);
  p = square_with_four_discs();
  p.inner.pop_back();
  EXPECT_THROW(solve_perforated_laplace(p), InputError);
  p = square_with_four_discs();  // a kink in the middle of two sides
  p.outer = [](const MatrixXd& q) { return VectorXd(q.col(0).cwiseAbs()); };
  PerforatedOptions options;
  options.max_degree = 48;
  EXPECT_THROW(solve_perforated_laplace(p, options), NumericalError);
  options.require_convergence = false;
  EXPECT_GT(solve_perforated_laplace(p, options).misfit, 1e-4);
}

}  // namespace
}  // namespace torsor
