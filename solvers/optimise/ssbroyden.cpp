// Self-scaled Broyden: the update of self_scaled.h with, for n parameters,
//
//     c       = sqrt(a / (1 + a)),                         a = beta eta - 1,
//     rho     = min(1, eta (1 - c)),       theta_- = (rho - 1) / a,     theta_+ = 1 / rho,
//     theta   = max(theta_-, min(theta_+, (1 - beta) / beta)),
//     sigma   = 1 + a theta,                phi = (1 - theta) / sigma,
//     tau     = min(1, 1 / beta) min(sigma^(-1/(n-1)), 1 / theta)      for theta > 0,
//             = min(min(1, 1 / beta) sigma^(-1/(n-1)), sigma)          otherwise.
//
// [theta_-, theta_+] is the interval in which the method converges superlinearly; sigma^(1/(n-1)) balances the
// determinant.
//
// Sources: Al-Baali, Khalfan, Optim. Methods Softw. 20 (2005) 679-691; Urban, Stefanou, Pons, J. Comput. Phys. 523
// (2025) 113656, "SSBroyden2" of the authors' code (github.com/jorgeurban/self_scaled_algorithms_pinns).
#include <algorithm>
#include <cmath>

#include "solvers/optimise/self_scaled.h"

namespace torsor {

SelfScaling ssbroyden_scaling(const CurvatureRatios& ratios) {
  const double a = ratios.a(), beta = ratios.beta;
  // 1 - c without cancellation.
  const double c = std::sqrt(a / (1 + a)), one_minus_c = 1 / ((1 + a) * (1 + c));
  const double rho = std::min(1.0, ratios.eta * one_minus_c);
  // As a -> 0, s and H y become parallel, v vanishes and with it theta's meaning.
  const double lowest = rho < 1 && a > 0 ? (rho - 1) / a : 0, highest = 1 / rho;
  const double theta = std::max(lowest, std::min(highest, (1 - beta) / beta));
  const double sigma = 1 + a * theta, phi = (1 - theta) / sigma;
  const double scale = std::min(1.0, 1 / beta);
  const double determinant = ratios.n > 1 ? std::pow(sigma, -1.0 / static_cast<double>(ratios.n - 1)) : 1;
  if (theta > 0) return {scale * std::min(determinant, 1 / theta), phi};
  return {std::min(scale * determinant, sigma), phi};
}

namespace {

const RegisterOptimiser registration({
    .name = "ssbroyden",
    .title = "Self-scaled Broyden",
    .formula = "x <- x - t H g,  t by a strong Wolfe line search,  s = x_new - x,  y = g_new - g,  h = H y\n"
               "H <- (H - h h^T / y^T h + phi v v^T) / tau + s s^T / y^T s,\n"
               "v = sqrt(y^T h) (s / y^T s - h / y^T h),  beta = s^T H^-1 s / y^T s,  eta = y^T h / y^T s,\n"
               "a = beta eta - 1,  rho = min(1, eta (1 - sqrt(a / (1 + a)))),\n"
               "theta = max((rho - 1) / a, min(1 / rho, (1 - beta) / beta)),  sigma = 1 + a theta,\n"
               "phi = (1 - theta) / sigma,  m = min(1, 1 / beta),  r = sigma^(-1/(n-1)),\n"
               "tau = m min(r, 1 / theta) for theta > 0,  min(m r, sigma) otherwise",
    .source = "Al-Baali, Khalfan, Optim. Methods Softw. 20 (2005) 679-691; Urban, Stefanou, Pons, J. Comput. Phys. 523 "
              "(2025) 113656",
    .caveats = "Keeps the full matrix: 4 n^2 bytes and as many moved twice in each step, practical to about n = 5000. "
               "For fixed training points, or ones that change after hundreds of steps. The first H is the identity "
               "times y^T s / y^T y, where the authors' code starts from the identity itself.",
    .options = quasi_newton_options(),
    .make = [](const OptionValues& values, const std::vector<std::pair<Index, Index>>&) -> std::unique_ptr<Optimiser> {
      return std::make_unique<SelfScaled>(make_quasi_newton_options("ssbroyden", values), ssbroyden_scaling);
    },
});

}  // namespace
}  // namespace torsor
