#include "solvers/head/newton.h"

#include <algorithm>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

using State = std::vector<Eigen::MatrixXd>;  // jets at each point set

const Term& term_of(const Problem& problem, const TermPoints& set) {
  return problem.terms[static_cast<size_t>(set.term)];
}

std::vector<LinearizedTerm> linearize_all(const Problem& problem, const std::vector<TermPoints>& points,
                                          const State& state) {
  std::vector<LinearizedTerm> result;
  for (size_t s = 0; s < points.size(); ++s)
    result.push_back(linearize(problem, term_of(problem, points[s]), points[s].points, points[s].normals, state[s]));
  return result;
}

State zero_state(const Problem& problem, const std::vector<TermPoints>& points) {
  State state;
  for (const auto& set : points)
    state.emplace_back(
        Eigen::MatrixXd::Zero(set.points.rows(), static_cast<Index>(term_of(problem, set).jets.size())));
  return state;
}

State state_of(const Problem& problem, const std::vector<TermPoints>& points, const FieldFunction& field) {
  State state;
  for (const auto& set : points) state.push_back(field(set.points, term_of(problem, set).jets));
  return state;
}

using Residuals = std::vector<Eigen::VectorXd>;  // at each point set

// The norm that the least-squares system minimises.
double merit(const Residuals& residuals, const std::vector<Eigen::VectorXd>& row_weights) {
  double sum = 0;
  for (size_t s = 0; s < residuals.size(); ++s) sum += residuals[s].cwiseProduct(row_weights[s]).squaredNorm();
  return std::sqrt(sum);
}

Residuals residuals_of(const Problem& problem, const std::vector<TermPoints>& points, const State& state) {
  Residuals residuals;
  for (size_t s = 0; s < points.size(); ++s)
    residuals.push_back(
        evaluate_residual(problem, term_of(problem, points[s]), points[s].points, points[s].normals, state[s]));
  return residuals;
}

// Largest relative change of one of the fields' jets, each measured over all the points where it is asked for.
double relative_change(const Problem& problem, const std::vector<TermPoints>& points, const State& from,
                       const State& to) {
  std::vector<FieldJet> jets;
  std::vector<double> change, size;
  for (size_t s = 0; s < points.size(); ++s) {
    const auto& own = term_of(problem, points[s]).jets;
    for (size_t c = 0; c < own.size(); ++c) {
      const auto place = static_cast<size_t>(std::find(jets.begin(), jets.end(), own[c]) - jets.begin());
      if (place == jets.size()) {
        jets.push_back(own[c]);
        change.push_back(0);
        size.push_back(0);
      }
      const auto column = static_cast<Index>(c);
      change[place] += (to[s].col(column) - from[s].col(column)).squaredNorm();
      size[place] += to[s].col(column).squaredNorm();
    }
  }
  double worst = 0;
  for (size_t j = 0; j < jets.size(); ++j)
    if (size[j] > 0) worst = std::max(worst, std::sqrt(change[j] / size[j]));
  return worst;
}

State blend(const State& from, const State& to, double step) {
  State state;
  for (size_t s = 0; s < from.size(); ++s) state.push_back(from[s] + step * (to[s] - from[s]));
  return state;
}

std::vector<RowSystem::TermRows> rows_of(const Problem& problem, const Ansatz& ansatz,
                                         const std::vector<TermPoints>& points,
                                         const std::vector<LinearizedTerm>& linear, const State& state) {
  std::vector<RowSystem::TermRows> rows;
  for (size_t s = 0; s < points.size(); ++s) {
    const auto& jets = term_of(problem, points[s]).jets;
    const Eigen::MatrixXd from_lift = state[s] - ansatz.lift_jets(points[s].points, jets);
    const Eigen::VectorXd right =
        linear[s].coefficients.cwiseProduct(from_lift).rowwise().sum() - linear[s].residual;
    rows.push_back({jets, linear[s].coefficients, right});
  }
  return rows;
}

bool equal_coefficients(const std::vector<LinearizedTerm>& a, const std::vector<LinearizedTerm>& b) {
  for (size_t s = 0; s < a.size(); ++s) {
    const double scale = a[s].coefficients.cwiseAbs().maxCoeff() + 1e-300;
    if (!((a[s].coefficients - b[s].coefficients).cwiseAbs().maxCoeff() <= 1e-12 * scale)) return false;
  }
  return true;
}

Eigen::MatrixXd solve_linear(const std::vector<const Problem*>& tasks, const Ansatz& ansatz,
                             const std::vector<TermPoints>& points, const NewtonOptions& options,
                             NewtonReport& report) {
  const RowSystem system(*tasks.front(), ansatz, points, options.boundary_weight);
  const State state = zero_state(*tasks.front(), points);
  const auto linear = linearize_all(*tasks.front(), points, state);
  auto rows = rows_of(*tasks.front(), ansatz, points, linear, state);
  for (size_t t = 1; t < tasks.size(); ++t) {
    const auto other = linearize_all(*tasks[t], points, state);
    if (!equal_coefficients(linear, other)) throw InputError("tasks solved together must share their operator");
    const auto other_rows = rows_of(*tasks[t], ansatz, points, other, state);
    for (size_t s = 0; s < rows.size(); ++s) {
      rows[s].right_sides.conservativeResize(Eigen::NoChange, static_cast<Index>(t) + 1);
      rows[s].right_sides.col(static_cast<Index>(t)) = other_rows[s].right_sides.col(0);
    }
  }
  RowSystem::Result result = system.solve(rows, options.least_squares);
  report.head = std::move(result.report);
  report.linear = report.converged = true;
  report.iterations = 1;
  return std::move(result.head);
}

