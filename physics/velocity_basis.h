// Velocity of kinetic equations: nodes, weights and the orthonormal polynomials on them.
//
// With <f> = sum_j w_j f(v_j), the polynomials p_0 = 1, p_1, ... of rising degree have <p_l p_m> = delta_lm. As many as
// there are nodes span every function on the nodes, so that f(v_j) = sum_l f_l p_l(v_j), f_l = <p_l f>, loses nothing:
// the S_N and the P_{N-1} equations are the same. Moments f_l couple to their neighbours only: v p_l has the degrees of
// p_{l-1} and p_{l+1} (three-term recurrence; in the plane, those of the degrees one below and above).
//
// Found by Stieltjes' procedure: each polynomial of the last degree times each component of v, orthogonalised twice
// against all before; what vanishes is dropped.
//
// Source: W. Gautschi, Orthogonal Polynomials: Computation and Approximation, 2004, section 2.2 (Stieltjes).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <string>
#include <vector>

namespace torsor {

struct VelocityBasis {
  std::vector<std::string> names;  ///< of the velocity's components: "v", or "vx", "vy"
  Eigen::MatrixXd nodes;           ///< n x d
  Eigen::VectorXd weights;         ///< n, positive, sum 1
  Eigen::MatrixXd polynomials;     ///< n x n: p_l(v_j) in row j, column l
  std::vector<int> degrees;        ///< of p_l

  Eigen::Index size() const { return nodes.rows(); }
  Eigen::Index dimension() const { return nodes.cols(); }
};

/// Nodes by name and numbers:
///   gauss(n), double_gauss(n)               one component  (n nodes; n on each half range)
///   circle(n), sphere(p, n), disc(r, n)     two components
/// see physics/velocity_set.h. Throws InputError: unknown name (with the nearest), wrong number of numbers or of names,
/// and what the sets refuse.
VelocityBasis make_velocity_basis(std::vector<std::string> names, const std::string& set, const std::vector<int>& numbers);

/// Reads "v in gauss(16)", "vx, vy in sphere(4, 8)"; `number` gives the value of a number's text. Throws InputError.
VelocityBasis parse_velocity(const std::string& text, const std::function<double(const std::string&)>& number);

}  // namespace torsor
