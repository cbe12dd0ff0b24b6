// Quadrature in velocity: nodes v_i and weights w_i, sum_i w_i = 1, so that sum_i w_i f(v_i) is the mean <f>.
//
//   gauss_velocities         v in [-1, 1], <f> = 1/2 int f dv, Gauss-Legendre: exact to degree 2n - 1
//   half_range_velocities    v in [0, 1],  <f> = int f dv, the same on the half range
//   double_gauss_velocities  v in [-1, 1], the half-range rule on both halves, 2n nodes: f may jump at
//                            v = 0, as it does at a boundary with inflow
//   circle_velocities        v on the unit circle in 2-D, n equal angles
//   sphere_velocities        v on the unit sphere in 3-D, for f even in the third component mu (fields of
//                            two coordinates): (v_x, v_y) = sqrt(1 - mu^2) (cos phi, sin phi), Gauss on
//                            0 < mu < 1, equal angles phi; <v_x^2> = 1/3
//   disc_velocities          v uniform in the unit disc: Gauss in |v|^2, equal angles phi; <v_x^2> = 1/4
//
// Angles start at half a step, so that no node lies on an axis and reflections at both are permutations.
//
// Sources: F. G. Tricomi, Ann. Mat. Pura Appl. 31 (1950) (starting values of the roots); E. E. Lewis,
// W. F. Miller, Computational Methods of Neutron Transport, 1984, chapters 3 and 4 (double Gauss, product
// sets).
#pragma once

#include <Eigen/Core>

namespace torsor {

/// A set on the line. Nodes ascend.
struct VelocitySet {
  Eigen::VectorXd nodes, weights;  ///< n each; weights positive, sum 1
  Eigen::VectorXi mirror;          ///< nodes(mirror(i)) = -nodes(i) to the last bit; empty for a half range

  Eigen::Index size() const { return nodes.size(); }
  /// <v^power f> of values at the nodes, n. InputError for another length or a negative power.
  double moment(const Eigen::Ref<const Eigen::VectorXd>& f, int power = 0) const;
  /// <v^power f> of each row of values at points, M x n: M. InputError as above.
  Eigen::VectorXd moments(const Eigen::Ref<const Eigen::MatrixXd>& f, int power = 0) const;
  /// f(-v) from f(v), M x n. InputError for another number of columns or a half range.
  Eigen::MatrixXd reflected(const Eigen::Ref<const Eigen::MatrixXd>& f) const;
};

/// A set in the plane.
struct PlanarVelocitySet {
  Eigen::MatrixXd nodes;               ///< n x 2
  Eigen::VectorXd weights;             ///< n, positive, sum 1
  Eigen::VectorXi mirror;              ///< the node at -v
  Eigen::VectorXi mirror_x, mirror_y;  ///< the nodes at (-v_x, v_y) and (v_x, -v_y)

  Eigen::Index size() const { return nodes.rows(); }
  /// <v_x^power_x v_y^power_y f>. InputError for another length or a negative power.
  double moment(const Eigen::Ref<const Eigen::VectorXd>& f, int power_x = 0, int power_y = 0) const;
};

/// InputError unless n >= 1, for all three.
VelocitySet gauss_velocities(int n);
VelocitySet half_range_velocities(int n);
VelocitySet double_gauss_velocities(int n);

/// InputError unless n_angles is a positive multiple of 4 and the other number is positive.
PlanarVelocitySet circle_velocities(int n_angles);
PlanarVelocitySet sphere_velocities(int n_polar, int n_angles);
PlanarVelocitySet disc_velocities(int n_radii, int n_angles);

}  // namespace torsor
