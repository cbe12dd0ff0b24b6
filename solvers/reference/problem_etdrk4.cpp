// Problems for exponential time differencing (etdrk4.h): the rate u_t = F(t, x, J) of n fields is split as
//
//   L u = sum_m L_m d^m u/dx^m,  (L_m)_ij = dF_i/d(d^m u_j/dx^m) where it is one number, else 0,
//   N = F - L u.
//
// N is asked for the x-derivatives up to the last one with a coefficient that varies; beyond it F is linear
// and all in L. N is integrated explicitly, so that a system has to be semilinear: its highest x-derivatives
// are all in L.
//
// Initial data whose periodic extension has a kink converge slowly: they start from many nodes and from modes
// computed on a finer grid. Diffusion smooths a kink, so solutions are then compared a little after the
// start; dispersion carries it along, and the error stays algebraic. At the initial time itself the data are
// returned as given.
#include <algorithm>
#include <cmath>

#include "solvers/reference/etdrk4.h"
#include "solvers/reference/evolution_form.h"
#include "solvers/reference/fourier.h"
#include "solvers/reference/problem_adapters.h"

namespace torsor {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

const Coordinate& time_axis(const Problem& problem) {
  return problem.coordinates[static_cast<size_t>(problem.time())];
}
const Coordinate& space_axis(const Problem& problem) {
  return problem.coordinates[static_cast<size_t>(problem.space().front())];
}

struct Split {
  std::vector<MatrixXd> linear;  // L_m, m = 0 .. order
  int nonlinear_order = 0;
};

// dF/dJ at the probe points of space, at the time of point `i`.
MatrixXd slopes_at(const EvolutionForm& form, const Problem& problem, Index i, const MatrixXd& state) {
  const MatrixXd probes = probe_points(problem);
  return form.partials(probes(i, problem.time()), probes.col(problem.space().front()), state);
}

// For each entry of the slopes, how far it is from its first value at the probe points and times, for zero
// and for other states.
VectorXd variation(const EvolutionForm& form, const Problem& problem, const VectorXd& first) {
  VectorXd largest = VectorXd::Zero(first.size());
  const Index points = probe_points(problem).rows();
  const auto jets = static_cast<Index>(form.states().size()) * (form.order() + 1);
  for (const MatrixXd& state :
       {MatrixXd(MatrixXd::Zero(points, jets)), probe_jets(points, jets, 1), probe_jets(points, jets, 2)})
    for (Index i = 0; i < points; ++i) {
      const MatrixXd change = slopes_at(form, problem, i, state).rowwise() - first.transpose();
      largest = largest.cwiseMax(change.cwiseAbs().colwise().maxCoeff().transpose());
    }
  return largest;
}

Split split(const Problem& problem, const EvolutionForm& form) {
  const auto n = static_cast<Index>(form.states().size()), orders = static_cast<Index>(form.order() + 1);
  const MatrixXd zero = MatrixXd::Zero(probe_points(problem).rows(), n * orders);
  const VectorXd first = slopes_at(form, problem, 0, zero).row(0);
  const VectorXd change = variation(form, problem, first);
  Split parts{std::vector<MatrixXd>(static_cast<size_t>(orders), MatrixXd::Zero(n, n)), 0};
  for (Index m = 0; m < orders; ++m) {
    // The inverse of a mass matrix spreads the rounding of the largest coefficient over all.
    const double rounding = 1e-12 * first(Eigen::seqN(m, n * n, orders)).cwiseAbs().maxCoeff();
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j) {
        const Index entry = (i * n + j) * orders + m;
        if (change(entry) <= rounding)
          parts.linear[static_cast<size_t>(m)](i, j) = first(entry);
        else
          parts.nonlinear_order = static_cast<int>(m);
      }
  }
  return parts;
}

std::string system_obstacle(const Problem& problem) {
  const EvolutionForm form(std::make_shared<const Problem>(problem));
  const int order = split(problem, form).nonlinear_order;
  if (order == 0 || order < form.order()) return {};
  return "the system is not semilinear: x-derivatives of the highest order, " + std::to_string(order) +
         ", have coefficients that vary";
}

std::string obstacle(const Problem& problem) {
  if (const std::string reason = EvolutionForm::obstacle(problem); !reason.empty()) return reason;
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f)
    if (problem.time_order(f) != 1)
      return "field '" + problem.fields[static_cast<size_t>(f)].name +
             "' has a second time derivative, only first ones can be treated";
  if (!space_axis(problem).periodic) return "coordinate '" + space_axis(problem).name + "' is not periodic";
  if (const std::string reason = initial_obstacle(problem, evolution_states(problem)); !reason.empty())
    return reason;
  return problem.fields.size() > 1 ? system_obstacle(problem) : "";
}

