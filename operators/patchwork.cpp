#include "operators/patchwork.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <exception>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr int kMaxOrder = 4;  // of the smoothstep's continuity, and so of an equation on several patches

/// d^order/ds^order of the C^4 smoothstep, s clamped to [0, 1].
double smoothstep(double s, int order) {
  if (s <= 0) return 0;
  if (s >= 1) return order == 0 ? 1 : 0;
  // S(s) = 1 - S(1 - s); near 1 the terms of the sum cancel.
  if (s > 0.5) return (order == 0 ? 1 : 0) - (order % 2 ? -1 : 1) * smoothstep(1 - s, order);
  static constexpr std::array<double, 5> coefficient{126, -420, 540, -315, 70};  // of s^5 ... s^9
  double value = 0;
  for (int power = 9; power >= 5; --power) {
    double factor = coefficient[static_cast<size_t>(power - 5)];
    for (int i = 0; i < order; ++i) factor *= power - i;
    value = value * s + factor;
  }
  return value * std::pow(s, 5 - order);
}

}  // namespace

PartitionAxis::PartitionAxis(std::vector<double> edges, bool periodic, double overlap)
    : edges_(std::move(edges)), half_width_(edges_.size(), 0.0), periodic_(periodic) {
  const auto not_increasing = [](double a, double b) { return !(a < b); };  // NaN included
  if (edges_.size() < 2 || std::adjacent_find(edges_.begin(), edges_.end(), not_increasing) != edges_.end())
    throw InputError("partition: the edges of the cells must increase");
  if (!(overlap > 0) || overlap > 0.5)
    throw InputError("partition: overlap = " + std::to_string(overlap) + " must be in (0, 0.5]");
  const size_t last = edges_.size() - 1;
  for (size_t i = 1; i < last; ++i)
    half_width_[i] = overlap * std::min(edges_[i] - edges_[i - 1], edges_[i + 1] - edges_[i]);
  if (wraps())
    half_width_[0] = half_width_[last] =
        overlap * std::min(edges_[1] - edges_[0], edges_[last] - edges_[last - 1]);
}

double PartitionAxis::low(Index cell) const {
  const auto i = static_cast<size_t>(cell);
  return edges_[i] - half_width_[i];
}

double PartitionAxis::high(Index cell) const {
  const auto i = static_cast<size_t>(cell + 1);
  return edges_[i] + half_width_[i];
}

Index PartitionAxis::first_active(double x) const {
  if (wraps() && x < edges_.front() + half_width_.front()) return cells() - 1;
  Index cell = cells() - 1;
  while (cell > 0 && x < edges_[static_cast<size_t>(cell)] + half_width_[static_cast<size_t>(cell)]) --cell;
  return cell;
}

double PartitionAxis::image(Index cell, double x) const {
  if (!wraps()) return x;
  const double centre = 0.5 * (low(cell) + high(cell));
  return x - length() * std::round((x - centre) / length());
}

double PartitionAxis::weight(Index cell, double x, int order) const {
  // psi = rise(low edge) * (1 - rise(high edge)); the two ramps of a cell never overlap. Neighbours take the
  // same rise at their common edge, so that their weights sum to one and their derivatives cancel to the last
  // bit.
  const auto i = static_cast<size_t>(cell);
  const auto rise = [&](size_t edge) {
    const double width = 2 * half_width_[edge];
    return smoothstep((x - (edges_[edge] - half_width_[edge])) / width, order) / std::pow(width, order);
  };
  if (half_width_[i] > 0 && x < edges_[i] + half_width_[i]) return rise(i);
  if (half_width_[i + 1] > 0 && x > edges_[i + 1] - half_width_[i + 1])
    return (order == 0 ? 1 : 0) - rise(i + 1);
  return order == 0 ? 1 : 0;
}

/// The points at which a patch's weight is not zero, moved to the periodic image nearest to the patch.
struct Patchwork::Active {
  std::vector<Index> rows;
  Eigen::MatrixXd points;
};

