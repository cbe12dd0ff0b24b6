#include "problems/transport_equation.h"

#include <algorithm>
#include <utility>

#include "physics/error.h"

namespace torsor {
namespace {

std::string bracketed(const std::string& formula) { return "(" + formula + ")"; }

// "g(vx, vy)"
std::string of_velocity(const ProblemBuilder& problem, const std::string& name) {
  std::string text;
  for (const auto& component : problem.velocity_names()) text += (text.empty() ? "" : ", ") + component;
  return name + bracketed(text);
}

// v . grad f: "vx*f_x + vy*f_y"
std::string streaming(const ProblemBuilder& problem, const std::string& field) {
  const auto space = problem.space_names(), velocity = problem.velocity_names();
  std::string text;
  for (size_t i = 0; i < space.size(); ++i)
    text += (i == 0 ? "" : " + ") + velocity[i] + "*" + field + "_" + space[i];
  return text;
}

// (I - <.>)(v . grad f)
std::string fluctuation_of_streaming(const ProblemBuilder& problem, const std::string& field) {
  const std::string text = streaming(problem, field);
  return bracketed(text + " - mean" + bracketed(text));
}

// "eps^2*g_t + ", nothing where the problem is steady
std::string rate(const ProblemBuilder& problem, const std::string& factor, const std::string& field) {
  const std::string time = problem.time_name();
  return time.empty() ? "" : factor + field + "_" + time + " + ";
}

void check_isotropic(const ProblemBuilder& problem, const std::string& key, const std::string& formula) {
  if (problem.uses_velocity(formula))
    throw InputError("problem." + key + " = " + formula +
                     ": the velocity occurs in it, the medium must not depend on it");
}

}  // namespace

const std::vector<std::string>& TransportEquation::decompositions() {
  static const std::vector<std::string> names{"micro-macro", "even-odd", "distribution"};
  return names;
}

TransportEquation::TransportEquation(const std::string& decomposition, Medium medium)
    : decomposition_(decomposition), medium_(std::move(medium)) {
  const auto& known = decompositions();
  if (std::find(known.begin(), known.end(), decomposition) == known.end())
    throw InputError(unknown_name_message("decomposition", decomposition, known));
}

std::string TransportEquation::distribution() const {
  const std::string eps = bracketed(medium_.knudsen);
  if (decomposition_ == "micro-macro") return "rho + " + eps + "*g";
  return decomposition_ == "even-odd" ? "rho + r + " + eps + "*j" : "f";
}

void TransportEquation::declare(ProblemBuilder& problem) const {
  const auto components = problem.velocity_names().size(), dimensions = problem.space_names().size();
  if (components == 0) throw InputError("problem.transport: problem.velocity is missing");
  if (components != dimensions)
    throw InputError("problem.transport: the velocity has " + std::to_string(components) + " components, there are " +
                     std::to_string(dimensions) + " space coordinates");
  check_isotropic(problem, "knudsen", medium_.knudsen);
  check_isotropic(problem, "scattering", medium_.scattering);
  check_isotropic(problem, "absorption", medium_.absorption);
  check_isotropic(problem, "source", medium_.source);
  if (decomposition_ == "micro-macro") declare_micro_macro(problem);
  if (decomposition_ == "even-odd") declare_even_odd(problem);
  if (decomposition_ == "distribution") declare_distribution(problem);
}

void TransportEquation::declare_micro_macro(ProblemBuilder& problem) const {
  const std::string eps = bracketed(medium_.knudsen), scattering = bracketed(medium_.scattering),
                    absorption = bracketed(medium_.absorption);
  problem.field("rho");
  problem.field(of_velocity(problem, "g") + " zero-mean");
  problem.residual("macro", rate(problem, "", "rho") + "mean(" + streaming(problem, "g") + ") + " + absorption +
                                "*rho = " + medium_.source);
  problem.residual("micro", rate(problem, eps + "^2*", "g") + eps + "*" + fluctuation_of_streaming(problem, "g") +
                                " + " + streaming(problem, "rho") + " + (" + scattering + " + " + eps + "^2*" + absorption +
                                ")*g = 0");
  problem.derived("f", distribution());
  declare_flux(problem, "g");
}

void TransportEquation::declare_even_odd(ProblemBuilder& problem) const {
  const std::string eps = bracketed(medium_.knudsen);
  const std::string total = bracketed(bracketed(medium_.scattering) + " + " + eps + "^2*" +
                                      bracketed(medium_.absorption));
  problem.field("rho");
  problem.field(of_velocity(problem, "r") + " zero-mean even");
  problem.field(of_velocity(problem, "j") + " odd");
  problem.residual("density", rate(problem, "", "rho") + "mean(" + streaming(problem, "j") + ") + " +
                                  bracketed(medium_.absorption) + "*rho = " + medium_.source);
  problem.residual("even", rate(problem, eps + "^2*", "r") + eps + "^2*" + fluctuation_of_streaming(problem, "j") +
                               " + " + total + "*r = 0");
  problem.residual("odd", rate(problem, eps + "^2*", "j") + streaming(problem, "rho") + " + " +
                              streaming(problem, "r") +
                              " + " + total + "*j = 0");
  problem.derived("f", distribution());
  declare_flux(problem, "j");
}

void TransportEquation::declare_distribution(ProblemBuilder& problem) const {
  const std::string eps = bracketed(medium_.knudsen);
  problem.field(of_velocity(problem, "f"));
  problem.residual("transport", rate(problem, eps + "*", "f") + streaming(problem, "f") + " = " +
                                    bracketed(medium_.scattering) + "/" + eps + "*(mean(f) - f) - " + eps + "*" +
                                    bracketed(medium_.absorption) + "*f + " + eps + "*" + bracketed(medium_.source));
  problem.derived("rho", "mean(f)");
  declare_flux(problem, "f/" + eps);
}

void TransportEquation::declare_flux(ProblemBuilder& problem, const std::string& carrier) const {
  const auto space = problem.space_names(), velocity = problem.velocity_names();
  for (size_t i = 0; i < space.size(); ++i)
    problem.derived(space.size() == 1 ? "flux" : "flux_" + space[i], "mean(" + velocity[i] + "*" + carrier + ")");
}

void TransportEquation::boundary(ProblemBuilder& problem, const std::string& term, const std::string& equation,
                                 std::vector<std::string> pieces) const {
  const Expression in_unknowns = Expression::equation(equation).substitute([this](const std::string& name) {
    return name == "f" ? std::optional(Expression::parse(distribution())) : std::nullopt;
  });
  problem.boundary(term, in_unknowns.str(), std::move(pieces));
}

void TransportEquation::initial(ProblemBuilder& problem, const std::string& equation) const {
  const auto equals = equation.find('=');
  const auto names = [](const Expression& formula) {
    const auto uses = formula.names();
    return std::any_of(uses.begin(), uses.end(), [](const NameUse& use) { return use.name == "f"; });
  };
  if (equals == std::string::npos || Expression::parse(equation.substr(0, equals)).str() != "f" ||
      names(Expression::parse(equation.substr(equals + 1))))
    throw InputError("problem.initial = " + equation + ": with problem.transport it has the form f = DATA");
  const std::string data = bracketed(equation.substr(equals + 1)), eps = bracketed(medium_.knudsen);
  const std::string deviation = data + " - mean" + data;
  if (decomposition_ == "distribution") {
    problem.initial("initial_distribution", equation);
    return;
  }
  problem.initial("initial_density", "rho = mean" + data);
  // Even moments of the deviation are those of r, odd ones those of eps j.
  problem.initial("initial_deviation", (decomposition_ == "micro-macro" ? eps + "*g = " : "r + " + eps + "*j = ") +
                                           deviation);
}

}  // namespace torsor
