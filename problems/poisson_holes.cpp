// Laplace's equation on a perforated square (Poisson2d-C of PINNacle, arXiv 2306.08827):
//
//   Lap u = 0 on (-1/2, 1/2)^2 minus four discs of radius r at (+-c, +-c),
//   u = 1 on the sides, u = 0 on the circles;  r = 0.1, c = 0.3.
//
// Run: torsor solve problems/poisson-holes.cfg
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Laplace equation on a square with four circular holes (PINNacle Poisson2d-C)");
  p.coordinates("x in [-0.5, 0.5]; y in [-0.5, 0.5]");
  p.parameter("radius", 0.1, 0.01, 0.19, "radius of the holes");
  p.parameter("centre", 0.3, 0.2, 0.3, "distance of the holes' centres from the axes");
  p.domain(
      "box minus disk(centre, centre, radius) minus disk(-centre, centre, radius) "
      "minus disk(-centre, -centre, radius) minus disk(centre, -centre, radius)");
  p.field("u");
  p.residual("pde", "lap(u) = 0");
  p.boundary("sides", "u = 1");
  p.boundary("holes", "u = 0", {"circle1", "circle2", "circle3", "circle4"});
  p.reference("perforated-laplace");
}

const RegisterProblem registered("poisson-holes", "Laplace equation on a square with four holes", define);

}  // namespace
}  // namespace torsor
