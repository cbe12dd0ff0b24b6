// The ansatz of all fields of a problem on one space-time window: each field is a patchwork of bodies, with an optional
// hard constraint
//
//   u(x) = G(x) + D(x) n(x),    n(x) = sum_j w_j phi_j(x),     D = 0 and G = data where a condition is to hold exactly.
//
// A trained field may be positive: then exp(n) takes the place of n.
//
// The fields share the partition. Columns are ordered by group of the chain, then by field.
#pragma once

#include <functional>
#include <optional>

#include "operators/patchwork.h"
#include "problems/problem.h"

namespace torsor {

/// Jets at points (N x d): one column for each multi-index.
using JetFunction =
    std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points, const std::vector<MultiIndex>& indices)>;

struct HardConstraint {
  JetFunction factor;  ///< D
  JetFunction lift;    ///< G
  Expression factor_formula, lift_formula;  ///< of the coordinates
};

/// Columns of a head that are kept together: those of the fields first_field <= f < end_field in one group of the
/// partition.
struct ColumnGroup {
  Index slot = 0, first_field = 0, end_field = 0;
};

class Ansatz {
 public:
  struct FieldPart {
    std::shared_ptr<const Patchwork> patchwork;
    std::optional<HardConstraint> constraint;
    bool positive = false;  ///< exp(n) in the place of n
  };
  /// One part for each field of the problem; the patchworks must have the same groups.
  explicit Ansatz(std::vector<FieldPart> parts);

  const std::vector<FieldPart>& parts() const { return parts_; }
  const Patchwork& patchwork(Index field) const { return *parts_[static_cast<size_t>(field)].patchwork; }
  Index fields() const { return static_cast<Index>(parts_.size()); }
  Index columns() const { return group_offset_.back(); }
  Index groups() const { return patchwork(0).groups(); }
  Index group_offset(Index group) const { return group_offset_[static_cast<size_t>(group)]; }
  Index columns(const ColumnGroup& group) const;
  bool positive(Index field) const { return parts_[static_cast<size_t>(field)].positive; }
  /// Whether every field is linear in the head: none is positive.
  bool is_linear() const;
  /// The same without positivity, for heads that are solved.
  std::shared_ptr<const Ansatz> linear() const;

  /// Adds the rows of sum_c coefficients(:, c) (jet c) at points of one slot to the columns of `group` at `out_first`
  /// and, unless null, those of the same fields in the slot's successor at `out_second` (column-major, leading
  /// dimension ld). Jets of other fields are left out. Throws std::logic_error for a positive field.
  void add_rows(const ColumnGroup& group, const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets,
                const Eigen::MatrixXd& coefficients, double* out_first, double* out_second, Index ld) const;

  /// The same for all fields.
  void add_rows(Index slot, const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets,
                const Eigen::MatrixXd& coefficients, double* out_first, double* out_second, Index ld) const;

  /// The jets of the fields with head w (columns()): N x jets.size(), lift included.
  Eigen::MatrixXd jets(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets,
                       const Eigen::VectorXd& w) const;

  /// The part of the jets that does not depend on the head (zero without lifts).
  Eigen::MatrixXd lift_jets(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets) const;

  /// The head of one field, in the order of its patchwork's columns.
  Eigen::VectorXd field_head(Index field, const Eigen::VectorXd& w) const;

 private:
  std::vector<FieldPart> parts_;
  std::vector<Index> group_offset_;
};

}  // namespace torsor
