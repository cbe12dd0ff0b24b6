// What a problem's definition is written with. A definition is a function that calls the builder; the same calls are
// made by problems/config_problem.cpp for equations written in a config.
//
// Names in formulas: the coordinates; parameters; definitions and their derivatives (a, a_x); the fields and their
// derivatives (u, u_x, u_xt); the operators of physics/expression.h (d(f, x), lap(f), ...); on boundaries n_x ... (the
// outward normal) and u_n (the normal derivative); u_exact, the exact solution of u; and `manufactured`: the value that
// the rest of the residual takes for the exact solution, so that "lap(u) + k^2*u - manufactured" has the exact
// solution as its solution without a second form of the equation.
//
// Kinetic equations: with velocity("v in gauss(16)") unknowns may depend on v (field("g(v) zero-mean")) and formulas use
// v and mean(f). An equation with v in it holds for every velocity: it stands for its moments (problems/velocity_moments.h)
// in the interior and at the first time, and on the boundary for one condition for each incoming velocity (v . n < 0).
#pragma once

#include "problems/problem.h"
#include "problems/velocity_moments.h"

namespace torsor {

/// The task that is asked for: values of parameters that differ from their defaults, and the seed of random data.
struct TaskInput {
  std::map<std::string, double> parameters;
  uint64_t seed = 0;
};

class ProblemBuilder {
 public:
  ProblemBuilder(std::string name, TaskInput input);

  void title(const std::string& text) { problem_.title = text; }
  void source(const std::string& text) { problem_.source = text; }
  /// "x in [0, 1]; t in [0, 2] s time": see physics/coordinates.h. Bounds may use parameters declared before.
  void coordinates(const std::string& text);
  /// "box" (default), or a formula of shapes: see physics/domain.h. Space coordinates only.
  void domain(const std::string& text) { domain_ = text; }
  /// "v in gauss(16)": see physics/velocity_basis.h. Numbers may use parameters declared before.
  void velocity(const std::string& text);
  /// A name, or an unknown of the velocity, declared before: "g(v)", with "zero-mean", "even" or "odd" after it.
  void field(const std::string& name, const std::string& unit = "");
  /// Declares a parameter and returns its value. Throws InputError when it is outside [low, high].
  double parameter(const std::string& name, double default_value, double low, double high, const std::string& help,
                   const std::string& unit = "");
  /// A parameter that counts something. Throws InputError for a value that is not whole, and as parameter().
  int whole_parameter(const std::string& name, int default_value, int low, int high, const std::string& help);
  void define(const std::string& name, const std::string& formula);
  void residual(const std::string& term, const std::string& equation);
  /// On the boundary pieces named (empty: every piece that no other term names).
  void boundary(const std::string& term, const std::string& equation, std::vector<std::string> pieces = {});
  void initial(const std::string& term, const std::string& equation);
  void exact(const std::string& field, const std::string& formula);
  /// A further quantity of the results, made of the unknowns' values: "flux", "mean(v*g)"; with the velocity in it linear.
  void derived(const std::string& name, const std::string& formula);
  /// A scalar unknown or derived quantity whose integral over space does not change in time.
  void conserved(const std::string& quantity) { problem_.conserved.push_back(quantity); }
  /// The classical solver to compare with, by name.
  void reference(const std::string& name) { problem_.reference = name; }
  /// The task's seed, for random data.
  uint64_t seed() const { return problem_.seed; }
  /// What was declared so far: the space coordinates, the time coordinate (empty if there is none) and the velocity's
  /// components (none if there is no velocity).
  std::vector<std::string> space_names() const;
  std::string time_name() const;
  std::vector<std::string> velocity_names() const;
  /// Whether the velocity occurs in a formula, definitions declared so far looked into.
  bool uses_velocity(const std::string& formula) const;

  /// Checks everything and compiles the formulas. Throws InputError: unknown parameters, names, pieces; missing parts.
  Problem build();

  /// After build(): a formula of coordinates, parameters and definitions in the coordinates alone. Throws InputError, naming
  /// `what`, for other names.
  Expression in_coordinates(const std::string& what, const std::string& formula) const;
  /// After build(): the same as a value of an unknown, by field: of an unknown of the velocity, which may then be in the
  /// formula, the moments. Throws InputError for an unknown that does not exist as well.
  std::map<std::string, Expression> value_of_unknown(const std::string& what, const std::string& unknown,
                                                     const std::string& formula) const;

 private:
  struct Formula {
    std::string text;
    Expression expression;
  };
  Expression expand(const Expression& formula, std::vector<std::string>& active) const;
  Expression expand_checked(const std::string& what, const Formula& formula, Place place) const;
  Expression expand_parameters(const std::string& what, const Expression& formula) const;
  Expression mean_over(const std::vector<std::string>& components, const Expression& argument) const;
  /// What names may begin with before the coordinates of a derivative: unknowns, definitions, exact solutions.
  std::vector<std::string> bases_of_names() const;
  /// Every name that has a meaning in a formula there.
  std::vector<std::string> known_names(Place place) const;
  Expression derivative_of_name(const std::string& name, const std::string& coordinate) const;
  Expression replace_fields_by_exact(const std::string& what, const Expression& formula) const;
  std::optional<Expression> special_name(const std::string& name, std::vector<std::string>& active) const;
  Expression without_manufactured(const std::string& what, const std::string& text, const Expression& formula) const;
  void compile(const Term& declared, const Expression& equation);
  std::vector<FieldJet> jets_of(const Expression& formula) const;
  void add_term(Term term, const std::string& what, const Expression& formula);
  void add_moments(const Term& declared, const std::string& what, const Expression& formula);
  void add_incoming(const Term& declared, const std::string& what, const Expression& formula);
  std::vector<std::string> unclaimed_pieces() const;
  bool negligible(const Expression& formula) const;
  void add_exact_of_moments();
  void check_coordinates(const std::string& what, const std::string& text, const Expression& formula) const;
  Derived compile_derived(const std::string& name, const Formula& formula) const;
  void check_names(const std::string& what, const Formula& formula, Place place) const;
  void check_complete() const;
  void check_distinct_names() const;
  std::vector<std::string> field_names() const;
  /// What names of jets begin with: the fields and the unknowns of the velocity.
  std::vector<std::string> jet_bases() const;

  Problem problem_;
  TaskInput input_;
  std::string domain_ = "box";
  std::map<std::string, Formula> definitions_;
  std::map<std::string, Formula> exact_;
  std::vector<std::pair<Term, Expression>> terms_;
  std::optional<VelocityBasis> velocity_;
  std::vector<VelocityUnknown> velocity_unknowns_;
  std::optional<VelocityMoments> moments_;  // of the two above, once all are declared
  std::vector<std::pair<std::string, Formula>> derived_;
};

/// Formats a double so that it is read back exactly; for formulas built from numbers.
std::string exact_text(double value);

/// A definition of a problem family and its place in the list of problems.
struct ProblemDefinition {
  std::string name;
  std::string summary;
  std::function<void(ProblemBuilder&)> define;
};

/// All definitions by name, sorted.
const std::vector<ProblemDefinition>& problem_definitions();

/// The definition with this name; throws InputError with the nearest known name.
const ProblemDefinition& find_problem(const std::string& name);

/// A task of a family.
Problem make_problem(const ProblemDefinition& definition, const TaskInput& input);

/// Registers a definition when the program starts; throws std::logic_error for a name that is taken.
struct RegisterProblem {
  RegisterProblem(std::string name, std::string summary, std::function<void(ProblemBuilder&)> define);
};

}  // namespace torsor
