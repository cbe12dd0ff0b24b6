// Collocation points of every term of a problem on one space-time window.
//
// On boxes each cell of the partition gets a tensor grid of Chebyshev-Gauss points in up to two coordinates (dense at
// the cell's ends, where a collocation fit is weakest) or Sobol points above; faces likewise. Other domains take Sobol
// points inside and on their boundary pieces. A sampler can be named instead.
#pragma once

#include "operators/patchwork.h"
#include "problems/problem.h"

namespace torsor {

struct TermPoints {
  Index term = 0;           ///< index into problem.terms
  Eigen::MatrixXd points;   ///< N x d
  Eigen::MatrixXd normals;  ///< N x d on boundaries, else empty
  double weight = 1;        ///< of these rows, on top of what the system chooses
  bool equalise = true;     ///< divide each row by its norm; false where the sum over the points is a quadrature
};

struct CollocationOptions {
  /// "auto" as described above, or a name of physics/sampler.h.
  std::string sampler = "auto";
  /// Interior points in all; 0: oversampling times the number of features.
  Index interior = 0;
  /// Points on the boundary (all pieces together) and on the initial face; 0: chosen from the features.
  Index boundary = 0;
  /// Interior equations for each unknown coefficient. Two to four are enough for Chebyshev points; more only cost.
  double oversampling = 2.5;
  /// Relative resolution wanted along each coordinate of a cell (d); empty: equal.
  Eigen::VectorXd resolution;
  uint64_t seed = 0;
};

/// The partition of the coordinates' whole ranges into one cell.
std::vector<PartitionAxis> whole_domain(const Problem& problem);

/// Points for all terms. `axes` is the partition of the window (time included), `features` the features of one field
/// in each cell. Throws InputError for a term without points.
std::vector<TermPoints> collocation_points(const Problem& problem, const std::vector<PartitionAxis>& axes,
                                           Index features, const CollocationOptions& options);

/// About `fraction` as many points, uniformly random and independent of the ones above: for the hold-out residual.
std::vector<TermPoints> holdout_points(const Problem& problem, const std::vector<PartitionAxis>& axes, Index features,
                                       const CollocationOptions& options, double fraction = 0.5);

/// Moves points towards the first time: t = low + (high - low) s^power with s in [0, 1] as it was.
void grade_time(const Problem& problem, double power, Eigen::MatrixXd& points);
/// The power where nothing else decides: 2 for kinetic equations, which begin fast, else 1.
double default_time_grading(const Problem& problem);

/// The points of the first interior term.
const Eigen::MatrixXd& interior_of(const Problem& problem, const std::vector<TermPoints>& sets);

}  // namespace torsor
