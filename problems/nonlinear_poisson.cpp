// Semilinear elliptic equations on the unit square.
//
//   nonlinear-poisson:  -Lap u + u^3 = f,  u = sin(pi x) sin(2 pi y) + x y (manufactured)
//   bratu:              -Lap u = lambda exp(u),  u = 0 on the boundary (lower branch; fold at lambda = 6.808)
//
// Run: torsor solve problems/nonlinear-poisson.cfg, torsor solve problems/bratu.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define_cubic(ProblemBuilder& p) {
  p.title("Semilinear equation -Lap u + u^3 = f on the unit square");
  p.coordinates("x in [0, 1]; y in [0, 1]");
  p.field("u");
  p.exact("u", "sin(pi*x)*sin(2*pi*y) + x*y");
  p.residual("pde", "-lap(u) + u^3 - manufactured");
  p.boundary("bc", "u = u_exact");
}

void define_bratu(ProblemBuilder& p) {
  p.title("Bratu equation -Lap u = lambda exp(u) on the unit square, lower branch");
  p.coordinates("x in [0, 1]; y in [0, 1]");
  p.field("u");
  p.parameter("lambda", 1, 0, 6.8, "strength of the reaction");
  p.residual("pde", "-lap(u) = lambda*exp(u)");
  p.boundary("bc", "u = 0");
  p.reference("chebyshev-collocation");
}

const RegisterProblem cubic("nonlinear-poisson", "-Lap u + u^3 = f on the unit square", define_cubic);
const RegisterProblem bratu("bratu", "-Lap u = lambda exp(u) on the unit square", define_bratu);

}  // namespace
}  // namespace torsor
