#include "problems/conservation.h"

#include <algorithm>
#include <cmath>

#include "physics/error.h"
#include "physics/velocity_set.h"
#include "problems/quantities.h"

namespace torsor {
namespace {

struct Rule {
  Eigen::VectorXd nodes, weights;
};

Rule rule_for(const Coordinate& coordinate, Index n) {
  const double length = coordinate.high - coordinate.low;
  if (coordinate.periodic) {
    const double step = length / static_cast<double>(n);
    return {Eigen::VectorXd::LinSpaced(n, coordinate.low, coordinate.high - step), Eigen::VectorXd::Constant(n, step)};
  }
  const VelocitySet gauss = gauss_velocities(static_cast<int>(n));  // on [-1, 1], weights of sum 1
  return {coordinate.low + 0.5 * length * (gauss.nodes.array() + 1), length * gauss.weights};
}

/// The tensor rule over space; time stays 0.
struct SpaceRule {
  Eigen::MatrixXd points;
  Eigen::VectorXd weights;
};

SpaceRule space_rule(const Problem& problem) {
  const auto space = problem.space();
  const Index n = space.size() == 1 ? 128 : space.size() == 2 ? 32 : 12;
  SpaceRule rule{Eigen::MatrixXd::Zero(1, problem.dimension()), Eigen::VectorXd::Ones(1)};
  for (const Index i : space) {
    const Rule along = rule_for(problem.coordinates[static_cast<size_t>(i)], n);
    const SpaceRule before = rule;
    rule.points = before.points.replicate(n, 1);
    rule.weights.resize(before.weights.size() * n);
    for (Index k = 0; k < n; ++k) {
      rule.points.block(k * before.points.rows(), i, before.points.rows(), 1).setConstant(along.nodes[k]);
      rule.weights.segment(k * before.weights.size(), before.weights.size()) = along.weights[k] * before.weights;
    }
  }
  return rule;
}

std::vector<double> times_of(const Coordinate& time) {
  constexpr int kSteps = 32, kDecades = 8;
  std::vector<double> shares;
  for (int k = 0; k <= kSteps; ++k) shares.push_back(static_cast<double>(k) / kSteps);
  for (int k = 2; k <= kDecades; ++k) shares.push_back(std::pow(10.0, -k));
  for (double& share : shares) share = time.low + share * (time.high - time.low);
  return shares;
}

/// The quantities that do not depend on the velocity.
std::vector<Quantity> scalar_quantities(const Problem& problem) {
  std::vector<Quantity> found = quantities(problem);
  std::erase_if(found, [](const Quantity& quantity) { return quantity.of_velocity; });
  return found;
}

std::vector<Quantity> conserved_quantities(const Problem& problem) {
  std::vector<Quantity> found = scalar_quantities(problem);
  const auto& names = problem.conserved;
  std::erase_if(found, [&](const Quantity& q) { return std::find(names.begin(), names.end(), q.name) == names.end(); });
  return found;
}

}  // namespace

void check_conserved(const Problem& problem) {
  if (problem.conserved.empty()) return;
  if (problem.time() < 0) throw InputError("problem.conserved: the problem has no time coordinate");
  if (!problem.box) throw InputError("problem.conserved: integrals are taken over boxes only");
  std::vector<std::string> known;
  for (const auto& quantity : scalar_quantities(problem)) known.push_back(quantity.name);
  for (const auto& name : problem.conserved)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError("problem.conserved: " + unknown_name_message("quantity of space and time", name, known));
}

std::vector<std::pair<std::string, double>> conservation_drifts(
    const Problem& problem, const std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points)>& fields) {
  const auto conserved = conserved_quantities(problem);
  if (conserved.empty()) return {};
  SpaceRule rule = space_rule(problem);
  const auto times = times_of(problem.coordinates[static_cast<size_t>(problem.time())]);
  Eigen::MatrixXd integrals(static_cast<Index>(times.size()), static_cast<Index>(conserved.size()));
  Eigen::VectorXd sizes = Eigen::VectorXd::Zero(integrals.cols());
  for (Index k = 0; k < integrals.rows(); ++k) {
    rule.points.col(problem.time()).setConstant(times[static_cast<size_t>(k)]);
    const Eigen::MatrixXd values = fields(rule.points);
    for (Index q = 0; q < integrals.cols(); ++q) {
      const Eigen::VectorXd of_quantity = conserved[static_cast<size_t>(q)].of(rule.points, values);
      integrals(k, q) = rule.weights.dot(of_quantity);
      sizes[q] = std::max(sizes[q], rule.weights.dot(of_quantity.cwiseAbs()));
    }
  }
  std::vector<std::pair<std::string, double>> drifts;
  for (Index q = 0; q < integrals.cols(); ++q)
    drifts.emplace_back(conserved[static_cast<size_t>(q)].name,
                        (integrals.col(q).array() - integrals(0, q)).abs().maxCoeff() / sizes[q]);
  return drifts;
}

}  // namespace torsor
