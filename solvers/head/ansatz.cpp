#include "solvers/head/ansatz.h"

#include <algorithm>
#include <stdexcept>

#include "physics/error.h"
#include "physics/exponential_jets.h"

namespace torsor {
namespace {

/// The jets of one field among `jets`: their multi-indices and positions.
struct Selection {
  std::vector<MultiIndex> indices;
  std::vector<Index> positions;
};

Selection select(const std::vector<FieldJet>& jets, Index field) {
  Selection selection;
  for (size_t c = 0; c < jets.size(); ++c) {
    if (jets[c].field != field) continue;
    selection.indices.push_back(jets[c].orders);
    selection.positions.push_back(static_cast<Index>(c));
  }
  return selection;
}

/// The columns of some indices among those of their closure.
Eigen::MatrixXd jets_among(const std::vector<MultiIndex>& indices, const std::vector<MultiIndex>& closure,
                           const Eigen::MatrixXd& jets) {
  std::vector<Index> columns;
  for (const auto& index : indices) columns.push_back(find_index(closure, index));
  return jets(Eigen::all, columns);
}

/// Jets of exp(n) for the field n of this head, or of n.
Eigen::MatrixXd network_jets(const Ansatz::FieldPart& part, const Eigen::MatrixXd& points,
                             const std::vector<MultiIndex>& closure, const Eigen::VectorXd& head) {
  const Eigen::MatrixXd n = part.patchwork->field_jets(points, closure, head);
  return part.positive ? Eigen::MatrixXd(ExponentialJets(closure).of(n)) : n;
}

}  // namespace

Ansatz::Ansatz(std::vector<FieldPart> parts) : parts_(std::move(parts)) {
  if (parts_.empty()) throw InputError("an ansatz needs at least one field");
  group_offset_.push_back(0);
  for (Index g = 0; g < groups(); ++g) {
    Index columns = 0;
    for (const auto& part : parts_) columns += part.patchwork->group_features(g);
    group_offset_.push_back(group_offset_.back() + columns);
  }
}

Index Ansatz::columns(const ColumnGroup& group) const {
  Index columns = 0;
  for (Index f = group.first_field; f < group.end_field; ++f) columns += patchwork(f).group_features(group.slot);
  return columns;
}

void Ansatz::add_rows(Index slot, const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets,
                      const Eigen::MatrixXd& coefficients, double* out_first, double* out_second, Index ld) const {
  add_rows({slot, 0, fields()}, points, jets, coefficients, out_first, out_second, ld);
}

void Ansatz::add_rows(const ColumnGroup& group, const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets,
                      const Eigen::MatrixXd& coefficients, double* out_first, double* out_second, Index ld) const {
  const Index slot = group.slot, next = slot + 1 < groups() ? slot + 1 : 0;
  for (Index f = group.first_field; f < group.end_field; ++f) {
    const auto& part = parts_[static_cast<size_t>(f)];
    const Selection selection = select(jets, f);
    if (!selection.indices.empty()) {
      if (part.positive) throw std::logic_error("a positive field has no rows: it is not linear in its head");
      const Eigen::MatrixXd own = coefficients(Eigen::all, selection.positions);
      if (part.constraint) {
        const auto closure = lower_closure(selection.indices);
        part.patchwork->add_rows(
            slot, points, closure,
            multiply_operator(selection.indices, own, closure, part.constraint->factor(points, closure)), out_first,
            out_second, ld);
      } else {
        part.patchwork->add_rows(slot, points, selection.indices, own, out_first, out_second, ld);
      }
    }
    out_first += part.patchwork->group_features(slot) * ld;
    if (out_second != nullptr) out_second += part.patchwork->group_features(next) * ld;
  }
}

Eigen::MatrixXd Ansatz::jets(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets,
                             const Eigen::VectorXd& w) const {
  Eigen::MatrixXd values = lift_jets(points, jets);
  for (Index f = 0; f < fields(); ++f) {
    const auto& part = parts_[static_cast<size_t>(f)];
    const Selection selection = select(jets, f);
    if (selection.indices.empty()) continue;
    const Eigen::VectorXd head = field_head(f, w);
    Eigen::MatrixXd own;
    if (part.constraint || part.positive) {
      const auto closure = lower_closure(selection.indices);
      const Eigen::MatrixXd network = network_jets(part, points, closure, head);
      own = part.constraint
                ? product_jets(selection.indices, closure, part.constraint->factor(points, closure), network)
                : jets_among(selection.indices, closure, network);
    } else {
      own = part.patchwork->field_jets(points, selection.indices, head);
    }
    for (size_t c = 0; c < selection.positions.size(); ++c)
      values.col(selection.positions[c]) += own.col(static_cast<Index>(c));
  }
  return values;
}

Eigen::MatrixXd Ansatz::lift_jets(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets) const {
  Eigen::MatrixXd values = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(jets.size()));
  for (Index f = 0; f < fields(); ++f) {
    const auto& part = parts_[static_cast<size_t>(f)];
    const Selection selection = select(jets, f);
    if (!part.constraint || !part.constraint->lift || selection.indices.empty()) continue;
    const Eigen::MatrixXd lift = part.constraint->lift(points, selection.indices);
    for (size_t c = 0; c < selection.positions.size(); ++c)
      values.col(selection.positions[c]) = lift.col(static_cast<Index>(c));
  }
  return values;
}

bool Ansatz::is_linear() const {
  return std::none_of(parts_.begin(), parts_.end(), [](const FieldPart& part) { return part.positive; });
}

std::shared_ptr<const Ansatz> Ansatz::linear() const {
  auto parts = parts_;
  for (auto& part : parts) part.positive = false;
  return std::make_shared<Ansatz>(std::move(parts));
}

Eigen::VectorXd Ansatz::field_head(Index field, const Eigen::VectorXd& w) const {
  Eigen::VectorXd head(patchwork(field).features());
  for (Index g = 0; g < groups(); ++g) {
    Index first = group_offset(g);
    for (Index f = 0; f < field; ++f) first += patchwork(f).group_features(g);
    head.segment(patchwork(field).group_offset(g), patchwork(field).group_features(g)) =
        w.segment(first, patchwork(field).group_features(g));
  }
  return head;
}

}  // namespace torsor
