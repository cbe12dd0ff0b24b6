#include "solvers/reference/fourier.h"

#include <cmath>
#include <numbers>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

void require_period(const char* where, int n, double a, double b) {
  if (n < 2)
    throw InputError(std::string(where) + ": " + std::to_string(n) + " nodes, at least 2 are needed");
  if (!(a < b))
    throw InputError(std::string(where) + ": interval [" + std::to_string(a) + ", " + std::to_string(b) +
                     "] must have a < b");
}

}  // namespace

Eigen::VectorXd fourier_nodes(int n, double a, double b) {
  require_period("fourier_nodes", n, a, b);
  Eigen::VectorXd x(n);
  for (int j = 0; j < n; ++j) x(j) = a + (b - a) * j / n;
  return x;
}

Eigen::MatrixXd fourier_differentiation(int n, double a, double b, int order) {
  require_period("fourier_differentiation", n, a, b);
  if (order < 0) throw InputError("fourier_differentiation: order " + std::to_string(order) + " is negative");
  if (order == 0) return Eigen::MatrixXd::Identity(n, n);
  // d^m/ds^m of the cardinal function at s_r = 2 pi r/n, summed over the modes: the matrix is circulant.
  const double scale = 2.0 * kPi / (b - a);
  Eigen::VectorXd column(n);
  for (int r = 0; r < n; ++r) {
    double total = 0.0;
    for (int k = 1; 2 * k <= n; ++k) {
      const double weight = 2 * k == n ? 1.0 : 2.0;
      // The reduced product k r mod n keeps the argument small, hence cos and sin accurate.
      const double angle = 2.0 * kPi * static_cast<double>((static_cast<long>(k) * r) % n) / n;
      const double wave = order % 2 == 0 ? std::cos(angle) : (2 * k == n ? 0.0 : std::sin(angle));
      total += weight * std::pow(scale * k, order) * wave;
    }
    // d^m cos(ks)/ds^m = k^m cos(ks + m pi/2): signs +cos, -sin, -cos, +sin for m = 0, 1, 2, 3.
    const double signs[4] = {1.0, -1.0, -1.0, 1.0};
    column(r) = signs[order % 4] * total / n;
  }
  Eigen::MatrixXd d(n, n);
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) d(i, j) = column((i - j + n) % n);
  return d;
}

Eigen::MatrixXd fourier_interpolation(int n, double a, double b, const Eigen::VectorXd& points) {
  require_period("fourier_interpolation", n, a, b);
  // Second barycentric form (Henrici 1979): weights (-1)^j cot((s - s_j)/2), csc for odd n. The addition
  // theorem takes the sines of the nodes from a table, which makes many points cheap.
  const Eigen::ArrayXd half_node = Eigen::ArrayXd::LinSpaced(n, 0.0, kPi * (n - 1) / n);
  const Eigen::ArrayXd node_sin = half_node.sin(), node_cos = half_node.cos();
  Eigen::MatrixXd p(points.size(), n);
  for (Eigen::Index i = 0; i < points.size(); ++i) {
    const double turn = (points(i) - a) / (b - a);
    const double half = kPi * (turn - std::floor(turn));
    const double s = std::sin(half), c = std::cos(half);
    int hit = -1;
    double total = 0.0;
    for (int j = 0; j < n; ++j) {
      const double sine = s * node_cos(j) - c * node_sin(j);
      if (std::abs(sine) < 1e-290) hit = j;
      const double top = n % 2 == 0 ? c * node_cos(j) + s * node_sin(j) : 1.0;
      p(i, j) = (j % 2 == 0 ? top : -top) / sine;
      total += p(i, j);
    }
    if (hit < 0) {
      p.row(i) /= total;
    } else {
      p.row(i).setZero();
      p(i, hit) = 1.0;
    }
  }
  return p;
}

}  // namespace torsor
