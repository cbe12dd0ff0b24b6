#include "problems/builder.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "physics/error.h"
#include "problems/conservation.h"
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

void ProblemBuilder::velocity(const std::string& text) {
  velocity_ = parse_velocity(text, [this](const std::string& number) {
    return expand_parameters("velocity", Expression::parse(number)).constant_value();
  });
  for (const auto& name : velocity_->names) Expression::name(name);
}

void ProblemBuilder::field(const std::string& name, const std::string& unit) {
  if (name.find('(') != std::string::npos) {
    if (!velocity_) throw InputError("unknown '" + name + "': problem.velocity is missing");
    velocity_unknowns_.push_back(parse_velocity_unknown(name, *velocity_));
    const VelocityUnknown& unknown = velocity_unknowns_.back();
    Expression::name(unknown.name);
    VelocityField family{unknown.name, static_cast<Index>(problem_.fields.size()), {}};
    family.basis = velocity_->polynomials(Eigen::all, unknown.moments);
    problem_.velocity_fields.push_back(std::move(family));
    for (const int l : unknown.moments) field(unknown.moment_name(l), unit);
    return;
  }
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

void ProblemBuilder::derived(const std::string& name, const std::string& formula) {
  Expression::name(name);
  derived_.emplace_back(name, Formula{formula, Expression::parse(formula)});
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

std::vector<std::string> ProblemBuilder::jet_bases() const {
  std::vector<std::string> names = field_names();
  for (const auto& unknown : velocity_unknowns_) names.push_back(unknown.name);
  return names;
}

std::vector<std::string> ProblemBuilder::space_names() const {
  std::vector<std::string> names;
  for (const auto& coordinate : problem_.coordinates)
    if (!coordinate.time) names.push_back(coordinate.name);
  return names;
}

std::string ProblemBuilder::time_name() const {
  const Index time = problem_.time();
  return time < 0 ? "" : problem_.coordinates[static_cast<size_t>(time)].name;
}

std::vector<std::string> ProblemBuilder::velocity_names() const {
  return velocity_ ? velocity_->names : std::vector<std::string>{};
}

bool ProblemBuilder::uses_velocity(const std::string& formula) const {
  std::vector<std::string> active;
  const auto uses = expand(Expression::parse(formula), active).names();
  const auto velocity = velocity_names();
  return std::any_of(uses.begin(), uses.end(), [&](const NameUse& use) {
    return std::find(velocity.begin(), velocity.end(), use.name) != velocity.end();
  });
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
  if (auto jet = parse_jet_name(name, jet_bases(), names)) {
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
  for (const auto& field : jet_bases()) {
    if (name != field + "_n") continue;
    Expression sum;
    for (const auto& x : space_names()) sum = sum + Expression::name("n_" + x) * Expression::name(field + "_" + x);
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
    if (auto jet = parse_jet_name(name, jet_bases(), names))
      return Expression::name(jet_name(jet->field, jet->order_per_coordinate, names));
    if (velocity_ && std::find(velocity_->names.begin(), velocity_->names.end(), name) != velocity_->names.end())
      return std::nullopt;
    return special_name(name, active);
  });
  std::function<Expression(const Expression&, const std::vector<std::string>&)> mean;
  if (moments_)
    mean = [this](const Expression& argument, const std::vector<std::string>& components) {
      return components.empty() ? moments_->mean(argument) : mean_over(components, argument);
    };
  return substituted.expand_operators(
      names, space_names(),
      [this](const std::string& name, const std::string& coordinate) { return derivative_of_name(name, coordinate); }, mean);
}

/// mean(f, u), u no name that has another meaning: it would have been taken for that.
Expression ProblemBuilder::mean_over(const std::vector<std::string>& components, const Expression& argument) const {
  const auto taken = known_names(Place::boundary);
  for (const auto& component : components)
    if (std::find(taken.begin(), taken.end(), component) != taken.end() ||
        parse_jet_name(component, bases_of_names(), coordinate_names(problem_.coordinates)))
      throw InputError("mean(..., " + component + "): the name of the mean's own velocity must be new");
  return moments_->mean_over(components, argument);
}

std::vector<std::string> ProblemBuilder::bases_of_names() const {
  std::vector<std::string> bases = jet_bases();
  for (const auto& entry : definitions_) bases.push_back(entry.first);
  for (const auto& entry : exact_) bases.push_back(entry.first + kExactSuffix);
  return bases;
}

std::vector<std::string> ProblemBuilder::known_names(Place place) const {
  std::vector<std::string> known = coordinate_names(problem_.coordinates);
  if (velocity_) known.insert(known.end(), velocity_->names.begin(), velocity_->names.end());
  const auto bases = bases_of_names();
  known.insert(known.end(), bases.begin(), bases.end());
  for (const auto& parameter : problem_.parameters) known.push_back(parameter.name);
  if (place == Place::boundary)
    for (const auto& x : space_names()) known.push_back("n_" + x);
  if (place == Place::boundary)
    for (const auto& field : jet_bases()) known.push_back(field + "_n");
  known.push_back(kManufactured);
  return known;
}

void ProblemBuilder::check_names(const std::string& what, const Formula& formula, Place place) const {
  const auto known = known_names(place), bases = bases_of_names(), coordinates = coordinate_names(problem_.coordinates);
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
    const auto jet = parse_jet_name(name, jet_bases(), names);
    if (!jet) return std::nullopt;
    if (!exact_.count(jet->field))
      throw InputError(what + ": 'manufactured' needs the exact solution of '" + jet->field + "'");
    std::vector<std::string> active;
    return special_name(jet_name(jet->field + kExactSuffix, jet->order_per_coordinate, names), active);
  });
}

