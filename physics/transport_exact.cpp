#include "physics/transport_exact.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

// (z cot z - 1)/z^2, z in [0, pi/2). Below 1/2 by z cot z = 1 - 2 sum_n zeta(2n) (z/pi)^2n, where the
// difference would cancel; (1/(2 pi))^24 is below rounding.
double cotangent_quotient(double z) {
  if (z >= 0.5) return (z / std::tan(z) - 1.0) / (z * z);
  double sum = 0.0;
  for (int n = 12; n >= 1; --n) sum += std::riemann_zeta(2.0 * n) * std::pow(z / kPi, 2 * n - 2);
  return -2.0 * sum / (kPi * kPi);
}

void require_inside(const char* who, double t, double x) {
  if (!(t >= 0.0)) throw InputError(std::string(who) + ": t = " + scientific(t) + " must not be negative");
  if (!(x >= 0.0 && x <= 1.0))
    throw InputError(std::string(who) + ": x = " + scientific(x) + " must be in [0, 1]");
}

// The response of the half line's images to the value 1 at x = 0, 0 at x = 1: converges fast for t < 0.3.
double images(double t, double x) {
  const double width = std::sqrt(4.0 * t / 3.0);
  double rho = 0.0;
  for (int m = 0; m < 8; ++m) rho += std::erfc((2 * m + x) / width) - std::erfc((2 * m + 2 - x) / width);
  return rho;
}

double sine_series(double t, double x) {
  double rho = 1.0 - x;
  for (int n = 1; n < 40; ++n)
    rho -= 2.0 / (n * kPi) * std::sin(n * kPi * x) * std::exp(-n * n * kPi * kPi * t / 3.0);
  return rho;
}

double step_response(double t, double x) {
  if (t == 0.0) return x == 0.0 ? 1.0 : 0.0;
  return t < 0.2 ? images(t, x) : sine_series(t, x);
}

}  // namespace

double transport_decay_rate(double eps, double k) {
  if (!(k > 0.0) || !std::isfinite(k))
    throw InputError("transport eigenmode: k = " + scientific(k) + " must be positive");
  if (!(eps >= 0.0 && eps * k < 0.5 * kPi))
    throw InputError("transport eigenmode: eps = " + scientific(eps) + " with k = " + scientific(k) +
                     ": 0 <= eps k < pi/2 is needed");
  return k * k * cotangent_quotient(eps * k);
}

TransportEigenmode::TransportEigenmode(double eps, double k)
    : eps_(eps), k_(k), lambda_(transport_decay_rate(eps, k)), a_(1.0 + eps * eps * lambda_) {}

double TransportEigenmode::rho(double t, double x) const {
  return std::exp(lambda_ * t) * std::cos(k_ * x);
}

double TransportEigenmode::flux(double t, double x) const {
  return -lambda_ / k_ * std::exp(lambda_ * t) * std::sin(k_ * x);
}

double TransportEigenmode::f(double t, double x, double v) const {
  const double b = eps_ * k_ * v;
  return std::exp(lambda_ * t) * (a_ * std::cos(k_ * x) + b * std::sin(k_ * x)) / (a_ * a_ + b * b);
}

double TransportEigenmode::g(double t, double x, double v) const {
  // a - a^2 = -a eps^2 lambda.
  const double b = eps_ * k_ * v;
  const double cosine = -eps_ * (a_ * lambda_ + k_ * k_ * v * v);
  return std::exp(lambda_ * t) * (cosine * std::cos(k_ * x) + k_ * v * std::sin(k_ * x)) / (a_ * a_ + b * b);
}

double diffusion_inflow(double t, double x, double left, double right) {
  require_inside("diffusion_inflow", t, x);
  return left * step_response(t, x) + right * step_response(t, 1.0 - x);
}

double diffusion_sine_squared(double t, double x) {
  return diffusion_sine_squared(t, x, std::erf(3.0 / std::numbers::sqrt2));
}

double diffusion_sine_squared(double t, double x, double amplitude) {
  require_inside("diffusion_sine_squared", t, x);
  if (t == 0.0) return amplitude * std::pow(std::sin(kPi * x), 2);
  // Terms are dropped below exp(-40), or below 1e-11 where t is tiny.
  const double last = std::min(1e5, std::sqrt(120.0 / t) / kPi + 4.0);
  double rho = 0.0;
  for (double n = 1.0; n <= last; n += 2.0)
    rho -= 8.0 / (kPi * n * (n * n - 4.0)) * std::sin(n * kPi * x) * std::exp(-n * n * kPi * kPi * t / 3.0);
  return amplitude * rho;
}

double free_transport_density(const std::function<double(double, double)>& initial, double eps, double t,
                              double x, const VelocitySet& velocities) {
  if (!(eps > 0.0))
    throw InputError("free_transport_density: eps = " + scientific(eps) + " must be positive");
  double rho = 0.0;
  for (Eigen::Index i = 0; i < velocities.size(); ++i)
    rho += velocities.weights(i) * initial(x - velocities.nodes(i) * t / eps, velocities.nodes(i));
  return rho;
}

}  // namespace torsor
