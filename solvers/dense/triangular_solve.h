// Least squares from a streamed factorisation: min_w ||R w - c||_2, with R numerically singular as a rule.
//
// The columns are scaled to unit norm, R D^-1 y = c, w = D^-1 y, D = diag(||a_j||) (zero columns get w_j =
// 0); van der Sluis (Numer. Math. 14 (1969) 14-23): within sqrt(n) of the best conditioned column scaling. A
// well conditioned triangle is solved by substitution. Otherwise a complete orthogonal decomposition drops
// the directions below the cut-off and returns the y of least norm (Golub & Van Loan, 4th ed., section 5.5).
#pragma once

#include <vector>

#include "solvers/dense/rank_revealing.h"
#include "solvers/dense/streamed_qr.h"

namespace torsor {

struct TriangularOptions {
  /// Directions with |r_kk| <= rcond * |r_11| of the pivoted, column-scaled triangle are dropped. Random sine
  /// features fitted to smooth data lose a digit for each factor of ten above 1e-15 (max error 1.3e-11 at
  /// 1e-14, 6e-13 at 1e-15, 800 features), and below 1e-15 only noise is left (rank 767 for 383 at 3e-16).
  double rcond = 1e-15;
  /// Substitution is used when the estimated reciprocal condition of the scaled triangle exceeds this and
  /// rcond: nothing would be dropped.
  double healthy_rcond = 1e-14;
  /// The cut-off is raised until ||D w|| <= max_growth ||c||. Data that the features cannot resolve otherwise
  /// buy a slightly smaller residual with coefficients of 1e12 and ruin the fit between the rows (a kink with
  /// 800 features: max error 0.40 unlimited, 0.06 so). Resolved data stayed below 1e5.
  double max_growth = 1e7;
  /// false: solve for w itself, minimum norm in w. Only for columns of comparable size.
  bool unit_columns = true;
  /// Also compute the singular values of the scaled triangle (about 4 n^3 more operations).
  bool singular_values = false;
  PivotChoice pivots = PivotChoice::kAutomatic;
};

enum class SolveMethod { kSubstitution, kCompleteOrthogonal };

struct TriangularSolution {
  DenseMatrix w;           ///< n x nrhs
  int rank = 0;            ///< directions kept
  double condition = 0.0;  ///< estimate for the scaled triangle: 1-norm; infinite when singular
  double cut_off = 0.0;    ///< rcond * |r_11|, or more where max_growth asked for it
  SolveMethod method = SolveMethod::kSubstitution;
  std::vector<double> norms;            ///< ||w_s||_2 of each right side
  std::vector<double> scaled_norms;     ///< ||D w_s||_2 of each right side
  std::vector<double> residual_norms;   ///< ||A w_s - b_s||_2 up to cut_off ||D w_s||
  std::vector<double> singular_values;  ///< of R D^-1, descending; empty unless asked for
};

/// "substitution" or "complete orthogonal decomposition".
const char* method_name(SolveMethod method);

/// Solves for all right sides of `qr`. Fewer rows than columns are allowed. Throws InputError for options
/// that are negative or not finite, NumericalError when LAPACK fails.
TriangularSolution solve_triangular(const StreamedQr& qr, const TriangularOptions& options = {});

}  // namespace torsor
