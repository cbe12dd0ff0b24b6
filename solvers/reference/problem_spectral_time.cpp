// Problems for the method of lines (spectral_time.h): the evolution form of the interior terms,
// and the boundary terms
//
//   sum_k c_k d^k u_f/dx^k - g(t) = 0   (linear in the jets of one field, c_k constant in time),
//
// as its side conditions. The states v = u_t of second-order fields take the derivative of the same
// conditions, with g'(t) of the Chebyshev interpolant of g.
#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"
#include "solvers/reference/evolution_form.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/spectral_time.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

const Coordinate& time_axis(const Problem& problem) {
  return problem.coordinates[static_cast<size_t>(problem.time())];
}
const Coordinate& space_axis(const Problem& problem) {
  return problem.coordinates[static_cast<size_t>(problem.space().front())];
}

std::string condition_obstacle(const Problem& problem, const BoxSide& side, const Term& term) {
  const MatrixXd points = on_side(problem, side, probe_points(problem));
  const TermProbe probe = probe_term(problem, term, points, side_normals(problem, side, points.rows()));
  const std::string text = "boundary condition '" + term.name + "' ";
  if (!probe.is_linear()) return text + "is not linear";
  Index field = -1;
  for (size_t c = 0; c < term.jets.size(); ++c) {
    const FieldJet& jet = term.jets[c];
    if (probe.absent[c]) continue;
    if (!probe.constant[c]) return text + "has a coefficient that depends on time";
    if (jet.orders[static_cast<size_t>(problem.time())] > 0) return text + "has a time derivative";
    if (total_order(jet.orders) > 4) return text + "has a derivative beyond the fourth";
    if (field >= 0 && jet.field != field) return text + "joins two fields";
    field = jet.field;
  }
  return field < 0 ? text + "vanishes on " + side.piece : "";
}

std::string obstacle(const Problem& problem) {
  if (const std::string reason = EvolutionForm::obstacle(problem); !reason.empty()) return reason;
  if (const std::string reason = initial_obstacle(problem, evolution_states(problem)); !reason.empty())
    return reason;
  if (space_axis(problem).periodic) return {};
  for (const BoxSide& side : box_sides(problem))
    for (const Term* term : terms_on(problem, side.piece))
      if (const std::string reason = condition_obstacle(problem, side, *term); !reason.empty()) return reason;
  return {};
}

// A smooth function of time, or its derivative, by Chebyshev interpolation.
std::function<double(double)> interpolant(const VectorXd& values, double a, double b) {
  const auto degree = static_cast<int>(values.size()) - 1;
  const VectorXd nodes = chebyshev_nodes(degree, a, b), weights = chebyshev_barycentric_weights(degree);
  return [nodes, weights, values](double t) {
    return (barycentric_interpolation(nodes, weights, VectorXd::Constant(1, t)) * values)(0);
  };
}

// g at Chebyshev nodes, as many as it takes: the last tenth of its coefficients is rounding.
VectorXd resolved_data(const Problem& problem, const BoxSide& side, const Term& term) {
  const Coordinate& time = time_axis(problem);
  for (int degree = 16; degree <= 1024; degree *= 2) {
    MatrixXd points = MatrixXd::Zero(degree + 1, problem.dimension());
    points.col(problem.time()) = chebyshev_nodes(degree, time.low, time.high);
    points = on_side(problem, side, points);
    const MatrixXd zero = MatrixXd::Zero(degree + 1, static_cast<Index>(term.jets.size()));
    const VectorXd g =
        -evaluate_residual(problem, term, points, side_normals(problem, side, degree + 1), zero);
    const VectorXd modes = chebyshev_coefficients(g).cwiseAbs();
    if (modes.tail(1 + degree / 10).maxCoeff() <= 1e-14 * (1.0 + modes.maxCoeff())) return g;
  }
  throw NumericalError("spectral-time: the data of boundary condition '" + term.name +
                       "' are not smooth in time");
}

void add_conditions(const Problem& problem, const BoxSide& side, const Term& term,
                    const std::vector<FieldJet>& states, std::vector<SideCondition>& conditions) {
  const MatrixXd points = on_side(problem, side, probe_points(problem).topRows(1));
  const MatrixXd zero = MatrixXd::Zero(1, static_cast<Index>(term.jets.size()));
  const LinearizedTerm linear = linearize(problem, term, points, side_normals(problem, side, 1), zero);
  SideCondition condition;
  condition.at_upper = side.upper;
  condition.coefficients.assign(5, 0.0);
  Index field = 0;
  for (size_t c = 0; c < term.jets.size(); ++c) {
    const double value = linear.coefficients(0, static_cast<Index>(c));
    if (value == 0.0) continue;
    field = term.jets[c].field;
    condition.coefficients[static_cast<size_t>(total_order(term.jets[c].orders))] = value;
  }
  while (condition.coefficients.back() == 0.0) condition.coefficients.pop_back();
  const Coordinate& time = time_axis(problem);
  VectorXd data = resolved_data(problem, side, term);
  for (size_t s = 0; s < states.size(); ++s) {
    if (states[s].field != field) continue;
    condition.field = static_cast<int>(s);
    condition.value = interpolant(data, time.low, time.high);
    conditions.push_back(condition);
    data = (chebyshev_differentiation(static_cast<int>(data.size()) - 1, time.low, time.high) * data).eval();
  }
}