Patchwork::Patchwork(std::vector<PartitionAxis> axes, Index chain_coordinate,
                     std::vector<std::shared_ptr<const Body>> bodies)
    : axes_(std::move(axes)), chain_(chain_coordinate) {
  if (chain_ < 0 || chain_ >= dimension())
    throw InputError("patchwork: chain coordinate " + std::to_string(chain_) + " of " +
                     std::to_string(dimension()));
  size_t count = 1;
  for (const auto& axis : axes_) count *= static_cast<size_t>(axis.cells());
  if (bodies.size() != count)
    throw InputError("patchwork: " + std::to_string(bodies.size()) + " bodies for " + std::to_string(count) +
                     " cells");
  for (const auto& own : bodies)
    if (own->dimension() != dimension())
      throw InputError("patchwork: a body of " + std::to_string(own->dimension()) + " coordinates in " +
                       std::to_string(dimension()));
  for (size_t cell = 0; cell < count; ++cell) {
    std::vector<Index> position(axes_.size());
    size_t rest = cell;
    for (size_t i = axes_.size(); i-- > 0;) {
      position[i] = static_cast<Index>(rest % static_cast<size_t>(axes_[i].cells()));
      rest /= static_cast<size_t>(axes_[i].cells());
    }
    cells_.push_back(position);
  }
  std::vector<size_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = i;
  const auto group = [&](size_t cell) { return cells_[cell][static_cast<size_t>(chain_)]; };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return group(a) < group(b); });
  std::vector<std::vector<Index>> sorted_cells;
  offset_.push_back(0);
  group_offset_.push_back(0);
  for (size_t k = 0; k < count; ++k) {
    if (k > 0 && group(order[k]) != group(order[k - 1])) group_offset_.push_back(offset_.back());
    bodies_.push_back(bodies[order[k]]);
    sorted_cells.push_back(cells_[order[k]]);
    offset_.push_back(offset_.back() + bodies_.back()->features());
  }
  group_offset_.push_back(offset_.back());
  cells_ = std::move(sorted_cells);
}

Index Patchwork::cell_of(Index patch, Index coordinate) const {
  return cells_[static_cast<size_t>(patch)][static_cast<size_t>(coordinate)];
}

Index Patchwork::tensor_cell(Index patch) const {
  Index cell = 0;
  for (Index i = 0; i < dimension(); ++i) cell = cell * axes_[static_cast<size_t>(i)].cells() + cell_of(patch, i);
  return cell;
}

Index Patchwork::slot(const Eigen::Ref<const Eigen::RowVectorXd>& point) const {
  return axes_[static_cast<size_t>(chain_)].first_active(point[chain_]);
}

bool Patchwork::touches_next(const Eigen::Ref<const Eigen::RowVectorXd>& point) const {
  const auto& axis = axes_[static_cast<size_t>(chain_)];
  const Index own = slot(point);
  if (own + 1 == axis.cells() && !axis.wraps()) return false;
  const Index next = own + 1 < axis.cells() ? own + 1 : 0;
  return axis.image(next, point[chain_]) > axis.low(next);
}

Patchwork::Active Patchwork::active_points(Index patch,
                                           const Eigen::Ref<const Eigen::MatrixXd>& points) const {
  Active active;
  Eigen::MatrixXd moved = points;
  std::vector<char> inside(static_cast<size_t>(points.rows()), 1);
  for (Index i = 0; i < dimension(); ++i) {
    const auto& axis = axes_[static_cast<size_t>(i)];
    if (axis.cells() == 1) continue;
    const Index cell = cell_of(patch, i);
    for (Index k = 0; k < points.rows(); ++k) {
      moved(k, i) = axis.image(cell, points(k, i));
      // At the outer ends of the box a cell goes on for ever, so that rounding loses no point.
      const bool below = (cell > 0 || axis.wraps()) && moved(k, i) <= axis.low(cell);
      const bool above = (cell + 1 < axis.cells() || axis.wraps()) && moved(k, i) >= axis.high(cell);
      if (below || above) inside[static_cast<size_t>(k)] = 0;
    }
  }
  for (Index k = 0; k < points.rows(); ++k)
    if (inside[static_cast<size_t>(k)]) active.rows.push_back(k);
  active.points = moved(active.rows, Eigen::all);
  return active;
}

Eigen::MatrixXd Patchwork::weight_jets(Index patch, const Eigen::MatrixXd& points,
                                       const std::vector<MultiIndex>& indices) const {
  Eigen::MatrixXd jets = Eigen::MatrixXd::Ones(points.rows(), static_cast<Index>(indices.size()));
  for (Index i = 0; i < dimension(); ++i) {
    const auto& axis = axes_[static_cast<size_t>(i)];
    std::array<Eigen::ArrayXd, kMaxOrder + 1> weight;
    for (size_t c = 0; c < indices.size(); ++c) {
      const int order = indices[c][static_cast<size_t>(i)];
      if (axis.cells() == 1) {
        if (order > 0) jets.col(static_cast<Index>(c)).setZero();
        continue;
      }
      if (order > kMaxOrder)
        throw InputError("several patches allow derivatives up to order 4 in a coordinate");
      auto& values = weight[static_cast<size_t>(order)];
      if (values.size() == 0) {
        values.resize(points.rows());
        for (Index k = 0; k < points.rows(); ++k)
          values[k] = axis.weight(cell_of(patch, i), points(k, i), order);
      }
      jets.col(static_cast<Index>(c)).array() *= values;
    }
  }
  return jets;
}

