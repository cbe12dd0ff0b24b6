// Helmholtz equation with a plane-wave product as solution:
//
//   Lap u + k^2 u = f on (0, 1)^2,  u = sin(k x) sin(k y),  Dirichlet data from u.
//
// Source: FastLSQ (arXiv 2602.10541), k = 10. Run: torsor solve problems/helmholtz.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Helmholtz equation Lap u + k^2 u = f on the unit square, u = sin(kx) sin(ky)");
  p.coordinates("x in [0, 1]; y in [0, 1]");
  p.field("u");
  p.parameter("k", 10, 0, 100, "wave number");
  p.exact("u", "sin(k*x)*sin(k*y)");
  p.residual("pde", "lap(u) + k^2*u - manufactured");
  p.boundary("bc", "u = u_exact");
}

const RegisterProblem registered("helmholtz", "Lap u + k^2 u = f on the unit square", define);

}  // namespace
}  // namespace torsor
