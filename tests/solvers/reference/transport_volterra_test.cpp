#include "solvers/reference/transport_volterra.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "physics/transport_exact.h"
#include "physics/velocity_set.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;
using Complex = std::complex<double>;
using Eigen::MatrixXd;
using Eigen::VectorXd;

double maxwellian(double v) {
  return std::exp(-0.5 * v * v) / std::sqrt(2.0 * kPi);
}

// f0 = (1 + cos 4 pi x) M(v).
TransportVolterra two_waves(double eps, double t_end) {
  return {0.0, 1.0, eps,
          transport_modes([](double x) { return 1.0 + std::cos(4.0 * kPi * x); }, maxwellian, 0.0, 1.0, 16),
          t_end};
}

MatrixXd point(double x, double t) {
  return (MatrixXd(1, 2) << x, t).finished();
}
MatrixXd point(double x, double t, double v) {
  return (MatrixXd(1, 3) << x, t, v).finished();
}

TEST(TransportVolterra, ReproducesTheEigenmode) {
  const double k = 2.0 * kPi;
  for (double eps : {0.24, 0.1, 1e-2, 1e-3, 1e-4, 1e-6, 1e-8}) {
    const TransportEigenmode mode(eps, k);
    // At t = 0 the mode is Re e^{ikx}/(a + i eps k v).
    const double a = 1.0 + eps * eps * mode.decay_rate();
    const TransportVolterra solver(0.0, 1.0, eps,
                                   {{1, [=](double v) { return 1.0 / Complex(a, eps * k * v); }}}, 0.3);
    for (double t : {0.0, 1e-3, 0.02, 0.1, 0.3}) {
      EXPECT_NEAR(solver.rho(point(0.3, t))(0), mode.rho(t, 0.3), 1e-12) << eps << " " << t;
      // At t < 40 eps^2 the flux is a difference of size eps, divided by eps.
      EXPECT_NEAR(solver.flux(point(0.3, t))(0), mode.flux(t, 0.3), 1e-12 + 1e-15 / eps) << eps << " " << t;
      EXPECT_NEAR(solver.f(point(0.3, t, -0.4))(0), mode.f(t, 0.3, -0.4), 1e-12) << eps << " " << t;
    }
  }
}

TEST(TransportVolterra, TwoWavesAtEpsOne) {
  const TransportVolterra solver = two_waves(1.0, 1.0);
  const double mean = 0.34134475;
  EXPECT_NEAR(solver.rho(point(0.0, 0.5))(0) - mean, -0.0126867, 6e-8);
  EXPECT_NEAR(solver.rho(point(0.0, 1.0))(0) - mean, -0.0035173, 6e-8);
  EXPECT_NEAR(solver.rho(point(0.125, 0.7))(0), mean, 5e-9);
}

// <f> = rho and <v f> = eps j by another quadrature, while rays stream and after.
TEST(TransportVolterra, FieldsAgreeWithTheirMoments) {
  const VelocitySet set = double_gauss_velocities(60);
  for (double eps : {1.0, 0.3, 0.05, 1e-3}) {
    const TransportVolterra solver = two_waves(eps, 0.2);
    for (double t : {0.003, 0.1, 0.2}) {
      VectorXd f(set.size());
      for (int m = 0; m < set.size(); ++m) f(m) = solver.f(point(0.4, t, set.nodes(m)))(0);
      EXPECT_NEAR(set.moment(f), solver.rho(point(0.4, t))(0), 1e-13);
      EXPECT_NEAR(set.moment(f, 1) / eps, solver.flux(point(0.4, t))(0), 1e-13 / eps);
    }
  }
}

// The line of pieces and the eigenmode meet at t = 40 eps^2.
TEST(TransportVolterra, ContinuesIntoTheEigenmode) {
  for (double eps : {0.12, 0.05, 1e-2, 1e-5}) {
    const double t = 40.0 * eps * eps;
    const TransportVolterra solver = two_waves(eps, 2.0 * t);
    EXPECT_NEAR(solver.rho(point(0.2, t * (1 - 1e-12)))(0), solver.rho(point(0.2, t * (1 + 1e-12)))(0),
                1e-13);
    EXPECT_NEAR(solver.flux(point(0.2, t * (1 - 1e-12)))(0), solver.flux(point(0.2, t * (1 + 1e-12)))(0),
                1e-12 + 1e-15 / eps);
    EXPECT_NEAR(solver.f(point(0.2, t * (1 - 1e-12), 0.7))(0), solver.f(point(0.2, t * (1 + 1e-12), 0.7))(0),
                1e-13);
  }
}

