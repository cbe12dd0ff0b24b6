// Linear advection of a sine wave around a periodic interval:
//
//   u_t + c u_x = 0 on [0, 2 pi) x (0, 1],  u(x, 0) = sin x,  u = sin(x - c t).
//
// Source: Krishnapriyan et al., NeurIPS 2021 (failure modes of PINNs), c = 30. Run: torsor solve problems/advection.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Advection u_t + c u_x = 0, periodic, u = sin(x - ct)");
  p.coordinates("x in [0, 2*pi] periodic; t in [0, 1] time");
  p.field("u");
  p.parameter("c", 30, -1000, 1000, "speed");
  p.exact("u", "sin(x - c*t)");
  p.residual("pde", "u_t + c*u_x = 0");
  p.initial("ic", "u = sin(x)");
}

const RegisterProblem registered("advection", "u_t + c u_x = 0, periodic", define);

}  // namespace
}  // namespace torsor
