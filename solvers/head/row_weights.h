// Weights of a least-squares system's rows in place of rows of equal norm.
#pragma once

#include "solvers/head/collocation.h"
#include "solvers/head/holdout.h"

namespace torsor {

/// Rows divided by the scale of their equation. Rows of equal norm weigh a residual by the features' derivatives, which are
/// large in narrow cells: the thinner the cell, the less it counts. These measure what the hold-out residual does. Returns
/// false, and changes nothing, where a scale is not known.
bool scale_rows(const Problem& problem, const EquationScales& scales, std::vector<TermPoints>& points);

/// What relaxing fields take over at the start of a window is forgotten after 1/rate: an error in it is one in that part of
/// the window only, and rows that insist on it would keep the field off the equilibrium that it has come to. The factor
/// min(1, 1/sqrt(rate duration)) for initial terms, 1 for others; `rates` of the fields.
double forgotten(const Term& term, const Eigen::VectorXd& rates, double duration);

/// Weighs such rows down by it.
void forget_rows(const Problem& window, const Eigen::VectorXd& rates, double duration, std::vector<TermPoints>& points);

/// And the hold-out residuals.
void forget_holdout(const Problem& window, const Eigen::VectorXd& rates, double duration, Holdout& holdout);

}  // namespace torsor
