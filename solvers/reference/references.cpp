#include "solvers/reference/references.h"

#include <algorithm>

#include "physics/error.h"
#include "solvers/reference/problem_adapters.h"

namespace torsor {
namespace {

const std::vector<ReferenceAdapter>& adapters() {
  static const std::vector<ReferenceAdapter> list{
      exact_adapter(),
      perforated_laplace_adapter(),
      chebyshev_adapter(),
      cole_hopf_adapter(),
      transport_volterra_adapter(),
      transport_modes_adapter(),
      transport_laplace_adapter(),
      transport_fronts_adapter(),
      transport_characteristics_adapter(),
      micro_macro_adapter(),
      even_odd_adapter(),
      diffusion_synthetic_adapter(),
      even_parity_adapter(),
      etdrk4_adapter(),
      spectral_time_adapter()};
  return list;
}

const ReferenceAdapter& find_adapter(const std::string& name) {
  for (const ReferenceAdapter& adapter : adapters())
    if (adapter.name == name) return adapter;
  throw InputError(unknown_name_message("reference solver", name, reference_names()));
}

// A residual that is not finite at the probes' states is an obstacle like any other.
std::string obstacle(const ReferenceAdapter& adapter, const Problem& problem) {
  try {
    return adapter.obstacle(problem);
  } catch (const NumericalError& error) {
    return error.what();
  }
}

std::string chosen_name(const Problem& problem, const ReferenceOptions& options) {
  if (options.solver != "auto") return options.solver;
  if (problem.reference != "auto") return problem.reference;
  const auto names = applicable_references(problem);
  if (!names.empty()) return names.front();
  std::string reasons;
  for (const ReferenceAdapter& adapter : adapters())
    reasons += "\n  " + adapter.name + ": " + obstacle(adapter, problem);
  throw InputError("problem '" + problem.name + "' has no reference solution:" + reasons);
}

}  // namespace

std::vector<std::string> reference_names() {
  std::vector<std::string> names;
  for (const ReferenceAdapter& adapter : adapters()) names.push_back(adapter.name);
  return names;
}

std::vector<std::string> applicable_references(const Problem& problem) {
  std::vector<std::string> names;
  for (const ReferenceAdapter& adapter : adapters())
    if (obstacle(adapter, problem).empty()) names.push_back(adapter.name);
  return names;
}

ReferenceSolution solve_reference(const Problem& problem, const ReferenceOptions& options) {
  if (!(options.tolerance > 0.0)) throw InputError("reference.tolerance must be positive");
  if (options.max_resolution < 0) throw InputError("reference.max_resolution must not be negative");
  const ReferenceAdapter& adapter = find_adapter(chosen_name(problem, options));
  const std::string reason = obstacle(adapter, problem);
  if (!reason.empty())
    throw InputError("reference solver '" + adapter.name + "' cannot solve problem '" + problem.name +
                     "': " + reason);
  ReferenceSolution solution = adapter.solve(std::make_shared<const Problem>(problem), options);
  solution.name = adapter.name;
  return solution;
}

}  // namespace torsor
