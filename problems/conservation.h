// Conserved quantities: how far the integral over space of a solution's quantity, constant for the equation, drifts in time.
#pragma once

#include "problems/problem.h"

namespace torsor {

/// Throws InputError unless every one of problem.conserved is a quantity of the results that does not depend on the velocity,
/// and the problem has a time coordinate and a box for a domain.
void check_conserved(const Problem& problem);

/// The relative drift of each conserved quantity q,
///
///   max_t |I(t) - I(t_0)| / max_t int |q| dx,   I(t) = int q(x, t) dx,
///
/// at equal steps of time and, for initial layers, at small powers of ten of the whole time. Integrals by Gauss-Legendre
/// points, along periodic coordinates by equidistant ones. `fields`: the fields' values (N x fields) at points (N x d).
std::vector<std::pair<std::string, double>> conservation_drifts(
    const Problem& problem, const std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points)>& fields);

}  // namespace torsor
