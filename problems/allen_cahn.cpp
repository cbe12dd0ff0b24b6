// Allen-Cahn equation with sharpening interfaces:
//
//   u_t = d u_xx + 5 u - 5 u^3 on [-1, 1) x (0, 1], periodic,  u(x, 0) = x^2 cos(pi x),  d = 1e-4.
//
// Source: Raissi et al. 2019; Wang et al., jaxpi (arXiv 2308.08468). Run: torsor solve problems/allen-cahn.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Allen-Cahn equation u_t = d u_xx + 5 u - 5 u^3, periodic, u(x, 0) = x^2 cos(pi x)");
  p.coordinates("x in [-1, 1] periodic; t in [0, 1] time");
  p.field("u");
  p.parameter("diffusivity", 1e-4, 1e-5, 1, "diffusivity");
  p.residual("pde", "u_t - diffusivity*u_xx - 5*u + 5*u^3 = 0");
  p.initial("ic", "u = x^2*cos(pi*x)");
  p.reference("etdrk4");
}

const RegisterProblem registered("allen-cahn", "u_t = d u_xx + 5 u - 5 u^3, periodic", define);

}  // namespace
}  // namespace torsor
