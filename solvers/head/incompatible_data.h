// Initial and boundary data that do not fit together: u = 0 at t = 0 and u = 1 on a wall. The solution then jumps in the
// corner of space-time, and no smooth features follow it there.
//
// The boundary data r(u) = 0 are replaced by r(u) = q((t - t0)/ramp) r(u0) for t < t0 + ramp, u0 the initial data, which
// begins with what the initial data say and ends with the boundary's own. The polynomial q has
//
//   q(0) = 1, q'(0) = q''(0) = 0,   q(1) = q'(1) = q''(1) = q'''(1) = 0,   int_0^1 q(s) s^j ds = 0 for j < moments,
//
// so that for a linear equation with coefficients constant in time, whose solution is the boundary data's convolution
// with a response, the field at the time t after the start changes by O((ramp/t)^(moments + 1)) only. The corner's
// singularity is described in N. Flyer, B. Fornberg, J. Comput. Phys. 184 (2003) 526.
#pragma once

#include "solvers/head/collocation.h"

namespace torsor {

/// rms of each field over the points on the initial face, from the initial terms that hold values only.
Eigen::VectorXd sizes_of_initial_data(const Problem& problem, const std::vector<TermPoints>& sets);

/// Coefficients, constant term first, of q.
Eigen::VectorXd ramp_polynomial(int moments);

class IncompatibleData {
 public:
  /// Looks at the boundary terms that hold values of the fields only (no derivatives). The initial data are read off the
  /// initial terms, linear in the values; where they are not, nothing is found.
  explicit IncompatibleData(const Problem& problem);

  bool found() const { return !jumps_.empty(); }
  /// Boundary points (with the start time) at which data jump, one row each. In one space dimension these are walls.
  const Eigen::MatrixXd& places() const { return places_; }
  /// The problem with ramps of this length, and `moments` as above.
  Problem with_ramp(double ramp, int moments) const;

 private:
  Problem problem_;
  double start_ = 0;
  std::vector<Index> jumps_;  // terms
  Eigen::MatrixXd places_;
};

}  // namespace torsor