TEST(TransportVolterra, TendsToFreeTransportAndToDiffusion) {
  // eps large: no scattering during t << eps^2. With F = f0(x - v t/eps, v).
  const auto initial = [](double x, double v) { return (1.0 + std::cos(4.0 * kPi * x)) * maxwellian(v); };
  const double eps = 1e4;
  EXPECT_NEAR(two_waves(eps, 0.5 * eps).rho(point(0.3, 0.5 * eps))(0),
              free_transport_density(initial, eps, 0.5 * eps, 0.3, gauss_velocities(60)), 1e-4);
  const double mean = 0.5 * std::erf(std::sqrt(0.5));
  const double diffused = mean * (1.0 + std::exp(-16.0 * kPi * kPi * 0.05 / 3.0) * std::cos(1.2 * kPi));
  EXPECT_NEAR(two_waves(1e-8, 0.05).rho(point(0.3, 0.05))(0), diffused, 1e-12);
}

TEST(TransportVolterra, KeepsTheMassAndTheInitialData) {
  const TransportVolterra solver = two_waves(0.4, 1.0);
  MatrixXd points(16, 2);
  points.col(0) = VectorXd::LinSpaced(16, 0.0, 15.0 / 16.0);
  points.col(1).setConstant(0.3);
  EXPECT_NEAR(solver.rho(points).mean(), 0.5 * std::erf(std::sqrt(0.5)), 1e-14);
  EXPECT_NEAR(solver.f(point(0.1, 0.0, -0.3))(0), (1.0 + std::cos(0.4 * kPi)) * maxwellian(0.3), 1e-14);
}

TEST(TransportVolterra, ModesReproduceTheProfile) {
  const auto profile = [](double x) { return std::exp(std::sin(2.0 * kPi * x)); };
  const TransportVolterra solver(-1.0, 0.0, 1.0, transport_modes(profile, maxwellian, -1.0, 0.0, 64), 0.0);
  EXPECT_NEAR(solver.f(point(-0.37, 0.0, 0.2))(0), profile(-0.37) * maxwellian(0.2), 1e-14);
}

// Times where pieces of the solution meet, equal parts of the whole: what has elapsed since must not be rounded to less than
// zero.
TEST(TransportVolterra, FluxIsContinuousWherePiecesMeet) {
  for (const double eps : {0.1682, 0.16821, 0.2, 0.31, 0.0927}) {
    const TransportVolterra solver = two_waves(eps, 1.0);
    for (int parts = 2; parts < 60; ++parts) {
      MatrixXd points = MatrixXd::Constant(parts - 1, 2, 0.1);
      points.col(1) = VectorXd::LinSpaced(parts - 1, 1, parts - 1) / parts;
      const VectorXd flux = solver.flux(points);
      points.col(1).array() += 1e-10;
      ASSERT_LT((solver.flux(points) - flux).cwiseAbs().maxCoeff(), 1e-7) << eps << " " << parts;
    }
  }
}

TEST(TransportVolterra, RefusesBadArguments) {
  EXPECT_THROW(TransportVolterra(1.0, 0.0, 1.0, {}, 1.0), InputError);
  EXPECT_THROW(TransportVolterra(0.0, 1.0, 0.0, {}, 1.0), InputError);
  EXPECT_THROW(TransportVolterra(0.0, 1.0, 1.0, {}, -1.0), InputError);
  EXPECT_THROW(TransportVolterra(0.0, 1.0, 1.0, {{1, nullptr}}, 1.0), InputError);
  EXPECT_THROW(TransportVolterra(0.0, 1.0, 1.0, {{10000, maxwellian}}, 1.0), NumericalError);
  const TransportVolterra solver = two_waves(1.0, 0.1);
  EXPECT_THROW(solver.rho(point(0.0, 0.2)), InputError);
  EXPECT_THROW(solver.rho(point(0.0, 0.1, 0.0)), InputError);
  EXPECT_THROW(solver.f(point(0.0, 0.1, 1.5)), InputError);
  EXPECT_THROW(transport_modes(nullptr, maxwellian, 0.0, 1.0), InputError);
}

}  // namespace
}  // namespace torsor
