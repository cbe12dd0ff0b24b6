#include "problems/quantities.h"

#include <algorithm>

namespace torsor {
namespace {

bool is_moment(const Problem& problem, Index field) {
  return std::any_of(problem.velocity_fields.begin(), problem.velocity_fields.end(), [&](const VelocityField& f) {
    return field >= f.first && field < f.first + f.basis.cols();
  });
}

Quantity field_quantity(const Problem& problem, Index field) {
  const Field& known = problem.fields[static_cast<size_t>(field)];
  return {known.name, known.unit, false,
          [field](const Eigen::MatrixXd&, const Eigen::MatrixXd& values) -> Eigen::MatrixXd { return values.col(field); }};
}

Quantity mapped(const std::string& name, const std::string& unit, Index first, const Eigen::MatrixXd& map) {
  return {name, unit, true, [first, map](const Eigen::MatrixXd&, const Eigen::MatrixXd& values) -> Eigen::MatrixXd {
            return values.middleCols(first, map.cols()) * map.transpose();
          }};
}

Quantity formula_quantity(const Problem& problem, const std::string& name, const Expression& formula) {
  auto names = coordinate_names(problem.coordinates);
  for (const auto& field : problem.fields) names.push_back(field.name);
  return {name, "", false, [names, formula](const Eigen::MatrixXd& points, const Eigen::MatrixXd& values) -> Eigen::MatrixXd {
            Eigen::MatrixXd all(points.rows(), points.cols() + values.cols());
            all << points, values;
            return evaluate_formula(formula, names, all);
          }};
}

}  // namespace

std::vector<Quantity> quantities(const Problem& problem) {
  std::vector<Quantity> all;
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f)
    if (!is_moment(problem, f)) all.push_back(field_quantity(problem, f));
  for (const auto& derived : problem.derived)
    if (derived.formula) all.push_back(formula_quantity(problem, derived.name, *derived.formula));
  for (const auto& unknown : problem.velocity_fields)
    all.push_back(mapped(unknown.name, problem.fields[static_cast<size_t>(unknown.first)].unit, unknown.first, unknown.basis));
  for (const auto& derived : problem.derived)
    if (!derived.formula) all.push_back(mapped(derived.name, "", 0, derived.map));
  return all;
}

}  // namespace torsor
