// Exponential time differencing with fourth-order Runge-Kutta (ETDRK4) for periodic semilinear equations
//
//   u_t = L u + N(t, x, u, u_x, ...),  L = sum_m L_m d^m/dx^m,  u(x, t0) given, period b - a,
//
// of n fields, L_m real n x n. In Fourier space L is the symbol sum_m (i w)^m L_m and is integrated exactly,
// by the matrix functions of etd_coefficients.h.
//
// The linear part being exact, a step sees nothing of an initial layer shorter than itself, nor do steps of half its
// size: the values at the steps are right, the polynomials between the first of them are not. solve_semilinear
// therefore halves the first pieces until the polynomials of a piece and of its halves agree.
//
// Sources: S. M. Cox, P. C. Matthews, J. Comput. Phys. 176 (2002); A.-K. Kassam, L. N. Trefethen,
// Fourth-order time-stepping for stiff PDEs, SIAM J. Sci. Comput. 26 (2005).
#pragma once

#include <Eigen/Core>
#include <functional>
#include <vector>

#include "solvers/reference/space_time_solution.h"

namespace torsor {

struct SemilinearProblem {
  double a = 0.0, b = 1.0;
  double t0 = 0.0, t1 = 1.0;
  int n_fields = 1;
  std::vector<Eigen::MatrixXd> linear;  ///< L_0, L_1, ... (n_fields x n_fields): of u, u_x, ...
  int nonlinear_order = 0;              ///< highest x-derivative in N
  /// N at the nodes x, nodes x n_fields, from the jets, nodes x n_fields (nonlinear_order + 1); column
  /// field (nonlinear_order + 1) + k of the jets is d^k u_field/dx^k.
  std::function<Eigen::ArrayXXd(double t, const Eigen::ArrayXd& x, const Eigen::ArrayXXd& jets)> nonlinear;
  std::function<Eigen::ArrayXXd(const Eigen::ArrayXd& x)> initial;  ///< nodes x n_fields
};

struct SemilinearOptions {
  int nodes = 256;                ///< initial resolution of solve_semilinear, even
  int max_nodes = 8192;           ///< cap of its doubling
  double time_step = 1e-3;        ///< largest step; halved by solve_semilinear
  double min_time_step = 1e-6;    ///< cap of the halving
  int time_pieces = 100;          ///< equal time intervals of the result, each of degree 8 in t
  int initial_oversampling = 64;  ///< samples for each node of the initial data: a kink's aliasing is 1/n^2
  bool dealias = true;            ///< cut N above n/3 modes (2/3 rule, exact for quadratic N)
  double tolerance = 1e-8;        ///< of solve_semilinear on the relative change
  double compare_from = 0.0;      ///< solve_semilinear compares from t0 + this on: kinks take time to smooth
  bool require_convergence = true;  ///< false: keep the finest solution and report its error_estimate
};

/// Integrates with `nodes` and `time_step` as given. InputError for a malformed problem; NumericalError when
/// the solution stops being finite.
SpaceTimeSolution solve_semilinear_at(const SemilinearProblem& problem,
                                      const SemilinearOptions& options = {});

/// Doubles the nodes, then halves the step, then the first pieces (unless compare_from keeps them out), until
/// each changes the solution by less than the tolerance; error_estimate is the largest of the three last changes.
/// NumericalError at the caps.
SpaceTimeSolution solve_semilinear(const SemilinearProblem& problem, const SemilinearOptions& options = {});

}  // namespace torsor