void Patchwork::add_patch_rows(Index patch, const Eigen::Ref<const Eigen::MatrixXd>& points,
                               const std::vector<MultiIndex>& indices,
                               const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out,
                               Index ld) const {
  const Active active = active_points(patch, points);
  if (active.rows.empty()) return;
  const auto closure = lower_closure(indices);
  const Eigen::MatrixXd weights = weight_jets(patch, active.points, closure);
  const Eigen::MatrixXd local =
      multiply_operator(indices, coefficients(active.rows, Eigen::all), closure, weights);
  const Body& patch_body = body(patch);
  if (static_cast<Index>(active.rows.size()) == points.rows()) {
    patch_body.add_rows(active.points, closure, local, out, ld);
    return;
  }
  const auto n = static_cast<Index>(active.rows.size());
  Eigen::MatrixXd rows = Eigen::MatrixXd::Zero(n, patch_body.features());
  patch_body.add_rows(active.points, closure, local, rows.data(), n);
  for (Index j = 0; j < rows.cols(); ++j)
    for (Index k = 0; k < n; ++k) out[j * ld + active.rows[static_cast<size_t>(k)]] += rows(k, j);
}

void Patchwork::add_rows(Index slot, const Eigen::Ref<const Eigen::MatrixXd>& points,
                         const std::vector<MultiIndex>& indices,
                         const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out_first,
                         double* out_second, Index ld) const {
  if (patches() == 1) return body(0).add_rows(points, indices, coefficients, out_first, ld);
  const Index next = slot + 1 < groups() ? slot + 1 : 0;
  for (Index p = 0; p < patches(); ++p) {
    const Index group = cell_of(p, chain_);
    double* out = group == slot                                       ? out_first
                  : group == next && (slot + 1 < groups() || wraps()) ? out_second
                                                                      : nullptr;
    if (out == nullptr) continue;
    add_patch_rows(p, points, indices, coefficients,
                   out + (offset_[static_cast<size_t>(p)] - group_offset(group)) * ld, ld);
  }
}

void Patchwork::add_patch_jets(Index patch, const Eigen::Ref<const Eigen::MatrixXd>& points,
                               const std::vector<MultiIndex>& indices,
                               const Eigen::Ref<const Eigen::VectorXd>& w,
                               Eigen::Ref<Eigen::MatrixXd> jets) const {
  const Active active = active_points(patch, points);
  if (active.rows.empty()) return;
  const auto closure = lower_closure(indices);
  const Eigen::MatrixXd weights = weight_jets(patch, active.points, closure);
  const auto first = offset_[static_cast<size_t>(patch)];
  const Eigen::MatrixXd raw =
      body(patch).field_jets(active.points, closure, w.segment(first, body(patch).features()));
  const Eigen::MatrixXd product = product_jets(indices, closure, weights, raw);
  for (Index c = 0; c < product.cols(); ++c)
    for (Index k = 0; k < product.rows(); ++k) jets(active.rows[static_cast<size_t>(k)], c) += product(k, c);
}

Eigen::MatrixXd Patchwork::serial_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                       const std::vector<MultiIndex>& indices,
                                       const Eigen::Ref<const Eigen::VectorXd>& w) const {
  if (patches() == 1) return body(0).field_jets(points, indices, w);
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(indices.size()));
  for (Index p = 0; p < patches(); ++p) add_patch_jets(p, points, indices, w, sum);
  return sum;
}

Eigen::MatrixXd Patchwork::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                      const std::vector<MultiIndex>& indices,
                                      const Eigen::Ref<const Eigen::VectorXd>& w) const {
  constexpr Index kBlock = 512;
  const Index blocks = (points.rows() + kBlock - 1) / kBlock;
  Eigen::MatrixXd jets = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(indices.size()));
  std::exception_ptr error;  // an exception must not leave a parallel region
#pragma omp parallel for schedule(static)
  for (Index block = 0; block < blocks; ++block) {
    const Index first = block * kBlock, n = std::min(kBlock, points.rows() - first);
    try {
      jets.middleRows(first, n) = serial_jets(points.middleRows(first, n), indices, w);
    } catch (...) {
#pragma omp critical(torsor_patchwork_error)
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
  return jets;
}

}  // namespace torsor
