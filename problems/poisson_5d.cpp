// Poisson's equation in five dimensions (PoissonND of PINNacle, arXiv 2306.08827):
//
//   -Lap u = (pi^2 / 4) sum_i sin(pi x_i / 2) on (0, 1)^5,  u = sum_i sin(pi x_i / 2) on the boundary and inside.
//
// Run: torsor solve problems/poisson-5d.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Poisson equation in five dimensions, u = sum of sin(pi x_i / 2)");
  p.coordinates("x1 in [0, 1]; x2 in [0, 1]; x3 in [0, 1]; x4 in [0, 1]; x5 in [0, 1]");
  p.field("u");
  p.exact("u", "sin(pi*x1/2) + sin(pi*x2/2) + sin(pi*x3/2) + sin(pi*x4/2) + sin(pi*x5/2)");
  p.residual("pde", "-lap(u) - manufactured");
  p.boundary("bc", "u = u_exact");
}

const RegisterProblem registered("poisson-5d", "-Lap u = f on the unit cube in five dimensions", define);

}  // namespace
}  // namespace torsor
