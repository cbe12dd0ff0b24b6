#include "solvers/combine/power_balance.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

namespace torsor {
namespace {

using Eigen::VectorXd;

// Relative residual at which the system is solved, and what is good enough where rounding stops the search: with nearly
// opposite gradients x is large, and C x a small difference.
constexpr double kSolved = 1e-14;
constexpr double kStalled = 1e-4;
constexpr int kMaxSteps = 300;
// C times the weights of Pareto stationary gradients is zero, and Newton's steps double x for ever; beyond this growth the
// rounding errors of C decide.
constexpr double kRunaway = 1e7;

VectorXd gradient_at(const Eigen::MatrixXd& c, const VectorXd& k, double p, const VectorXd& x) {
  return c * x - VectorXd(k.array() * x.array().pow(-p));
}

// Longest step that keeps x positive, a little short of the boundary.
double longest_step(const VectorXd& x, const VectorXd& direction) {
  double length = 1;
  for (Eigen::Index i = 0; i < x.size(); ++i)
    if (direction[i] < 0) length = std::min(length, -0.99 * x[i] / direction[i]);
  return length;
}

}  // namespace

std::optional<VectorXd> solve_power_balance(const Eigen::MatrixXd& c, const VectorXd& k, double p) {
  VectorXd x = k.cwiseQuotient(c.diagonal()).array().pow(1 / (1 + p));  // solves the diagonal part
  const double start = x.maxCoeff();
  double residual = 1;
  for (int step = 0; step < kMaxSteps; ++step) {
    const VectorXd force = k.array() * x.array().pow(-p);
    const VectorXd gradient = c * x - force;
    residual = gradient.cwiseQuotient(force).cwiseAbs().maxCoeff();
    if (residual < kSolved) return x;
    if (!(x.maxCoeff() < kRunaway * start)) return std::nullopt;
    Eigen::MatrixXd hessian = c;
    hessian.diagonal() += (p * force).cwiseQuotient(x);
    const VectorXd direction = -hessian.ldlt().solve(gradient);
    // Slopes of the convex function tell overshooting more exactly than its values would.
    const double slope = gradient.dot(direction);
    double length = longest_step(x, direction);
    while (length > 1e-10 && gradient_at(c, k, p, x + length * direction).dot(direction) > -0.5 * slope) length /= 2;
    const VectorXd next = x + length * direction;
    if (!next.allFinite() || next == x) break;
    x = next;
  }
  if (residual < kStalled) return x;
  return std::nullopt;
}

}  // namespace torsor
