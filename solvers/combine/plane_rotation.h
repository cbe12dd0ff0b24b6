// Rotation of unit gradients towards a direction d, |d| = 1, each in the plane span(u_i, d), by angles that are chosen
// together (RGB, OpenReview l0QAezg8HX, section 4; HRGrad stages 2 and 3).
//
// With t_i the angle between u_i and d, the rotated gradient is
//
//   r_i(x_i) = cos x_i u_i + sin x_i w_i = ( sin(t_i - x_i) u_i + sin x_i d ) / sin t_i,    |r_i| = 1,
//
// w_i = U(d - (u_i . d) u_i). The angles minimise, over 0 <= x_i <= t_i, alignment plus lambda times proximity:
//
//   f(x) = 1/(m(m-1)) sum_{i<j} (1 - r_i . r_j) + lambda/(2m) sum_i (1 - cos x_i),
//   df/dx_i = -1/(m(m-1)) r_i' . S + lambda/(2m) sin x_i,    S = sum_i r_i,    r_i' = dr_i/dx_i.
//
// Everything is known from the products of u_1 ... u_m, d.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace torsor {

using Eigen::Index;

class PlaneRotation {
 public:
  /// Cosines of the unit gradients (m x m), their products with d (m), and which of them may turn (others: x_i = 0).
  /// Gradients within a cosine of 0.999 of d or -d do not turn (RGB's rule): the plane is lost, or nothing is gained.
  PlaneRotation(const Eigen::MatrixXd& cosines, const Eigen::VectorXd& products, std::vector<bool> turns,
                double lambda);

  Index size() const { return angles_to_d_.size(); }
  /// t_i for gradients that turn, 0 for the others: where an angle is capped.
  const Eigen::VectorXd& caps() const { return caps_; }

  double objective(const Eigen::VectorXd& angles) const;
  Eigen::VectorXd gradient(const Eigen::VectorXd& angles) const;
  /// `steps` gradient steps of length `rate`, each clamped to the caps, from `start`.
  Eigen::VectorXd minimise(const Eigen::VectorXd& start, Index steps, double rate) const;

  /// r_i = a_i u_i + b_i d.
  struct Rotated {
    Eigen::VectorXd a, b;
  };
  Rotated rotated(const Eigen::VectorXd& angles) const;
  /// r_i . r_j.
  Eigen::MatrixXd rotated_cosines(const Rotated& r) const;

 private:
  Eigen::MatrixXd cosines_;
  Eigen::VectorXd products_, angles_to_d_, caps_;
  double lambda_;
};

}  // namespace torsor
