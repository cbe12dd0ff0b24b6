// Cole-Hopf quadrature for the problem named "burgers", with nu from its parameters:
//
//   u_t + u u_x = nu u_xx on [-1, 1],  u(x, 0) = -sin(pi x),  u(+-1, t) = 0.
//
// The equation and the data are known by the problem's name only.
#include <algorithm>
#include <chrono>

#include "physics/error.h"
#include "solvers/reference/cole_hopf.h"
#include "solvers/reference/problem_adapters.h"

namespace torsor {
namespace {

const Parameter* viscosity(const Problem& problem) {
  const auto found = std::find_if(problem.parameters.begin(), problem.parameters.end(),
                                  [](const Parameter& p) { return p.name == "nu"; });
  return found == problem.parameters.end() ? nullptr : &*found;
}

std::string obstacle(const Problem& problem) {
  if (problem.name != "burgers") return "it solves the problem named 'burgers' only";
  if (problem.dimension() != 2 || problem.time() < 0 || problem.fields.size() != 1)
    return "one field in one space dimension and time is needed";
  return viscosity(problem) ? "" : "the parameter nu is missing";
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const ColeHopfProblem burgers = burgers_sine(viscosity(*problem)->value);
  const double t0 = problem->coordinates[static_cast<size_t>(problem->time())].low;
  ColeHopfOptions quadrature;
  quadrature.tolerance = std::min(quadrature.tolerance, options.tolerance);
  if (options.max_resolution > 0)
    quadrature.max_nodes = std::max(2 * quadrature.initial_nodes, options.max_resolution);
  ReferenceSolution solution;
  solution.evaluate = [problem, burgers, t0, quadrature](const Eigen::MatrixXd& points) {
    Eigen::MatrixXd columns = space_time_columns(*problem, points);
    columns.col(1).array() -= t0;
    return Eigen::MatrixXd(cole_hopf(burgers, columns, quadrature));
  };
  // The quadrature is hardest late and near the shock; a viscosity too small for it must show here already.
  solution.evaluate(probe_points(*problem));
  solution.error_estimate = quadrature.tolerance;
  solution.detail = "at most " + std::to_string(quadrature.max_nodes) + " quadrature nodes";
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return solution;
}

}  // namespace

ReferenceAdapter cole_hopf_adapter() {
  return {"cole-hopf", obstacle, solve};
}

}  // namespace torsor
