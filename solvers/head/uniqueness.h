// What theory says about uniqueness, so that it need not be found out by solving twice.
#pragma once

#include "solvers/head/collocation.h"

namespace torsor {

/// True where the maximum principle excludes a second solution: one field, one interior equation
///
///   A : D^2 u + b . grad u + c u = f,   A(x) definite and of the same sign s everywhere, s c(x) <= 0,
///
/// linear, without time, and a Dirichlet condition on every piece of the boundary (Gilbarg and Trudinger, Elliptic
/// Partial Differential Equations of Second Order, theorem 3.3). The coefficients are looked at in `points`.
/// False says nothing.
bool has_maximum_principle(const Problem& problem, const std::vector<TermPoints>& points);

}  // namespace torsor
