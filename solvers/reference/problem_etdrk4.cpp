// Problems for exponential time differencing (etdrk4.h): the rate u_t = F(t, x, J) is split as
//
//   L u = sum_m l_m d^m u/dx^m,  l_m = dF/d(d^m u/dx^m), for those m where it is one number;  N = F - L u.
//
// N is asked for the x-derivatives up to the last one whose coefficient varies; beyond it F is linear and all
// in L. Initial data whose periodic extension has a kink converge slowly at first, until diffusion has
// smoothed them: they start from many nodes, from modes computed on a finer grid, and are compared a little
// after the start. At the initial time itself the data are returned as given.
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

std::string obstacle(const Problem& problem) {
  if (const std::string reason = EvolutionForm::obstacle(problem); !reason.empty()) return reason;
  if (problem.fields.size() != 1 || problem.time_order(0) != 1)
    return "one field with a first time derivative is needed";
  if (!space_axis(problem).periodic) return "coordinate '" + space_axis(problem).name + "' is not periodic";
  return initial_obstacle(problem, evolution_states(problem));
}

struct Split {
  std::vector<double> linear;
  int nonlinear_order = 0;
};

// A coefficient is constant when it is the same at the probe points and times, for zero and for other states.
Split split(const Problem& problem, const EvolutionForm& form) {
  const MatrixXd probes = probe_points(problem);
  const VectorXd x = probes.col(problem.space().front());
  const Index jets = form.order() + 1;
  const MatrixXd zero = MatrixXd::Zero(x.size(), jets);
  const MatrixXd first = form.partials(time_axis(problem).low, x, zero);
  Split parts{std::vector<double>(static_cast<size_t>(jets), 0.0), 0};
  std::vector<bool> constant(static_cast<size_t>(jets), true);
  for (Index i = 0; i < x.size(); ++i) {
    const double t = probes(i, problem.time());
    for (const MatrixXd& state :
         {zero, MatrixXd(MatrixXd::Constant(x.size(), jets, 0.7 + 0.2 * static_cast<double>(i)))}) {
      const MatrixXd slopes = form.partials(t, x, state);
      for (Index m = 0; m < jets; ++m)
        if ((slopes.col(m).array() - first(0, m)).abs().maxCoeff() > 1e-12 * std::abs(first(0, m)))
          constant[static_cast<size_t>(m)] = false;
    }
  }
  for (Index m = 0; m < jets; ++m) {
    if (constant[static_cast<size_t>(m)])
      parts.linear[static_cast<size_t>(m)] = first(0, m);
    else
      parts.nonlinear_order = static_cast<int>(m);
  }
  return parts;
}

SemilinearProblem translate(const std::shared_ptr<const Problem>& problem) {
  const auto form = std::make_shared<const EvolutionForm>(problem);
  const Split parts = split(*problem, *form);
  SemilinearProblem semilinear;
  semilinear.a = space_axis(*problem).low;
  semilinear.b = space_axis(*problem).high;
  semilinear.t0 = time_axis(*problem).low;
  semilinear.t1 = time_axis(*problem).high;
  semilinear.linear = parts.linear;
  semilinear.nonlinear_order = parts.nonlinear_order;
  semilinear.nonlinear = [form, parts](double t, const ArrayXd& x, const ArrayXXd& jets) {
    MatrixXd all = MatrixXd::Zero(x.size(), form->order() + 1);
    all.leftCols(jets.cols()) = jets.matrix();
    ArrayXd value = form->rates(t, x.matrix(), all).col(0).array();
    for (Index m = 0; m < jets.cols(); ++m) value -= parts.linear[static_cast<size_t>(m)] * jets.col(m);
    return value;
  };
  semilinear.initial = [problem, form](const ArrayXd& x) {
    return ArrayXd(initial_values(*problem, form->states(), x.matrix()).col(0).array());
  };
  return semilinear;
}

// How far 256 nodes are from the initial data between them, relative to their size.
double interpolation_misfit(const SemilinearProblem& p, double& largest) {
  constexpr int kNodes = 256;
  const ArrayXd fine = p.initial(fourier_nodes(2 * kNodes, p.a, p.b).array());
  const VectorXd at_nodes = Eigen::Map<const VectorXd, 0, Eigen::InnerStride<2>>(fine.data(), kNodes);
  const MatrixXd to_fine = fourier_interpolation(kNodes, p.a, p.b, fourier_nodes(2 * kNodes, p.a, p.b));
  largest = fine.abs().maxCoeff();
  return (to_fine * at_nodes - fine.matrix()).cwiseAbs().maxCoeff() / std::max(largest, 1e-300);
}

SemilinearOptions settings_for(const SemilinearProblem& semilinear, const ReferenceOptions& options) {
  double largest = 0.0;
  const bool kinked = interpolation_misfit(semilinear, largest) > 1e-9;
  const double duration = semilinear.t1 - semilinear.t0;
  SemilinearOptions settings;
  settings.time_step = 1e-3 * duration;
  settings.min_time_step = 1e-6 * duration;
  if (kinked) {
    settings.nodes = 1024;
    settings.time_step = 4e-3 * duration;
    settings.compare_from = 0.05 * duration;
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
      solve_semilinear(semilinear, settings_for(semilinear, options)));
  ReferenceSolution solution;
  solution.evaluate = [problem, result, semilinear](const MatrixXd& points) {
    const MatrixXd columns = space_time_columns(*problem, points);
    MatrixXd u = result->evaluate(columns);
    const ArrayXd initial = semilinear.initial(columns.col(0).array());
    for (Index i = 0; i < u.rows(); ++i)
      if (columns(i, 1) == semilinear.t0) u(i, 0) = initial(i);
    return u;
  };
  solution.seconds = result->seconds;
  solution.error_estimate = relative_estimate(*result, 1);
  solution.detail =
      std::to_string(result->basis.size) + " nodes, " + std::to_string(result->time_steps) + " steps";
  return solution;
}

}  // namespace

ReferenceAdapter etdrk4_adapter() {
  return {"etdrk4", obstacle, solve};
}

}  // namespace torsor
