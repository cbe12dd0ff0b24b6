// Linear transport at discrete velocities in a slab 0 <= x <= L with constant coefficients and inflow that is constant
// in time, nearly to rounding at every small Knudsen number:
//
//   eps f_t + v_j f_x = (sigma/eps)(<f> - f) - eps sigma_A f + eps Q,   <f> = sum_j w_j f_j,
//   f = F_j for incoming v_j,  f = f0 at t = 0.
//
// f = p + h. The part p(t) lives on the line with period 2 L: f0 is continued to it by a Fourier extension (least
// squares on [0, L], truncated; spectrally accurate for smooth data, periodic or not), and each Fourier mode is
// solved by transport_modes.h. The part h starts from 0 and has the inflow F - p. Its Laplace transform in time obeys,
// with q = sigma (s + sigma_A), e = eps/sigma and a = 1 + e^2 q,
//
//   a h + e v_j h_x = <h>:    h = exp(-k x)/(a - e k v_j)  and  exp(-k (L - x))/(a + e k v_j),   k = a sqrt(z)/e,
//
// one pair for each positive node, from the roots z of the secular equation < z v^2/(1 - z v^2) > = e^2 q. They are
// the eigenvalues of diag(1/v_i^2) - b b^T/a, b_i^2 = 2 w_i/v_i^2, polished by Newton's method. For e -> 0 all but one
// are of size one (layers of width e at the walls) and one is z = e^2 M with <M v^2/(1 - e^2 M v^2)> = q, M ->
// q/<v^2> (diffusion); M is found from this equation, which has no cancellation. With modes and conditions written for
// rho and g = (h - rho)/eps the system for the amplitudes is regular for eps -> 0.
//
// The transform of p at the walls is, for a mode exp(i k x) of f0 with coefficients F_j,
//
//   rho = sigma <F/(a + i e k v)> / <(a q + k^2 v^2)/(a^2 + e^2 k^2 v^2)>,
//   g_j = [e F_j - rho (e q + i k v_j)/sigma]/(a + i e k v_j).
//
// The inverse transform is Talbot's contour in Weideman's modified form, s = S(theta)/T,
//
//   S = N (0.5017 theta cot(0.6407 theta) - 0.6122 + 0.2645 i theta),   h = 1/(i N T) sum_k exp(s_k t) S'_k h(s_k)
//
// with one contour for the times T/2 < t <= T. What h has of particles that have not scattered jumps on fronts and is
// not caught by it; it dies away as exp(-sigma t/e^2) and nodes with Re a <= 0, which belong to it, are left out. So h
// is good to rounding from about 35 mean free times eps^2/sigma on, and before that within a mean free path of the
// walls alone it is not; p is exact always.
//
// Sources: J. A. C. Weideman, SIAM J. Numer. Anal. 44 (2006); B. Dingfelder, J. A. C. Weideman, Numer. Algorithms 68
// (2015) (the contour); K. M. Case, P. F. Zweifel, Linear Transport Theory, 1967 (the modes); B. Adcock, D. Huybrechs,
// J. Martin-Vaquero, Found. Comput. Math. 14 (2014) (Fourier extensions).
#pragma once

#include <Eigen/Core>
#include <complex>
#include <functional>
#include <vector>

#include "physics/velocity_basis.h"
#include "solvers/reference/transport_modes.h"
#include "solvers/reference/transport_slab.h"

namespace torsor {

struct LaplaceSlab : TransportSlab {
  /// The moments <p_l f0> (physics/velocity_basis.h) at x in [a, b]: N x nodes. None: f0 = 0.
  std::function<Eigen::MatrixXd(const Eigen::VectorXd& x)> initial_moments;
};

/// f0 as a sum of Fourier modes exp(i k (x - a)), k = pi n/(b - a), on twice the interval.
struct FourierExtension {
  std::vector<int> waves;       ///< n >= 0
  Eigen::MatrixXcd amplitudes;  ///< of the real part: waves x moments
  double misfit = 0.0;          ///< largest error between the nodes of the fit, relative to the largest moment
};

/// As many waves as leave a misfit of rounding, at most `most_waves`. InputError for values that are not finite.
FourierExtension fourier_extension(const std::function<Eigen::MatrixXd(const Eigen::VectorXd& x)>& moments, double a,
                                   double b, int most_waves);

class TransportLaplace {
 public:
  /// `contour_nodes`: N, even. InputError unless a < b, eps > 0, scattering > 0, absorption >= 0, one inflow for each
  /// node, 8 <= N <= 64, most_waves >= 4, and for nodes without their mirror images.
  TransportLaplace(const VelocityBasis& velocities, LaplaceSlab slab, int contour_nodes = 40, int most_waves = 128);

  /// The moments <p_l f> at points (x, t), t >= 0: M x 2 -> M x nodes; at t = 0 those of f0. InputError for another
  /// shape and points outside, NumericalError when values are not finite.
  Eigen::MatrixXd moments(const Eigen::MatrixXd& points) const;

  /// Of the Fourier extension of f0.
  double initial_misfit() const { return initial_.misfit; }
  int waves() const { return static_cast<int>(initial_.waves.size()); }

 private:
  using Complex = std::complex<double>;
  struct Local;        // the transform of a Fourier mode of p
  struct Walls;        // of F - p
  struct Modes;        // of h
  struct Transformed;  // h(x, s)
  void check() const;
  void expand_initial(int most_waves);
  Local periodic(Complex s, double k, const Eigen::VectorXcd& start) const;
  Walls walls(Complex s) const;
  Modes modes(Complex q, const Eigen::VectorXcd& rates) const;
  Eigen::MatrixXcd moments_of(const Modes& modes, Complex q, const Eigen::VectorXcd& rates) const;
  Transformed transformed(Complex s) const;
  void add_periodic(double t, const std::vector<Eigen::Index>& rows, const Eigen::MatrixXd& points,
                    Eigen::MatrixXd& values) const;
  void add_walls(double window, const std::vector<Eigen::Index>& rows, const Eigen::MatrixXd& points,
                 Eigen::MatrixXd& values) const;

  VelocityBasis velocities_;
  LaplaceSlab slab_;
  double length_, unit_;  // L and e
  int contour_nodes_;
  std::vector<Eigen::Index> positive_, negative_;  // nodes v > 0 and their mirror images
  FourierExtension initial_;
  Eigen::MatrixXcd initial_f_;          // amplitudes at the velocity nodes: waves x nodes
  std::vector<OrdinatesMode> modes_;
};

}  // namespace torsor
