#include "solvers/optimise/optimiser.h"

#include <algorithm>
#include <stdexcept>

#include "physics/error.h"

namespace torsor {
namespace {

// A function's static: registrations of other files may run before this file's own statics exist.
std::vector<OptimiserInfo>& registry() {
  static std::vector<OptimiserInfo> list;
  return list;
}

}  // namespace

StepReport Optimiser::update(const Eigen::VectorXd&, double, Eigen::VectorXd&) {
  throw std::logic_error("this optimiser is not a first-order method: call step");
}

StepReport Optimiser::step(Objective&, Eigen::VectorXd&) {
  throw std::logic_error("this optimiser is a first-order method: call update");
}

const std::vector<OptimiserInfo>& optimisers() { return registry(); }

const OptimiserInfo& find_optimiser(const std::string& name) {
  std::vector<std::string> known;
  for (const OptimiserInfo& info : registry()) {
    if (info.name == name) return info;
    known.push_back(info.name);
  }
  throw InputError(unknown_name_message("optimiser", name, known));
}

RegisterOptimiser::RegisterOptimiser(OptimiserInfo info) {
  std::vector<OptimiserInfo>& list = registry();
  const auto place = std::lower_bound(list.begin(), list.end(), info.name,
                                      [](const OptimiserInfo& a, const std::string& b) { return a.name < b; });
  if (place != list.end() && place->name == info.name)
    throw std::logic_error("optimiser '" + info.name + "' is registered twice");
  list.insert(place, std::move(info));
}

}  // namespace torsor