// `manufactured` replaced by what the rest of the formula is for the exact solution.
Expression ProblemBuilder::without_manufactured(const std::string& what, const std::string& text,
                                                const Expression& formula) const {
  const auto without = formula.substitute([](const std::string& name) -> std::optional<Expression> {
    if (name == kManufactured) return Expression::number(0);
    return std::nullopt;
  });
  if (without == formula) return formula;
  if (!formula.partial(kManufactured).is_constant())
    throw InputError(where(what, text) + ": 'manufactured' must be a summand of its own");
  return without - replace_fields_by_exact(what, without);
}

void ProblemBuilder::compile(const Term& declared, const Expression& equation) {
  const char* kinds[] = {"residual.", "boundary.", "initial."};
  const std::string what = "problem." + std::string(kinds[static_cast<int>(declared.place)]) + declared.name;
  const Expression expanded = expand_checked(what, {declared.text, equation}, declared.place);
  const Expression formula = without_manufactured(what, declared.text, expanded);
  if (!moments_ || !moments_->depends(formula)) add_term(declared, what, formula);
  else if (declared.place == Place::boundary) add_incoming(declared, what, formula);
  else add_moments(declared, what, formula);
}

std::vector<FieldJet> ProblemBuilder::jets_of(const Expression& formula) const {
  std::vector<FieldJet> jets;
  for (const auto& use : formula.names())
    if (const auto jet = parse_jet_name(use.name, field_names(), coordinate_names(problem_.coordinates)))
      jets.push_back({problem_.field_index(jet->field), jet->order_per_coordinate});
  return jets;
}

void ProblemBuilder::add_term(Term term, const std::string& what, const Expression& formula) {
  term.jets = jets_of(formula);
  if (term.jets.empty()) throw InputError(where(what, term.text) + ": no unknown occurs in it");
  term.residual = expression_residual(formula);
  term.formula = formula;
  problem_.terms.push_back(std::move(term));
}

