#include "solvers/reference/problem_adapters.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// Coefficients computed from different states differ by rounding only when they are the same function.
bool same(const VectorXd& a, const VectorXd& b) {
  return (a - b).cwiseAbs().maxCoeff() <= 1e-12 * (a.cwiseAbs().maxCoeff() + b.cwiseAbs().maxCoeff());
}

struct InitialSystem {
  std::vector<MatrixXd> matrices;  // for each point, terms x states
  MatrixXd residual;               // points x terms
};

InitialSystem initial_system(const Problem& problem, const std::vector<FieldJet>& states, const MatrixXd& places) {
  const auto terms = terms_at(problem, Place::initial);
  const auto n_terms = static_cast<Index>(terms.size()), n_states = static_cast<Index>(states.size());
  const MatrixXd points =
      points_at_time(problem, places, problem.coordinates[static_cast<size_t>(problem.time())].low);
  InitialSystem system{
      std::vector<MatrixXd>(static_cast<size_t>(places.rows()), MatrixXd::Zero(n_terms, n_states)),
      MatrixXd(places.rows(), n_terms)};
  for (Index k = 0; k < n_terms; ++k) {
    const Term& term = *terms[static_cast<size_t>(k)];
    const auto n_jets = static_cast<Index>(term.jets.size());
    const LinearizedTerm zero = linearize(problem, term, points, {}, MatrixXd::Zero(places.rows(), n_jets));
    system.residual.col(k) = zero.residual;
    for (Index c = 0; c < n_jets; ++c) {
      const auto state =
          std::find(states.begin(), states.end(), term.jets[static_cast<size_t>(c)]) - states.begin();
      for (Index i = 0; i < places.rows(); ++i)
        system.matrices[static_cast<size_t>(i)](k, state) = zero.coefficients(i, c);
    }
  }
  return system;
}

}  // namespace

std::vector<const Term*> terms_at(const Problem& problem, Place place) {
  std::vector<const Term*> found;
  for (const Term& term : problem.terms)
    if (term.place == place) found.push_back(&term);
  return found;
}

std::vector<const Term*> terms_on(const Problem& problem, const std::string& piece) {
  std::vector<const Term*> found;
  for (const Term* term : terms_at(problem, Place::boundary)) {
    const auto pieces = problem.pieces_of(*term);
    if (std::find(pieces.begin(), pieces.end(), piece) != pieces.end()) found.push_back(term);
  }
  return found;
}

std::vector<BoxSide> box_sides(const Problem& problem) {
  std::vector<BoxSide> sides;
  for (Index i : problem.space()) {
    const std::string& name = problem.coordinates[static_cast<size_t>(i)].name;
    sides.push_back({i, false, name + "_low"});
    sides.push_back({i, true, name + "_high"});
  }
  return sides;
}

MatrixXd side_normals(const Problem& problem, const BoxSide& side, Index n) {
  MatrixXd normals = MatrixXd::Zero(n, problem.dimension());
  normals.col(side.coordinate).setConstant(side.upper ? 1.0 : -1.0);
  return normals;
}

MatrixXd probe_points(const Problem& problem) {
  constexpr Index kPoints = 7;
  MatrixXd points(kPoints, problem.dimension());
  for (Index i = 0; i < points.cols(); ++i) {
    const Coordinate& c = problem.coordinates[static_cast<size_t>(i)];
    for (Index k = 0; k < kPoints; ++k) {
      const double turn =
          (0.6180339887498949 + 0.1414213562373095 * static_cast<double>(i)) * static_cast<double>(k + 1);
      points(k, i) = c.low + (c.high - c.low) * (turn - std::floor(turn));
    }
  }
  return points;
}

MatrixXd probe_jets(Index points, Index jets, int k) {
  MatrixXd state(points, jets);
  for (Index i = 0; i < points; ++i)
    for (Index c = 0; c < jets; ++c)
      state(i, c) =
          1.0 + 0.4 * std::sin(1.7 * static_cast<double>(i) + 2.3 * static_cast<double>(c) + 1.1 * k);
  return state;
}

MatrixXd on_side(const Problem& problem, const BoxSide& side, MatrixXd points) {
  const Coordinate& c = problem.coordinates[static_cast<size_t>(side.coordinate)];
  points.col(side.coordinate).setConstant(side.upper ? c.high : c.low);
  return points;
}

