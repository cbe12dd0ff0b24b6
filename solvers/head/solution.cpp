#include "solvers/head/solution.h"

#include <algorithm>

namespace torsor {

Solution::Solution(Index time, std::vector<Window> windows) : time_(time), windows_(std::move(windows)) {}

Eigen::MatrixXd Solution::jets(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets) const {
  if (windows_.size() == 1) return windows_.front().ansatz->jets(points, jets, windows_.front().head);
  std::vector<std::vector<Index>> rows(windows_.size());
  for (Index k = 0; k < points.rows(); ++k) {
    const auto after = std::find_if(windows_.begin(), windows_.end() - 1,
                                    [&](const Window& w) { return points(k, time_) <= w.end; });
    rows[static_cast<size_t>(after - windows_.begin())].push_back(k);
  }
  Eigen::MatrixXd values(points.rows(), static_cast<Index>(jets.size()));
  for (size_t w = 0; w < windows_.size(); ++w) {
    if (rows[w].empty()) continue;
    const Eigen::MatrixXd local = points(rows[w], Eigen::all);
    values(rows[w], Eigen::all) = windows_[w].ansatz->jets(local, jets, windows_[w].head);
  }
  return values;
}

}  // namespace torsor
