#include "physics/velocity_set.h"

#include <cmath>
#include <numbers>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Eigen::VectorXi;

void require_positive(const std::string& who, const std::string& what, int n) {
  if (n < 1) throw InputError(who + ": " + what + " = " + std::to_string(n) + " must be positive");
}

// P_n and P_{n-1} at x.
struct Legendre {
  double value, before;
};

Legendre legendre(int n, double x) {
  double before = 0.0, value = 1.0;
  for (int k = 0; k < n; ++k) {
    const double next = ((2 * k + 1) * x * value - k * before) / (k + 1);
    before = value;
    value = next;
  }
  return {value, before};
}

// The i-th root of P_n from above, by Newton's method from Tricomi's approximation.
double legendre_root(int n, int i) {
  const double theta0 = kPi * (4 * i + 3) / (4.0 * n + 2.0);
  double x = (1.0 - (n - 1.0) / (8.0 * std::pow(n, 3))) * std::cos(theta0);
  for (int iteration = 0; iteration < 20; ++iteration) {
    const Legendre p = legendre(n, x);
    const double step = p.value * (1.0 - x * x) / (n * (p.before - x * p.value));
    x -= step;
    if (std::abs(step) < 1e-16) break;
  }
  return x;
}

double legendre_weight(int n, double x) {
  const Legendre p = legendre(n, x);
  const double slope = n * (p.before - x * p.value) / (1.0 - x * x);
  return 1.0 / ((1.0 - x * x) * slope * slope);
}

VectorXi reversal(Index n) {
  return VectorXi::LinSpaced(n, static_cast<int>(n) - 1, 0);
}

// Radii (with weights of sum 1) times equal angles; the angle runs fastest.
PlanarVelocitySet product_set(const VectorXd& radii, const VectorXd& radius_weights, int n_angles) {
  const Index n = radii.size() * n_angles;
  PlanarVelocitySet set{MatrixXd(n, 2), VectorXd(n), VectorXi(n), VectorXi(n), VectorXi(n)};
  for (Index r = 0; r < radii.size(); ++r) {
    for (int a = 0; a < n_angles; ++a) {
      const int first = static_cast<int>(r) * n_angles;
      const Index i = first + a;
      const double phi = 2.0 * kPi * (a + 0.5) / n_angles;
      set.nodes.row(i) << radii(r) * std::cos(phi), radii(r) * std::sin(phi);
      set.weights(i) = radius_weights(r) / n_angles;
      set.mirror(i) = first + (a + n_angles / 2) % n_angles;
      set.mirror_x(i) = first + (3 * n_angles / 2 - 1 - a) % n_angles;
      set.mirror_y(i) = first + n_angles - 1 - a;
    }
  }
  return set;
}

void require_angles(const std::string& who, int n_angles) {
  if (n_angles < 4 || n_angles % 4 != 0)
    throw InputError(who + ": n_angles = " + std::to_string(n_angles) + " must be a positive multiple of 4");
}

}  // namespace

double VelocitySet::moment(const Eigen::Ref<const VectorXd>& f, int power) const {
  return moments(f.transpose(), power)(0);
}

VectorXd VelocitySet::moments(const Eigen::Ref<const MatrixXd>& f, int power) const {
  if (f.cols() != size())
    throw InputError("VelocitySet: " + std::to_string(f.cols()) + " values, must be " +
                     std::to_string(size()));
  if (power < 0) throw InputError("VelocitySet: power = " + std::to_string(power) + " must not be negative");
  return f * (weights.array() * nodes.array().pow(power)).matrix();
}

MatrixXd VelocitySet::reflected(const Eigen::Ref<const MatrixXd>& f) const {
  if (mirror.size() == 0) throw InputError("VelocitySet: a half range has no reflection");
  if (f.cols() != size())
    throw InputError("VelocitySet: " + std::to_string(f.cols()) + " values, must be " +
                     std::to_string(size()));
  return f(Eigen::all, mirror);
}

double PlanarVelocitySet::moment(const Eigen::Ref<const VectorXd>& f, int power_x, int power_y) const {
  if (f.size() != size())
    throw InputError("PlanarVelocitySet: " + std::to_string(f.size()) + " values, must be " +
                     std::to_string(size()));
  if (power_x < 0 || power_y < 0) throw InputError("PlanarVelocitySet: a power is negative");
  return (weights.array() * nodes.col(0).array().pow(power_x) * nodes.col(1).array().pow(power_y) * f.array())
      .sum();
}

VelocitySet gauss_velocities(int n) {
  require_positive("gauss_velocities", "n", n);
  VelocitySet set{VectorXd(n), VectorXd(n), reversal(n)};
  for (int i = 0; i < (n + 1) / 2; ++i) {
    const double x = 2 * i + 1 == n ? 0.0 : legendre_root(n, i);
    set.nodes(i) = -x;
    set.nodes(n - 1 - i) = x;
    set.weights(i) = set.weights(n - 1 - i) = legendre_weight(n, x);
  }
  set.weights /= set.weights.sum();
  return set;
}

VelocitySet half_range_velocities(int n) {
  require_positive("half_range_velocities", "n", n);
  VelocitySet set = gauss_velocities(n);
  set.nodes = 0.5 * (1.0 + set.nodes.array()).matrix();
  set.mirror.resize(0);
  return set;
}

VelocitySet double_gauss_velocities(int n) {
  require_positive("double_gauss_velocities", "n", n);
  const VelocitySet half = half_range_velocities(n);
  VelocitySet set{VectorXd(2 * n), VectorXd(2 * n), reversal(2 * n)};
  set.nodes << -half.nodes.reverse(), half.nodes;
  set.weights << 0.5 * half.weights.reverse(), 0.5 * half.weights;
  return set;
}

PlanarVelocitySet circle_velocities(int n_angles) {
  require_angles("circle_velocities", n_angles);
  return product_set(VectorXd::Ones(1), VectorXd::Ones(1), n_angles);
}

PlanarVelocitySet sphere_velocities(int n_polar, int n_angles) {
  require_positive("sphere_velocities", "n_polar", n_polar);
  require_angles("sphere_velocities", n_angles);
  const VelocitySet polar = half_range_velocities(n_polar);
  const VectorXd radii = (1.0 - polar.nodes.array().square()).sqrt().matrix();
  return product_set(radii, polar.weights, n_angles);
}

PlanarVelocitySet disc_velocities(int n_radii, int n_angles) {
  require_positive("disc_velocities", "n_radii", n_radii);
  require_angles("disc_velocities", n_angles);
  // The area element is d(|v|^2) d(phi)/2: uniform in |v|^2.
  const VelocitySet squares = half_range_velocities(n_radii);
  return product_set(squares.nodes.array().sqrt().matrix(), squares.weights, n_angles);
}

}  // namespace torsor
