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

/// `rows` of the pool, as points of the set.
void take(const PointSet& pool, const std::vector<Index>& rows, PointSet& set) {
  set.points = pool.points(rows, Eigen::all);
  if (pool.normals.size() > 0) set.normals = pool.normals(rows, Eigen::all);
}

void append(const PointSet& pool, const std::vector<Index>& rows, PointSet& set) {
  PointSet more;
  take(pool, rows, more);
  const auto join = [](Eigen::MatrixXd& below, const Eigen::MatrixXd& own) {
    below.conservativeResize(below.rows() + own.rows(), own.cols());
    below.bottomRows(own.rows()) = own;
  };
  join(set.points, more.points);
  if (more.normals.size() > 0) join(set.normals, more.normals);
}

}  // namespace

TrainingPoints::TrainingPoints(const std::vector<Problem>& tasks, const PointOptions& options)
    : tasks_(tasks), options_(options) {
  if (options_.interior == 0) options_.interior = default_interior(tasks.front().dimension());
  if (options_.time_grading == 0) options_.time_grading = default_time_grading(tasks.front());
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
    for (auto& points : collocation_points(tasks_[t], axes, features, options)) {
      grade_time(tasks_[t], options_.time_grading, points.points);
      sets.push_back({static_cast<Index>(t), points.term, std::move(points.points), std::move(points.normals), {}});
    }
  }
  for (auto& set : sets) {
    const PointSet& first = sets[first_alike(sets, set)];
    set.points = first.points;
    set.normals = first.normals;
  }
  return sets;
}

/// The first set whose term holds at the same place and on the same pieces of the same task: they share their points, and
/// with them the network's evaluation (TaskLosses::set_points).
size_t TrainingPoints::first_alike(const std::vector<PointSet>& sets, const PointSet& set) const {
  const Problem& task = tasks_[static_cast<size_t>(set.task)];
  const auto& terms = task.terms;
  const Term& own = terms[static_cast<size_t>(set.term)];
  for (size_t s = 0;; ++s) {
    const Term& other = terms[static_cast<size_t>(sets[s].term)];
    if (sets[s].task == set.task && other.place == own.place &&
        (own.place != Place::boundary || task.pieces_of(other) == task.pieces_of(own)))
      return s;
  }
}

Index TrainingPoints::share_of_added(const PointSet& set) const {
  const double share = static_cast<double>(options_.added) / static_cast<double>(options_.interior);
  return std::max<Index>(1, std::lround(share * static_cast<double>(set.points.rows())));
}

bool TrainingPoints::update(Index step, const Residual& residual) {
  if (options_.change == "fixed" || step == 0 || step % options_.every != 0) return false;
  const auto draw_number = static_cast<uint64_t>(step / options_.every);
  if (options_.change == "resampled") {
    sets_ = draw(options_.interior, options_.boundary, draw_number);
    return true;
  }
  // The candidates of all sets: many times as many points, spread anew.
  const auto pools = draw(options_.candidates * options_.interior, options_.candidates * options_.boundary, ~draw_number);
  // Sets that share their points count together, each residual beside its own mean.
  std::vector<Eigen::VectorXd> density(sets_.size());
  for (size_t s = 0; s < sets_.size(); ++s) {
    const Eigen::VectorXd powers = residual(pools[s]).array().abs().pow(options_.change == "rar" ? 1.0 : options_.power);
    auto& sum = density[first_alike(sets_, sets_[s])];
    if (sum.size() == 0) sum = Eigen::VectorXd::Zero(powers.size());
    sum += powers / std::max(powers.mean(), 1e-300);
  }
  for (size_t s = 0; s < sets_.size(); ++s) {
    PointSet& set = sets_[s];
    const size_t first = first_alike(sets_, set);
    if (options_.change == "rar") {
      append(pools[s], largest(density[first], share_of_added(set)), set);
    } else {
      const Random random(stream_seed(stream_seed(options_.seed, draw_number), 0x7261640000 + first));
      take(pools[s], draw_without_replacement(density[first].array() + options_.constant, set.points.rows(), random), set);
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
