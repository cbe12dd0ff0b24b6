// Korteweg-de Vries equation, a cosine breaking into solitons:
//
//   u_t + u u_x + delta2 u_xxx = 0 on [-1, 1) x (0, 1], periodic,  u(x, 0) = cos(pi x),  delta2 = 0.0025.
//
// Source: Raissi et al. 2019; jaxpi (arXiv 2308.08468). Run: torsor solve problems/kdv.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Korteweg-de Vries equation u_t + u u_x + delta2 u_xxx = 0, periodic, u(x, 0) = cos(pi x)");
  p.coordinates("x in [-1, 1] periodic; t in [0, 1] time");
  p.field("u");
  p.parameter("delta2", 0.0025, 1e-4, 1, "dispersion");
  p.residual("pde", "u_t + u*u_x + delta2*u_xxx = 0");
  p.initial("ic", "u = cos(pi*x)");
  p.reference("etdrk4");
}

const RegisterProblem registered("kdv", "u_t + u u_x + delta2 u_xxx = 0, periodic", define);

}  // namespace
}  // namespace torsor
