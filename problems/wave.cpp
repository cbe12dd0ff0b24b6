// Wave equation with two standing waves:
//
//   u_tt = c^2 u_xx on (0, 1) x (0, 1],  u(0, t) = u(1, t) = 0,
//   u(x, 0) = sin(pi x) + sin(4 pi x) / 2,  u_t(x, 0) = 0,
//   u = sin(pi x) cos(c pi t) + sin(4 pi x) cos(4 c pi t) / 2,  c = 2.
//
// Source: Wang, Yu, Perdikaris, J. Comput. Phys. 449 (2022) (NTK of PINNs). Run: torsor solve problems/wave.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Wave equation u_tt = c^2 u_xx on the unit interval, modes 1 and 4");
  p.coordinates("x in [0, 1]; t in [0, 1] time");
  p.field("u");
  p.parameter("c", 2, 0.01, 100, "wave speed");
  p.exact("u", "sin(pi*x)*cos(c*pi*t) + 0.5*sin(4*pi*x)*cos(4*c*pi*t)");
  p.residual("pde", "u_tt - c^2*u_xx = 0");
  p.boundary("bc", "u = 0");
  p.initial("ic", "u = u_exact");
  p.initial("velocity", "u_t = 0");
}

const RegisterProblem registered("wave", "u_tt = c^2 u_xx", define);

}  // namespace
}  // namespace torsor
