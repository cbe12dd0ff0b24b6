#include "solvers/train/loss_weights.h"

#include <algorithm>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

const Term& term_of(const std::vector<Problem>& tasks, const PointSet& set) {
  return tasks[static_cast<size_t>(set.task)].terms[static_cast<size_t>(set.term)];
}

}  // namespace

LossWeights::LossWeights(const std::vector<Problem>& tasks, const LossWeightOptions& options)
    : tasks_(tasks), options_(options) {
  std::vector<std::string> names;
  for (const auto& term : tasks.front().terms) names.push_back(term.name);
  for (const auto& [name, factor] : options.given)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw InputError("train.weight." + name + ": " + unknown_name_message("term", name, names));
  if (options.points == "causal" && tasks.front().time() < 0)
    throw InputError("train.point_weights = causal: the problem has no time coordinate");
}

void LossWeights::points_changed(const TaskLosses& losses) {
  const auto count = static_cast<Index>(losses.sets().size());
  if (factors_.size() == count) return;
  factors_.resize(count);
  for (Index s = 0; s < count; ++s) factors_[s] = given(losses.sets()[static_cast<size_t>(s)]);
}

double LossWeights::given(const PointSet& set) const {
  const auto found = options_.given.find(term_of(tasks_, set).name);
  return found == options_.given.end() ? 1.0 : found->second;
}

void LossWeights::start_points(TaskLosses& losses) const {
  if (options_.points == "none") return;
  for (size_t s = 0; s < losses.sets().size(); ++s) {
    const PointSet& set = losses.sets()[s];
    if (options_.points == "causal" && term_of(tasks_, set).place != Place::interior) continue;
    losses.set_weights(static_cast<Index>(s), Eigen::VectorXd::Ones(set.points.rows()));
  }
}

void LossWeights::update_factors(Index step, const TaskLosses& losses, const Eigen::VectorXd& parameters) {
  if (options_.factors != "ntk" || !due(step)) return;
  const auto count = static_cast<Index>(losses.sets().size());
  Eigen::VectorXd kernel(count);
  for (Index s = 0; s < count; ++s) kernel[s] = losses.tangent_kernel(s, parameters);
  const double sum = kernel.sum();
  for (Index s = 0; s < count; ++s)
    factors_[s] = given(losses.sets()[static_cast<size_t>(s)]) * (kernel[s] > 0 ? sum / kernel[s] : 1.0);
}

Eigen::VectorXd LossWeights::causal(const PointSet& set, const Eigen::VectorXd& residual) const {
  const Coordinate& time = tasks_[static_cast<size_t>(set.task)].coordinates[static_cast<size_t>(
      tasks_[static_cast<size_t>(set.task)].time())];
  const Index slices = options_.causal_slices;
  const auto slice_of = [&](Index k) {
    const double t = set.points(k, tasks_[static_cast<size_t>(set.task)].time());
    return std::clamp<Index>(static_cast<Index>((t - time.low) / (time.high - time.low) * static_cast<double>(slices)), 0,
                             slices - 1);
  };
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(slices), number = Eigen::VectorXd::Zero(slices);
  for (Index k = 0; k < residual.size(); ++k) {
    sum[slice_of(k)] += residual[k] * residual[k];
    number[slice_of(k)] += 1;
  }
  Eigen::VectorXd weight(slices);
  double before = 0;
  for (Index i = 0; i < slices; ++i) {
    weight[i] = std::exp(-options_.causal_epsilon * before);
    if (number[i] > 0) before += sum[i] / number[i];
  }
  Eigen::VectorXd result(residual.size());
  for (Index k = 0; k < residual.size(); ++k) result[k] = weight[slice_of(k)];
  return result;
}

void LossWeights::update_points(TaskLosses& losses, const std::vector<Eigen::VectorXd>& residuals) const {
  if (options_.points == "none") return;
  for (size_t s = 0; s < losses.sets().size(); ++s) {
    const PointSet& set = losses.sets()[s];
    if (set.weights.size() == 0 || residuals[s].size() == 0) continue;
    const Eigen::ArrayXd size = residuals[s].array().abs();
    Eigen::VectorXd weights;
    if (options_.points == "causal") {
      weights = causal(set, residuals[s]);
    } else {
      // The loss has the square of what these methods call the weight.
      const Eigen::ArrayXd root = set.weights.array().sqrt();
      const double most = std::max(size.maxCoeff(), 1e-300);
      if (options_.points == "rba")
        weights = (options_.rba_decay * root + options_.rba_rate * size / most).square();
      else
        weights = (root + options_.ascent_rate * 2 * root * size.square()).square();
    }
    losses.set_weights(static_cast<Index>(s), std::move(weights));
  }
}

State LossWeights::state() const {
  State state;
  state.set("factors", Eigen::MatrixXd(factors_));
  return state;
}

}  // namespace torsor
