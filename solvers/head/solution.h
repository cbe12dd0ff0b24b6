// A solved head: one ansatz and head for each time window (a single one for steady problems and for evolution problems
// solved in one piece).
#pragma once

#include <memory>
#include <vector>

#include "solvers/head/ansatz.h"

namespace torsor {

struct Window {
  double start = 0, end = 0;  ///< in time; not used without time
  std::shared_ptr<const Ansatz> ansatz;
  Eigen::VectorXd head;
};

class Solution {
 public:
  /// `time` is the index of the time coordinate, -1 without. Windows in order, each starting where the one before ends.
  Solution(Index time, std::vector<Window> windows);

  /// Jets at points (N x d): N x jets.size(). Points outside all windows are extrapolated from the nearest.
  Eigen::MatrixXd jets(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets) const;

  Index time() const { return time_; }
  const std::vector<Window>& windows() const { return windows_; }

 private:
  Index time_;
  std::vector<Window> windows_;
};

}  // namespace torsor
