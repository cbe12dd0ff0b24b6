// Poisson's equation with a random smooth solution:
//
//   -Lap u = f on (0, 1)^2,  u = 0 on the boundary,
//   u = sum_{i=1}^{modes} a_i sin(k_i pi x) sin(l_i pi y),  a_i ~ U(-1, 1),  k_i, l_i uniform in 1 ... waves.
//
// The family runs over the seed. Source: the usual sine-mode family of closed-form head papers (Pi-PINN, arXiv
// 2604.21761, and its reimplementations). Run: torsor solve problems/poisson.cfg
#include "physics/random.h"
#include "problems/builder.h"

namespace torsor {
namespace {

std::string random_modes(uint64_t seed, int modes, int waves) {
  Random random(seed);
  std::string sum;
  for (int i = 0; i < modes; ++i) {
    const double amplitude = random.uniform(-1, 1);
    const auto k = 1 + random.below(static_cast<uint64_t>(waves)), l = 1 + random.below(static_cast<uint64_t>(waves));
    sum += (i ? " + " : "") + exact_text(amplitude) + "*sin(" + std::to_string(k) + "*pi*x)*sin(" + std::to_string(l) +
           "*pi*y)";
  }
  return sum;
}

void define(ProblemBuilder& p) {
  p.title("Poisson equation -Lap u = f on the unit square, u a sum of random sine modes");
  p.coordinates("x in [0, 1]; y in [0, 1]");
  p.field("u");
  const int modes = p.whole_parameter("modes", 5, 1, 100, "number of sine modes");
  const int waves = p.whole_parameter("waves", 4, 1, 32, "largest wave number, in half waves");
  p.exact("u", random_modes(p.seed(), modes, waves));
  p.residual("pde", "-lap(u) - manufactured");
  p.boundary("bc", "u = 0");
}

const RegisterProblem registered("poisson", "-Lap u = f on the unit square, random sine modes", define);

}  // namespace
}  // namespace torsor
