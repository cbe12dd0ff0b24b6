// Least squares with block-banded columns: groups g = 0..G-1 of m_g columns (the patches of a partition of
// unity in one direction), each row touching group g alone or the groups g and g + 1,
//
//     min_w  sum_g ||A_g w_g - a_g||^2 + sum_g ||B_g w_g + C_g w_{g+1} - b_g||^2,
//
// with g + 1 = 0 for g = G - 1 in a periodic chain.
//
// 1. Every source of rows (a group, or a link between two) is reduced to its own triangle by streaming; the
//    sources are independent and shared among the threads. Cost O(rows (m_g + m_{g+1})^2).
// 2. The groups are eliminated in order by merging triangles. When no later row touches group g, its rows
//    of R are final: R_gg w_g = c_g - R_g,g+1 w_{g+1} (- R_g,0 w_0). In a periodic chain group 0 comes last;
//    its columns travel along as a border, which only this step, of cost O(sum m^3), has to carry.
// 3. Back-substitution.
//
// A numerically singular R_gg is factored with column pivoting: columns below the cut-off get coefficient
// zero and the rows they leave over, rotated, are passed on as equations for the remaining groups.
// Where the solution is too long nevertheless, steps 2 and 3 are repeated with a larger cut-off.
//
// Source: Bjorck, Numerical Methods for Least Squares Problems, SIAM 1996, section 6.3 (block angular and
// block bidiagonal problems).
#pragma once

#include <functional>
#include <limits>
#include <vector>

#include "solvers/dense/matrix.h"
#include "solvers/dense/rank_revealing.h"

namespace torsor {

struct ChainShape {
  std::vector<int> sizes;  ///< m_g >= 1, the columns of each group
  bool periodic = false;   ///< rows may touch group G-1 and 0; needs at least two groups
};

/// Row blocks 0..n_blocks-1 that touch `group` and, if `with_next`, the group after it.
struct ChainSource {
  int group;
  bool with_next;
  int n_blocks;
};

/// Rows to be filled: entry (i, j) of a part is part[i + j * ld].
struct ChainBlock {
  double* own;   ///< capacity x m_g
  double* next;  ///< capacity x m_{g+1}; null for a source that touches one group
  double* b;     ///< capacity x n_right_sides
  int ld;
  int capacity;
};

/// Fills a block of `sources[source]` and returns how many rows it wrote. Called from several threads at
/// once.
using ChainProducer = std::function<int(int source, int block, const ChainBlock& buffer)>;

struct ChainOptions {
  int block_rows = 768;          ///< as StreamOptions::block_rows
  double rcond = 1e-15;          ///< columns of R_gg below this, with all columns at unit norm, are dropped
  double healthy_rcond = 1e-14;  ///< R_gg is pivoted only when the estimate of 1 / ||R_gg^-1|| is below this
  double ridge = 0.0;            ///< mu of mu ||D w||^2, D = diag(||a_j||)
  /// The cut-off is raised until ||D w|| <= max_growth ||c||, c the right sides after step 1: see TriangularOptions.
  double max_growth = std::numeric_limits<double>::infinity();
};

struct ChainSolution {
  DenseMatrix w;                       ///< (sum of m_g) x nrhs, the groups one below the other
  int rank = 0;                        ///< columns kept
  std::vector<int> group_ranks;        ///< the same for each group
  double condition = 0.0;              ///< largest ||R_gg^-1|| (estimate, 1-norm) of the scaled, kept columns
  double cut_off = 0.0;                ///< rcond, or more where max_growth asked for it
  std::vector<double> norms;           ///< ||w_s||_2
  std::vector<double> scaled_norms;    ///< ||D w_s||_2
  std::vector<double> residual_norms;  ///< least residual norms, including the ridge term
};

/// Solves the chain. The bits of the result do not depend on the number of threads in step 1. Throws
/// InputError for an inconsistent shape, source or option, NumericalError naming source, block, row and
/// column of an entry that is not finite; rethrows what the producer throws.
ChainSolution solve_chain(const ChainShape& shape, int n_right_sides, const std::vector<ChainSource>& sources,
                          const ChainProducer& producer, const ChainOptions& options = {});

}  // namespace torsor
