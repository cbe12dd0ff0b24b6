#include "solvers/reference/evolution_form.h"

#include <Eigen/LU>
#include <algorithm>
#include <utility>

#include "solvers/reference/problem_adapters.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

int time_derivatives(const Problem& problem, const FieldJet& jet) {
  return jet.orders[static_cast<size_t>(problem.time())];
}

int space_derivatives(const Problem& problem, const FieldJet& jet) {
  return total_order(jet.orders) - time_derivatives(problem, jet);
}

bool is_highest(const Problem& problem, const FieldJet& jet) {
  return time_derivatives(problem, jet) == problem.time_order(jet.field);
}

FieldJet state_of(const Problem& problem, const FieldJet& jet) {
  FieldJet state{jet.field, MultiIndex(problem.coordinates.size(), 0)};
  state.orders[static_cast<size_t>(problem.time())] = time_derivatives(problem, jet);
  return state;
}

// The coefficients of the highest time derivatives at probe points: for each term, points x fields.
std::vector<MatrixXd> probed_mass(const Problem& problem, const std::vector<TermProbe>& probes) {
  const auto terms = terms_at(problem, Place::interior);
  std::vector<MatrixXd> mass;
  for (size_t i = 0; i < terms.size(); ++i) {
    const MatrixXd& coefficients = probes[i].at_zero.coefficients;
    mass.push_back(MatrixXd::Zero(coefficients.rows(), static_cast<Index>(problem.fields.size())));
    for (size_t c = 0; c < terms[i]->jets.size(); ++c)
      if (is_highest(problem, terms[i]->jets[c]))
        mass.back().col(terms[i]->jets[c].field) = coefficients.col(static_cast<Index>(c));
  }
  return mass;
}

MatrixXd at_point(const std::vector<MatrixXd>& mass, Index k) {
  MatrixXd m(static_cast<Index>(mass.size()), mass.front().cols());
  for (size_t i = 0; i < mass.size(); ++i) m.row(static_cast<Index>(i)) = mass[i].row(k);
  return m;
}

std::vector<TermProbe> probe_interior(const Problem& problem) {
  std::vector<TermProbe> probes;
  for (const Term* term : terms_at(problem, Place::interior))
    probes.push_back(probe_term(problem, *term, probe_points(problem)));
  return probes;
}

std::string shape_obstacle(const Problem& problem) {
  if (problem.time() < 0 || problem.space().size() != 1) return "one space dimension and time are needed";
  if (!problem.box) return "the domain must be the interval of its coordinate";
  if (terms_at(problem, Place::interior).size() != problem.fields.size())
    return "as many interior residuals as fields are needed";
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f)
    if (problem.time_order(f) < 1 || problem.time_order(f) > 2)
      return "field '" + problem.fields[static_cast<size_t>(f)].name + "' has time derivatives of order " +
             std::to_string(problem.time_order(f)) + ", not 1 or 2";
  return {};
}

std::string jet_obstacle(const Problem& problem, const Term& term, const TermProbe& probe) {
  for (size_t c = 0; c < term.jets.size(); ++c) {
    const FieldJet& jet = term.jets[c];
    const std::string text = "residual '" + term.name + "' has " + problem.jet_text(jet);
    if (space_derivatives(problem, jet) > 4) return text + ", an x-derivative beyond the fourth";
    if (!is_highest(problem, jet)) continue;
    if (space_derivatives(problem, jet) > 0) return text + ", an x-derivative of the highest time derivative";
    if (!probe.linear[c]) return text + " with a coefficient that depends on the solution";
  }
  return {};
}

}  // namespace

std::vector<FieldJet> evolution_states(const Problem& problem) {
  std::vector<FieldJet> states;
  for (int order = 0; order < 2; ++order)
    for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f) {
      if (problem.time_order(f) <= order) continue;
      states.push_back({f, MultiIndex(problem.coordinates.size(), 0)});
      states.back().orders[static_cast<size_t>(problem.time())] = order;
    }
  return states;
}

std::string EvolutionForm::obstacle(const Problem& problem) {
  if (const std::string shape = shape_obstacle(problem); !shape.empty()) return shape;
  const auto terms = terms_at(problem, Place::interior);
  const auto probes = probe_interior(problem);
  for (size_t i = 0; i < terms.size(); ++i)
    if (const std::string reason = jet_obstacle(problem, *terms[i], probes[i]); !reason.empty())
      return reason;
  const auto mass = probed_mass(problem, probes);
  for (Index k = 0; k < mass.front().rows(); ++k)
    if (!Eigen::FullPivLU<MatrixXd>(at_point(mass, k)).isInvertible())
      return "the residuals do not determine every highest time derivative";
  return {};
}

