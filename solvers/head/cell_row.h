// The cells of one coordinate, refined and coarsened while a solution is marched through time.
#pragma once

#include <functional>
#include <vector>

#include "physics/multi_index.h"

namespace torsor {

class CellRow {
 public:
  /// `cells` of equal width.
  CellRow(double low, double high, Index cells);

  Index size() const { return static_cast<Index>(edges_.size()) - 1; }
  double low(Index cell) const { return edges_[static_cast<size_t>(cell)]; }
  double high(Index cell) const { return edges_[static_cast<size_t>(cell) + 1]; }
  double width(Index cell) const { return high(cell) - low(cell); }
  double length() const { return edges_.back() - edges_.front(); }
  const std::vector<double>& edges() const { return edges_; }
  /// The cell that x lies in; the first or the last one beyond the ends.
  Index at(double x) const;

  /// Halves these cells.
  void split(const std::vector<Index>& cells);
  /// Halves the cell at x until it is at most that wide.
  void halve_at(double x, double width);
  /// Joins cells c and c + 1 where `may_join(c)` and the pair is at most that wide; at least two cells stay.
  void join(const std::function<bool(Index cell)>& may_join, double widest);

 private:
  std::vector<double> edges_;
};

}  // namespace torsor