// A moment that unknowns of zero mean or one parity fulfil by themselves is no equation.
void ProblemBuilder::add_moments(const Term& declared, const std::string& what, const Expression& formula) {
  const auto moments = moments_->moments(formula);
  const size_t before = problem_.terms.size();
  for (size_t l = 0; l < moments.size(); ++l) {
    const bool unknown = !jets_of(moments[l]).empty();
    if (!unknown && negligible(moments[l])) continue;
    Term term = declared;
    term.name += "[" + std::to_string(l) + "]";
    if (!unknown)
      throw InputError(where(what, declared.text) + ": no unknown occurs in its moment " + std::to_string(l) + ", " +
                       moments[l].str().substr(0, 200));
    add_term(std::move(term), what, moments[l]);
  }
  if (problem_.terms.size() == before) throw InputError(where(what, declared.text) + ": no unknown occurs in it");
}

/// Whether a formula of the coordinates vanishes but for rounding, at some points.
bool ProblemBuilder::negligible(const Expression& formula) const {
  for (const double place : {0.123, 0.456, 0.789}) {
    std::map<std::string, double> values;
    for (const auto& c : problem_.coordinates) values[c.name] = c.low + place * (c.high - c.low);
    if (std::abs(formula.evaluate(values)) > 1e-12) return false;
  }
  return true;
}

std::vector<std::string> ProblemBuilder::unclaimed_pieces() const {
  std::vector<std::string> unclaimed;
  for (const auto& piece : problem_.pieces)
    if (std::none_of(terms_.begin(), terms_.end(), [&](const auto& term) {
          return std::find(term.first.pieces.begin(), term.first.pieces.end(), piece.name) != term.first.pieces.end();
        }))
      unclaimed.push_back(piece.name);
  return unclaimed;
}

// On the sides of a box the incoming velocities are known; elsewhere they change from point to point, and the condition
// is multiplied by step(-v.n).
void ProblemBuilder::add_incoming(const Term& declared, const std::string& what, const Expression& formula) {
  const auto spaces = space_names();
  if (spaces.size() != static_cast<size_t>(velocity_->dimension()))
    throw InputError(where(what, declared.text) + ": velocities of " + std::to_string(velocity_->dimension()) +
                     " components have no direction at the boundary of " + std::to_string(spaces.size()) + " dimensions");
  for (Index j = 0; j < velocity_->size(); ++j) {
    Term term = declared;
    term.name += "[" + std::to_string(j) + "]";
    const Expression at_node = moments_->at_node(formula, j);
    if (!problem_.box) {
      Expression outgoing;
      for (size_t i = 0; i < spaces.size(); ++i)
        outgoing = outgoing + Expression::number(velocity_->nodes(j, static_cast<Index>(i))) * Expression::name("n_" + spaces[i]);
      add_term(std::move(term), what, Expression::call(UnaryFunction::step, -outgoing) * at_node);
      continue;
    }
    term.pieces.clear();
    for (const auto& piece : declared.pieces.empty() ? unclaimed_pieces() : declared.pieces) {
      const auto side = std::find_if(spaces.begin(), spaces.end(), [&](const auto& x) { return piece.rfind(x + "_", 0) == 0; });
      const double normal = piece.ends_with("_high") ? 1 : -1;
      const bool known = side != spaces.end();  // if not, check_pieces says so
      if (!known || velocity_->nodes(j, side - spaces.begin()) * normal < 0) term.pieces.push_back(piece);
    }
    if (!term.pieces.empty()) add_term(std::move(term), what, at_node);
  }
}

// Exact solutions of unknowns of the velocity give those of their moments.
void ProblemBuilder::add_exact_of_moments() {
  for (const auto& unknown : velocity_unknowns_) {
    const auto given = exact_.find(unknown.name);
    if (given == exact_.end()) continue;
    const auto moments =
        moments_->moments(expand_checked("problem.exact." + unknown.name, given->second, Place::interior));
    for (const int l : unknown.moments)
      exact_.emplace(unknown.moment_name(l), Formula{given->second.text, moments[static_cast<size_t>(l)]});
  }
}

/// Throws InputError unless only coordinates occur.
void ProblemBuilder::check_coordinates(const std::string& what, const std::string& text, const Expression& formula) const {
  const auto names = coordinate_names(problem_.coordinates);
  for (const auto& use : formula.names())
    if (std::find(names.begin(), names.end(), use.name) == names.end())
      throw InputError(where(what, text) + ": '" + use.name + "' is not a coordinate, parameter or definition");
}

