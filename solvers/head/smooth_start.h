// A start for Newton's method that knows the boundary data: the smoothest field that meets the boundary and initial
// conditions,
//
//   min_u  sum_conditions ( residual )^2  +  epsilon^2 sum_fields ( sum_i h_i^2 d^2 u / dx_i^2 )^2,
//
// with h_i half the length of the domain: nearly the harmonic extension where the data are Dirichlet's. From u = 0 the
// linearised equations may have nothing in common with those at the solution (convection by u, u^2 u_xx).
#pragma once

#include "solvers/head/newton.h"

namespace torsor {

/// The fields of `ansatz` that solve this; `points` are those of the problem's terms. Throws NumericalError.
FieldFunction smooth_start(const Problem& problem, const std::shared_ptr<const Ansatz>& ansatz,
                           const std::vector<TermPoints>& points, const NewtonOptions& options);

}  // namespace torsor
