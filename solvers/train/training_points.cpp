#include "solvers/train/training_points.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "physics/error.h"
#include "physics/random.h"
#include "solvers/head/collocation.h"

namespace torsor {
namespace {

/// Interior points of a task that is not told otherwise.
Index default_interior(Index dimension) { return dimension == 1 ? 256 : dimension == 2 ? 2048 : 4096; }

bool is_interior(const std::vector<Problem>& tasks, const PointSet& set) {
  return tasks[static_cast<size_t>(set.task)].terms[static_cast<size_t>(set.term)].place == Place::interior;
}

/// The positions of the `count` largest values.
std::vector<Index> largest(const Eigen::VectorXd& values, Index count) {
  std::vector<Index> order(static_cast<size_t>(values.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return values[a] > values[b]; });
  order.resize(static_cast<size_t>(std::min(count, values.size())));
  return order;
}

/// `count` different positions with probabilities proportional to `weights`: the largest u^(1/w) (Efraimidis and
/// Spirakis, "Weighted random sampling with a reservoir", 2006), by logarithms.
std::vector<Index> draw_without_replacement(const Eigen::VectorXd& weights, Index count, Random random) {
  Eigen::VectorXd keys(weights.size());
  for (Index k = 0; k < keys.size(); ++k) keys[k] = std::log(std::max(random.uniform(), 1e-300)) / weights[k];
  return largest(keys, count);
}

Eigen::MatrixXd rows_of(const Eigen::MatrixXd& points, const std::vector<Index>& rows) {
  Eigen::MatrixXd result(static_cast<Index>(rows.size()), points.cols());
  for (size_t k = 0; k < rows.size(); ++k) result.row(static_cast<Index>(k)) = points.row(rows[k]);
  return result;
}

}  // namespace

TrainingPoints::TrainingPoints(const std::vector<Problem>& tasks, const PointOptions& options)
    : tasks_(tasks), options_(options) {
  if (options_.interior == 0) options_.interior = default_interior(tasks.front().dimension());
  if (options_.added == 0) options_.added = std::max<Index>(1, options_.interior / 20);
  sets_ = draw(options_.interior, options_.boundary, 0);
}

std::vector<PointSet> TrainingPoints::draw(Index interior, Index boundary, uint64_t draw_number) const {
  std::vector<PointSet> sets;
  for (size_t t = 0; t < tasks_.size(); ++t) {
    const auto axes = whole_domain(tasks_[t]);
    CollocationOptions options;
    options.sampler = options_.sampler;
    options.interior = interior;
    options.boundary = boundary;
    options.seed = stream_seed(stream_seed(options_.seed, draw_number), t);
    const auto features = static_cast<Index>(static_cast<double>(interior) / options.oversampling);
    for (auto& points : collocation_points(tasks_[t], axes, features, options))
      sets.push_back({static_cast<Index>(t), points.term, std::move(points.points), std::move(points.normals), {}});
  }
  return sets;
}

Eigen::MatrixXd TrainingPoints::candidates(const PointSet& set, uint64_t draw_number) const {
  const Problem& task = tasks_[static_cast<size_t>(set.task)];
  const auto axes = whole_domain(task);
  CollocationOptions options;
  options.sampler = "uniform";
  options.interior = options_.candidates * options_.interior;
  options.seed = stream_seed(stream_seed(options_.seed, ~draw_number), static_cast<uint64_t>(set.task));
  return interior_of(task, collocation_points(task, axes, 1, options));
}

bool TrainingPoints::update(Index step, const Residual& residual) {
  if (options_.change == "fixed" || step == 0 || step % options_.every != 0) return false;
  const auto draw_number = static_cast<uint64_t>(step / options_.every);
  if (options_.change == "resampled") {
    sets_ = draw(options_.interior, options_.boundary, draw_number);
    return true;
  }
  for (auto& set : sets_) {
    if (!is_interior(tasks_, set)) continue;
    const Eigen::MatrixXd pool = candidates(set, draw_number);
    const Eigen::VectorXd size = residual(set.task, set.term, pool).cwiseAbs();
    if (options_.change == "rar") {
      const Eigen::MatrixXd more = rows_of(pool, largest(size, options_.added));
      set.points.conservativeResize(set.points.rows() + more.rows(), Eigen::NoChange);
      set.points.bottomRows(more.rows()) = more;
    } else {
      const Eigen::VectorXd powers = size.array().pow(options_.power);
      const Eigen::VectorXd density = (powers / std::max(powers.mean(), 1e-300)).array() + options_.constant;
      const Random random(stream_seed(stream_seed(options_.seed, draw_number),
                                      0x7261640000 + static_cast<uint64_t>(set.task) * 1024 + static_cast<uint64_t>(set.term)));
      set.points = rows_of(pool, draw_without_replacement(density, set.points.rows(), random));
    }
    set.weights.resize(0);
  }
  return true;
}

State TrainingPoints::state() const {
  State state;
  for (size_t s = 0; s < sets_.size(); ++s) {
    const std::string prefix = "set" + std::to_string(s);
    state.set(prefix + ".points", sets_[s].points);
    state.set(prefix + ".normals", sets_[s].normals);
  }
  return state;
}

void TrainingPoints::restore(const State& state) {
  for (size_t s = 0; s < sets_.size(); ++s) {
    const std::string prefix = "set" + std::to_string(s);
    sets_[s].points = state.matrix(prefix + ".points");
    sets_[s].normals = state.matrix(prefix + ".normals");
  }
}

}  // namespace torsor
