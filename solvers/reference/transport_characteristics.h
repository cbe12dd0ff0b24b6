// One-dimensional linear transport with inflow (transport_problem.h) where particles scatter some dozen times at most:
// along its characteristic the distribution is
//
//   f(x, t, v) = f_in e^{-D(s_end)} + int_0^{s_end} G(x - v s/eps, t - s) e^{-D(s)} ds,
//   G = (sigma_S/eps^2) rho + Q,   D(s) = int_0^s (sigma_S/eps^2 + sigma_A)(x - v s'/eps) ds',
//
// back to a boundary, s_end = eps (x - a)/v, f_in = F, or to t = 0, f_in = f0. Its mean over v is an equation for rho
// alone (Peierls), smoother than f: fronts of particles that have not scattered are in f_in, which is given.
//
// rho is found on `cells` + 1 nodes, one time level after the other. Between two levels D and G dt/dD are linear along
// the characteristic and the integral of G e^{-D} is exact, so that f = const stays so. In v Gauss's rule on the pieces
// between v = -1, 0, 1 and the two velocities that lead back to a corner of (x, t), where f jumps; towards v = 0 the
// pieces that come from a boundary are graded as e^{-1/v} asks. Second order in h and dt, at a corner with data that do
// not fit h^2 log h; velocities are continuous. Steps have to resolve the mean free time eps^2/sigma_S.
//
// Values between the nodes are computed by the same integrals: rho, j and f have the sharp fronts of f_in.
//
// Source: E. E. Lewis, W. F. Miller, Computational Methods of Neutron Transport, 1984, chapter 5 (integral transport).
#pragma once

#include <Eigen/Core>
#include <vector>

#include "solvers/reference/transport_problem.h"

namespace torsor {

struct CharacteristicsOptions {
  double end = 1.0;      ///< of time
  int cells = 100;
  int steps = 100;       ///< of time
  int panel_nodes = 12;  ///< Gauss nodes of each piece of the velocities
};

class TransportCharacteristics {
 public:
  /// InputError as check_transport, and unless end > 0, steps >= 1, panel_nodes >= 2 and the problem is not periodic;
  /// NumericalError when rho is not finite.
  TransportCharacteristics(TransportProblem problem, const CharacteristicsOptions& options);

  /// rho, the flux j = <v f>/eps and f at the velocities, at points (x, t): M x (2 + velocities). InputError for points
  /// outside.
  Eigen::MatrixXd evaluate(const Eigen::MatrixXd& points, const Eigen::VectorXd& velocities) const;

 private:
  /// f = known + slope rho at the head of a characteristic.
  struct Ray {
    double known = 0.0, slope = 0.0;
  };
  struct Rule {
    std::vector<double> nodes, weights;  ///< of <f>
  };
  struct Place {
    Eigen::Index cell;
    double share;  ///< of the node after it
  };
  Place place(double x) const;
  double along(const Eigen::VectorXd& nodal, const Place& at) const;
  double on_boundary(Eigen::Index node, double t) const;
  double incoming(double t, double v) const {
    return v > 0.0 ? problem_.inflow_left(t, v) : problem_.inflow_right(t, v);
  }
  Ray ray(double x, double t, double v) const;
  Rule velocities_at(double x, double t) const;
  double density(double x, double t) const;
  double initial_density(double x) const;

  TransportProblem problem_;
  double h_, dt_;
  /// At the nodes: sigma_S/eps^2, Q, sigma_S/eps^2 + sigma_A and its integral.
  Eigen::VectorXd x_, scattering_, source_, rate_, depth_;
  Eigen::MatrixXd emission_;                         ///< G, nodes x levels
  Eigen::VectorXd half_nodes_, half_weights_;        ///< Gauss on [0, 1]
};

}  // namespace torsor
