// Fields that a linear problem maps to zero: at a resonance, or where a constant can be added to a field (a pressure,
// pure Neumann data), the residual is small and the answer arbitrary.
//
// With the further rows  epsilon (u - g) = 0  for random data g and everything else zero, the least-squares problem
//
//   min_u  || A u ||^2 + epsilon^2 || u - g ||^2      has the solution      sum_i  epsilon^2 / (epsilon^2 + s_i^2) <g, e_i> e_i
//
// in the singular system (s_i, e_i) of A: zero for a regular problem, the part of g in the null space for a singular
// one. A few random g span a null space of as many dimensions. They are further right sides of the factorisation that
// solves the tasks themselves with g = 0, whose solutions are then made orthogonal to the null space in L2.
#pragma once

#include "solvers/head/collocation.h"

namespace torsor {

class Ansatz;

/// Null spaces of up to this many dimensions are seen.
inline constexpr Index kPulls = 8;

/// Tasks with the rows epsilon u = 0, followed by kPulls homogeneous ones with epsilon (u - g_i) = 0.
struct PulledTasks {
  std::vector<Problem> problems;
  std::vector<TermPoints> points;  ///< of all terms, the added ones included
};

/// `points` are those of the tasks' own terms; the added rows stand on equally spaced points.
PulledTasks pull_tasks(const std::vector<const Problem*>& tasks, const std::vector<PartitionAxis>& axes, Index features,
                       const CollocationOptions& collocation, std::vector<TermPoints> points, double epsilon,
                       uint64_t seed);

struct NullSpace {
  Index dimension = 0;
  /// Modes were seen that the features resolve only in part: they are neither removed nor determined by the data.
  bool unresolved = false;
};

/// From the heads of pull_tasks with this epsilon (columns: tasks, then pulls): removes the null space from the tasks' heads and the
/// pulls from the matrix. Dimension 0 leaves the tasks' heads as they are.
/// `resolution` (d): bandwidth of the fields in units of 1 / half the length of the domain, for the quadrature.
NullSpace remove_null_space(const Problem& problem, const std::vector<PartitionAxis>& axes, const Ansatz& ansatz,
                            const Eigen::VectorXd& resolution, double epsilon, Eigen::MatrixXd& heads);

}  // namespace torsor