bool TermProbe::is_linear() const {
  return std::all_of(linear.begin(), linear.end(), [](bool b) { return b; });
}

TermProbe probe_term(const Problem& problem, const Term& term, const MatrixXd& points,
                     const MatrixXd& normals) {
  const auto n_jets = static_cast<Index>(term.jets.size());
  TermProbe probe;
  probe.at_zero = linearize(problem, term, points, normals, MatrixXd::Zero(points.rows(), n_jets));
  probe.linear.assign(term.jets.size(), true);
  probe.absent.assign(term.jets.size(), true);
  const MatrixXd& zero = probe.at_zero.coefficients;
  for (int k = 1; k <= 2; ++k) {
    const MatrixXd other =
        linearize(problem, term, points, normals, probe_jets(points.rows(), n_jets, k)).coefficients;
    for (Index c = 0; c < n_jets; ++c) {
      const auto jet = static_cast<size_t>(c);
      probe.linear[jet] = probe.linear[jet] && same(zero.col(c), other.col(c));
      probe.absent[jet] = probe.absent[jet] && zero.col(c).isZero(0.0) && other.col(c).isZero(0.0);
    }
  }
  for (Index c = 0; c < n_jets; ++c)
    probe.constant.push_back(probe.linear[static_cast<size_t>(c)] &&
                             same(zero.col(c), VectorXd::Constant(points.rows(), zero(0, c))));
  return probe;
}

std::string initial_obstacle(const Problem& problem, const std::vector<FieldJet>& states) {
  const auto terms = terms_at(problem, Place::initial);
  if (terms.size() != states.size())
    return std::to_string(states.size()) + " initial conditions are needed, there are " +
           std::to_string(terms.size());
  MatrixXd points = probe_points(problem);
  const auto time = problem.time();
  points.col(time).setConstant(problem.coordinates[static_cast<size_t>(time)].low);
  for (const Term* term : terms) {
    for (const FieldJet& jet : term->jets)
      if (std::find(states.begin(), states.end(), jet) == states.end())
        return "initial condition '" + term->name + "' has " + problem.jet_text(jet) +
               ", which is no initial value of the evolution";
    if (!probe_term(problem, *term, points).is_linear())
      return "initial condition '" + term->name + "' is not linear";
  }
  const InitialSystem system = initial_system(problem, states, points(Eigen::all, problem.space()));
  for (const MatrixXd& matrix : system.matrices)
    if (!Eigen::FullPivLU<MatrixXd>(matrix).isInvertible())
      return "the initial conditions do not determine every initial value";
  return {};
}

MatrixXd initial_values(const Problem& problem, const std::vector<FieldJet>& states, const MatrixXd& places) {
  const InitialSystem system = initial_system(problem, states, places);
  MatrixXd values(places.rows(), static_cast<Index>(states.size()));
  for (Index i = 0; i < places.rows(); ++i)
    values.row(i) = -system.matrices[static_cast<size_t>(i)]
                         .partialPivLu()
                         .solve(system.residual.row(i).transpose())
                         .transpose();
  return values;
}

MatrixXd space_time_columns(const Problem& problem, const MatrixXd& points) {
  if (points.cols() != problem.dimension())
    throw InputError("the reference solution takes points with " + std::to_string(problem.dimension()) +
                     " columns, not " + std::to_string(points.cols()));
  MatrixXd columns(points.rows(), 2);
  columns << points.col(problem.space().front()), points.col(problem.time());
  return columns;
}

MatrixXd points_at_time(const Problem& problem, const MatrixXd& places, double t) {
  MatrixXd points(places.rows(), problem.dimension());
  points(Eigen::all, problem.space()) = places;
  points.col(problem.time()).setConstant(t);
  return points;
}

double solver_tolerance(double tolerance, double largest) {
  return largest > 0.0 ? tolerance * largest / (1.0 + largest) : tolerance;
}

double relative_change(const MatrixXd& change, const MatrixXd& values) {
  const double size = values.norm();
  return size > 0.0 ? change.norm() / size : 0.0;
}

double relative_estimate(const SpaceTimeSolution& solution, Index n_fields) {
  double largest = 0.0;
  for (const TimePiece& piece : solution.pieces)
    largest = std::max(largest, piece.values.topRows(solution.basis.size * n_fields).cwiseAbs().maxCoeff());
  return largest > 0.0 ? solution.error_estimate * (1.0 + largest) / largest : solution.error_estimate;
}

}  // namespace torsor
