// Problems that several transport solvers are tested on, and the distances of their solutions.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include "physics/norms.h"
#include "physics/transport_exact.h"
#include "solvers/reference/transport_problem.h"
#include "solvers/reference/transport_volterra.h"

namespace torsor::transport_cases {

inline constexpr double kPi = std::numbers::pi;

inline double maxwellian(double v) {
  return std::exp(-0.5 * v * v) / std::sqrt(2.0 * kPi);
}

/// The eigenmode of wave number 2 pi on [0, 1], periodic.
inline TransportProblem eigenmode(double eps) {
  TransportProblem p;
  p.eps = eps;
  p.initial = [mode = TransportEigenmode(eps, 2.0 * kPi)](double x, double v) { return mode.f(0.0, x, v); };
  return p;
}

/// The same mode on [0, 0.7], driven by its values at the ends.
inline TransportProblem driven_eigenmode(double eps) {
  TransportProblem p = eigenmode(eps);
  p.b = 0.7;
  p.periodic = false;
  p.inflow_left = [mode = TransportEigenmode(eps, 2.0 * kPi)](double t, double v) {
    return mode.f(t, 0.0, v);
  };
  p.inflow_right = [mode = TransportEigenmode(eps, 2.0 * kPi)](double t, double v) {
    return mode.f(t, 0.7, v);
  };
  return p;
}

/// T-per: f0 = (1 + cos 4 pi x) M(v), periodic.
inline TransportProblem two_waves(double eps) {
  TransportProblem p;
  p.eps = eps;
  p.initial = [](double x, double v) { return (1.0 + std::cos(4.0 * kPi * x)) * maxwellian(v); };
  return p;
}

/// T-inflow: 1 from the left into nothing.
inline TransportProblem inflow(double eps) {
  TransportProblem p;
  p.eps = eps;
  p.periodic = false;
  p.initial = [](double, double) { return 0.0; };
  p.inflow_left = [](double, double) { return 1.0; };
  return p;
}

/// T-hom: no inflow, f0 = 2 sin^2(pi x) 3/sqrt(2 pi) exp(-9 v^2/2).
inline TransportProblem no_inflow(double eps) {
  TransportProblem p = inflow(eps);
  p.inflow_left = [](double, double) { return 0.0; };
  p.initial = [](double x, double v) {
    return 2.0 * std::pow(std::sin(kPi * x), 2) * 3.0 / std::sqrt(2.0 * kPi) * std::exp(-4.5 * v * v);
  };
  return p;
}

/// Variable scattering, absorption and a source, periodic.
inline TransportProblem variable_medium(double eps) {
  TransportProblem p = two_waves(eps);
  p.scattering = [](double x) { return 1.5 + std::sin(2.0 * kPi * x); };
  p.absorption = [](double x) { return 1.0 + std::cos(2.0 * kPi * x); };
  p.source = [](double x) { return 0.5 + std::sin(2.0 * kPi * x); };
  return p;
}

/// rho or the flux of the last snapshot at x, linear between nodes.
inline double at(const TransportSolution& s, const Eigen::VectorXd& values, double x) {
  const double place = (x - s.x(0)) / (s.x(1) - s.x(0));
  const auto i = std::clamp<Eigen::Index>(static_cast<Eigen::Index>(std::floor(place)), 0, s.x.size() - 2);
  const double weight = place - static_cast<double>(i);
  return (1.0 - weight) * values(i) + weight * values(i + 1);
}

/// Relative L2 errors of rho and of the flux of the last snapshot against the mode of wave number 2 pi.
struct ModeErrors {
  double rho, flux;
};
inline ModeErrors mode_errors(const TransportSolution& s, double eps) {
  const TransportEigenmode mode(eps, 2.0 * kPi);
  const double t = s.snapshots.back().t;
  Eigen::VectorXd rho(s.x.size()), flux(s.x.size());
  for (Eigen::Index i = 0; i < s.x.size(); ++i) {
    rho(i) = mode.rho(t, s.x(i));
    flux(i) = mode.flux(t, s.x(i));
  }
  return {relative_l2(s.snapshots.back().rho, rho), relative_l2(s.snapshots.back().flux, flux)};
}

/// The mesh of most tests.
inline TransportOptions with_cells(int cells) {
  TransportOptions options;
  options.cells = cells;
  options.half_range_nodes = 8;
  return options;
}

/// Relative L2 error of rho and greatest error of the flux of T-per at t = 0.1 against the Volterra equation.
inline ModeErrors two_waves_errors(const TransportSolution& s, double eps) {
  const auto density = [](double x) { return 1.0 + std::cos(4.0 * kPi * x); };
  const TransportVolterra exact(0.0, 1.0, eps, transport_modes(density, maxwellian, 0.0, 1.0, 16), 0.1);
  Eigen::MatrixXd points(s.x.size(), 2);
  points << s.x, Eigen::VectorXd::Constant(s.x.size(), 0.1);
  return {relative_l2(s.snapshots[0].rho, exact.rho(points)), max_absolute(s.snapshots[0].flux, exact.flux(points))};
}

}  // namespace torsor::transport_cases
