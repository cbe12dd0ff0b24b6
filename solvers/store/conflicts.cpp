#include "solvers/store/conflicts.h"

#include <algorithm>

namespace torsor {
namespace {

/// The share of values that are negative, and their mean.
std::pair<double, double> negative_and_mean(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const auto negative = std::count_if(values.begin(), values.end(), [](double value) { return value < 0; });
  return {static_cast<double>(negative) / count,
          Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size())).sum() / count};
}

}  // namespace

double Conflicts::of_pairs() const {
  const auto n = static_cast<double>(share.rows());
  return share.sum() / (n * (n - 1));
}

std::optional<Conflicts> conflicts_of(const RunRecord& run) {
  const auto n = static_cast<Eigen::Index>(run.gradients.size());
  Conflicts conflicts{run.gradients, 0, Eigen::MatrixXd::Zero(n, n), Eigen::MatrixXd::Identity(n, n)};
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = i + 1; j < n; ++j) {
      const std::string name = "cosine." + std::to_string(i) + "." + std::to_string(j);
      const auto curve = std::find_if(run.history.begin(), run.history.end(),
                                      [&](const HistoryRecord& record) { return record.name == name; });
      if (curve == run.history.end() || curve->values.empty()) return std::nullopt;
      conflicts.steps = static_cast<long>(curve->values.size());
      const auto [negative, mean] = negative_and_mean(curve->values);
      conflicts.share(i, j) = conflicts.share(j, i) = negative;
      conflicts.mean_cosine(i, j) = conflicts.mean_cosine(j, i) = mean;
    }
  if (conflicts.steps == 0) return std::nullopt;
  return conflicts;
}

}  // namespace torsor
