#include "problems/builder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "physics/error.h"
#include "problems/residual.h"

namespace torsor {
namespace {

const char* const kManufactured = "manufactured";
const char* const kExactSuffix = "_exact";

std::string where(const std::string& what, const std::string& text) { return what + " = " + text; }

}  // namespace

std::string exact_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.17g", value);
  return value < 0 ? "(" + std::string(text) + ")" : std::string(text);
}

ProblemBuilder::ProblemBuilder(std::string name, TaskInput input) : input_(std::move(input)) {
  problem_.name = std::move(name);
  problem_.seed = input_.seed;
}

void ProblemBuilder::coordinates(const std::string& text) {
  problem_.coordinates = parse_coordinates(text, [this](const std::string& number) {
    return expand_parameters("coordinates", Expression::parse(number)).constant_value();
  });
  for (const auto& coordinate : problem_.coordinates)
    if (Expression::is_reserved(coordinate.name))
      throw InputError("coordinate name '" + coordinate.name + "' is a constant or function of formulas");
}

void ProblemBuilder::field(const std::string& name, const std::string& unit) {
  Expression::name(name);
  for (const auto& known : problem_.fields)
    if (known.name == name) throw InputError("unknown '" + name + "' is declared twice");
  problem_.fields.push_back({name, unit});
}

double ProblemBuilder::parameter(const std::string& name, double default_value, double low, double high,
                                 const std::string& help, const std::string& unit) {
  const auto given = input_.parameters.find(name);
  const double value = given == input_.parameters.end() ? default_value : given->second;
  if (!std::isfinite(value) || value < low || value > high)
    throw InputError("problem.parameter." + name + " = " + exact_text(value) + " is outside [" + exact_text(low) +
                     ", " + exact_text(high) + "]");
  problem_.parameters.push_back({name, value, low, high, unit, help, default_value});
  return value;
}

int ProblemBuilder::whole_parameter(const std::string& name, int default_value, int low, int high,
                                    const std::string& help) {
  const double value = parameter(name, default_value, low, high, help);
  if (value != std::round(value))
    throw InputError("problem.parameter." + name + " = " + exact_text(value) + " is not a whole number");
  return static_cast<int>(value);
}

void ProblemBuilder::define(const std::string& name, const std::string& formula) {
  Expression::name(name);
  if (!definitions_.emplace(name, Formula{formula, Expression::parse(formula)}).second)
    throw InputError("definition '" + name + "' is given twice");
}

void ProblemBuilder::residual(const std::string& term, const std::string& equation) {
  terms_.push_back({{term, Place::interior, {}, equation, {}, {}}, Expression::equation(equation)});
}

void ProblemBuilder::boundary(const std::string& term, const std::string& equation, std::vector<std::string> pieces) {
  terms_.push_back({{term, Place::boundary, std::move(pieces), equation, {}, {}}, Expression::equation(equation)});
}

void ProblemBuilder::initial(const std::string& term, const std::string& equation) {
  terms_.push_back({{term, Place::initial, {}, equation, {}, {}}, Expression::equation(equation)});
}

void ProblemBuilder::exact(const std::string& field, const std::string& formula) {
  if (!exact_.emplace(field, Formula{formula, Expression::parse(formula)}).second)
    throw InputError("the exact solution of '" + field + "' is given twice");
}

std::vector<std::string> ProblemBuilder::field_names() const {
  std::vector<std::string> names;
  for (const auto& field : problem_.fields) names.push_back(field.name);
  return names;
}

std::vector<std::string> ProblemBuilder::space_names() const {
  std::vector<std::string> names;
  for (const auto& coordinate : problem_.coordinates)
    if (!coordinate.time) names.push_back(coordinate.name);
  return names;
}

Expression ProblemBuilder::expand_parameters(const std::string& what, const Expression& formula) const {
  for (const auto& use : formula.names())
    if (std::none_of(problem_.parameters.begin(), problem_.parameters.end(),
                     [&](const Parameter& p) { return p.name == use.name; }))
      throw InputError(what + ": '" + use.name + "' is not a parameter declared before");
  return formula.substitute([this](const std::string& name) -> std::optional<Expression> {
    for (const auto& parameter : problem_.parameters)
      if (parameter.name == name) return Expression::number(parameter.value);
    return std::nullopt;
  });
}