Expression ProblemBuilder::in_coordinates(const std::string& what, const std::string& formula) const {
  const Expression expanded = expand_checked(what, {formula, Expression::parse(formula)}, Place::interior);
  check_coordinates(what, formula, expanded);
  return expanded;
}

std::map<std::string, Expression> ProblemBuilder::value_of_unknown(const std::string& what, const std::string& unknown,
                                                                   const std::string& formula) const {
  std::map<std::string, Expression> values;
  for (const auto& kinetic : velocity_unknowns_) {
    if (kinetic.name != unknown) continue;
    const auto moments = moments_->moments(expand_checked(what, {formula, Expression::parse(formula)}, Place::interior));
    for (const int l : kinetic.moments) {
      values[kinetic.moment_name(l)] = moments[static_cast<size_t>(l)];
      check_coordinates(what, formula, moments[static_cast<size_t>(l)]);
    }
    return values;
  }
  problem_.field_index(unknown);
  values[unknown] = in_coordinates(what, formula);
  return values;
}

Derived ProblemBuilder::compile_derived(const std::string& name, const Formula& formula) const {
  const std::string what = "problem.derived." + name;
  Derived derived{name, formula.text, {}, {}};
  const Expression expanded = expand_checked(what, formula, Place::interior);
  if (moments_ && moments_->depends(expanded)) {
    try {
      derived.map = moments_->linear_map(expanded, field_names());
    } catch (const InputError& error) {
      throw InputError(where(what, formula.text) + ": " + error.what());
    }
    return derived;
  }
  auto known = coordinate_names(problem_.coordinates);
  for (const auto& field : field_names()) known.push_back(field);
  for (const auto& use : expanded.names())
    if (std::find(known.begin(), known.end(), use.name) == known.end())
      throw InputError(where(what, formula.text) + ": '" + use.name + "' is not the value of an unknown or a coordinate");
  derived.formula = expanded;
  return derived;
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
    if (const auto bases = jet_bases(); std::find(bases.begin(), bases.end(), entry.first) == bases.end())
      throw InputError("problem.exact." + entry.first + ": " + unknown_name_message("unknown", entry.first, bases));
}

void ProblemBuilder::check_distinct_names() const {
  std::vector<std::string> taken;
  const auto take = [&](const std::string& name, const char* kind) {
    if (std::find(taken.begin(), taken.end(), name) != taken.end())
      throw InputError(std::string(kind) + " '" + name + "': the name is already taken by a coordinate, unknown or parameter");
    taken.push_back(name);
  };
  for (const auto& coordinate : problem_.coordinates) take(coordinate.name, "coordinate");
  for (const auto& field : jet_bases()) take(field, "unknown");
  if (velocity_)
    for (const auto& name : velocity_->names) take(name, "velocity");
  for (const auto& quantity : derived_) take(quantity.first, "derived quantity");
  for (const auto& parameter : problem_.parameters) take(parameter.name, "parameter");
  for (const auto& definition : definitions_) take(definition.first, "definition");
}

Problem ProblemBuilder::build() {
  check_complete();
  check_distinct_names();
  problem_.velocity = velocity_;
  if (velocity_) moments_.emplace(*velocity_, velocity_unknowns_, coordinate_names(problem_.coordinates));
  add_exact_of_moments();
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
    check_coordinates("problem.exact." + field.name, given->second.text, *problem_.exact.back());
  }
  std::vector<std::string> given;
  for (const auto& [term, equation] : terms_) {
    if (std::find(given.begin(), given.end(), term.name) != given.end())
      throw InputError("term '" + term.name + "' is given twice");
    given.push_back(term.name);
    compile(term, equation);
  }
  for (const auto& [name, formula] : derived_) problem_.derived.push_back(compile_derived(name, formula));
  problem_.check_pieces();
  check_conserved(problem_);
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
