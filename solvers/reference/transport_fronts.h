// Linear transport at discrete velocities in a slab a <= x <= b with constant coefficients, inflow that is constant in
// time and initial data that are constant in x, where fronts from the corners of (x, t) can be seen:
//
//   eps f_t + v_j f_x = (sigma/eps)(<f> - f) - eps sigma_A f + eps Q,   <f> = sum_j w_j f_j,
//   f = F_j for incoming v_j,  f = f0_j at t = 0.
//
// In units tau = sigma t/eps^2, xi = sigma (x - a)/eps, alpha = eps^2 sigma_A/sigma, f = p + E + r:
//
// p(tau) solves the problem without walls. E has the fronts of each corner with F_j - f0_j != 0 or other data that do
// not fit: with d the distance from its wall and u_j the velocities away from it, front k is at d = u_k tau, where f_k
// jumps and all f_j are only piecewise smooth. Behind it, with eta = max(0, u_k tau - d),
//
//   E_j = exp(-lambda tau) sum_{m <= 2} P_j^m(tau) eta^m/m!,   lambda = 1 + alpha - w_k.
//
// The P are polynomials: the powers of eta in the equation give, from P_j^0 = 0 for j != k,
//
//   (u_k - u_j) P_j^{m+1} = <P^m> - w_k P_j^m - (P_j^m)' for j != k,   (P_k^m)' = sum_{j != k} w_j P_j^m,
//
// and P_k^m(0) is such that p + E is the inflow up to tau^2. P_k^0 is the jump itself: particles that have scattered
// into their own direction only, or not at all. What the sum leaves, (u_k - u_j) P_j^3 exp(-lambda tau) eta^2/2, is a
// source of r, which has continuous second derivatives: finite volumes on a grid that is fine at the walls, parabolas
// upwind, the source's cell averages exact, and the third-order Runge-Kutta method of Shu and Osher. Steps follow the
// smallest cell: their number grows as that of the mean free times sigma T/eps^2.
//
// Fronts are sharp in what is evaluated; the error is of order 2.5 to 3 in cells and steps together. Where fronts reach
// the other wall, a derivative of E jumps there in time: first order for r, times about exp(-(b - a) sigma/eps).
//
// Source: progressing waves of a hyperbolic system (R. Courant, D. Hilbert, Methods of Mathematical Physics II, 1962,
// VI.4) with the recursion worked out above; C.-W. Shu, S. Osher, J. Comput. Phys. 77 (1988) (time steps).
#pragma once

#include <Eigen/Core>
#include <vector>

#include "physics/velocity_basis.h"
#include "solvers/reference/transport_slab.h"

namespace torsor {

struct FrontsSlab : TransportSlab {
  Eigen::VectorXd initial;  ///< f0_j; none: 0
};

struct FrontsOptions {
  double end = 1.0;     ///< of time
  int cells = 256;
  int snapshots = 128;  ///< intervals of time between those that are kept, equal in log(1 + tau)
};

class TransportFronts {
 public:
  /// InputError unless a < b, eps > 0, scattering > 0, absorption >= 0, velocities in one dimension, one inflow and, if
  /// any, one initial value for each node, all of them finite, end > 0, cells >= 8, snapshots >= 4; NumericalError when
  /// the solution is not finite.
  TransportFronts(const VelocityBasis& velocities, FrontsSlab slab, const FrontsOptions& options);

  /// f at the nodes, at points (x, t): M x 2 -> M x nodes; at t = 0 the initial data, walls included. InputError for
  /// another shape and points outside.
  Eigen::MatrixXd evaluate(const Eigen::MatrixXd& points) const;

  long steps() const { return steps_; }  ///< of time

 private:
  struct Wall {
    bool left;
    Eigen::VectorXd speeds;  ///< u_j
    Eigen::MatrixXd misfit;  ///< Taylor coefficients of F - p in tau: nodes x powers
  };
  struct Front {
    bool left;
    Eigen::Index node;
    double speed, decay;                  ///< u_k, lambda
    std::vector<Eigen::MatrixXd> powers;  ///< P^m: nodes x coefficients
    Eigen::MatrixXd source;               ///< the same of (u_k - u_j) P_j^3
  };
  void check(const FrontsOptions& options) const;
  double distance(bool left, double xi) const { return left ? xi : length_ - xi; }
  Eigen::VectorXd unbounded(double tau) const;
  Wall wall(bool left) const;
  void add_fronts(const Wall& wall);
  void next_power(const Wall& wall, std::vector<Front>& fronts) const;
  void fit_corner(const Wall& wall, std::vector<Front>& fronts) const;
  Eigen::VectorXd fronts_at(double xi, double tau) const;
  Eigen::VectorXd remaining_inflow(double tau) const;
  void set_grid(int cells, bool left_layer, bool right_layer);
  void set_reconstruction();
  void add_source(double tau, Eigen::ArrayXXd& rate) const;
  Eigen::ArrayXd face_values(const Eigen::ArrayXXd& r, Eigen::Index node, double inflow) const;
  Eigen::ArrayXXd rate(const Eigen::ArrayXXd& r, double tau) const;
  void march(int snapshots);
  double remainder_at(Eigen::Index cell, double xi, Eigen::Index node, const Eigen::Vector3d& averages,
                      double inflow) const;
  Eigen::VectorXd remainder(double xi, double tau) const;

  VelocityBasis velocities_;
  FrontsSlab slab_;
  Eigen::VectorXd v_, w_;
  double length_, end_;    ///< of xi and tau
  double alpha_, source_;  ///< absorption and source in units of the scattering
  double time_unit_, length_unit_;
  std::vector<Front> fronts_;
  Eigen::ArrayXd faces_, widths_;
  Eigen::ArrayXXd upper_, lower_;  ///< weights of three averages for the value at a cell's upper and lower face
  std::vector<Eigen::ArrayXXd> snapshots_;  ///< averages of r: cells x nodes
  long steps_ = 0;
};

}  // namespace torsor
