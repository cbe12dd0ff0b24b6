// Rank-revealing factorisations for numerically deficient triangles.
//
// pivoted_qr:  A P = Q [R11 R12; 0 E],  |diag R11| > cut-off, E negligible.
// Small matrices use LAPACK's dgeqp3, whose norm downdates make half its work matrix-vector products. Large
// ones choose pivots a block at a time from a random sketch Y = G A22, so that all work is matrix products,
// and stop at the numerical rank. The sketch is drawn anew for each block: a downdated one would lose the
// digits that matter once the remainder is 1e-10 of A.
//
// Sources: Martinsson, Quintana-Orti, Heavner, van de Geijn, "Householder QR factorization with randomization
// for column pivoting (HQRRP)", SIAM J. Sci. Comput. 39 (2017) C96-C115; Golub & Van Loan, Matrix
// Computations, 4th ed., sections 5.4-5.5 (complete orthogonal decomposition).
#pragma once

#include <limits>
#include <vector>

#include "solvers/dense/matrix.h"

namespace torsor {

enum class PivotChoice {
  kAutomatic,  ///< kColumnNorms up to 768 columns, kSketch beyond
  kColumnNorms,
  kSketch,
};

/// Factors A (m x n, overwritten: its first `rank` rows hold [R11 R12] on and above the diagonal) and applies
/// Q^T to `extra` (m x n_extra). pivots[j] is the column of A that became column j. Returns the rank, the
/// number of leading diagonal entries above `cut_off` (absolute). Q is determined by fixed random numbers.
int pivoted_qr(int m, int n, double* a, int lda, int n_extra, double* extra, int ld_extra, double cut_off,
               std::vector<int>& pivots, PivotChoice choice = PivotChoice::kAutomatic);

/// Minimum-norm least squares through A P = Q [T 0; 0 0] Z:  x = P Z_1 T^-1 (Q_1^T b).
struct CompleteOrthogonal {
  int rank = 0;
  double cut_off = 0.0;  ///< the one that was used
  DenseMatrix t;         ///< rank x rank upper triangle
  DenseMatrix z;         ///< n x rank, P Z_1, orthonormal columns
};

/// Decomposes A (m x n, destroyed); `extra` (m x n_extra) becomes Q^T extra. Cut-off as in pivoted_qr, raised
/// tenfold until R11^-1 (Q^T extra) is no longer than max_growth * ||extra|| for every column of extra (the
/// solution of least norm is shorter still).
CompleteOrthogonal complete_orthogonal(int m, int n, double* a, int lda, int n_extra, double* extra,
                                       int ld_extra, double cut_off,
                                       double max_growth = std::numeric_limits<double>::infinity(),
                                       PivotChoice choice = PivotChoice::kAutomatic);

/// x (n x nrhs, leading dimension ldx) = z t^-1 c, c the first `rank` rows of Q^T b (overwritten).
void apply_pseudo_inverse(const CompleteOrthogonal& factor, int nrhs, double* c, int ldc, double* x, int ldx);

}  // namespace torsor
