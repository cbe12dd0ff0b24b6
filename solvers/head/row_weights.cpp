#include "solvers/head/row_weights.h"

#include <algorithm>
#include <cmath>

namespace torsor {

bool scale_rows(const Problem& problem, const EquationScales& scales, std::vector<TermPoints>& points) {
  std::vector<double> weights;
  for (const auto& set : points) {
    const auto scale = scales.find(equation_of(problem.terms[static_cast<size_t>(set.term)]));
    if (scale == scales.end()) return false;
    weights.push_back(scale->second > 0 ? 1 / scale->second : 1);  // the zero field balances nothing
  }
  for (size_t s = 0; s < points.size(); ++s) {
    points[s].equalise = false;
    points[s].weight = weights[s];
  }
  return true;
}

double forgotten(const Term& term, const Eigen::VectorXd& rates, double duration) {
  if (term.place != Place::initial) return 1;
  return 1 / std::sqrt(std::max(1.0, rates[term.jets.front().field] * duration));
}

void forget_rows(const Problem& window, const Eigen::VectorXd& rates, double duration, std::vector<TermPoints>& points) {
  for (auto& set : points) set.weight *= forgotten(window.terms[static_cast<size_t>(set.term)], rates, duration);
}

void forget_holdout(const Problem& window, const Eigen::VectorXd& rates, double duration, Holdout& holdout) {
  holdout.worst = 0;
  for (auto& entry : holdout.terms) {
    const double factor = forgotten(window.terms[static_cast<size_t>(entry.term)], rates, duration);
    entry.relative *= factor;
    entry.values *= factor;
    holdout.worst = std::max(holdout.worst, entry.relative);
  }
}

}  // namespace torsor
