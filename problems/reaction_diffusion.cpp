// Steady reaction-diffusion family:
//
//   u_xx + u_yy + u (1 - u^2) = g on (-1, 1)^2,  u = a1 tanh(w1 x) tanh(w2 y) + a2 sin(w3 x) sin(w4 y),
//   a ~ U(0.1, 1),  w ~ U(1, 5) by seed, or given as parameters.
//
// Source: Baldwinian-PINN (Wong et al., arXiv 2312.03243): mean relative L2 error 1.8e-4.
// Run: torsor solve problems/reaction-diffusion.cfg
#include "physics/random.h"
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Reaction-diffusion u_xx + u_yy + u(1 - u^2) = g on [-1, 1]^2, the Baldwinian-PINN family");
  p.coordinates("x in [-1, 1]; y in [-1, 1]");
  p.field("u");
  Random random(p.seed());
  for (const char* name : {"a1", "a2"})
    p.parameter(name, random.uniform(0.1, 1), 0, 10, "amplitude; default drawn from U(0.1, 1) by the seed");
  for (const char* name : {"w1", "w2", "w3", "w4"})
    p.parameter(name, random.uniform(1, 5), 0, 100, "wave number; default drawn from U(1, 5) by the seed");
  p.exact("u", "a1*tanh(w1*x)*tanh(w2*y) + a2*sin(w3*x)*sin(w4*y)");
  p.residual("pde", "u_xx + u_yy + u*(1 - u^2) - manufactured");
  p.boundary("bc", "u = u_exact");
}

const RegisterProblem registered("reaction-diffusion", "u_xx + u_yy + u(1 - u^2) = g on [-1, 1]^2", define);

}  // namespace
}  // namespace torsor