// d/d coordinate of a name that is left after substitution: a coordinate, a jet of a field, or a normal's component.
Expression ProblemBuilder::derivative_of_name(const std::string& name, const std::string& coordinate) const {
  if (name == coordinate) return Expression::number(1);
  const auto names = coordinate_names(problem_.coordinates);
  if (std::find(names.begin(), names.end(), name) != names.end()) return Expression::number(0);
  if (auto jet = parse_jet_name(name, field_names(), names)) {
    const auto position = std::find(names.begin(), names.end(), coordinate) - names.begin();
    ++jet->order_per_coordinate[static_cast<size_t>(position)];
    return Expression::name(jet_name(jet->field, jet->order_per_coordinate, names));
  }
  if (name == kManufactured) throw InputError("'manufactured' cannot be differentiated: write it as its own summand");
  return Expression::number(0);
}

// A definition or exact solution, or a derivative of one; and the normal derivative u_n.
std::optional<Expression> ProblemBuilder::special_name(const std::string& name,
                                                       std::vector<std::string>& active) const {
  std::map<std::string, const Formula*> formulas;
  for (const auto& [key, formula] : definitions_) formulas[key] = &formula;
  for (const auto& [key, formula] : exact_) formulas[key + kExactSuffix] = &formula;
  std::vector<std::string> known;
  for (const auto& entry : formulas) known.push_back(entry.first);
  const auto names = coordinate_names(problem_.coordinates);
  if (auto jet = parse_jet_name(name, known, names)) {
    if (std::find(active.begin(), active.end(), jet->field) != active.end())
      throw InputError("definition '" + jet->field + "' uses itself");
    active.push_back(jet->field);
    Expression value = expand(formulas[jet->field]->expression, active);
    active.pop_back();
    for (size_t i = 0; i < names.size(); ++i)
      for (int order = 0; order < jet->order_per_coordinate[i]; ++order)
        value = value.derivative([&](const std::string& n) { return derivative_of_name(n, names[i]); });
    return value;
  }
  for (const auto& field : problem_.fields) {
    if (name != field.name + "_n") continue;
    Expression sum;
    for (const auto& x : space_names()) sum = sum + Expression::name("n_" + x) * Expression::name(field.name + "_" + x);
    return sum;
  }
  return std::nullopt;
}

Expression ProblemBuilder::expand(const Expression& formula, std::vector<std::string>& active) const {
  const auto names = coordinate_names(problem_.coordinates);
  const Expression substituted = formula.substitute([&](const std::string& name) -> std::optional<Expression> {
    for (const auto& parameter : problem_.parameters)
      if (parameter.name == name) return Expression::number(parameter.value);
    if (std::find(names.begin(), names.end(), name) != names.end()) return std::nullopt;
    if (auto jet = parse_jet_name(name, field_names(), names))
      return Expression::name(jet_name(jet->field, jet->order_per_coordinate, names));
    return special_name(name, active);
  });
  return substituted.expand_operators(
      names, space_names(),
      [this](const std::string& name, const std::string& coordinate) { return derivative_of_name(name, coordinate); });
}

void ProblemBuilder::check_names(const std::string& what, const Formula& formula, Place place) const {
  const auto coordinates = coordinate_names(problem_.coordinates);
  std::vector<std::string> bases = field_names(), known = coordinates;
  for (const auto& entry : definitions_) bases.push_back(entry.first);
  for (const auto& entry : exact_) bases.push_back(entry.first + kExactSuffix);
  known.insert(known.end(), bases.begin(), bases.end());
  for (const auto& parameter : problem_.parameters) known.push_back(parameter.name);
  if (place == Place::boundary)
    for (const auto& x : space_names()) known.push_back("n_" + x);
  if (place == Place::boundary)
    for (const auto& field : problem_.fields) known.push_back(field.name + "_n");
  known.push_back(kManufactured);
  for (const auto& use : formula.expression.names()) {
    if (std::find(known.begin(), known.end(), use.name) != known.end()) continue;
    if (parse_jet_name(use.name, bases, coordinates)) continue;
    throw InputError(where(what, formula.text) + ": position " + std::to_string(use.position) + ": " +
                     unknown_name_message("name", use.name, known));
  }
}

