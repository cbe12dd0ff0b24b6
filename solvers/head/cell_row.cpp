#include "solvers/head/cell_row.h"

#include <algorithm>

namespace torsor {

CellRow::CellRow(double low, double high, Index cells) {
  for (Index k = 0; k <= cells; ++k)
    edges_.push_back(low + (high - low) * static_cast<double>(k) / static_cast<double>(cells));
}

Index CellRow::at(double x) const {
  return static_cast<Index>(std::upper_bound(edges_.begin() + 1, edges_.end() - 1, x) - edges_.begin()) - 1;
}

void CellRow::split(const std::vector<Index>& cells) {
  std::vector<double> edges;
  for (Index c = 0; c < size(); ++c) {
    edges.push_back(low(c));
    if (std::find(cells.begin(), cells.end(), c) != cells.end()) edges.push_back(0.5 * (low(c) + high(c)));
  }
  edges.push_back(edges_.back());
  edges_ = std::move(edges);
}

void CellRow::halve_at(double x, double widest) {
  while (width(at(x)) > widest) split({at(x)});
}

void CellRow::join(const std::function<bool(Index cell)>& may_join, double widest) {
  std::vector<double> edges{edges_.front()};
  for (Index c = 0; c < size(); ++c) {
    if (c + 1 < size() && high(c + 1) - low(c) <= widest && may_join(c)) ++c;
    edges.push_back(high(c));
  }
  if (edges.size() > 2) edges_ = std::move(edges);
}

}  // namespace torsor
