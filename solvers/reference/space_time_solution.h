// A solution u(x, t) held as a spectral expansion in x (SpectralBasis) times piecewise polynomials in t at
// Chebyshev-Lobatto times: what the 1-D evolution solvers return.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <vector>

#include "solvers/reference/spectral_basis.h"

namespace torsor {

/// One time interval with the nodal values at its Chebyshev-Lobatto times.
struct TimePiece {
  double start = 0.0, end = 0.0;
  Eigen::MatrixXd values;  ///< (basis.size * n_fields) x (degree + 1), field after field in each column
};

class SpaceTimeSolution {
 public:
  SpectralBasis basis;
  int n_fields = 1;
  std::vector<TimePiece> pieces;  ///< adjacent, ascending in time
  double seconds = 0.0;           ///< wall time of everything, coarser resolutions included
  long time_steps = 0;            ///< of the last run
  double error_estimate = 0.0;    ///< relative change from the coarser run; NaN for a single run

  /// Nodal values at time t, basis.size x n_fields. InputError when t is outside the time interval.
  Eigen::MatrixXd nodal(double t) const;
  /// The fields at M x 2 points (x, t) in any order, or their x-derivative of the given order: M x n_fields.
  /// InputError for another number of columns or a time outside.
  Eigen::MatrixXd evaluate(const Eigen::MatrixXd& points, int x_order = 0) const;

 private:
  // Index of the piece that holds t; InputError outside.
  std::size_t piece_at(double t) const;
};

/// max |fine - coarse| over 64 equispaced times of [from, end] at the nodes of `fine`, over all fields,
/// divided by 1 + max |fine|. `from` is the start unless given.
double relative_change(const SpaceTimeSolution& coarse, const SpaceTimeSolution& fine);
double relative_change(const SpaceTimeSolution& coarse, const SpaceTimeSolution& fine, double from);

}  // namespace torsor
