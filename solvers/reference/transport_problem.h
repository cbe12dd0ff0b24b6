// One-dimensional linear transport in the diffusive scaling, on a <= x <= b, v in [-1, 1]:
//
//   eps f_t + v f_x = (sigma_S(x)/eps) (rho - f) - eps sigma_A(x) f + eps Q(x),   rho = <f> = 1/2 int f dv,
//
// periodic in x, or with inflow f(t, a, v > 0) = F_L(t, v), f(t, b, v < 0) = F_R(t, v).
//
// With f = rho + eps g the flux is j = <v g>, and rho_t + j_x = -sigma_A rho + Q for every eps. For eps -> 0,
// j = -rho_x / (3 sigma_S).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <string>
#include <vector>

#include "physics/velocity_set.h"

namespace torsor {

struct TransportProblem {
  double a = 0.0, b = 1.0;
  double eps = 1.0;  ///< Knudsen number
  bool periodic = true;
  std::function<double(double x)> scattering = [](double) { return 1.0; };  ///< sigma_S >= 0
  std::function<double(double x)> absorption = [](double) { return 0.0; };  ///< sigma_A >= 0
  std::function<double(double x)> source = [](double) { return 0.0; };      ///< Q
  std::function<double(double x, double v)> initial;                        ///< f at t = 0
  /// F_L for v > 0 and F_R for v < 0, read unless periodic.
  std::function<double(double t, double v)> inflow_left = [](double, double) { return 0.0; };
  std::function<double(double t, double v)> inflow_right = [](double, double) { return 0.0; };
};

struct TransportOptions {
  int cells = 100;
  /// Nodes of each half range (double Gauss). Rays that have not scattered need about t/eps for each wave
  /// length, up to t = 30 eps^2; in the diffusive regime 8 are plenty.
  int half_range_nodes = 16;
  std::vector<double> times = {0.1};  ///< ascending, of the snapshots; 0 is allowed
  double time_step_factor = 1.0;      ///< multiplies the largest stable step; smaller to measure orders
};

/// The fields at one time.
struct TransportSnapshot {
  double t = 0.0;
  Eigen::VectorXd rho, flux;  ///< nodes
  Eigen::MatrixXd f;          ///< nodes x velocities
};

struct TransportSolution {
  Eigen::VectorXd x;  ///< nodes
  VelocitySet velocities;
  std::vector<TransportSnapshot> snapshots;  ///< at options.times
  long time_steps = 0;
  double time_step = 0.0;  ///< the largest taken
  double seconds = 0.0;
};

/// Throws InputError naming the field unless a < b, eps > 0, the functions needed are given, cells >= 4,
/// half_range_nodes >= 2 (fewer miss <v^2> = 1/3), the times ascend from 0 on and 0 < time_step_factor <= 1.
/// `who` starts the message.
void check_transport(const std::string& who, const TransportProblem& problem,
                     const TransportOptions& options);

/// The values of a coefficient at points. InputError naming `name`, x and the value when one is negative or
/// not finite; a source may be negative.
Eigen::ArrayXd coefficient_values(const std::string& name, const std::function<double(double)>& coefficient,
                                  const Eigen::VectorXd& x, bool may_be_negative = false);

/// Takes a scheme through options.times, in equal steps of at most time_step_factor largest_step between two of them:
/// fills time_steps, time_step and, after each time, snapshots. NumericalError, beginning with `who`, when a snapshot is
/// not finite.
void march_transport(const std::string& who, const TransportOptions& options, double largest_step,
                     const std::function<void(double t, double dt)>& step,
                     const std::function<TransportSnapshot(double t)>& snapshot, TransportSolution& solution);

/// f0 at points x velocities. InputError when a value is not finite.
Eigen::ArrayXXd initial_distribution(const TransportProblem& problem, const Eigen::VectorXd& x,
                                     const VelocitySet& velocities);

}  // namespace torsor
