// Assembly of the head's least-squares system
//
//   min_w  sum_terms sum_k  s_k^2 ( sum_j w_j L[phi_j](x_k) - b_k )^2
//
// from the linearised terms: L = sum_c (dr/d jet_c) d^c, b = L[state] - r(state). Rows are made in blocks straight
// into the streamed QR, so memory does not grow with the number of points. Each row is divided by its 2-norm (the
// terms then have equal magnitude whatever their units or coefficients: pyRFM's rule), and each term carries the
// weight sqrt(N_interior / N_term), times the boundary weight off the interior.
#pragma once

#include <cstdint>

#include "solvers/head/ansatz.h"
#include "solvers/head/collocation.h"

namespace torsor {

/// How a system was solved.
struct HeadReport {
  Index rows = 0, columns = 0, rank = 0;
  double condition = 0;    ///< estimate, on unit columns
  double cut_off = 0;      ///< relative to the largest pivot
  double residual = 0;     ///< rms of the weighted rows' misfit
  double norm = 0;         ///< ||w|| on unit columns
  std::string method;
  std::vector<double> singular_values;  ///< on unit columns; only when asked for
};

struct LeastSquaresOptions {
  /// Relative cut-off of the rank-revealing fall-back.
  double rcond = 1e-15;  // see TriangularOptions
  /// Tikhonov parameter on unit columns. Zero: the data carry no noise, and the ridge, not the basis, would set the
  /// error (error ~ sqrt(ridge)).
  double ridge = 0;
  /// See TriangularOptions.
  double max_growth = 1e7;
  bool singular_values = false;
};

class RowSystem {
 public:
  /// `points` must outlive the system.
  RowSystem(const Problem& problem, const Ansatz& ansatz, const std::vector<TermPoints>& points,
            double boundary_weight);

  /// A term's coefficients and right sides at its points.
  struct TermRows {
    std::vector<FieldJet> jets;
    Eigen::MatrixXd coefficients;  ///< N x jets
    Eigen::MatrixXd right_sides;   ///< N x number of right sides
  };

  /// A solved system.
  struct Result {
    Eigen::MatrixXd head;                      ///< columns() x right sides
    std::vector<Eigen::VectorXd> row_weights;  ///< s_k of every row, for each entry of the points
    HeadReport report;
  };

  /// Solves for the head. `rows` has one entry for each entry of the points.
  /// Throws NumericalError when rows are not finite.
  Result solve(const std::vector<TermRows>& rows, const LeastSquaresOptions& options) const;

 private:
  struct Piece {
    Index set;                 // entry of the points
    std::vector<Index> rows;   // of that entry, all of one slot
  };
  struct Block {
    std::vector<Piece> pieces;
    Index rows = 0;
  };
  /// Blocks that touch the same groups: `slot`, and its successor if `with_next`.
  struct Source {
    Index slot;
    bool with_next;
    std::vector<Block> blocks;
  };
  void add_source(Index slot, bool with_next, const std::vector<std::vector<Index>>& rows_of_set);
  Index fill(const Source& source, const Block& block, const std::vector<TermRows>& rows, double* own, double* next,
             double* b, Index ld, std::vector<Eigen::VectorXd>& row_weights) const;
  double largest_row(const Block& block, const std::vector<TermRows>& rows) const;
  void solve_global(const std::vector<TermRows>& rows, const LeastSquaresOptions& options, Result& result) const;
  void solve_patches(const std::vector<TermRows>& rows, const LeastSquaresOptions& options, Result& result) const;

  const Ansatz& ansatz_;
  const std::vector<TermPoints>& points_;
  std::vector<double> weights_;
  std::vector<Source> sources_;  // ordered by slot
};

}  // namespace torsor
