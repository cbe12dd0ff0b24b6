// Viscous Burgers equation with a steepening sine wave:
//
//   u_t + u u_x = nu u_xx on (-1, 1) x (0, 1],  u(x, 0) = -sin(pi x),  u(+-1, t) = 0,  nu = 0.01 / pi.
//
// Source: Raissi, Perdikaris, Karniadakis, J. Comput. Phys. 378 (2019); Burgers1d-C of PINNacle.
// Run: torsor solve problems/burgers.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Burgers equation u_t + u u_x = nu u_xx, u(x, 0) = -sin(pi x)");
  p.coordinates("x in [-1, 1]; t in [0, 1] time");
  p.field("u");
  p.parameter("nu", 0.0031830988618379067, 1e-4, 10, "viscosity");
  p.residual("pde", "u_t + u*u_x - nu*u_xx = 0");
  p.boundary("bc", "u = 0");
  p.initial("ic", "u = -sin(pi*x)");
  p.reference("cole-hopf");
}

const RegisterProblem registered("burgers", "u_t + u u_x = nu u_xx, a forming shock", define);

}  // namespace
}  // namespace torsor
