// Micro-macro scheme for one-dimensional linear transport (transport_problem.h) at every Knudsen number.
//
// With f = rho + eps g, <g> = 0 and Pi h = <h>:
//
//   rho_t + <v g>_x                                       = -sigma_A rho + Q
//   eps^2 g_t + eps (I - Pi)(v g_x) + v rho_x + sigma_S g = -eps^2 sigma_A g
//
// rho lives at the nodes x_i (both ends included unless periodic), g at the midpoints x_{i+1/2}:
// <v g>_x and v rho_x are compact differences, v g_x is upwind with Fromm's linear reconstruction. Streaming
// terms are explicit; v rho_x, sigma_S, sigma_A and Q implicit but local. In time the IMEX Runge-Kutta method
// ARS(2,2,2), after a short first step of Lemou and Mieussens' own method (g first, then rho with the
// new g), which an initial layer g = O(1/eps) does not spoil. For eps -> 0 it turns into the explicit
// three-point scheme for rho_t = (rho_x/(3 sigma_S))_x. Second order in space and time; the largest stable
// step, which is taken, is about max(0.85 eps h, 0.3 min sigma_S h^2) on meshes of width h.
//
// At a boundary, g_wall = (F - rho)/eps for incoming v and extrapolated for outgoing v; the flux <v g_wall>
// is implicit in rho. Where the mesh does not resolve the layer of width eps, rho_wall tends to the
// half-range integral of (v + 3/2 v^2) F, which is exact for isotropic inflow and within about 1 % of
// Chandrasekhar's H function otherwise; the extrapolation length is 0.7083 eps for 0.7104 eps. On periodic
// domains sum_i rho_i is kept to rounding.
//
// Sources: M. Lemou, L. Mieussens, SIAM J. Sci. Comput. 31 (2008), sections 3 and 4; U. Ascher, S. Ruuth,
// R. Spiteri, Appl. Numer. Math. 25 (1997), section 2.6; J. Jang, F. Li, J.-M. Qiu, T. Xiong, J. Comput.
// Phys. 281 (2015) (the pairing of the two).
#pragma once

#include "solvers/reference/transport_problem.h"

namespace torsor {

/// Snapshots at the nodes, cells + 1 of them, or cells for periodic problems (the first at a). InputError as
/// check_transport; NumericalError when the solution is not finite.
TransportSolution solve_micro_macro(const TransportProblem& problem, const TransportOptions& options = {});

}  // namespace torsor
