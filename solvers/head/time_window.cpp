#include "solvers/head/time_window.h"

#include <algorithm>

#include "problems/residual.h"

namespace torsor {
namespace {

/// The moments of one unknown go together (holdout.h).
std::string continuing(const Problem& problem, const FieldJet& jet) {
  for (const auto& unknown : problem.velocity_fields)
    if (jet.field >= unknown.first && jet.field < unknown.first + unknown.basis.cols())
      return "continue " + unknown.name + "[" + problem.jet_text(jet) + "]";
  return "continue " + problem.jet_text(jet);
}

}  // namespace

double tolerance_for(const Problem& problem, const HeadOptions& options, const MarchTolerances& tolerances) {
  if (options.tolerance > 0) return options.tolerance;
  const auto axes = whole_domain(problem);
  return is_linear(problem, collocation_points(problem, axes, 16, {})) ? tolerances.linear : tolerances.nonlinear;
}

Problem window_problem(const Problem& problem, double start, double end,
                       const std::shared_ptr<const Window>& before) {
  Problem window = problem;
  const Index t = problem.time();
  window.coordinates[static_cast<size_t>(t)].low = start;
  window.coordinates[static_cast<size_t>(t)].high = end;
  if (!before) return window;
  std::erase_if(window.terms, [](const Term& term) { return term.place == Place::initial; });
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f)
    for (int order = 0; order < problem.time_order(f); ++order) {
      FieldJet jet{f, MultiIndex(static_cast<size_t>(problem.dimension()), 0)};
      jet.orders[static_cast<size_t>(t)] = order;
      window.terms.push_back(given_value_term(window, continuing(problem, jet), Place::initial, jet,
                                              [before, jet](const Eigen::MatrixXd& points) -> Eigen::VectorXd {
                                                return before->ansatz->jets(points, {jet}, before->head);
                                              }));
    }
  return window;
}

FieldFunction frozen_start(const std::shared_ptr<const Window>& before, Index time) {
  return [before, time](const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets) {
    Eigen::MatrixXd at_end = points;
    at_end.col(time).setConstant(before->end);
    Eigen::MatrixXd values = before->ansatz->jets(at_end, jets, before->head);
    for (size_t c = 0; c < jets.size(); ++c)
      if (jets[c].orders[static_cast<size_t>(time)] > 0) values.col(static_cast<Index>(c)).setZero();
    return values;
  };
}

Eigen::VectorXd relaxation_rates(const Problem& problem) {
  const Index t = problem.time();
  const auto points = collocation_points(problem, whole_domain(problem), 16, {});
  Eigen::VectorXd rates = Eigen::VectorXd::Zero(static_cast<Index>(problem.fields.size()));
  for (const auto& set : points) {
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    if (term.place != Place::interior) continue;
    const auto linear = linearize(problem, term, set.points, set.normals,
                                  Eigen::MatrixXd::Zero(set.points.rows(), static_cast<Index>(term.jets.size())));
    for (size_t c = 0; c < term.jets.size(); ++c) {
      const FieldJet& jet = term.jets[c];
      if (total_order(jet.orders) != 1 || jet.orders[static_cast<size_t>(t)] != 1) continue;
      const FieldJet value{jet.field, MultiIndex(jet.orders.size(), 0)};
      const auto at = std::find(term.jets.begin(), term.jets.end(), value);
      if (at == term.jets.end()) continue;
      const auto own = linear.coefficients.col(static_cast<Index>(c)).array();
      const auto decay = linear.coefficients.col(at - term.jets.begin()).array();
      rates[jet.field] = std::max(rates[jet.field], (decay / own).maxCoeff());
    }
  }
  return rates;
}

double relaxation_rate(const Problem& problem) { return relaxation_rates(problem).maxCoeff(); }

}  // namespace torsor