EvolutionProblem translate(const std::shared_ptr<const Problem>& problem,
                           const std::shared_ptr<const EvolutionForm>& form) {
  EvolutionProblem evolution;
  evolution.a = space_axis(*problem).low;
  evolution.b = space_axis(*problem).high;
  evolution.periodic = space_axis(*problem).periodic;
  evolution.t0 = time_axis(*problem).low;
  evolution.t1 = time_axis(*problem).high;
  evolution.n_fields = static_cast<int>(form->states().size());
  evolution.order = form->order();
  evolution.initial = [problem, form](const VectorXd& x) {
    return initial_values(*problem, form->states(), x);
  };
  evolution.rhs = [form](double t, const VectorXd& x, const MatrixXd& jets) {
    return form->rates(t, x, jets);
  };
  evolution.partials = [form](double t, const VectorXd& x, const MatrixXd& jets) {
    return form->partials(t, x, jets);
  };
  if (!evolution.periodic)
    for (const BoxSide& side : box_sides(*problem))
      for (const Term* term : terms_on(*problem, side.piece))
        add_conditions(*problem, side, *term, form->states(), evolution.conditions);
  return evolution;
}

double largest_initial_value(const EvolutionProblem& evolution, Index fields) {
  return evolution.initial(VectorXd::LinSpaced(257, evolution.a, evolution.b))
      .leftCols(fields)
      .cwiseAbs()
      .maxCoeff();
}

EvolutionOptions settings_for(const EvolutionProblem& evolution, const EvolutionForm& form, Index fields,
                              const ReferenceOptions& options) {
  EvolutionOptions settings;
  settings.integrator = form.diffusive() ? TimeIntegrator::kBdf : TimeIntegrator::kAdams;
  settings.tolerance = solver_tolerance(options.tolerance, largest_initial_value(evolution, fields));
  settings.relative_tolerance = std::max(1e-13, std::min(1e-12, 1e-4 * settings.tolerance));
  settings.absolute_tolerance = 1e-2 * settings.relative_tolerance;
  // The dense Jacobian of the implicit integrator has nodes * fields rows.
  if (form.diffusive()) settings.max_nodes = std::max(64, settings.max_nodes / static_cast<int>(fields));
  if (options.max_resolution > 0) settings.max_nodes = options.max_resolution;
  settings.initial_nodes = std::min(settings.initial_nodes, settings.max_nodes / 2);
  return settings;
}

// Too few nodes for a layer can make the discrete system blow up: then it starts from more.
SpaceTimeSolution solve_from_enough_nodes(const EvolutionProblem& evolution, EvolutionOptions settings) {
  settings.require_convergence = false;  // so that only a failed integration throws
  while (true) {
    try {
      return solve_evolution(evolution, settings);
    } catch (const NumericalError&) {
      if (4 * settings.initial_nodes > settings.max_nodes) throw;
      settings.initial_nodes *= 2;
    }
  }
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto form = std::make_shared<const EvolutionForm>(problem);
  const EvolutionProblem evolution = translate(problem, form);
  const auto fields = static_cast<Index>(problem->fields.size());
  const auto result = std::make_shared<const SpaceTimeSolution>(
      solve_from_enough_nodes(evolution, settings_for(evolution, *form, fields, options)));

  const double estimate = relative_estimate(*result, fields);
  if (options.require_convergence && !(estimate <= options.tolerance)) {
    std::ostringstream text;
    text << "spectral-time: " << result->basis.size << " nodes leave a relative change of " << estimate
         << ", tolerance " << options.tolerance;
    throw NumericalError(text.str());
  }

  ReferenceSolution solution;
  solution.evaluate = [problem, result, fields](const MatrixXd& points) {
    return MatrixXd(result->evaluate(space_time_columns(*problem, points)).leftCols(fields));
  };
  solution.seconds = result->seconds;
  solution.error_estimate = estimate;
  solution.detail =
      std::to_string(result->basis.size) + " nodes, " + std::to_string(result->time_steps) + " steps";
  return solution;
}

}  // namespace

ReferenceAdapter spectral_time_adapter() {
  return {"spectral-time", obstacle, solve};
}

}  // namespace torsor