// The `given` first jets of each of n fields as the first of `wanted` ones; the others are zero.
MatrixXd widened(const ArrayXXd& jets, Index n, Index given, Index wanted) {
  MatrixXd all = MatrixXd::Zero(jets.rows(), n * wanted);
  for (Index f = 0; f < n; ++f)
    all.middleCols(f * wanted, given) = jets.middleCols(f * given, given).matrix();
  return all;
}

SemilinearProblem translate(const std::shared_ptr<const Problem>& problem) {
  const auto form = std::make_shared<const EvolutionForm>(problem);
  const Split parts = split(*problem, *form);
  SemilinearProblem semilinear;
  semilinear.a = space_axis(*problem).low;
  semilinear.b = space_axis(*problem).high;
  semilinear.t0 = time_axis(*problem).low;
  semilinear.t1 = time_axis(*problem).high;
  semilinear.n_fields = static_cast<int>(form->states().size());
  semilinear.linear = parts.linear;
  semilinear.nonlinear_order = parts.nonlinear_order;
  semilinear.nonlinear = [form, parts](double t, const ArrayXd& x, const ArrayXXd& jets) {
    const auto n = static_cast<Index>(form->states().size());
    const Index orders = parts.nonlinear_order + 1;
    MatrixXd value = form->rates(t, x.matrix(), widened(jets, n, orders, form->order() + 1));
    for (Index m = 0; m < orders; ++m) {
      const MatrixXd& linear = parts.linear[static_cast<size_t>(m)];
      for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < n; ++j)
          if (linear(i, j) != 0.0) value.col(i) -= linear(i, j) * jets.col(j * orders + m).matrix();
    }
    return ArrayXXd(value.array());
  };
  semilinear.initial = [problem, form](const ArrayXd& x) {
    return ArrayXXd(initial_values(*problem, form->states(), x.matrix()).array());
  };
  return semilinear;
}

// How far 256 nodes are from the initial data between them, relative to their size.
double interpolation_misfit(const SemilinearProblem& p, double& largest) {
  constexpr int kNodes = 256;
  const VectorXd fine_nodes = fourier_nodes(2 * kNodes, p.a, p.b);
  const MatrixXd fine = p.initial(fine_nodes.array()).matrix();
  const MatrixXd at_nodes = fine(Eigen::seqN(0, kNodes, 2), Eigen::all);
  largest = fine.cwiseAbs().maxCoeff();
  return (fourier_interpolation(kNodes, p.a, p.b, fine_nodes) * at_nodes - fine).cwiseAbs().maxCoeff() /
         std::max(largest, 1e-300);
}

SemilinearOptions settings_for(const SemilinearProblem& semilinear, bool diffusive,
                               const ReferenceOptions& options) {
  double largest = 0.0;
  const bool kinked = interpolation_misfit(semilinear, largest) > 1e-9;
  const double duration = semilinear.t1 - semilinear.t0;
  SemilinearOptions settings;
  settings.time_step = 1e-3 * duration;
  settings.min_time_step = 1e-6 * duration;
  if (kinked) {
    settings.nodes = 1024;
    settings.time_step = 4e-3 * duration;
    if (diffusive) settings.compare_from = 0.05 * duration;
    settings.initial_oversampling = 256;
  }
  settings.tolerance = solver_tolerance(options.tolerance, largest);
  settings.require_convergence = options.require_convergence;
  if (options.max_resolution > 0) settings.max_nodes = options.max_resolution;
  settings.nodes = std::min(settings.nodes, std::max(4, settings.max_nodes / 2 / 2 * 2));
  return settings;
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const SemilinearProblem semilinear = translate(problem);
  const auto result = std::make_shared<const SpaceTimeSolution>(
      solve_semilinear(semilinear, settings_for(semilinear, EvolutionForm(problem).diffusive(), options)));
  ReferenceSolution solution;
  solution.evaluate = [problem, result, semilinear](const MatrixXd& points) {
    const MatrixXd columns = space_time_columns(*problem, points);
    MatrixXd u = result->evaluate(columns);
    const ArrayXXd initial = semilinear.initial(columns.col(0).array());
    for (Index i = 0; i < u.rows(); ++i)
      if (columns(i, 1) == semilinear.t0) u.row(i) = initial.row(i);
    return u;
  };
  solution.seconds = result->seconds;
  solution.error_estimate = relative_estimate(*result, semilinear.n_fields);
  solution.detail =
      std::to_string(result->basis.size) + " nodes, " + std::to_string(result->time_steps) + " steps";
  return solution;
}

}  // namespace

ReferenceAdapter etdrk4_adapter() {
  return {"etdrk4", obstacle, solve};
}

}  // namespace torsor