Expression ProblemBuilder::expand_checked(const std::string& what, const Formula& formula, Place place) const {
  check_names(what, formula, place);
  std::vector<std::string> active;
  Expression expanded;
  try {
    expanded = expand(formula.expression, active);
  } catch (const InputError& error) {
    throw InputError(where(what, formula.text) + ": " + error.what());
  }
  // What came in through definitions: normals are there on the boundary only.
  for (const auto& use : expanded.names())
    if (place != Place::boundary && use.name.rfind("n_", 0) == 0)
      throw InputError(where(what, formula.text) + ": the normal's component '" + use.name +
                       "' is defined on the boundary only");
  return expanded;
}

// The formula with each jet replaced by that jet of the exact solution.
Expression ProblemBuilder::replace_fields_by_exact(const std::string& what, const Expression& formula) const {
  const auto names = coordinate_names(problem_.coordinates);
  return formula.substitute([&](const std::string& name) -> std::optional<Expression> {
    const auto jet = parse_jet_name(name, field_names(), names);
    if (!jet) return std::nullopt;
    if (!exact_.count(jet->field))
      throw InputError(what + ": 'manufactured' needs the exact solution of '" + jet->field + "'");
    std::vector<std::string> active;
    return special_name(jet_name(jet->field + kExactSuffix, jet->order_per_coordinate, names), active);
  });
}

Term ProblemBuilder::compile(const Term& declared, const Expression& equation) const {
  const char* kinds[] = {"residual.", "boundary.", "initial."};
  const std::string what = "problem." + std::string(kinds[static_cast<int>(declared.place)]) + declared.name;
  Expression formula = expand_checked(what, {declared.text, equation}, declared.place);
  const auto names = coordinate_names(problem_.coordinates);
  const auto without = formula.substitute([](const std::string& name) -> std::optional<Expression> {
    if (name == kManufactured) return Expression::number(0);
    return std::nullopt;
  });
  const bool manufactured = !(without == formula);
  Term term = declared;
  for (const auto& use : without.names()) {
    const auto jet = parse_jet_name(use.name, field_names(), names);
    if (jet) term.jets.push_back({problem_.field_index(jet->field), jet->order_per_coordinate});
  }
  if (term.jets.empty()) throw InputError(where(what, declared.text) + ": no unknown occurs in it");
  if (manufactured && !formula.partial(kManufactured).is_constant())
    throw InputError(where(what, declared.text) + ": 'manufactured' must be a summand of its own");
  if (manufactured) formula = without - replace_fields_by_exact(what, without);
  term.residual = expression_residual(formula);
  term.formula = formula;
  return term;
}

void ProblemBuilder::check_complete() const {
  if (problem_.coordinates.empty()) throw InputError("problem.coordinates is missing");
  if (problem_.fields.empty()) throw InputError("problem.unknowns is missing");
  const auto count = [&](Place place) {
    return std::count_if(terms_.begin(), terms_.end(), [&](const auto& t) { return t.first.place == place; });
  };
  if (count(Place::interior) == 0) throw InputError("problem.residual is missing");
  if (problem_.time() >= 0 && count(Place::initial) == 0) throw InputError("problem.initial is missing");
  if (problem_.time() < 0 && count(Place::initial) > 0)
    throw InputError("problem.initial is given, but no coordinate is marked as time");
  for (const auto& entry : input_.parameters) {
    std::vector<std::string> known;
    for (const auto& parameter : problem_.parameters) known.push_back(parameter.name);
    if (std::find(known.begin(), known.end(), entry.first) == known.end())
      throw InputError("problem.parameter." + entry.first + ": " +
                       unknown_name_message("parameter", entry.first, known));
  }
  for (const auto& entry : exact_)
    if (std::none_of(problem_.fields.begin(), problem_.fields.end(), [&](auto& f) { return f.name == entry.first; }))
      throw InputError("problem.exact." + entry.first + ": " + unknown_name_message("unknown", entry.first, field_names()));
}