EvolutionForm::EvolutionForm(std::shared_ptr<const Problem> problem)
    : problem_(std::move(problem)), states_(evolution_states(*problem_)) {
  const Problem& p = *problem_;
  const auto terms = terms_at(p, Place::interior);
  for (const Term* term : terms)
    for (const FieldJet& jet : term->jets) order_ = std::max(order_, space_derivatives(p, jet));
  for (const Term* term : terms) {
    columns_.emplace_back();
    for (const FieldJet& jet : term->jets) {
      const auto state = std::find(states_.begin(), states_.end(), state_of(p, jet)) - states_.begin();
      columns_.back().push_back(is_highest(p, jet) ? -1 - jet.field
                                                   : state * (order_ + 1) + space_derivatives(p, jet));
    }
  }
  const auto mass = probed_mass(p, probe_interior(p));
  mass_ = at_point(mass, 0);
  constant_mass_ = true;
  for (Index k = 1; k < mass.front().rows(); ++k)
    constant_mass_ = constant_mass_ && at_point(mass, k) == mass_;
}

// The state whose rate is w_f.
Index EvolutionForm::rate_state(Index field) const {
  Index last = 0;
  for (size_t s = 0; s < states_.size(); ++s)
    if (states_[s].field == field) last = static_cast<Index>(s);
  return last;
}

EvolutionForm::Equations EvolutionForm::equations(double t, const VectorXd& x, const MatrixXd& jets,
                                                  bool linearized) const {
  const auto terms = terms_at(*problem_, Place::interior);
  const MatrixXd points = points_at_time(*problem_, x, t);
  Equations e{MatrixXd(x.size(), fields()), {}, {}};
  for (size_t i = 0; i < terms.size(); ++i) {
    const std::vector<Index>& columns = columns_[i];
    MatrixXd term_jets = MatrixXd::Zero(x.size(), static_cast<Index>(columns.size()));
    for (size_t c = 0; c < columns.size(); ++c)
      if (columns[c] >= 0) term_jets.col(static_cast<Index>(c)) = jets.col(columns[c]);
    if (!linearized) {
      e.residual.col(static_cast<Index>(i)) = evaluate_residual(*problem_, *terms[i], points, {}, term_jets);
      continue;
    }
    const LinearizedTerm term = linearize(*problem_, *terms[i], points, {}, term_jets);
    e.residual.col(static_cast<Index>(i)) = term.residual;
    e.mass.push_back(MatrixXd::Zero(x.size(), fields()));
    e.partials.push_back(MatrixXd::Zero(x.size(), jets.cols()));
    for (size_t c = 0; c < columns.size(); ++c) {
      const auto coefficient = term.coefficients.col(static_cast<Index>(c));
      if (columns[c] >= 0)
        e.partials.back().col(columns[c]) += coefficient;
      else
        e.mass.back().col(-1 - columns[c]) += coefficient;
    }
  }
  return e;
}

// M^-1 right at each point, right N x fields.
MatrixXd EvolutionForm::solve_mass(const Equations& e, const MatrixXd& right) const {
  if (constant_mass_) return mass_.partialPivLu().solve(right.transpose()).transpose();
  MatrixXd solution(right.rows(), right.cols());
  for (Index k = 0; k < right.rows(); ++k)
    solution.row(k) = at_point(e.mass, k).partialPivLu().solve(right.row(k).transpose()).transpose();
  return solution;
}

MatrixXd EvolutionForm::rates(double t, const VectorXd& x, const MatrixXd& jets) const {
  const Equations e = equations(t, x, jets, !constant_mass_);
  const MatrixXd w = -solve_mass(e, e.residual);
  MatrixXd result(x.size(), static_cast<Index>(states_.size()));
  for (Index f = 0; f < fields(); ++f) {
    const Index last = rate_state(f);
    if (last != f) result.col(f) = jets.col(last * (order_ + 1));
    result.col(last) = w.col(f);
  }
  return result;
}

MatrixXd EvolutionForm::partials(double t, const VectorXd& x, const MatrixXd& jets) const {
  const Equations e = equations(t, x, jets, true);
  const Index n_jets = jets.cols();
  MatrixXd result = MatrixXd::Zero(x.size(), static_cast<Index>(states_.size()) * n_jets);
  for (Index f = 0; f < fields(); ++f)
    if (rate_state(f) != f) result.col(f * n_jets + rate_state(f) * (order_ + 1)).setOnes();
  MatrixXd right(x.size(), fields());
  for (Index m = 0; m < n_jets; ++m) {
    for (Index i = 0; i < fields(); ++i) right.col(i) = e.partials[static_cast<size_t>(i)].col(m);
    if (right.isZero(0.0)) continue;
    const MatrixXd slopes = -solve_mass(e, right);
    for (Index f = 0; f < fields(); ++f) result.col(rate_state(f) * n_jets + m) = slopes.col(f);
  }
  return result;
}

bool EvolutionForm::diffusive() const {
  const Index n_jets = static_cast<Index>(states_.size()) * (order_ + 1);
  const MatrixXd points = probe_points(*problem_);
  const MatrixXd slopes =
      partials(problem_->coordinates[static_cast<size_t>(problem_->time())].low,
               points.col(problem_->space().front()), MatrixXd::Ones(points.rows(), n_jets));
  for (Index f = 0; f < fields(); ++f)
    for (int k = 2; k <= order_; k += 2) {
      const Index s = rate_state(f);
      if (!slopes.col(s * n_jets + s * (order_ + 1) + k).isZero(0.0)) return true;
    }
  return false;
}

}  // namespace torsor
