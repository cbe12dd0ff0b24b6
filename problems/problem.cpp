#include "problems/problem.h"

#include <algorithm>

#include "physics/error.h"

namespace torsor {
namespace {

std::vector<std::string> field_names(const Problem& problem) {
  std::vector<std::string> names;
  for (const auto& field : problem.fields) names.push_back(field.name);
  return names;
}

}  // namespace

std::vector<Index> Problem::space() const {
  std::vector<Index> indices;
  for (Index i = 0; i < dimension(); ++i)
    if (i != time()) indices.push_back(i);
  return indices;
}

bool Problem::has_exact() const {
  return std::all_of(exact.begin(), exact.end(), [](const auto& e) { return e.has_value(); });
}

int Problem::time_order(Index field) const {
  int order = 0;
  if (time() < 0) return order;
  for (const auto& term : terms)
    for (const auto& jet : term.jets)
      if (term.place == Place::interior && jet.field == field)
        order = std::max(order, jet.orders[static_cast<size_t>(time())]);
  return order;
}

int Problem::order() const {
  int order = 0;
  for (const auto& term : terms)
    for (const auto& jet : term.jets)
      if (term.place == Place::interior) order = std::max(order, total_order(jet.orders));
  return order;
}

Index Problem::field_index(const std::string& field) const {
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == field) return static_cast<Index>(i);
  throw InputError(unknown_name_message("field", field, field_names(*this)));
}

std::string Problem::jet_text(const FieldJet& jet) const {
  return jet_name(fields[static_cast<size_t>(jet.field)].name, jet.orders, coordinate_names(coordinates));
}

FieldJet Problem::jet(const std::string& text) const {
  const auto parsed = parse_jet_name(text, field_names(*this), coordinate_names(coordinates));
  if (!parsed) throw InputError(unknown_name_message("jet", text, field_names(*this)));
  return {field_index(parsed->field), parsed->order_per_coordinate};
}

Eigen::MatrixXd Problem::exact_jets(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets) const {
  const auto names = coordinate_names(coordinates);
  Eigen::MatrixXd values(points.rows(), static_cast<Index>(jets.size()));
  for (size_t c = 0; c < jets.size(); ++c) {
    const auto& solution = exact[static_cast<size_t>(jets[c].field)];
    if (!solution) throw InputError("problem '" + name + "' has no exact solution");
    Expression formula = *solution;
    for (size_t i = 0; i < names.size(); ++i)
      for (int order = 0; order < jets[c].orders[i]; ++order) formula = formula.partial(names[i]);
    values.col(static_cast<Index>(c)) = evaluate(formula, points);
  }
  return values;
}

std::vector<std::string> Problem::pieces_of(const Term& term) const {
  if (!term.pieces.empty()) return term.pieces;
  std::vector<std::string> unclaimed;
  for (const auto& piece : pieces) {
    const bool claimed = std::any_of(terms.begin(), terms.end(), [&](const Term& other) {
      return std::find(other.pieces.begin(), other.pieces.end(), piece.name) != other.pieces.end();
    });
    if (!claimed) unclaimed.push_back(piece.name);
  }
  return unclaimed;
}

void Problem::check_pieces() const {
  std::vector<std::string> known;
  for (const auto& piece : pieces) known.push_back(piece.name);
  for (const auto& term : terms)
    for (const auto& piece : term.pieces)
      if (std::find(known.begin(), known.end(), piece) == known.end())
        throw InputError("problem.boundary." + term.name + ": " + unknown_name_message("boundary piece", piece, known));
}

Expression Problem::formula(const Expression& formula) const {
  std::vector<std::string> known = coordinate_names(coordinates);
  for (const auto& parameter : parameters) known.push_back(parameter.name);
  for (const auto& use : formula.names())
    if (std::find(known.begin(), known.end(), use.name) == known.end())
      throw InputError(formula.str() + ": position " + std::to_string(use.position) + ": " +
                       unknown_name_message("name", use.name, known));
  return formula.substitute([this](const std::string& wanted) -> std::optional<Expression> {
    for (const auto& parameter : parameters)
      if (parameter.name == wanted) return Expression::number(parameter.value);
    return std::nullopt;
  });
}

Eigen::VectorXd Problem::evaluate(const Expression& formula, const Eigen::MatrixXd& points) const {
  return evaluate_formula(formula, coordinate_names(coordinates), points);
}

std::string point_text(const Problem& problem, const Eigen::RowVectorXd& point) {
  std::string text;
  for (Index i = 0; i < problem.dimension(); ++i)
    text += (i ? ", " : "") + problem.coordinates[static_cast<size_t>(i)].name + " = " + std::to_string(point[i]);
  return text;
}

Eigen::VectorXd evaluate_formula(const Expression& formula, const std::vector<std::string>& coordinates,
                                 const Eigen::MatrixXd& points) {
  const Eigen::ArrayXd values = formula.evaluate(ArrayAlgebra{}, [&](const std::string& wanted) -> Eigen::ArrayXd {
    const auto place = std::find(coordinates.begin(), coordinates.end(), wanted);
    if (place == coordinates.end()) throw InputError("'" + wanted + "' is not a coordinate");
    return points.col(place - coordinates.begin()).array();
  });
  if (values.size() == points.rows()) return values;
  return Eigen::VectorXd::Constant(points.rows(), values[0]);
}

}  // namespace torsor
