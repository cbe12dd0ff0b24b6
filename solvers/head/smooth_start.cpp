#include "solvers/head/smooth_start.h"

#include "problems/residual.h"

namespace torsor {
namespace {

constexpr double kSmoothness = 1e-3;

// sum_i h_i^2 d^2 u / dx_i^2 = 0.
Term smoothness(const Problem& problem, Index field) {
  std::vector<FieldJet> jets;
  std::vector<double> factors;
  for (Index i = 0; i < problem.dimension(); ++i) {
    const auto& c = problem.coordinates[static_cast<size_t>(i)];
    FieldJet second{field, MultiIndex(static_cast<size_t>(problem.dimension()), 0)};
    second.orders[static_cast<size_t>(i)] = 2;
    jets.push_back(second);
    factors.push_back(0.25 * (c.high - c.low) * (c.high - c.low));
  }
  return weighted_sum_term(problem, "smooth " + problem.fields[static_cast<size_t>(field)].name, Place::interior, jets,
                           factors);
}

}  // namespace

FieldFunction smooth_start(const Problem& problem, const std::shared_ptr<const Ansatz>& ansatz,
                           const std::vector<TermPoints>& points, const NewtonOptions& options) {
  Problem conditions = problem;
  std::vector<TermPoints> sets;
  for (const auto& set : points)
    if (problem.terms[static_cast<size_t>(set.term)].place != Place::interior) sets.push_back(set);
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f) {
    sets.push_back({static_cast<Index>(conditions.terms.size()), interior_of(problem, points), {}, kSmoothness, true});
    conditions.terms.push_back(smoothness(problem, f));
  }
  NewtonOptions plain = options;
  plain.load_continuation = false;
  NewtonReport report;
  const Eigen::VectorXd head = solve_newton({&conditions}, *ansatz, sets, {}, plain, report);
  return [ansatz, head](const Eigen::MatrixXd& x, const std::vector<FieldJet>& jets) {
    return ansatz->jets(x, jets, head);
  };
}

}  // namespace torsor
