// Periodic linear transport with constant coefficients at discrete velocities v_j in any dimension, exact but for
// rounding at every Knudsen number:
//
//   eps f_t + v_j . grad f = (1/eps)(<f> - f),   <f> = sum_j w_j f_j.
//
// A Fourier mode m(t) e^{i k.x} of the moments m_l = <p_l f> (physics/velocity_basis.h) obeys, in the
// time tau = t/eps^2,
//
//   m_tau = B m,   B = -(I - e_0 e_0^T) - i eps K,   K_lm = <p_l (k.v) p_m>,
//
// a complex symmetric matrix with entries of size 1 + eps |k|. Where eps |k.v| <= 1/2 one eigenvalue eps^2 zeta is
// slow,
//
//   < [zeta (1 + eps^2 zeta) + (k.v)^2] / [(1 + eps^2 zeta)^2 + eps^2 (k.v)^2] > = 0,   zeta -> -<(k.v)^2> for eps -> 0
//
// (v and -v both being nodes), with the eigenvector e_0 + eps d, (1 + eps^2 zeta + i eps K) d = -i K e_0 in the rows of
// l >= 1. zeta and d are found from these, free of cancellation, and so is what the data have of the eigenvector. The
// rest, divided by eps, decays at least as exp(-0.8 tau) and is dropped at tau = 80; until then, and for all of m
// where eps |k.v| > 1/2, the solution is exp(tau B), by eigenvectors or, where they are nearly dependent, by scaling
// and squaring.
//
// Source: K. M. Case, P. F. Zweifel, Linear Transport Theory, 1967, chapter 4 (the spectrum); N. J. Higham, Functions
// of Matrices, 2008, chapter 10.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "physics/velocity_basis.h"

namespace torsor {

/// The solution of one wave vector.
class OrdinatesMode {
 public:
  /// `wave` k, one number for each component of v; `start` the moments at t = 0. InputError for other sizes,
  /// eps <= 0, or nodes without their mirror image.
  OrdinatesMode(const VelocityBasis& velocities, double eps, const Eigen::VectorXd& wave,
                const Eigen::VectorXcd& start);

  /// At a time t >= 0.
  Eigen::VectorXcd moments(double t) const;

 private:
  void split_slow_part(const VelocityBasis& velocities, const Eigen::VectorXd& speeds);
  Eigen::VectorXcd fast(double tau) const;
  void diagonalise() const;

  double eps_;
  Eigen::MatrixXd streaming_;  // K
  bool has_slow_ = false;
  double slow_rate_ = 0.0;      // zeta
  Eigen::VectorXcd slow_;       // of m: the eigenvector times its coefficient
  double fast_scale_ = 1.0;     // m = slow exp(zeta t) + fast_scale exp(tau B) fast
  Eigen::VectorXcd fast_;
  // Of B, found when a time is asked for at which the fast part lives.
  mutable bool diagonalised_ = false, by_eigenvectors_ = false;
  mutable Eigen::MatrixXcd generator_, vectors_;
  mutable Eigen::VectorXcd values_, coefficients_;
};

/// Whether -v is a node of the same weight for each node v.
bool has_mirror_images(const VelocityBasis& velocities);

}  // namespace torsor
