// Even-odd diffusive relaxation scheme for one-dimensional linear transport (transport_problem.h) at every
// Knudsen number.
//
// With the parities r = (f(v) + f(-v))/2, j = (f(v) - f(-v))/(2 eps), v in (0, 1], and phi = min(1, 1/eps^2):
//
//   r_t + v j_x     = (sigma_S/eps^2)(rho - r) - sigma_A r + Q,   rho = <r>
//   j_t + phi v r_x = -(1/eps^2) [sigma_S j + (1 - eps^2 phi) v r_x] - sigma_A j
//
// The left sides are advection of r +- j/sqrt(phi) with the speeds +-v sqrt(phi), bounded for all eps: upwind
// with MUSCL slopes (van Leer's limiter), second order in time by the factors 1 -+ c. The right sides are
// local and linear and are integrated exactly, with central differences for r_x. Strang splitting of the
// three: absorption and source, scattering, advection, scattering, absorption and source.
//
// Second order for eps = O(1) and for eps -> 0, where scattering projects on r = rho, j = -v rho_x/sigma_S;
// in between, where the step is about eps^2, the splitting can be of lower order. (The original relaxes by
// backward Euler and splits once, which is first order in time.) On periodic domains sum_i rho_i is kept to
// rounding.
//
// At a boundary r + eps j = F(v), and the wave that leaves is extrapolated. For eps = O(1) with inflow the
// order falls towards one: the data belong to the whole equation, not to a split step. The same set of
// velocities as in micro_macro.h, both halves of double Gauss.
//
// Source: S. Jin, L. Pareschi, G. Toscani, SIAM J. Numer. Anal. 35 (1998) and 38 (2000); B. van Leer, J.
// Comput. Phys. 32 (1979).
#pragma once

#include "solvers/reference/transport_problem.h"

namespace torsor {

/// Snapshots at the centres of the cells. InputError as check_transport; NumericalError when the solution is
/// not finite.
TransportSolution solve_even_odd(const TransportProblem& problem, const TransportOptions& options = {});

}  // namespace torsor
