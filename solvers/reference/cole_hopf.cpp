#include "solvers/reference/cole_hopf.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>
#include <string>
#include <utility>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

// Values at x of the orthonormal Hermite functions psi_n, psi_{n-1}, and sum_{k < n} psi_k^2.
struct HermiteFunctions {
  double last, before, sum;
};

HermiteFunctions hermite_functions(int n, double x) {
  double previous = 0.0;
  double current = std::pow(kPi, -0.25) * std::exp(-0.5 * x * x);
  double sum = 0.0;
  for (int k = 0; k < n; ++k) {
    sum += current * current;
    const double next = std::sqrt(2.0 / (k + 1)) * x * current - std::sqrt(k / (k + 1.0)) * previous;
    previous = current;
    current = next;
  }
  return {current, previous, sum};
}

Eigen::VectorXd with_rule(const ColeHopfProblem& problem, const Eigen::MatrixXd& points,
                          const GaussHermite& rule) {
  const Eigen::ArrayXd eta = rule.nodes.array();
  const Eigen::ArrayXd log_weight = rule.weights.array().log() - eta.square();
  Eigen::VectorXd u(points.rows());
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const Eigen::ArrayXd y = points(i, 0) - std::sqrt(4.0 * problem.nu * points(i, 1)) * eta;
    const Eigen::ArrayXd exponent = log_weight - problem.antiderivative(y) / (2.0 * problem.nu);
    // Dividing both integrals by the largest term leaves them between 1 and n.
    const Eigen::ArrayXd kernel = (exponent - exponent.maxCoeff()).exp();
    u(i) = (problem.initial(y) * kernel).sum() / kernel.sum();
  }
  return u;
}

}  // namespace

GaussHermite gauss_hermite(int n) {
  if (n < 1 || n > 600)
    throw InputError("gauss_hermite: " + std::to_string(n) + " nodes, 1 to 600 are possible");
  Eigen::VectorXd off_diagonal(std::max(n - 1, 0));
  for (int k = 1; k < n; ++k) off_diagonal(k - 1) = std::sqrt(0.5 * k);
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(Eigen::VectorXd::Zero(n), off_diagonal, Eigen::EigenvaluesOnly);
  GaussHermite rule{solver.eigenvalues(), Eigen::VectorXd(n)};
  for (int i = 0; i < n; ++i) {
    // One Newton step, psi_n' = sqrt(2n) psi_{n-1} at a root; then the Christoffel number 1/sum psi_k^2,
    // which keeps its relative accuracy where Golub and Welsch's squared eigenvector entries are all
    // rounding.
    double& x = rule.nodes(i);
    const HermiteFunctions at = hermite_functions(n, x);
    x -= at.last / (std::sqrt(2.0 * n) * at.before - x * at.last);
    rule.weights(i) = 1.0 / hermite_functions(n, x).sum;
  }
  return rule;
}

ColeHopfProblem burgers_sine(double nu) {
  if (!(nu > 0.0)) throw InputError("burgers_sine: nu = " + std::to_string(nu) + " must be positive");
  ColeHopfProblem problem;
  problem.nu = nu;
  problem.initial = [](const Eigen::ArrayXd& x) { return Eigen::ArrayXd(-(kPi * x).sin()); };
  problem.antiderivative = [](const Eigen::ArrayXd& x) { return Eigen::ArrayXd((kPi * x).cos() / kPi); };
  return problem;
}

Eigen::VectorXd cole_hopf(const ColeHopfProblem& problem, const Eigen::MatrixXd& points,
                          const ColeHopfOptions& options) {
  if (!(problem.nu > 0.0))
    throw InputError("cole_hopf: nu = " + std::to_string(problem.nu) + " must be positive");
  if (!problem.initial || !problem.antiderivative)
    throw InputError("cole_hopf: u0 and its antiderivative are needed");
  if (points.cols() != 2) throw InputError("cole_hopf: points (x, t) must have 2 columns");
  if (points.rows() == 0) return {};
  if (!(points.col(1).minCoeff() >= 0.0)) throw InputError("cole_hopf: a time is negative");
  Eigen::VectorXd coarse = with_rule(problem, points, gauss_hermite(options.initial_nodes));
  double change = 0.0;
  for (int n = 2 * options.initial_nodes; n <= options.max_nodes; n *= 2) {
    Eigen::VectorXd fine = with_rule(problem, points, gauss_hermite(n));
    change = (fine - coarse).cwiseAbs().maxCoeff();
    if (change <= options.tolerance) return fine;
    coarse = std::move(fine);
  }
  std::ostringstream text;
  text << "cole_hopf: " << options.max_nodes << " quadrature nodes still change u by " << change
       << ", tolerance " << options.tolerance << ", nu = " << problem.nu;
  throw NumericalError(text.str());
}

}  // namespace torsor
