// Assembly of the head's least-squares system
//
//   min_w  sum_terms sum_k  s_k^2 ( sum_j w_j L[phi_j](x_k) - b_k )^2
//
// from the linearised terms: L = sum_c (dr/d jet_c) d^c, b = L[state] - r(state). Rows are made in blocks straight
// into the streamed QR, so memory does not grow with the number of points. Each row is divided by its 2-norm (the
// terms then have equal magnitude whatever their units or coefficients: pyRFM's rule), and each term carries the
// weight sqrt(N_interior / N_term), times the boundary weight off the interior.
//
// Where rows touch few columns, the columns form a chain of groups, each row touching one or two neighbours, which
// costs the cube of a group instead of the cube of the whole (solvers/dense/chain_qr.h):
// - the cells of a partition of unity;
// - in one cell, chunks of consecutive fields, where each term couples few of many: the moments of a kinetic equation.
#pragma once

#include <cstdint>
#include <functional>

#include "solvers/dense/chain_qr.h"
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
  /// Report them; they are those of the whole matrix, which is then not split into a chain of fields.
  bool singular_values = false;
};

/// The first and the last field that a term touches.
struct FieldSpan {
  Index first = 0, last = 0;
};

/// Cuts the fields into the smallest consecutive chunks such that each span lies in one chunk or in two neighbours.
/// Returns the end of each chunk.
std::vector<Index> chunk_fields(const std::vector<FieldSpan>& spans, Index fields);

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
  /// The columns that a row touches: those of `group`, and of its successor if `with_next`.
  struct Reach {
    Index group;
    bool with_next;
  };
  /// Blocks of rows with the same reach.
  struct Source {
    Reach reach;
    std::vector<Block> blocks;
  };
  /// The columns in groups, and the rows by the groups that they touch. One group makes a dense system.
  struct Chain {
    const char* name;
    std::vector<ColumnGroup> groups;
    bool periodic;
    std::vector<Source> sources;

    const ColumnGroup& own(const Source& source) const { return groups[static_cast<size_t>(source.reach.group)]; }
    const ColumnGroup& next(const Source& source) const {
      return groups[static_cast<size_t>(source.reach.group + 1) % groups.size()];
    }
  };
  Chain chain_of_cells() const;
  Chain chain_of_fields(const std::vector<TermRows>& rows, bool only_one) const;
  std::vector<Source> sources(size_t groups, const std::function<Reach(size_t set, Index point)>& reach_of) const;
  std::vector<Block> blocks(const std::vector<std::vector<Index>>& rows_of_set) const;
  int fill(const Chain& chain, const Source& source, const Block& block, const std::vector<TermRows>& rows,
           const ChainBlock& out, std::vector<Eigen::VectorXd>& row_weights) const;
  void add_columns(const Chain& chain, const Source& source, const Piece& piece, const TermRows& rows, double* own,
                   double* next, Index ld) const;
  double largest_row(const Block& block, const std::vector<TermRows>& rows) const;
  void solve_dense(const Chain& chain, const std::vector<TermRows>& rows, const LeastSquaresOptions& options,
                   Result& result) const;
  void solve_chain(const Chain& chain, const std::vector<TermRows>& rows, const LeastSquaresOptions& options,
                   Result& result) const;

  const Ansatz& ansatz_;
  const std::vector<TermPoints>& points_;
  std::vector<double> weights_;
};

}  // namespace torsor
