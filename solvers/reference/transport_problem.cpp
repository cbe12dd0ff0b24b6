#include "solvers/reference/transport_problem.h"

#include <algorithm>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

void require(bool satisfied, const std::string& who, const std::string& rule) {
  if (!satisfied) throw InputError(who + ": " + rule);
}

void check_times(const std::string& who, const std::vector<double>& times) {
  require(!times.empty(), who, "times is empty, at least one is needed");
  double before = -1.0;
  for (double t : times) {
    require(std::isfinite(t) && t >= 0.0 && t > before, who,
            "times: " + scientific(t) + " must be at least 0 and after the one before");
    before = t;
  }
}

}  // namespace

void check_transport(const std::string& who, const TransportProblem& p, const TransportOptions& o) {
  require(p.a < p.b, who, "a = " + scientific(p.a) + ", b = " + scientific(p.b) + ": a < b is needed");
  require(p.eps > 0.0 && std::isfinite(p.eps), who, "eps = " + scientific(p.eps) + " must be positive");
  require(p.scattering && p.absorption && p.source, who, "scattering, absorption and source must be given");
  require(static_cast<bool>(p.initial), who, "initial must be given");
  require(p.periodic || (p.inflow_left && p.inflow_right), who, "inflow_left and inflow_right must be given");
  require(o.cells >= 4, who, "cells = " + std::to_string(o.cells) + " must be at least 4");
  require(o.half_range_nodes >= 2, who,
          "half_range_nodes = " + std::to_string(o.half_range_nodes) + " must be at least 2");
  require(o.time_step_factor > 0.0 && o.time_step_factor <= 1.0, who,
          "time_step_factor = " + scientific(o.time_step_factor) + " must be in (0, 1]");
  check_times(who, o.times);
}

Eigen::ArrayXd coefficient_values(const std::string& name, const std::function<double(double)>& coefficient,
                                  const Eigen::VectorXd& x, bool may_be_negative) {
  Eigen::ArrayXd values(x.size());
  for (Eigen::Index i = 0; i < x.size(); ++i) {
    values(i) = coefficient(x(i));
    if (!std::isfinite(values(i)) || (values(i) < 0.0 && !may_be_negative))
      throw InputError("transport: " + name + " = " + scientific(values(i)) + " at x = " + scientific(x(i)) +
                       " must be finite" + (may_be_negative ? "" : " and not negative"));
  }
  return values;
}

void march_transport(const std::string& who, const TransportOptions& options, double largest_step,
                     const std::function<void(double t, double dt)>& step,
                     const std::function<TransportSnapshot(double t)>& snapshot, TransportSolution& solution) {
  const double largest = options.time_step_factor * largest_step;
  double t = 0.0;
  for (double target : options.times) {
    const long steps = static_cast<long>(std::ceil((target - t) / largest * (1.0 - 1e-12)));
    const double dt = steps > 0 ? (target - t) / static_cast<double>(steps) : 0.0;
    for (long s = 0; s < steps; ++s) {
      step(t + static_cast<double>(s) * dt, dt);
      ++solution.time_steps;
    }
    t = target;
    solution.time_step = std::max(solution.time_step, dt);
    solution.snapshots.push_back(snapshot(t));
    const TransportSnapshot& now = solution.snapshots.back();
    if (!now.rho.allFinite() || !now.f.allFinite())
      throw NumericalError(who + ": the solution is not finite at t = " + scientific(t) + " with time step " +
                           scientific(dt));
  }
}

Eigen::ArrayXXd initial_distribution(const TransportProblem& problem, const Eigen::VectorXd& x,
                                     const VelocitySet& velocities) {
  Eigen::ArrayXXd f(x.size(), velocities.size());
  for (Eigen::Index m = 0; m < velocities.size(); ++m)
    for (Eigen::Index i = 0; i < x.size(); ++i) f(i, m) = problem.initial(x(i), velocities.nodes(m));
  if (!f.allFinite()) throw InputError("transport: a value of initial is not finite");
  return f;
}

}  // namespace torsor
