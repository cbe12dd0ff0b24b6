// The exact solution of a problem that has one.
#include "solvers/reference/problem_adapters.h"

namespace torsor {
namespace {

std::string obstacle(const Problem& problem) {
  return problem.has_exact() ? "" : "it gives no exact solution";
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions&) {
  std::vector<FieldJet> values;
  for (Index f = 0; f < static_cast<Index>(problem->fields.size()); ++f)
    values.push_back({f, MultiIndex(problem->coordinates.size(), 0)});
  ReferenceSolution solution;
  solution.evaluate = [problem, values](const Eigen::MatrixXd& points) {
    return problem->exact_jets(points, values);
  };
  solution.detail = "closed form";
  return solution;
}

}  // namespace

ReferenceAdapter exact_adapter() {
  return {"exact", obstacle, solve};
}

}  // namespace torsor
