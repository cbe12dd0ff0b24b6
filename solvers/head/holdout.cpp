#include "solvers/head/holdout.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

double rms(const Eigen::Ref<const Eigen::VectorXd>& values) {
  return values.norm() / std::sqrt(static_cast<double>(values.size()));
}

std::vector<FieldJet> all_jets(const Problem& problem) {
  std::vector<FieldJet> jets;
  for (const auto& term : problem.terms)
    for (const auto& jet : term.jets)
      if (std::find(jets.begin(), jets.end(), jet) == jets.end()) jets.push_back(jet);
  return jets;
}

// rms of each of the problem's jets over the interior points. A residual that acts as long as the points last changes a
// field by that times the duration: so in an initial layer of a kinetic equation, where the density hardly moves, its
// time derivative counts as density over duration.
std::vector<double> jet_sizes(const Problem& problem, const std::vector<TermPoints>& points,
                              const std::vector<FieldJet>& jets, const FieldFunction& field) {
  const Eigen::MatrixXd& interior = interior_of(problem, points);
  const Eigen::MatrixXd values = field(interior, jets);
  std::vector<double> sizes(jets.size());
  for (size_t c = 0; c < jets.size(); ++c) sizes[c] = rms(values.col(static_cast<Index>(c)));
  const Index t = problem.time();
  if (!problem.velocity || t < 0) return sizes;
  const double duration = interior.col(t).maxCoeff() - interior.col(t).minCoeff();
  for (size_t c = 0; c < jets.size(); ++c) {
    if (total_order(jets[c].orders) != 1 || jets[c].orders[static_cast<size_t>(t)] != 1) continue;
    const FieldJet value{jets[c].field, MultiIndex(jets[c].orders.size(), 0)};
    const auto at = std::find(jets.begin(), jets.end(), value);  // an initial term has it
    if (at != jets.end()) sizes[c] = std::max(sizes[c], sizes[static_cast<size_t>(at - jets.begin())] / duration);
  }
  return sizes;
}

}  // namespace

std::string equation_of(const Term& term) {
  return std::to_string(static_cast<int>(term.place)) + term.name.substr(0, term.name.find('['));
}

Holdout evaluate_holdout(const Problem& problem, const std::vector<TermPoints>& points, const FieldFunction& field,
                         const EquationScales& least) {
  const auto jets = all_jets(problem);
  const auto sizes = jet_sizes(problem, points, jets, field);
  Holdout result;
  result.scales = least;
  for (const auto& set : points) {
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    const auto linear = linearize(problem, term, set.points, set.normals, field(set.points, term.jets));
    double scale2 = 0;
    for (size_t c = 0; c < term.jets.size(); ++c) {
      const auto size = sizes[static_cast<size_t>(std::find(jets.begin(), jets.end(), term.jets[c]) - jets.begin())];
      scale2 += linear.coefficients.col(static_cast<Index>(c)).squaredNorm() * size * size /
                static_cast<double>(set.points.rows());
    }
    double& of_equation = result.scales[equation_of(term)];
    of_equation = std::max(of_equation, std::sqrt(scale2));
    TermHoldout entry;
    entry.term = set.term;
    entry.rms = rms(linear.residual);
    entry.max = linear.residual.cwiseAbs().maxCoeff();
    entry.values = linear.residual;
    result.terms.push_back(std::move(entry));
  }
  for (auto& entry : result.terms) {
    const Term& term = problem.terms[static_cast<size_t>(entry.term)];
    // The zero field balances nothing: what is left is then the residual in full.
    const double balanced = result.scales[equation_of(term)], scale = balanced > 0 ? balanced : 1;
    entry.relative = entry.rms / scale;
    // A field so large that its scale overflows would pass as solved.
    if (!std::isfinite(scale) || !std::isfinite(entry.relative))
      throw NumericalError("term '" + term.name + "' (" + term.text + "): the fields of the head are too large");
    entry.values /= scale;
    result.worst = std::max(result.worst, entry.relative);
  }
  return result;
}

void require_solved(const NewtonReport& newton, double holdout) {
  constexpr double kUnsolved = 1e-3;
  if (newton.converged || holdout <= kUnsolved) return;
  throw NumericalError("Newton's method did not converge; the best head leaves a relative hold-out residual of " +
                       scientific(holdout));
}

}  // namespace torsor