void ProblemBuilder::check_distinct_names() const {
  std::vector<std::string> taken;
  const auto take = [&](const std::string& name, const char* kind) {
    if (std::find(taken.begin(), taken.end(), name) != taken.end())
      throw InputError(std::string(kind) + " '" + name + "': the name is already taken by a coordinate, unknown or parameter");
    taken.push_back(name);
  };
  for (const auto& coordinate : problem_.coordinates) take(coordinate.name, "coordinate");
  for (const auto& field : problem_.fields) take(field.name, "unknown");
  for (const auto& parameter : problem_.parameters) take(parameter.name, "parameter");
  for (const auto& definition : definitions_) take(definition.first, "definition");
}

Problem ProblemBuilder::build() {
  check_complete();
  check_distinct_names();
  for (const auto& [name, formula] : definitions_) check_names("problem.define." + name, formula, Place::boundary);
  std::vector<Coordinate> space;
  for (const auto& coordinate : problem_.coordinates)
    if (!coordinate.time) space.push_back(coordinate);
  problem_.domain = parse_domain(domain_, space_names(), coordinate_box(space), [this](const std::string& number) {
    return expand_parameters("domain", Expression::parse(number)).constant_value();
  });
  problem_.box = domain_ == "box";
  for (auto& piece : problem_.domain->boundary_pieces()) {
    const bool joined = std::any_of(space.begin(), space.end(), [&](const Coordinate& c) {
      return c.periodic && (piece.name == c.name + "_low" || piece.name == c.name + "_high");
    });
    if (!joined) problem_.pieces.push_back(std::move(piece));
  }
  for (const auto& field : problem_.fields) {
    const auto given = exact_.find(field.name);
    if (given == exact_.end()) {
      problem_.exact.emplace_back();
      continue;
    }
    problem_.exact.emplace_back(expand_checked("problem.exact." + field.name, given->second, Place::interior));
    for (const auto& use : problem_.exact.back()->names()) {
      const auto names = coordinate_names(problem_.coordinates);
      if (std::find(names.begin(), names.end(), use.name) == names.end())
        throw InputError(where("problem.exact." + field.name, given->second.text) + ": '" + use.name +
                         "' is not a coordinate, parameter or definition");
    }
  }
  for (const auto& [term, equation] : terms_) {
    for (const auto& known : problem_.terms)
      if (known.name == term.name) throw InputError("term '" + term.name + "' is given twice");
    problem_.terms.push_back(compile(term, equation));
  }
  problem_.check_pieces();
  return problem_;
}

// ---- the list of definitions ----------------------------------------------------------------------------------------

namespace {

std::vector<ProblemDefinition>& definitions() {
  static std::vector<ProblemDefinition> list;
  return list;
}

}  // namespace

const std::vector<ProblemDefinition>& problem_definitions() { return definitions(); }

const ProblemDefinition& find_problem(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& definition : definitions()) {
    if (definition.name == name) return definition;
    known.push_back(definition.name);
  }
  throw InputError(unknown_name_message("problem", name, known));
}

Problem make_problem(const ProblemDefinition& definition, const TaskInput& input) {
  ProblemBuilder builder(definition.name, input);
  definition.define(builder);
  return builder.build();
}

RegisterProblem::RegisterProblem(std::string name, std::string summary, std::function<void(ProblemBuilder&)> define) {
  auto& list = definitions();
  const auto place = std::lower_bound(list.begin(), list.end(), name,
                                      [](const ProblemDefinition& d, const std::string& n) { return d.name < n; });
  if (place != list.end() && place->name == name) throw std::logic_error("problem '" + name + "' is registered twice");
  list.insert(place, {std::move(name), std::move(summary), std::move(define)});
}

}  // namespace torsor
