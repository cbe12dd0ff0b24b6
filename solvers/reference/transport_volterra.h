// Periodic linear transport with sigma_S = 1, sigma_A = 0, Q = 0 (transport_problem.h), to nearly rounding at
// every Knudsen number. A Fourier mode f^(t, v) e^{ikx} has, in the time tau = t/eps^2 and with kappa = eps
// k,
//
//   f^_tau + (1 + i kappa v) f^ = rho^,   rho^ = <f^>,
//
// so that eps enters through kappa alone. Along characteristics this is the Volterra equation
//
//   rho^(tau) = e^{-tau} <f^0 e^{-i kappa v tau}> + int_0^tau e^{-s} sinc(kappa s) rho^(tau - s) ds,
//
// which is not stiff. It is solved up to tau = 40 by collocation: polynomials of degree 16 on equal pieces,
// the integrals by Gauss quadrature. The fields follow by quadrature,
//
//   f^(tau)     = e^{-(1 + i kappa v) tau} f^0 + int_0^tau e^{-(1 + i kappa v) s} rho^(tau - s) ds,
//   eps j^(tau) = e^{-tau} <v f^0 e^{-i kappa v tau}> - i int_0^tau e^{-s} j_1(kappa s) rho^(tau - s) ds,
//
// sinc = sin z/z and j_1 the spherical Bessel functions. The operator's spectrum is the line Re = -1 and, for
// kappa < pi/2, one eigenvalue with the eigenfunction phi = 1/(a + i kappa v) of transport_exact.h. At tau >
// 40 the rest has died away, below e^{-40} = 4e-18, and
//
//   f^ = c phi e^{lambda t},  c = <phi f^0>/<phi^2> = (a^2 + kappa^2) <phi f^0>,
//
// since the operator is symmetric in the bilinear form <f g>. So the small eps need no resolution of eps^2.
//
// Sources: K. M. Case, P. F. Zweifel, Linear Transport Theory, 1967, chapter 4; H. Brunner, Collocation
// Methods for Volterra Integral and Related Functional Differential Equations, 2004, chapter 2.
#pragma once

#include <Eigen/Core>
#include <complex>
#include <functional>
#include <memory>
#include <vector>

namespace torsor {

/// f0 = Re sum exp(2 pi i wave (x - a)/(b - a)) shape(v) over the modes; shape smooth on either side of v =
/// 0.
struct TransportMode {
  int wave = 0;
  std::function<std::complex<double>(double v)> shape;
};

/// The modes of f0 = profile(x) shape(v), from `nodes` samples of the profile; those below rounding left out.
/// Sums of products are joined lists. InputError unless nodes >= 2 and a < b.
std::vector<TransportMode> transport_modes(const std::function<double(double)>& profile,
                                           const std::function<double(double)>& shape, double a, double b,
                                           int nodes = 256);

class TransportVolterra {
 public:
  /// For 0 <= t <= t_end. InputError unless a < b, eps > 0, t_end >= 0 and each shape is given;
  /// NumericalError when a mode needs more than 4000 pieces, |k| t_end/eps > 16000.
  TransportVolterra(double a, double b, double eps, std::vector<TransportMode> modes, double t_end);
  ~TransportVolterra();

  /// rho and the flux j = <v f>/eps at M x 2 points (x, t): M. InputError for another shape or a time
  /// outside.
  Eigen::VectorXd rho(const Eigen::MatrixXd& points) const;
  Eigen::VectorXd flux(const Eigen::MatrixXd& points) const;
  /// f at M x 3 points (x, t, v). InputError as above, or for |v| > 1.
  Eigen::VectorXd f(const Eigen::MatrixXd& points) const;

  /// The modes' complex amplitudes at one time, rho^, j^ and f^(v) of each: modes x (2 + velocities). What the methods
  /// above return is Re sum_m exp(i k_m (x - a)) amplitudes(m, :). InputError as above.
  Eigen::MatrixXcd amplitudes(double t, const Eigen::VectorXd& velocities) const;
  /// The wave numbers k_m.
  Eigen::VectorXd wave_numbers() const;
  /// After this time, 40 eps^2, only eigenmodes are left and amplitudes are formulas.
  double memory() const;

 private:
  class Mode;
  template <class Amplitude>
  Eigen::VectorXd sum(const Eigen::MatrixXd& points, const Amplitude& amplitude) const;
  void check_points(const Eigen::MatrixXd& points, Eigen::Index columns) const;

  double a_, eps_, t_end_;
  std::vector<std::unique_ptr<Mode>> modes_;
};

}  // namespace torsor
