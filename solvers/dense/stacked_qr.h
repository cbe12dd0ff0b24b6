// Householder QR of a triangle stacked on a dense block:
//
//     [ R ]       [ R' ]
//     [ B ]  = Q  [ 0  ],   Q = prod_J (I - V_J T_J V_J^T),   V_J = [ I_J ; V_B,J ],
//
// R n x n upper triangular, B k x n. Because the top part of every reflector is a unit vector, a panel J of
// width nb updates the columns to its right with two matrix products on B alone:
//
//     W = R_J,trail + V_B^T B_trail,   W <- T^T W,   R_J,trail -= W,   B_trail -= V_B W.
//
// Source: Demmel, Grigori, Hoemmen, Langou, "Communication-optimal parallel and sequential QR and LU
// factorizations", SIAM J. Sci. Comput. 34 (2012) A206-A239 (flat-tree TSQR); the recursive panel is that of
// Elmroth & Gustavson, IBM J. Res. Dev. 44 (2000) 605-624.
#pragma once

#include <vector>

namespace torsor {

/// Workspace of one thread for the routines below; grows on demand and may be reused for any size.
struct StackedQrWorkspace {
  std::vector<double> t;     ///< nb x nb, the triangular factor T of a panel
  std::vector<double> w;     ///< nb x (a chunk of columns)
  std::vector<double> leaf;  ///< k x leaf width, row-major copy of the columns under elimination
};

/// One matrix in two storages: `top` (rows that stay) and `below` (rows that are eliminated), with the same
/// number of columns.
struct StackedColumns {
  double* top;
  int ld_top;
  double* below;
  int ld_below;
  int columns;
};

/// Eliminates the k x n block `a.below` against the n x n upper triangle `a.top` and applies the same
/// orthogonal transformation to `extra` (right-hand sides; its top has n rows, its below k rows).
/// `a.columns` may exceed n: columns n.. are transformed only. If `upper` is set, a.below is upper
/// trapezoidal (entry (i, j) zero for i > j, stored as such) and rows that are zero in a whole panel are
/// skipped. On return the below parts of columns 0..n-1 hold the reflectors V_B.
void eliminate_below(int n, int k, StackedColumns a, StackedColumns extra, bool upper,
                     StackedQrWorkspace& work);

/// Plain Householder QR of the k x n block at `a` (k <= n): on return its upper trapezoid is R. The same
/// transformation is applied to columns n..columns-1 of `a`, and to the k x n_extra block `extra`.
void factor_block(int k, int columns, double* a, int lda, double* extra, int ld_extra, int n_extra,
                  StackedQrWorkspace& work);

}  // namespace torsor
