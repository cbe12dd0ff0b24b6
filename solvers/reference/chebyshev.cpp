#include "solvers/reference/chebyshev.h"

#include <cmath>
#include <numbers>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

void require_interval(const char* where, int degree, double a, double b) {
  if (degree < 1)
    throw InputError(std::string(where) + ": degree " + std::to_string(degree) + " must be at least 1");
  if (!(a < b))
    throw InputError(std::string(where) + ": interval [" + std::to_string(a) + ", " + std::to_string(b) +
                     "] must have a < b");
}

double end_factor(int j, int degree) {
  return j == 0 || j == degree ? 2.0 : 1.0;
}

double sign(int j) {
  return j % 2 == 0 ? 1.0 : -1.0;
}

}  // namespace

Eigen::VectorXd chebyshev_nodes(int degree, double a, double b) {
  require_interval("chebyshev_nodes", degree, a, b);
  Eigen::VectorXd x(degree + 1);
  // sin keeps the nodes symmetric about the middle to the last bit; cos does not.
  for (int j = 0; j <= degree; ++j)
    x(j) = 0.5 * (a + b) + 0.5 * (b - a) * std::sin(kPi * (2 * j - degree) / (2.0 * degree));
  x(0) = a;
  x(degree) = b;
  return x;
}

Eigen::MatrixXd chebyshev_differentiation(int degree, double a, double b) {
  require_interval("chebyshev_differentiation", degree, a, b);
  const int n = degree + 1;
  Eigen::MatrixXd d = Eigen::MatrixXd::Zero(n, n);
  const double h = kPi / (2.0 * degree);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      if (i == j) continue;
      // x_i - x_j = cos(j pi/n) - cos(i pi/n) as a product: no cancellation between close nodes.
      const double difference = 2.0 * std::sin(h * (i + j)) * std::sin(h * (i - j));
      d(i, j) = end_factor(i, degree) / end_factor(j, degree) * sign(i + j) / difference;
    }
    d(i, i) = -d.row(i).sum();
  }
  return d * (2.0 / (b - a));
}

Eigen::VectorXd chebyshev_barycentric_weights(int degree) {
  require_interval("chebyshev_barycentric_weights", degree, 0.0, 1.0);
  Eigen::VectorXd w(degree + 1);
  for (int j = 0; j <= degree; ++j) w(j) = sign(j) / end_factor(j, degree);
  return w;
}

Eigen::MatrixXd barycentric_interpolation(const Eigen::VectorXd& nodes, const Eigen::VectorXd& weights,
                                          const Eigen::VectorXd& points) {
  if (nodes.size() != weights.size())
    throw InputError("barycentric_interpolation: " + std::to_string(nodes.size()) + " nodes but " +
                     std::to_string(weights.size()) + " weights");
  Eigen::MatrixXd p(points.size(), nodes.size());
  for (Eigen::Index i = 0; i < points.size(); ++i) {
    Eigen::Index hit = -1;
    for (Eigen::Index j = 0; j < nodes.size(); ++j) {
      const double gap = points(i) - nodes(j);
      if (std::abs(gap) < 1e-290) hit = j;  // a smaller gap overflows the quotient
      p(i, j) = weights(j) / gap;
    }
    if (hit < 0) {
      p.row(i) /= p.row(i).sum();
    } else {
      p.row(i).setZero();
      p(i, hit) = 1.0;
    }
  }
  return p;
}

Eigen::MatrixXd chebyshev_interpolation(int degree, double a, double b, const Eigen::VectorXd& points) {
  return barycentric_interpolation(chebyshev_nodes(degree, a, b), chebyshev_barycentric_weights(degree),
                                   points);
}

Eigen::VectorXd clenshaw_curtis_weights(int degree, double a, double b) {
  require_interval("clenshaw_curtis_weights", degree, a, b);
  // Integrates the cosine expansion term by term: int_{-1}^{1} T_k = 2/(1 - k^2) for even k, 0 for odd k.
  Eigen::VectorXd w(degree + 1);
  for (int j = 0; j <= degree; ++j) {
    double total = 0.0;
    for (int k = 0; k <= degree; k += 2)
      total +=
          2.0 / (1.0 - static_cast<double>(k) * k) * std::cos(kPi * j * k / degree) / end_factor(k, degree);
    w(j) = 2.0 * total / (degree * end_factor(j, degree));
  }
  return w * (0.5 * (b - a));
}

Eigen::MatrixXd chebyshev_coefficients(const Eigen::MatrixXd& values) {
  const int degree = static_cast<int>(values.rows()) - 1;
  require_interval("chebyshev_coefficients", degree, 0.0, 1.0);
  Eigen::MatrixXd transform(degree + 1, degree + 1);
  for (int k = 0; k <= degree; ++k)
    for (int j = 0; j <= degree; ++j)
      transform(k, j) = 2.0 * std::cos(kPi * k * (degree - j) / degree) /
                        (degree * end_factor(k, degree) * end_factor(j, degree));
  return transform * values;
}

}  // namespace torsor
