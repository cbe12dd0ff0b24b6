// Steady diffusion with a variable coefficient:
//
//   -div(a grad u) = f on (0, 1)^2,  a = 1 + contrast sin(2 pi x) cos(2 pi y) / 2 + x y,
//   u = exp(x) sin(pi y) + cos(2 pi x) y,  Dirichlet data from u.
//
// Run: torsor solve problems/diffusion.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Diffusion -div(a grad u) = f on the unit square with a smooth variable coefficient a");
  p.coordinates("x in [0, 1]; y in [0, 1]");
  p.field("u");
  p.parameter("contrast", 1, 0, 1.9, "strength of the coefficient's oscillation");
  p.define("a", "1 + contrast*sin(2*pi*x)*cos(2*pi*y)/2 + x*y");
  p.exact("u", "exp(x)*sin(pi*y) + cos(2*pi*x)*y");
  p.residual("pde", "-div(a*u_x, a*u_y) - manufactured");
  p.boundary("bc", "u = u_exact");
}

const RegisterProblem registered("diffusion", "-div(a grad u) = f on the unit square", define);

}  // namespace
}  // namespace torsor
