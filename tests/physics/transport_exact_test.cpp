#include "physics/transport_exact.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

TEST(TransportExact, DecayRatesOfTheWaveTwoPi) {
  const double table[][2] = {{0.2, -14.792346693},
                             {0.1, -13.519373402},
                             {0.05, -13.246880381},
                             {0.01, -13.162937272},
                             {0.0, -13.159472535}};
  for (const auto& row : table) EXPECT_NEAR(transport_decay_rate(row[0], 2.0 * kPi), row[1], 6e-10);
}

TEST(TransportExact, DecayRateIsAccurateForSmallEps) {
  const double k = 2.0 * kPi;
  for (double eps : {1e-3, 1e-5, 1e-8, 1e-200}) {
    const double z2 = eps * eps * k * k;
    const double series = -k * k * (1.0 / 3.0 + z2 / 45.0 + 2.0 * z2 * z2 / 945.0);
    EXPECT_NEAR(transport_decay_rate(eps, k) / series, 1.0, 1e-15);
  }
  // The series and the direct formula meet at eps k = 1/2.
  EXPECT_NEAR(transport_decay_rate(0.5 - 1e-13, 1.0), transport_decay_rate(0.5, 1.0), 2e-14);
}

// Residual of the transport equation by central differences, and <f> = rho, <v g> = j by quadrature.
TEST(TransportExact, EigenmodeSolvesTheEquation) {
  const double eps = 0.2, t = 0.03, x = 0.17, h = 1e-4;
  const TransportEigenmode mode(eps, 2.0 * kPi);
  for (double v : {-0.9, -0.2, 0.0, 0.6}) {
    const double f_t = (mode.f(t + h, x, v) - mode.f(t - h, x, v)) / (2.0 * h);
    const double f_x = (mode.f(t, x + h, v) - mode.f(t, x - h, v)) / (2.0 * h);
    EXPECT_NEAR(eps * f_t + v * f_x, (mode.rho(t, x) - mode.f(t, x, v)) / eps, 1e-5);
    EXPECT_NEAR(mode.rho(t, x) + eps * mode.g(t, x, v), mode.f(t, x, v), 1e-14);
  }
}

TEST(TransportExact, EigenmodeHasItsMoments) {
  const VelocitySet set = gauss_velocities(80);
  for (double eps : {0.2, 1e-2, 1e-8, 0.0}) {
    const TransportEigenmode mode(eps, 2.0 * kPi);
    Eigen::VectorXd f(set.size()), g(set.size());
    for (int i = 0; i < set.size(); ++i) {
      f(i) = mode.f(0.05, 0.3, set.nodes(i));
      g(i) = mode.g(0.05, 0.3, set.nodes(i));
    }
    EXPECT_NEAR(set.moment(f), mode.rho(0.05, 0.3), 1e-14);
    EXPECT_NEAR(set.moment(g), 0.0, 1e-14);
    EXPECT_NEAR(set.moment(g, 1), mode.flux(0.05, 0.3), 1e-14);
  }
}

TEST(TransportExact, DiffusionWithInflow) {
  const double table[][3] = {{0.1, 0.1, 0.698535},  {0.1, 0.25, 0.332922}, {0.1, 0.5, 0.052808},
                             {0.1, 0.75, 0.003674}, {0.05, 0.1, 0.583882}, {0.05, 0.25, 0.170904},
                             {0.05, 0.5, 0.006170}, {0.05, 0.75, 0.000040}};
  for (const auto& row : table) EXPECT_NEAR(diffusion_inflow(row[0], row[1]), row[2], 6e-7);
  // Images and series meet at t = 0.2; the steady state is linear.
  EXPECT_NEAR(diffusion_inflow(0.2 - 1e-15, 0.3), diffusion_inflow(0.2, 0.3), 1e-13);
  EXPECT_NEAR(diffusion_inflow(20.0, 0.3, 1.0, 3.0), 1.6, 1e-13);
  EXPECT_EQ(diffusion_inflow(0.0, 0.3), 0.0);
}

TEST(TransportExact, DiffusionOfASineSquared) {
  const double table[][3] = {
      {0.05, 0.25, 0.480840}, {0.05, 0.5, 0.756265}, {0.1, 0.25, 0.424583}, {0.1, 0.5, 0.617970}};
  for (const auto& row : table) EXPECT_NEAR(diffusion_sine_squared(row[0], row[1]), row[2], 6e-7);
  EXPECT_NEAR(diffusion_sine_squared(1e-12, 0.3), diffusion_sine_squared(0.0, 0.3), 1e-9);
}

TEST(TransportExact, FreeTransportMixesPhases) {
  // <cos k(x - v t/eps)> = cos kx sin(kt/eps)/(kt/eps).
  const double k = 2.0 * kPi, eps = 0.5, t = 0.4, phase = k * t / eps;
  const auto wave = [k](double x, double) { return std::cos(k * x); };
  EXPECT_NEAR(free_transport_density(wave, eps, t, 0.1, gauss_velocities(24)),
              std::cos(0.1 * k) * std::sin(phase) / phase, 1e-14);
}

TEST(TransportExact, RefusesBadArguments) {
  EXPECT_THROW(transport_decay_rate(0.25, 2.0 * kPi), InputError);
  EXPECT_THROW(transport_decay_rate(0.1, 0.0), InputError);
  EXPECT_THROW(TransportEigenmode(-0.1, 1.0), InputError);
  EXPECT_THROW(diffusion_inflow(-1.0, 0.5), InputError);
  EXPECT_THROW(diffusion_sine_squared(0.1, 1.5), InputError);
  EXPECT_THROW(free_transport_density([](double, double) { return 1.0; }, 0.0, 1.0, 0.0, gauss_velocities(2)),
               InputError);
}

}  // namespace
}  // namespace torsor
