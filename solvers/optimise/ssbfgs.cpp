// Self-scaled BFGS: the update of self_scaled.h with phi = 1 and
//
//     tau = min(1, 1 / beta),      beta = s^T H^-1 s / y^T s.
//
// Source: Al-Baali, "Numerical experience with a class of self-scaling quasi-Newton algorithms", J. Optim. Theory Appl.
// 96 (1998) 533-553; the limit 1 keeps what a unit step has shown to be right.
#include <algorithm>

#include "solvers/optimise/self_scaled.h"

namespace torsor {

SelfScaling ssbfgs_scaling(const CurvatureRatios& ratios) { return {std::min(1.0, 1 / ratios.beta), 1}; }

namespace {

const RegisterOptimiser registration({
    .name = "ssbfgs",
    .title = "Self-scaled BFGS",
    .formula = "x <- x - t H g,  t by a strong Wolfe line search,  s = x_new - x,  y = g_new - g,  h = H y\n"
               "H <- (H - (h s^T + s h^T) / y^T s + (y^T h / y^T s) s s^T / y^T s) / tau + s s^T / y^T s\n"
               "tau = min(1, y^T s / s^T H^-1 s)",
    .source = "Al-Baali, J. Optim. Theory Appl. 96 (1998) 533-553; Urban, Stefanou, Pons, J. Comput. Phys. 523 (2025) "
              "113656",
    .caveats = "Keeps the full matrix: 4 n^2 bytes and as many moved twice in each step, practical to about n = 5000. "
               "For fixed training points, or ones that change after hundreds of steps.",
    .options = quasi_newton_options(),
    .make = [](const OptionValues& values, const std::vector<std::pair<Index, Index>>&) -> std::unique_ptr<Optimiser> {
      return std::make_unique<SelfScaled>(make_quasi_newton_options("ssbfgs", values), ssbfgs_scaling);
    },
});

}  // namespace
}  // namespace torsor
