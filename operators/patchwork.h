// A partition of unity over a box and a body on each patch (random feature method, Chen-Chi-E-Yang 2022):
//
//   u(x) = sum_p psi_p(x) sum_j w_pj phi_pj(x),     psi_p(x) = prod_i psi_{p_i}(x_i),    sum_p psi_p = 1.
//
// The patches are the cells of a tensor grid, each widened by an overlap; in one coordinate psi rises over an
// overlap as the C^4 smoothstep 70 s^9 - 315 s^8 + 540 s^7 - 420 s^6 + 126 s^5. Cells that share their place
// along the *chain coordinate* form a group. A point touches at most two neighbouring groups, so rows sorted
// by point make a block-bidiagonal system (solvers/dense/chain_qr.h). One single cell is the plain global
// body.
//
// On a periodic coordinate that is cut into cells the last cell overlaps the first; on a periodic coordinate
// with one cell the body itself has to be periodic.
#pragma once

#include <memory>
#include <vector>

#include "operators/body.h"

namespace torsor {

/// The cells of one coordinate: edges e_0 < ... < e_P, overlap half-width at each edge.
class PartitionAxis {
 public:
  /// `overlap` is the half-width of the overlap as a part of the narrower neighbour cell, in (0, 0.5].
  /// Throws InputError when the edges do not increase or the overlap is out of its range.
  PartitionAxis(std::vector<double> edges, bool periodic, double overlap = 0.25);

  Index cells() const { return static_cast<Index>(edges_.size()) - 1; }
  const std::vector<double>& edges() const { return edges_; }
  double low(Index cell) const;   ///< where psi of the cell begins to rise
  double high(Index cell) const;  ///< where it has fallen to zero
  bool periodic() const { return periodic_; }
  bool wraps() const { return periodic_ && cells() > 1; }
  double length() const { return edges_.back() - edges_.front(); }
  /// The first cell (in the direction of the chain) that is active at x; the only other one can be its
  /// successor.
  Index first_active(double x) const;
  /// x, or its periodic image, such that it lies in [low(cell), high(cell)] if it can.
  double image(Index cell, double x) const;
  /// d^order psi_cell at x (an image inside the cell), order 0 ... 4.
  double weight(Index cell, double x, int order) const;

 private:
  std::vector<double> edges_;
  std::vector<double> half_width_;  // one for each edge; 0 at the ends of a coordinate that does not wrap
  bool periodic_;
};

class Patchwork {
 public:
  /// One body for each cell of the tensor grid of `axes` (last coordinate fastest). Throws InputError on a
  /// mismatch.
  Patchwork(std::vector<PartitionAxis> axes, Index chain_coordinate,
            std::vector<std::shared_ptr<const Body>> bodies);

  Index dimension() const { return static_cast<Index>(axes_.size()); }
  const std::vector<PartitionAxis>& axes() const { return axes_; }
  Index chain_coordinate() const { return chain_; }
  Index groups() const { return axes_[static_cast<size_t>(chain_)].cells(); }
  bool wraps() const { return axes_[static_cast<size_t>(chain_)].wraps(); }
  Index patches() const { return static_cast<Index>(bodies_.size()); }
  const Body& body(Index patch) const { return *shared_body(patch); }
  const std::shared_ptr<const Body>& shared_body(Index patch) const { return bodies_[static_cast<size_t>(patch)]; }
  /// The cell of a patch in the tensor grid, last coordinate fastest: the order of the constructor's bodies.
  Index tensor_cell(Index patch) const;
  Index features() const { return offset_.back(); }
  /// Features of group g are columns [group_offset(g), group_offset(g + 1)) of the whole head.
  Index group_offset(Index group) const { return group_offset_[static_cast<size_t>(group)]; }
  Index group_features(Index group) const { return group_offset(group + 1) - group_offset(group); }

  /// The group g such that the point touches only groups g and g + 1.
  Index slot(const Eigen::Ref<const Eigen::RowVectorXd>& point) const;

  /// Whether the point touches the successor of its slot too.
  bool touches_next(const Eigen::Ref<const Eigen::RowVectorXd>& point) const;

  /// Rows of a differential operator at points which all have the given slot: as Body::add_rows, with the
  /// columns of group `slot` at `out_first`, those of its successor at `out_second` (ignored when there is
  /// none).
  void add_rows(Index slot, const Eigen::Ref<const Eigen::MatrixXd>& points,
                const std::vector<MultiIndex>& indices, const Eigen::Ref<const Eigen::MatrixXd>& coefficients,
                double* out_first, double* out_second, Index ld) const;

  /// Jets of the field with the whole head `w` (features()): N x indices.size(). Runs over the threads.
  Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                             const std::vector<MultiIndex>& indices,
                             const Eigen::Ref<const Eigen::VectorXd>& w) const;

 private:
  struct Active;
  Active active_points(Index patch, const Eigen::Ref<const Eigen::MatrixXd>& points) const;
  Eigen::MatrixXd weight_jets(Index patch, const Eigen::MatrixXd& points,
                              const std::vector<MultiIndex>& indices) const;
  Index cell_of(Index patch, Index coordinate) const;
  void add_patch_rows(Index patch, const Eigen::Ref<const Eigen::MatrixXd>& points,
                      const std::vector<MultiIndex>& indices,
                      const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const;
  void add_patch_jets(Index patch, const Eigen::Ref<const Eigen::MatrixXd>& points,
                      const std::vector<MultiIndex>& indices, const Eigen::Ref<const Eigen::VectorXd>& w,
                      Eigen::Ref<Eigen::MatrixXd> jets) const;
  Eigen::MatrixXd serial_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                              const std::vector<MultiIndex>& indices,
                              const Eigen::Ref<const Eigen::VectorXd>& w) const;

  std::vector<PartitionAxis> axes_;
  Index chain_;
  std::vector<std::shared_ptr<const Body>> bodies_;  // ordered by group
  std::vector<std::vector<Index>> cells_;            // of each patch, one index for each coordinate
  std::vector<Index> offset_, group_offset_;
};

}  // namespace torsor
