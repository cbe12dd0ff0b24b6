// Poisson's equation with a source of Gaussian bumps and no closed solution:
//
//   -Lap u = sum_{i=1}^{bumps} a_i exp(-((x - x_i)^2 + (y - y_i)^2) / (2 s_i^2)) on (0, 1)^2,  u = 0 on the boundary,
//   a_i ~ U(0.5, 1),  (x_i, y_i) ~ U(0, 1)^2,  s_i ~ U(width_low, width_high).
//
// The family runs over the seed. Source: the Poisson-Gauss family (Herde et al., Poseidon, arXiv 2405.19101, and
// reimplementations of Pi-PINN). Run: torsor solve problems/poisson-gauss.cfg
#include "physics/error.h"
#include "physics/random.h"
#include "problems/builder.h"

namespace torsor {
namespace {

void define(ProblemBuilder& p) {
  p.title("Poisson equation -Lap u = f on the unit square, f a sum of Gaussian bumps");
  p.coordinates("x in [0, 1]; y in [0, 1]");
  p.field("u");
  const int bumps = p.whole_parameter("bumps", 5, 1, 100, "number of bumps");
  const double low = p.parameter("width_low", 0.05, 0.02, 1, "least width (standard deviation)");
  const double high = p.parameter("width_high", 0.2, 0.02, 1, "largest width (standard deviation)");
  if (low > high)
    throw InputError("problem.parameter.width_low = " + exact_text(low) + " is larger than width_high = " +
                     exact_text(high));
  Random random(p.seed());
  std::string sum;
  for (int i = 0; i < bumps; ++i) {
    const double amplitude = random.uniform(0.5, 1), x = random.uniform(), y = random.uniform();
    const double width = random.uniform(low, high);
    sum += (i ? " + " : "") + exact_text(amplitude) + "*exp(-((x - " + exact_text(x) + ")^2 + (y - " + exact_text(y) +
           ")^2)/(2*" + exact_text(width) + "^2))";
  }
  p.define("f", sum);
  p.residual("pde", "-lap(u) = f");
  p.boundary("bc", "u = 0");
  p.reference("chebyshev-collocation");
}

const RegisterProblem registered("poisson-gauss", "-Lap u = f on the unit square, random Gaussian bumps", define);

}  // namespace
}  // namespace torsor