/// A residual above this part of the right sides belongs to a minimum, not to a solution.
constexpr double kSolved = 0.05;

/// The norm of the residual that the last linearised system leaves.
double least_of(const NewtonReport& report) {
  return report.head.residual * std::sqrt(static_cast<double>(report.head.rows));
}

/// The norm of the weighted right sides.
double load_of(const std::vector<RowSystem::TermRows>& rows, const RowSystem::Result& result) {
  Residuals right;
  for (const auto& term : rows) right.push_back(term.right_sides.col(0));
  return merit(right, result.row_weights);
}

/// Newton's method for one problem on fixed points.
class Newton {
 public:
  Newton(const Problem& problem, const Ansatz& ansatz, const std::vector<TermPoints>& points,
         const NewtonOptions& options)
      : problem_(problem),
        ansatz_(ansatz),
        points_(points),
        options_(options),
        system_(problem, ansatz, points, options.boundary_weight) {}

  /// Iterates from `state`, which becomes the last one. `cold`: the state is no guess, only a place to begin.
  Eigen::MatrixXd run(State& state, bool cold, NewtonReport& report) const;

  /// Solves r(u) = (1 - load) r(u_0) for loads up to 1, each from the solution of the one before: at u_0 the equations
  /// hold for load 0 (Newton homotopy; Allgower and Georg, Numerical Continuation Methods, 1990, section 1.3).
  Eigen::MatrixXd run_with_load(State state, NewtonReport& report);

 private:
  Residuals without_remainder(Residuals residuals) const {
    for (size_t s = 0; s < remainder_.size(); ++s) residuals[s] -= remainder_[s];
    return residuals;
  }
  std::vector<LinearizedTerm> linearize_at(const State& state) const {
    auto linear = linearize_all(problem_, points_, state);
    for (size_t s = 0; s < remainder_.size(); ++s) linear[s].residual -= remainder_[s];
    return linear;
  }
  double merit_at(const State& state, const RowSystem::Result& result) const {
    return merit(without_remainder(residuals_of(problem_, points_, state)), result.row_weights);
  }
  State state_of_head(const Eigen::MatrixXd& head) const {
    return state_of(problem_, points_, [&](const Eigen::MatrixXd& x, const std::vector<FieldJet>& jets) {
      return ansatz_.jets(x, jets, head);
    });
  }

  const Problem& problem_;
  const Ansatz& ansatz_;
  const std::vector<TermPoints>& points_;
  NewtonOptions options_;
  RowSystem system_;
  Residuals remainder_;  // (1 - load) r(u_0); empty for the full load
};

Eigen::MatrixXd Newton::run(State& state, bool cold, NewtonReport& report) const {
  Eigen::MatrixXd head, accepted;
  bool stagnated = false;
  for (int iteration = 0; iteration < options_.max_iterations; ++iteration) {
    const auto linear = linearize_at(state);
    Residuals residuals;
    for (const auto& term : linear) residuals.push_back(term.residual);
    const auto rows = rows_of(problem_, ansatz_, points_, linear, state);
    RowSystem::Result result = system_.solve(rows, options_.least_squares);
    head = std::move(result.head);
    report.head = std::move(result.report);
    const double before = merit(residuals, result.row_weights);
    if (report.residuals.empty()) report.residuals.push_back(before);
    const State target = state_of_head(head);
    const double change = relative_change(problem_, points_, state, target);
    // Armijo: accept the longest step of 1, 1/2, 1/4, ... that lowers the residual; a full step that hardly moves is
    // the end whatever rounding says about the residual.
    double step = 1, after = before;
    State next = target;
    for (; step > 1e-3; step /= 2) {
      next = blend(state, target, step);
      try {
        after = merit_at(next, result);
      } catch (const NumericalError&) {
        continue;
      }
      // Without a start the first step solves the equation linearised about zero: a better state than zero itself,
      // also where the nonlinear part makes its residual larger.
      const bool first_guess = cold && iteration == 0;
      if (after <= (1 - 1e-4 * step) * before || (step == 1 && (change < 1e-4 || first_guess))) break;
    }
    stagnated = step <= 1e-3;
    if (stagnated) break;
    if (step == 1) accepted = head;
    state = std::move(next);
    report.iterations += 1;
    report.residuals.push_back(after);
    report.updates.push_back(change);
    // Converged: the step was small, or the residual has come down to the least that the linearised system can reach,
    // so that the error of linearising is small beside that of the ansatz (the highest derivatives may still change by
    // rounding).
    const double least = least_of(report);
    const bool at_least = after <= 1.02 * least && after <= kSolved * load_of(rows, result) && (change < 1e-2 || (change < 0.1 && before <= 2 * after));
    if (step == 1 && (change < options_.tolerance || at_least)) {
      report.converged = true;
      return head;
    }
    stagnated = after > 0.95 * before && (!cold || iteration > 0);
    if (stagnated) break;
  }
  // The residual no longer falls. Close to the least that the linearised system allows the rest is rounding (large
  // coefficients that cancel); far from it this is a minimum of the least-squares problem, as an ansatz that is too
  // coarse has many. The hold-out residual says what it is worth.
  const bool near_least = std::min(report.residuals.back(), report.residuals.front()) <= 3 * least_of(report);
  const bool fell = accepted.size() > 0 && report.residuals.back() < 0.1 * report.residuals.front();
  if (stagnated && (near_least || fell))
    return accepted.size() > 0 ? accepted : head;
  throw NumericalError("Newton's method did not converge in " + std::to_string(report.iterations) +
                       " iterations; last relative change " +
                       (report.updates.empty() ? std::string("none") : std::to_string(report.updates.back())) +
                       ". Try a better start, shorter time windows, or a milder parameter");
}

