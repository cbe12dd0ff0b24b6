// The hold-out residual: the label-free measure of a head's quality, on points that the fit has not seen.
//
// A term's residual is compared with the size of what is balanced in it,
//
//   eta = rms_k r(x_k) / scale,     scale^2 = mean_k sum_c (dr/d jet_c (x_k) * rms(jet_c))^2,
//
// rms(jet_c) over the interior: a number without units, 1 when nothing is solved, about 1e-16 at rounding. The moments of
// one kinetic equation share their scale, the largest.
#pragma once

#include <map>
#include <string>

#include "solvers/head/newton.h"

namespace torsor {

struct TermHoldout {
  Index term = 0;
  double relative = 0;       ///< eta
  double rms = 0, max = 0;   ///< of the residual itself
  Eigen::VectorXd values;    ///< r(x_k) / scale at each point of the set
};

/// What the moments of one equation with a velocity in it have in common: high ones vanish, and a residual that is small
/// against the others is not to be compared with them.
std::string equation_of(const Term& term);

/// The scale of each equation, by name.
using EquationScales = std::map<std::string, double>;

struct Holdout {
  std::vector<TermHoldout> terms;
  double worst = 0;  ///< largest eta
  EquationScales scales;
};

/// Evaluates every term at its hold-out points. `least`: scales that earlier time windows had, so that what has decayed
/// need not be as accurate relative to itself.
Holdout evaluate_holdout(const Problem& problem, const std::vector<TermPoints>& points, const FieldFunction& field,
                         const EquationScales& least = {});

/// Throws NumericalError when Newton's method did not converge and what it left is no solution (a relative hold-out
/// residual above 1e-3). A stagnation at rounding passes.
void require_solved(const NewtonReport& newton, double holdout);

}  // namespace torsor
