// Problems for steady transport by source iteration with diffusion synthetic acceleration (diffusion_synthetic.h),
// refined as transport_refinement.h says. Second order where the cells resolve the boundary layers of width eps.
#include "solvers/reference/diffusion_synthetic.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_refinement.h"

namespace torsor {
namespace {

constexpr int kMostCells = 4096;

std::string obstacle(const Problem& problem) {
  if (problem.time() >= 0) return "it has time";
  if (const std::string reason = TransportForm::obstacle_on_line(problem); !reason.empty()) return reason;
  const TransportForm form(std::make_shared<const Problem>(problem));
  if (form.periodic()) return "the space coordinate is periodic";
  const Eigen::MatrixXd medium = form.medium(probe_points(problem).col(problem.space().front()));
  return (medium.col(0) + medium.col(1)).minCoeff() > 0.0 ? "" : "sigma_S + sigma_A must be positive everywhere";
}

TransportRun run(const TransportForm& form, int cells) {
  DiffusionSyntheticOptions options;
  options.cells = cells;
  options.half_range_nodes = scheme_half_range_nodes(form);
  const SteadyTransportSolution solved =
      solve_steady_transport(form.transport(cell_places(form.space_axis(), cells)), options);
  const Eigen::MatrixXd values =
      at_problem_velocities(form, solved.rho, solved.flux, solved.f, solved.velocities.nodes);
  return {GridSolution(solved.x, 0.0, {0.0}, {values}), 0.0, solved.seconds, solved.iterations(),
          std::to_string(solved.iterations()) + " iterations"};
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  return refine_transport("diffusion-synthetic", problem, options, kMostCells, run);
}

}  // namespace

ReferenceAdapter diffusion_synthetic_adapter() { return {"diffusion-synthetic", obstacle, solve}; }

}  // namespace torsor
