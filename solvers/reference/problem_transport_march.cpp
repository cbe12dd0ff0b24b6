// Problems for the two schemes of transport in time at every Knudsen number, micro_macro.h and even_odd.h, refined as
// transport_refinement.h says. A run is kept at the times
//
//   t_{k+1} = t_k + min(T/128, max(layer/6, 0.15 t_k)),   layer = eps^2/max(1, sigma_S),
//
// so that the initial layer and what spreads from the boundary data after it are both resolved. Accuracy is that of the
// schemes, second order; even-odd at times of a few layers is of lower order (even_odd.h).
#include <algorithm>

#include "solvers/reference/even_odd.h"
#include "solvers/reference/micro_macro.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_refinement.h"

namespace torsor {
namespace {

constexpr int kMostCells = 2048;

using Scheme = TransportSolution (*)(const TransportProblem&, const TransportOptions&);

std::string obstacle(const Problem& problem) {
  if (problem.time() < 0) return "it has no time";
  return TransportForm::obstacle_on_line(problem);
}

std::vector<double> graded_times(double duration, double layer) {
  std::vector<double> times{0.0};
  const double most = duration / 128.0;
  while (true) {
    const double next = times.back() + std::min(most, std::max(layer / 6.0, 0.15 * times.back()));
    if (next >= duration * (1.0 - 1e-12)) break;
    times.push_back(next);
  }
  times.push_back(duration);
  return times;
}

TransportRun march(const TransportForm& form, Scheme scheme, int cells) {
  const Eigen::VectorXd places = cell_places(form.space_axis(), cells);
  const TransportProblem problem = form.transport(places);
  double sigma = 1.0;
  for (const double x : places) sigma = std::max(sigma, problem.scattering(x));
  const double layer = form.eps() * form.eps() / sigma;
  TransportOptions options;
  options.cells = cells;
  options.half_range_nodes = scheme_half_range_nodes(form);
  options.times = graded_times(form.duration(), layer);
  const TransportSolution solved = scheme(problem, options);
  std::vector<Eigen::MatrixXd> values;
  for (const TransportSnapshot& now : solved.snapshots)
    values.push_back(at_problem_velocities(form, now.rho, now.flux, now.f, solved.velocities.nodes));
  const double period = form.periodic() ? problem.b - problem.a : 0.0;
  const double compare_from = std::max(std::min(10.0 * layer, 0.5 * form.duration()), form.duration() / 128.0);
  return {GridSolution(solved.x, period, options.times, std::move(values)), compare_from, solved.seconds,
          solved.time_steps, std::to_string(solved.time_steps) + " steps"};
}

ReferenceSolution solve_by_micro_macro(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  return refine_transport("micro-macro", problem, options, kMostCells,
                          [](const TransportForm& form, int cells) { return march(form, solve_micro_macro, cells); });
}

ReferenceSolution solve_by_even_odd(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  return refine_transport("even-odd", problem, options, kMostCells,
                          [](const TransportForm& form, int cells) { return march(form, solve_even_odd, cells); });
}

}  // namespace

ReferenceAdapter micro_macro_adapter() { return {"micro-macro", obstacle, solve_by_micro_macro}; }

ReferenceAdapter even_odd_adapter() { return {"even-odd", obstacle, solve_by_even_odd}; }

}  // namespace torsor
