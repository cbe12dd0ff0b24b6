// Exact and limiting solutions of one-dimensional linear transport
//
//   eps f_t + v f_x = (1/eps) (rho - f),  v in [-1, 1],  rho = <f> = 1/2 int f dv,
//   f = rho + eps g,  flux j = <v g>.
//
// Eigenmode, for every eps with z = eps k < pi/2:
//
//   f      = e^{lambda t} Re[ e^{ikx} / (a + i z v) ]
//          = e^{lambda t} (a cos kx + z v sin kx) / (a^2 + z^2 v^2),
//   rho    = e^{lambda t} cos kx,  j = -(lambda/k) e^{lambda t} sin kx,
//   lambda = (z cot z - 1) / eps^2 = -k^2/3 - eps^2 k^4/45 - ...,  a = 1 + eps^2 lambda = z cot z.
//
// <f> = rho is the dispersion relation arctan(z/a) = z. The other parts of the spectrum decay like
// exp(-t/eps^2) (K. M. Case, P. F. Zweifel, Linear Transport Theory, 1967, chapter 4).
//
// Diffusion limit eps -> 0: rho_t = rho_xx / 3, f = rho, j = -rho_x / 3. Free transport (no scattering):
// f = f0(x - v t/eps, v).
#pragma once

#include <functional>

#include "physics/velocity_set.h"

namespace torsor {

/// lambda to rounding for every eps. InputError unless k > 0, eps >= 0 and eps k < pi/2.
double transport_decay_rate(double eps, double k);

class TransportEigenmode {
 public:
  /// InputError as for transport_decay_rate.
  TransportEigenmode(double eps, double k);
  double decay_rate() const { return lambda_; }
  double rho(double t, double x) const;
  double flux(double t, double x) const;
  double f(double t, double x, double v) const;
  /// (f - rho)/eps without cancellation; at eps = 0 its limit -v rho_x.
  double g(double t, double x, double v) const;

 private:
  double eps_, k_, lambda_, a_;
};

/// rho of the diffusion limit on 0 <= x <= 1 for f0 = 0 and isotropic inflow of `left` at x = 0 and `right`
/// at x = 1. Transport differs from it by O(eps): its extrapolation length is 0.7104 eps.
/// InputError unless t >= 0 and 0 <= x <= 1.
double diffusion_inflow(double t, double x, double left = 1.0, double right = 0.0);

/// rho of the diffusion limit on 0 <= x <= 1 with no inflow, from rho0 = amplitude sin^2(pi x): the mean of
/// f0 = 2 sin^2(pi x) 3/sqrt(2 pi) exp(-9 v^2/2) has the amplitude erf(3/sqrt 2), the default.
/// InputError unless t >= 0 and 0 <= x <= 1.
double diffusion_sine_squared(double t, double x);
double diffusion_sine_squared(double t, double x, double amplitude);

/// Free transport on the line: the density <f0(x - v t/eps, v)> by the quadrature `velocities`.
/// InputError unless eps > 0.
double free_transport_density(const std::function<double(double x, double v)>& initial, double eps, double t,
                              double x, const VelocitySet& velocities);

}  // namespace torsor
