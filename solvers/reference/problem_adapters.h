// What makes a classical solver a solver of Problems: a rule for when it applies, and a translation.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "solvers/reference/references.h"
#include "solvers/reference/space_time_solution.h"

namespace torsor {

struct ReferenceAdapter {
  std::string name;
  /// The rule that the problem breaks, as the end of "cannot solve it: ..."; empty when the solver applies.
  std::string (*obstacle)(const Problem&);
  /// Called without obstacle only. The result may share the problem, so that it outlives the caller's copy.
  ReferenceSolution (*solve)(const std::shared_ptr<const Problem>&, const ReferenceOptions&);
};

/// One in each problem_*.cpp of this room.
ReferenceAdapter exact_adapter();
ReferenceAdapter perforated_laplace_adapter();
ReferenceAdapter chebyshev_adapter();
ReferenceAdapter cole_hopf_adapter();
ReferenceAdapter transport_volterra_adapter();
ReferenceAdapter transport_modes_adapter();
ReferenceAdapter transport_laplace_adapter();
ReferenceAdapter transport_fronts_adapter();
ReferenceAdapter transport_characteristics_adapter();
ReferenceAdapter even_parity_adapter();
ReferenceAdapter diffusion_synthetic_adapter();
ReferenceAdapter micro_macro_adapter();
ReferenceAdapter even_odd_adapter();
ReferenceAdapter etdrk4_adapter();
ReferenceAdapter spectral_time_adapter();

// ---- what the adapters share --------------------------------------------------------------------

std::vector<const Term*> terms_at(const Problem& problem, Place place);

/// The boundary terms that hold on this piece.
std::vector<const Term*> terms_on(const Problem& problem, const std::string& piece);

/// A side of the box of the space coordinates; its piece is named "x_low", "x_high", ...
struct BoxSide {
  Index coordinate = 0;
  bool upper = false;
  std::string piece;
};

/// The 2 d sides of the space coordinates, in the order x low, x high, y low, y high.
std::vector<BoxSide> box_sides(const Problem& problem);

/// N outward normals (N x d, zero in time) of a side.
Eigen::MatrixXd side_normals(const Problem& problem, const BoxSide& side, Index n);

/// A few fixed points of the box of all coordinates, none of them special (N x d).
Eigen::MatrixXd probe_points(const Problem& problem);

/// State number k > 0 of a probe: values around 1, different for each point and jet (points x jets).
Eigen::MatrixXd probe_jets(Index points, Index jets, int k);

/// `points` moved to a side.
Eigen::MatrixXd on_side(const Problem& problem, const BoxSide& side, Eigen::MatrixXd points);

/// A term linearised at the zero state, and what stays the same at two other states (all jets positive and of
/// order one, so that logarithms and roots exist).
struct TermProbe {
  LinearizedTerm at_zero;
  std::vector<bool> linear;    ///< for each jet: its coefficient does not depend on the state
  std::vector<bool> constant;  ///< for each jet: nor on the point
  std::vector<bool> absent;    ///< for each jet: its coefficient vanishes at every state that was tried
  bool is_linear() const;      ///< in all jets
};
TermProbe probe_term(const Problem& problem, const Term& term, const Eigen::MatrixXd& points,
                     const Eigen::MatrixXd& normals = {});

/// The rule that the initial terms break if they are to determine `states` (jets with derivatives by time
/// only) point by point; empty if none.
std::string initial_obstacle(const Problem& problem, const std::vector<FieldJet>& states);

/// The values of `states` (columns) at the initial time: A s + r(0) = 0 for the initial terms, at each of the places
/// (N x space coordinates).
Eigen::MatrixXd initial_values(const Problem& problem, const std::vector<FieldJet>& states,
                               const Eigen::MatrixXd& places);

/// Columns (space, time) of points of a problem with one space coordinate.
Eigen::MatrixXd space_time_columns(const Problem& problem, const Eigen::MatrixXd& points);

/// Places (N x space coordinates) at one time.
Eigen::MatrixXd points_at_time(const Problem& problem, const Eigen::MatrixXd& places, double t);

/// tolerance * largest/(1 + largest): of the solvers that divide by 1 + max |u|, for one relative to max |u|.
double solver_tolerance(double tolerance, double largest);

/// The norm of a change (all entries) over that of the values; 0 where these vanish.
double relative_change(const Eigen::MatrixXd& change, const Eigen::MatrixXd& values);

/// The estimate of a space-time solution made relative to the largest value of its first n_fields fields.
double relative_estimate(const SpaceTimeSolution& solution, Index n_fields);

}  // namespace torsor
