// Heat equation with two decaying modes:
//
//   u_t = alpha u_xx on (0, 1) x (0, 1],  u(0, t) = u(1, t) = 0,  u(x, 0) = sin(pi x) + sin(3 pi x) / 2,
//   u = exp(-alpha pi^2 t) sin(pi x) + exp(-9 alpha pi^2 t) sin(3 pi x) / 2.
//
// Run: torsor solve problems/heat.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Heat equation u_t = alpha u_xx on the unit interval");
  p.coordinates("x in [0, 1]; t in [0, 1] time");
  p.field("u");
  p.parameter("alpha", 0.2, 1e-4, 10, "diffusivity");
  p.exact("u", "exp(-alpha*pi^2*t)*sin(pi*x) + 0.5*exp(-9*alpha*pi^2*t)*sin(3*pi*x)");
  p.residual("pde", "u_t - alpha*u_xx = 0");
  p.boundary("bc", "u = 0");
  p.initial("ic", "u = u_exact");
}

const RegisterProblem registered("heat", "u_t = alpha u_xx", define);

}  // namespace
}  // namespace torsor
