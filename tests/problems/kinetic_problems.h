// Linear transport as Problems of different unknowns, for the tests of what reads and solves them.
#pragma once

#include <stdexcept>
#include <string>

#include "problems/builder.h"
#include "problems/quantities.h"
#include "solvers/head/solution.h"

namespace torsor::kinetic_problems {

enum class Unknowns { micro_macro, even_odd, distribution };

/// eps f_t + v f_x = (scattering/eps)(<f> - f) - eps absorption f + eps source on 0 <= x <= 1, in formulas of x and v.
struct Transport {
  Unknowns unknowns = Unknowns::micro_macro;
  double eps = 1.0;
  std::string velocity = "v in gauss(16)";
  std::string scattering = "1", absorption = "0", source = "0";
  double end = 1.0;                                                  ///< of time; 0: steady
  std::string initial = "(1 + cos(4*pi*x))/sqrt(2*pi)*exp(-v^2/2)";  ///< even in v for even_odd
  bool periodic = true;
  std::string inflow_left = "0", inflow_right = "0";
};

inline void define_micro_macro(ProblemBuilder& problem, bool steady) {
  problem.field("rho");
  problem.field("g(v) zero-mean");
  problem.residual("macro", (steady ? "" : "rho_t + ") + std::string("mean(v*g_x) + absorption*rho - source = 0"));
  problem.residual("micro",
                   (steady ? "" : "eps^2*g_t + ") +
                       std::string("eps*(v*g_x - mean(v*g_x)) + v*rho_x + (scattering + eps^2*absorption)*g = 0"));
  problem.derived("f", "rho + eps*g");
  problem.derived("flux", "mean(v*g)");
}

inline void define_even_odd(ProblemBuilder& problem, bool steady) {
  problem.field("rho");
  problem.field("r(v) zero-mean even");
  problem.field("j(v) odd");
  problem.residual("density", (steady ? "" : "rho_t + ") + std::string("mean(v*j_x) + absorption*rho - source = 0"));
  problem.residual("even", (steady ? "" : "eps^2*r_t + ") +
                               std::string("eps^2*(v*j_x - mean(v*j_x)) + (scattering + eps^2*absorption)*r = 0"));
  problem.residual(
      "odd", (steady ? "" : "eps^2*j_t + ") + std::string("v*(rho_x + r_x) + (scattering + eps^2*absorption)*j = 0"));
  problem.derived("f", "rho + r + eps*j");
  problem.derived("flux", "mean(v*j)");
}

inline void define_distribution(ProblemBuilder& problem, bool steady) {
  problem.field("f(v)");
  problem.residual("transport",
                   (steady ? "" : "eps*f_t + ") +
                       std::string("v*f_x = scattering/eps*(mean(f) - f) - eps*absorption*f + eps*source"));
}

inline void define_initial(ProblemBuilder& problem, Unknowns unknowns) {
  if (unknowns == Unknowns::distribution) {
    problem.initial("start", "f = data");
    return;
  }
  problem.initial("start", "rho = mean(data)");
  if (unknowns == Unknowns::micro_macro) problem.initial("deviation", "eps*g = data - mean(data)");
  if (unknowns == Unknowns::even_odd) {
    problem.initial("start_even", "r = data - mean(data)");
    problem.initial("start_odd", "j = 0*v");
  }
}

inline std::string distribution_formula(Unknowns unknowns) {
  if (unknowns == Unknowns::micro_macro) return "rho + eps*g";
  return unknowns == Unknowns::even_odd ? "rho + r + eps*j" : "f";
}

/// Fields, equations and derived quantities.
inline void define_equation(ProblemBuilder& problem, const Transport& t) {
  problem.define("scattering", t.scattering);
  problem.define("absorption", t.absorption);
  problem.define("source", t.source);
  const bool steady = t.end == 0.0;
  if (t.unknowns == Unknowns::micro_macro) define_micro_macro(problem, steady);
  if (t.unknowns == Unknowns::even_odd) define_even_odd(problem, steady);
  if (t.unknowns == Unknowns::distribution) define_distribution(problem, steady);
}

inline Problem problem_of(const Transport& t) {
  ProblemBuilder problem("kinetic", {});
  problem.parameter("eps", t.eps, 0.0, 10.0, "Knudsen number");
  const std::string x = "x in [0, 1]" + std::string(t.periodic ? " periodic" : "");
  problem.coordinates(t.end > 0.0 ? x + "; t in [0, " + exact_text(t.end) + "] time" : x);
  problem.velocity(t.velocity);
  define_equation(problem, t);
  if (t.end > 0.0) {
    problem.define("data", t.initial);
    define_initial(problem, t.unknowns);
  }
  if (!t.periodic) {
    problem.boundary("left", distribution_formula(t.unknowns) + " = " + t.inflow_left, {"x_low"});
    problem.boundary("right", distribution_formula(t.unknowns) + " = " + t.inflow_right, {"x_high"});
  }
  return problem.build();
}

/// The eigenmode of wave number 2 pi (physics/transport_exact.h) in micro-macro form, as
/// problems/transport-eigenmode.cfg.
inline Problem eigenmode(double eps, const std::string& velocity = "v in gauss(16)", double end = 0.1) {
  ProblemBuilder problem("eigenmode", {});
  problem.parameter("eps", eps, 0.0, 0.25, "Knudsen number");
  problem.coordinates("x in [0, 1] periodic; t in [0, " + exact_text(end) + "] time");
  problem.velocity(velocity);
  define_equation(problem, {});
  problem.define("z", "2*pi*eps");
  problem.define("a", "z*cos(z)/sin(z)");
  problem.define("lambda", "where(z < 0.05, -4*pi^2*(1/3 + z^2/45 + 2*z^4/945 + z^6/4725), (a - 1)/eps^2)");
  problem.define("decay", "exp(lambda*t)/(a^2 + z^2*v^2)");
  problem.exact("rho", "exp(lambda*t)*cos(2*pi*x)");
  problem.exact("g", "decay*(2*pi*v*sin(2*pi*x) - eps*(lambda*a + 4*pi^2*v^2)*cos(2*pi*x))");
  problem.initial("density", "rho = rho_exact");
  problem.initial("deviation", "eps*g = eps*g_exact");
  return problem.build();
}

/// A quantity of the results (problems/quantities.h) at points (N x 2): N x 1, or N x nodes.
inline Eigen::MatrixXd quantity(const Problem& problem, const Solution& solution, const std::string& name,
                         const Eigen::MatrixXd& points) {
  std::vector<FieldJet> jets;
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f) jets.push_back({f, {0, 0}});
  const Eigen::MatrixXd values = solution.jets(points, jets);
  for (const auto& known : quantities(problem))
    if (known.name == name) return known.of(points, values);
  throw std::logic_error("no quantity " + name);
}

}  // namespace torsor::kinetic_problems
