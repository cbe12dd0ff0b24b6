// What results show of a problem: its fields, unknowns of the velocity at the velocity nodes instead of their moments, and
// the derived quantities.
#pragma once

#include "problems/problem.h"

namespace torsor {

struct Quantity {
  std::string name, unit;
  bool of_velocity = false;
  /// From the fields' values (N x fields) at points (N x d): N x 1, or N x velocity nodes.
  std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points, const Eigen::MatrixXd& values)> of;
};

/// Those of the coordinates alone first.
std::vector<Quantity> quantities(const Problem& problem);

}  // namespace torsor