Eigen::MatrixXd Newton::run_with_load(State state, NewtonReport& report) {
  constexpr double kLeastStep = 1.0 / 64;
  const Residuals at_start = residuals_of(problem_, points_, state);
  const double full_tolerance = options_.tolerance;
  double load = 0, step = 0.25;
  int iterations = 0;
  while (true) {
    const double next = std::min(1.0, load + step);
    remainder_.clear();
    if (next < 1)
      for (const auto& residual : at_start) remainder_.push_back((1 - next) * residual);
    options_.tolerance = next < 1 ? 1e-2 : full_tolerance;
    report = {};
    State attempt = state;
    try {
      Eigen::MatrixXd head = run(attempt, false, report);
      iterations += report.iterations;
      if (next == 1) {
        report.iterations = iterations;
        return head;
      }
      state = std::move(attempt);
      load = next;
      step *= 2;
    } catch (const NumericalError& error) {
      iterations += report.iterations;
      step /= 2;
      if (step < kLeastStep)
        throw NumericalError("continuation ended at load " + std::to_string(load) + " of 1: " + error.what());
    }
  }
}

}  // namespace

bool is_linear(const Problem& problem, const std::vector<TermPoints>& points) {
  // States without symmetry, with other values in every jet at every point: two positive ones (for logarithms and
  // roots, which must not stop the test) and one of both signs (for |u| and max(u, 0)).
  const auto state_with = [&](double centre, double phase) {
    State state = zero_state(problem, points);
    for (auto& jets : state)
      for (Index c = 0; c < jets.cols(); ++c)
        for (Index k = 0; k < jets.rows(); ++k)
          jets(k, c) = centre + 0.5 * std::sin(phase + 0.7 * static_cast<double>(k) + 2.3 * static_cast<double>(c));
    return state;
  };
  const auto first = linearize_all(problem, points, state_with(0.75, 1.0));
  if (!equal_coefficients(first, linearize_all(problem, points, state_with(0.75, 2.7)))) return false;
  try {
    return equal_coefficients(first, linearize_all(problem, points, state_with(0.0, 4.1)));
  } catch (const NumericalError&) {
    return false;
  }
}

bool equal_operators(const Problem& a, const Problem& b, const std::vector<TermPoints>& points) {
  return equal_coefficients(linearize_all(a, points, zero_state(a, points)),
                            linearize_all(b, points, zero_state(b, points)));
}

Eigen::MatrixXd solve_newton(const std::vector<const Problem*>& tasks, const Ansatz& ansatz,
                             const std::vector<TermPoints>& points, const FieldFunction& start,
                             const NewtonOptions& options, NewtonReport& report) {
  report = {};
  const Problem& problem = *tasks.front();
  std::vector<TermPoints> probe;
  for (const auto& set : points) {
    // Every so many points, so that the probe reaches all of the domain.
    std::vector<Index> rows;
    for (Index k = 0; k < set.points.rows(); k += std::max<Index>(1, set.points.rows() / 64)) rows.push_back(k);
    const Eigen::MatrixXd normals = set.normals.rows() > 0 ? Eigen::MatrixXd(set.normals(rows, Eigen::all)) : Eigen::MatrixXd();
    probe.push_back({set.term, set.points(rows, Eigen::all), normals, 1, true});
  }
  if (is_linear(problem, probe)) return solve_linear(tasks, ansatz, points, options, report);
  if (tasks.size() > 1) throw InputError("several tasks can be solved together only when they are linear");

  State state = start ? state_of(problem, points, start) : zero_state(problem, points);
  Newton newton(problem, ansatz, points, options);
  if (options.load_continuation) return newton.run_with_load(std::move(state), report);
  return newton.run(state, !start, report);
}

}  // namespace torsor
