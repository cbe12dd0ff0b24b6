#include "solvers/reference/transport_modes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <unsupported/Eigen/MatrixFunctions>

#include "physics/error.h"
#include "physics/random.h"
#include "physics/transport_exact.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

VelocityBasis line(int n) { return make_velocity_basis({"v"}, "gauss", {n}); }
VelocityBasis plane(int p, int n) { return make_velocity_basis({"vx", "vy"}, "sphere", {p, n}); }

VectorXcd random_moments(Index n, uint64_t seed) {
  Random random(seed);
  VectorXcd m(n);
  for (Complex& value : m) value = {random.normal(), random.normal()};
  return m;
}

// exp(t B/eps^2) by scaling and squaring alone.
VectorXcd direct(const VelocityBasis& v, double eps, const VectorXd& wave, const VectorXcd& start, double t) {
  const VectorXd speeds = v.nodes * wave;
  MatrixXcd b = Complex(0, -eps) *
                (v.polynomials.transpose() * v.weights.cwiseProduct(speeds).asDiagonal() * v.polynomials).cast<Complex>();
  b.diagonal().array() -= 1.0;
  b(0, 0) += 1.0;
  return MatrixXcd(t / (eps * eps) * b).exp() * start;
}

TEST(OrdinatesMode, IsTheMatrixExponential) {
  for (const VelocityBasis& v : {line(6), plane(2, 8)})
    for (const double eps : {1.0, 0.1, 0.01})
      for (const double k : {0.0, 2.0, 12.0}) {
        VectorXd wave = VectorXd::Constant(v.dimension(), k);
        if (v.dimension() == 2) wave(1) = -0.5 * k;
        const VectorXcd start = random_moments(v.size(), 1);
        const OrdinatesMode mode(v, eps, wave, start);
        for (const double tau : {0.0, 0.3, 5.0, 70.0, 200.0}) {
          const double t = tau * eps * eps;
          EXPECT_LE((mode.moments(t) - direct(v, eps, wave, start, t)).cwiseAbs().maxCoeff(), 2e-12)
              << v.dimension() << " " << eps << " " << k << " " << tau;
        }
      }
}

// Two velocities: rho_tt + rho_t/eps^2 + (k v/eps)^2 rho = 0, also where both rates are the same (eps k v = 1/2).
TEST(OrdinatesMode, TelegraphEquation) {
  const VelocityBasis v = line(2);
  const double speed = 1.0 / std::sqrt(3.0), eps = 0.5, k = 1.0 / (2.0 * eps * speed);
  VectorXcd start(2);
  start << 1.0, 0.0;
  const OrdinatesMode mode(v, eps, VectorXd::Constant(1, k), start);
  for (const double t : {0.1, 0.4, 2.0}) {
    const double half = 0.5 * t / (eps * eps);
    EXPECT_NEAR(std::abs(mode.moments(t)(0) - std::exp(-half) * (1.0 + half)), 0.0, 1e-7) << t;
  }
}

// Continuous velocities: 32 nodes leave nothing of the eigenmode's rate, for all eps.
TEST(OrdinatesMode, DecaysAsTheEigenmodeForEveryEps) {
  const VelocityBasis v = line(32);
  const double k = 2.0 * M_PI;
  for (const double eps : {0.1, 1e-2, 1e-3, 1e-5, 1e-8}) {
    const TransportEigenmode exact(eps, k);
    const double a = 1.0 + eps * eps * exact.decay_rate();
    VectorXcd f(v.size());
    for (Index j = 0; j < v.size(); ++j) f(j) = 1.0 / Complex(a, eps * k * v.nodes(j, 0));
    VectorXcd start = v.polynomials.transpose() * v.weights.asDiagonal() * f;
    const OrdinatesMode mode(v, eps, VectorXd::Constant(1, k), start);
    const VectorXcd m = mode.moments(0.1);
    EXPECT_NEAR(m(0).real(), std::exp(0.1 * exact.decay_rate()), 3e-14) << eps;
    // j = -(lambda/k) rho: <v f>/eps to all digits, however small eps is.
    const Complex flux = m(1) / std::sqrt(3.0) / eps;
    EXPECT_NEAR(flux.imag(), exact.decay_rate() / k * std::exp(0.1 * exact.decay_rate()), 1e-13) << eps;
  }
}

// Mass is kept, and what one half of the time leads to the other half goes on from.
TEST(OrdinatesMode, IsASemigroup) {
  for (const double eps : {1.0, 0.05, 1e-3, 1e-6}) {
    const VelocityBasis v = plane(1, 8);
    VectorXd wave(2);
    wave << 3.0, 5.0;
    VectorXcd start = random_moments(v.size(), 4);
    start.tail(v.size() - 1) *= eps;
    for (const double tau : {0.1, 3.0, 100.0}) {
      const double t = tau * eps * eps;
      const OrdinatesMode whole(v, eps, wave, start), half(v, eps, wave, whole.moments(0.5 * t));
      EXPECT_LE((whole.moments(t) - half.moments(0.5 * t)).cwiseAbs().maxCoeff(), 1e-13 * start.norm());
      // The moments of g as well: relative to eps.
      EXPECT_LE((whole.moments(t) - half.moments(0.5 * t)).tail(v.size() - 1).cwiseAbs().maxCoeff(), 1e-12 * eps) <<
          eps << tau;
    }
    const OrdinatesMode still(v, eps, VectorXd::Zero(2), start);
    EXPECT_NEAR(std::abs(still.moments(0.7)(0) - start(0)), 0.0, 1e-15);
  }
}

TEST(OrdinatesMode, RefusesBadInput) {
  const VelocityBasis v = line(4);
  const VectorXcd start = VectorXcd::Ones(4);
  EXPECT_THROW(OrdinatesMode(v, 0.0, VectorXd::Ones(1), start), InputError);
  EXPECT_THROW(OrdinatesMode(v, 1.0, VectorXd::Ones(2), start), InputError);
  EXPECT_THROW(OrdinatesMode(v, 1.0, VectorXd::Ones(1), VectorXcd::Ones(3)), InputError);
  VelocityBasis lopsided = v;
  lopsided.nodes(0, 0) = -0.99;
  EXPECT_FALSE(has_mirror_images(lopsided));
  EXPECT_THROW(OrdinatesMode(lopsided, 1.0, VectorXd::Ones(1), start), InputError);
}

}  // namespace
}  // namespace torsor
