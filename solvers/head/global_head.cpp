#include "solvers/head/global_head.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "operators/decaying_body.h"
#include "operators/enrichment.h"
#include "physics/error.h"
#include "physics/random.h"
#include "solvers/clock.h"
#include "solvers/head/geometry_enrichment.h"
#include "solvers/head/null_space.h"
#include "solvers/head/row_weights.h"
#include "solvers/head/smooth_start.h"
#include "solvers/head/uniqueness.h"

namespace torsor {
namespace {

/// Numbers of features to go through, by dimension: enough for a first answer, up to what two cores solve in seconds.
/// Kinetic equations have many fields.
struct Levels {
  Index first, last;
  double growth;
  Index next(Index features) const {
    return std::min(last, static_cast<Index>(static_cast<double>(features) * growth));
  }
};

Levels levels_for(const Problem& problem, const HeadOptions& options) {
  const Index d = problem.dimension();
  Levels levels = problem.velocity ? Levels{80, 1673, 1.6} : d == 1 ? Levels{24, 400, 1.6} : d == 2 ? Levels{160, 1673, 1.6} : Levels{400, 3600, 1.6};
  if (options.max_features > 0) levels.last = options.max_features;
  if (options.features > 0) levels.first = levels.last = options.features;
  levels.first = std::min(levels.first, levels.last);
  return levels;
}

/// Hold-out residuals that end the growth. The error of the field is usually ten to a hundred times smaller; Newton's
/// method makes a nonlinear level several times as costly.
constexpr double kLinearTolerance = 1e-12, kNonlinearTolerance = 3e-9;

/// A nonlinear problem with a larger hold-out residual has not come near a solution, or, where Newton's method has
/// ended in a local minimum, with a larger one than the second: it needs another start.
constexpr double kUnsolved = 0.05, kUnsolvedMinimum = 1e-4;
/// Later levels lack features, not starts.
constexpr Index kStartLevels = 1;

/// Bandwidths beside the last one are looked at up to this many features; beyond, a solve costs too much.
constexpr Index kSearchFeatures = 700;

/// A solved level: the ansatz and the heads of all tasks.
struct Candidate {
  std::shared_ptr<const Ansatz> ansatz;
  Eigen::MatrixXd heads;
  std::vector<Holdout> holdouts;
  NewtonReport newton;
  Eigen::VectorXd bandwidth;  // in units of 1 / half-length of the cell
  double boundary_weight = 1;
  Index features = 0;
  double worst = std::numeric_limits<double>::infinity();
};

JetFunction jets_of(const std::vector<std::string>& coordinates, const Expression& formula) {
  return [coordinates, formula](const Eigen::MatrixXd& points, const std::vector<MultiIndex>& indices) {
    Eigen::MatrixXd values(points.rows(), static_cast<Index>(indices.size()));
    for (size_t c = 0; c < indices.size(); ++c) {
      Expression jet = formula;
      for (size_t i = 0; i < indices[c].size(); ++i)
        for (int order = 0; order < indices[c][i]; ++order) jet = jet.partial(coordinates[i]);
      values.col(static_cast<Index>(c)) = evaluate_formula(jet, coordinates, points);
    }
    return values;
  };
}

class GlobalSolver {
 public:
  GlobalSolver(const std::vector<const Problem*>& tasks, const HeadOptions& options, Progress& progress,
               const FieldFunction& start)
      : tasks_(tasks),
        active_{tasks.front()},
        problem_(*tasks.front()),
        options_(options),
        progress_(progress),
        start_(start) {
    const Index d = problem_.dimension();
    for (Index i = 0; i < d; ++i) {
      const auto& c = problem_.coordinates[static_cast<size_t>(i)];
      const Index cells = options.patches.empty() ? 1 : options.patches[static_cast<size_t>(i)];
      std::vector<double> edges;
      for (Index k = 0; k <= cells; ++k)
        edges.push_back(c.low + (c.high - c.low) * static_cast<double>(k) / static_cast<double>(cells));
      axes_.emplace_back(edges, c.periodic);
      if (cells > axes_[static_cast<size_t>(chain_)].cells()) chain_ = i;
    }
    half_length_.resize(d);
    for (Index i = 0; i < d; ++i) {
      const auto& axis = axes_[static_cast<size_t>(i)];
      half_length_[i] = 0.5 * (axis.high(0) - axis.low(0));
    }
    tolerance_ = options.tolerance > 0 ? options.tolerance : kLinearTolerance;
  }

  HeadResult run() {
    is_linear_ = is_linear(problem_, collocation_points(problem_, axes_, 16, {}));
    if (options_.tolerance == 0) tolerance_ = default_tolerance();
    levels_ = levels_for(problem_, options_);
    Index features = levels_.first;
    const bool fixed_bandwidth = options_.bandwidth.size() > 0;
    Eigen::VectorXd bandwidth = first_bandwidth();
    if (fixed_bandwidth) try_once(features, bandwidth, weight());
    for (Index level = 0;; ++level) {
      const double before = best_.worst;
      if (!fixed_bandwidth) search_bandwidth(features, level);
      else if (level > 0) try_once(features, bandwidth, weight());
      if (!is_linear_ && !start_ && level <= kStartLevels && unsolved()) try_other_starts(features);
      if (options_.boundary_weight == 0 && level == 0) search_boundary_weight(features);
      if (level == 0) take_all_tasks();
      if (best_.worst < tolerance_ || features >= levels_.last) break;
      // Levels in a row that hardly help: near rounding one says that it is reached, far from it three say that the
      // solution is not smooth, and that more features will not make it so.
      stalled_ = best_.worst > 0.5 * before ? stalled_ + 1 : 0;
      if (stalled_ >= (best_.worst < 1e-9 ? 1 : best_.worst < 1e-5 ? 2 : 3)) break;
      features = levels_.next(features);
    }
    if (!std::isfinite(best_.worst)) throw NumericalError("the head could not be solved: " + last_error_);
    require_solved(best_.newton, best_.worst);
    check_for_singular_operator();
    return result();
  }

 private:
  double weight() const {
    if (options_.boundary_weight > 0) return options_.boundary_weight;
    return std::isfinite(best_.worst) ? best_.boundary_weight : 1.0;
  }

  // The first level has found bandwidth and weight with one task; from here on all are solved together.
  void take_all_tasks() {
    if (tasks_.size() == 1 || !best_.ansatz) return;
    active_ = tasks_;
    const Candidate chosen = std::exchange(best_, {});
    try_once(chosen.features, chosen.bandwidth, chosen.boundary_weight);
  }

  bool unsolved() const {
    return best_.worst > (best_.newton.converged ? kUnsolved : kUnsolvedMinimum);
  }

  // From zero Newton's method has not come near a solution. The next start meets the boundary data; if that is not
  // enough either, the load is raised step by step from there. Where the bandwidth is free, the two tried are those
  // between which a smooth solution usually lies.
  void try_other_starts(Index features) {
    const bool free = options_.bandwidth.size() == 0;
    std::vector<Eigen::VectorXd> bandwidths{first_bandwidth()};
    if (free) bandwidths.push_back(2 * first_bandwidth());
    const Candidate failed = std::exchange(best_, {});
    start_smoothly_ = true;
    for (const bool by_load : {false, true}) {
      options_.newton.load_continuation = by_load;
      for (const auto& bandwidth : bandwidths) {
        if (!unsolved()) break;
        const Candidate poor = std::exchange(best_, {});
        try_once(features, bandwidth, failed.boundary_weight);
        if (poor.worst < best_.worst) best_ = poor;
      }
    }
    options_.newton.load_continuation = false;
    if (failed.worst < best_.worst) best_ = failed;
    else if (free) search_bandwidth(features, 0);
  }

  double default_tolerance() const {
    // In many dimensions a few thousand features do not reach rounding whatever they cost.
    const Index d = problem_.dimension();
    if (d > 2) return d == 3 ? 1e-9 : 1e-6;
    return is_linear_ ? kLinearTolerance : kNonlinearTolerance;
  }

  Eigen::VectorXd first_bandwidth() const {
    const Index d = problem_.dimension();
    if (options_.bandwidth.size() == 0) return Eigen::VectorXd::Constant(d, 4.0);
    if (options_.bandwidth.size() == 1)
      return half_length_ * options_.bandwidth[0];
    if (options_.bandwidth.size() != d)
      throw InputError("head.bandwidth has " + std::to_string(options_.bandwidth.size()) + " values; give one, or one for each of the " +
                       std::to_string(d) + " coordinates");
    return options_.bandwidth.cwiseProduct(half_length_);
  }

  /// Solves with these choices; keeps the result when it is the best so far. Returns its hold-out residual.
  double try_once(Index features, const Eigen::VectorXd& bandwidth, double boundary_weight) {
    throw_if_stopped();
    const double start = wall_seconds();
    Candidate candidate;
    candidate.features = features;
    candidate.bandwidth = bandwidth;
    candidate.boundary_weight = boundary_weight;
    try {
      solve(candidate);
    } catch (const NumericalError& error) {
      candidate.worst = std::numeric_limits<double>::infinity();
      last_error_ = error.what();
    }
    trials_.push_back({features, bandwidth.cwiseQuotient(half_length_), boundary_weight, candidate.worst,
                       wall_seconds() - start});
    progress_.update(std::min(0.95, std::log(std::max(candidate.worst, 1e-16)) / std::log(tolerance_)),
                     std::to_string(features) + " features, hold-out residual " + scientific(candidate.worst));
    const double worst = candidate.worst;
    if (worst < best_.worst) best_ = std::move(candidate);
    return worst;
  }

  void solve(Candidate& candidate) const {
    prepare(candidate);
    auto points = collocation_points(problem_, axes_, columns_of(candidate), collocation_of(candidate));
    if (forgets()) forget_rows(problem_, options_.relaxation_rates, duration(), points);
    solve_tasks(candidate, active_, points);
    evaluate(candidate);
  }

  bool forgets() const { return options_.relaxation_rates.size() > 0; }

  double duration() const { return 2 * half_length_[problem_.time()]; }

  void prepare(Candidate& candidate) const {
    const std::vector<Eigen::VectorXd> of_cells(1, candidate.bandwidth.cwiseQuotient(half_length_));
    candidate.ansatz = make_ansatz(problem_, options_, axes_, chain_, candidate.features, of_cells);
  }

  /// Of one field in one cell, singular features included: what the number of rows goes by.
  static Index columns_of(const Candidate& candidate) {
    return candidate.ansatz->columns() / candidate.ansatz->fields() / candidate.ansatz->patchwork(0).patches();
  }

  CollocationOptions collocation_of(const Candidate& candidate) const {
    CollocationOptions collocation = options_.collocation;
    collocation.resolution = candidate.bandwidth.cwiseMax(2.0);
    collocation.seed = stream_seed(options_.seed, 1);
    return collocation;
  }

  void solve_tasks(Candidate& candidate, const std::vector<const Problem*>& tasks,
                   const std::vector<TermPoints>& points, double smallest_weight = 1) const {
    NewtonOptions newton = options_.newton;
    // Data of that weight, on many points, may ask for heads of size one.
    newton.least_squares.max_growth *= std::max(1.0, 1e-4 / smallest_weight);
    newton.boundary_weight = candidate.boundary_weight;
    FieldFunction start = start_;
    if (best_.ansatz)
      start = [this](const Eigen::MatrixXd& x, const std::vector<FieldJet>& jets) {
        return best_.ansatz->jets(x, jets, best_.heads.col(0));
      };
    else if (start_smoothly_)
      start = smooth_start(problem_, candidate.ansatz, points, newton);
    candidate.heads = solve_newton(tasks, *candidate.ansatz, points, start, newton, candidate.newton);
  }

  void evaluate(Candidate& candidate) const {
    const auto unseen = holdout_points(problem_, axes_, columns_of(candidate), collocation_of(candidate));
    candidate.worst = 0;
    candidate.holdouts.clear();
    for (size_t t = 0; t < active_.size(); ++t) {
      candidate.holdouts.push_back(
          evaluate_holdout(*active_[t], unseen, [&](const Eigen::MatrixXd& x, const std::vector<FieldJet>& jets) {
            return candidate.ansatz->jets(x, jets, candidate.heads.col(static_cast<Index>(t)));
          }, options_.least_scales));
      if (forgets()) forget_holdout(*active_[t], options_.relaxation_rates, duration(), candidate.holdouts.back());
      candidate.worst = std::max(candidate.worst, candidate.holdouts.back().worst);
    }
  }

  // First level: a coarse scan of isotropic bandwidths, then each coordinate by itself. Later levels: the last choice and
  // a wider one, for more features carry more bandwidth. A level at which nothing is resolved yet scans again.
  void search_bandwidth(Index features, Index level) {
    const Index d = problem_.dimension();
    const bool unresolved = level == 0 || best_.worst > 0.02;
    if (unresolved) {
      for (double b = d <= 2 ? 2.5 : 0.5; b <= 45 && best_.worst > tolerance_; b *= 1.7)
        try_once(features, Eigen::VectorXd::Constant(d, b), weight());
      if (d <= 3 && best_.ansatz)
        for (int sweep = 0; sweep < 2; ++sweep) search_coordinates(features, sweep == 0 ? 2.0 : 1.4);
      return;
    }
    // More features carry more bandwidth, and many more where those of the last one are redundant. Only where that did
    // not help, look at the choices beside it.
    const Eigen::VectorXd bandwidth = best_.bandwidth;
    const double before = best_.worst;
    try_once(features, bandwidth * (redundant() ? 1.3 : 1.15), weight());
    if (features > kSearchFeatures) {
      if (redundant() && best_.features == features) try_once(features, best_.bandwidth * 1.3, weight());
      return;
    }
    if (best_.worst < tolerance_ || best_.worst < 0.1 * before) return;
    for (const double factor : {1.5, 1.0, 0.7})
      if (try_once(features, bandwidth * factor, weight()) <= best_.worst && best_.worst < 0.1 * before) return;
  }

  /// Far from the tolerance with many features to spare: the bandwidth, not their number, limits the best solution.
  bool redundant() const {
    const auto& head = best_.newton.head;
    return best_.worst > 10 * tolerance_ && static_cast<double>(head.rank) < 0.85 * static_cast<double>(head.columns);
  }

  void search_coordinates(Index features, double factor) {
    for (Index i = 0; i < problem_.dimension(); ++i)
      for (const double f : {factor, 1 / factor}) {
        if (best_.worst < tolerance_) return;
        Eigen::VectorXd bandwidth = best_.bandwidth;
        bandwidth[i] *= f;
        const double before = best_.worst;
        if (try_once(features, bandwidth, weight()) < before) break;
      }
  }

  void search_boundary_weight(Index features) {
    const Eigen::VectorXd bandwidth = best_.bandwidth;
    if (!best_.ansatz) return;
    for (const double w : {10.0, 100.0}) {
      if (best_.worst < tolerance_) return;
      const double before = best_.worst;
      if (try_once(features, bandwidth, w) > before) break;
    }
  }

  // Where the equations do not determine the solution, the one of least L2 norm is taken (null_space.h). At the first
  // epsilon null modes and others are far apart; null modes that are seen in part ask for more features. Smaller ones
  // disturb the rest of the solution less, until rounding takes over.
  void check_for_singular_operator() {
    if (!best_.newton.linear || best_.worst > 1e-6 || !options_.constraints.empty()) return;
    if (evolves()) return;
    if (has_maximum_principle(problem_, collocation_points(problem_, axes_, 64, {}))) return;
    try {
      remove_null_space_of_best();
    } catch (const NumericalError&) {
      // The solution that is there stays.
    }
  }

  /// Every field has an equation for its time derivative: the initial data determine it.
  bool evolves() const {
    if (problem_.time() < 0) return false;
    for (Index f = 0; f < static_cast<Index>(problem_.fields.size()); ++f)
      if (problem_.time_order(f) == 0) return false;
    return true;
  }

  void remove_null_space_of_best() {
    double epsilon = std::max(1e-8, best_.worst);
    Candidate original = best_, candidate;
    NullSpace found = solve_pulled(original, epsilon, candidate);
    while (found.unresolved && original.features < levels_.last) {
      original.features = levels_.next(original.features);
      original.bandwidth *= 1.4;  // null modes that are missed have shorter waves than the solution
      found = solve_pulled(original, epsilon, candidate);
    }
    if (found.dimension == 0) return;
    null_space_ = found.dimension;
    best_ = candidate;
    while (epsilon > 2e-10) {
      found = solve_pulled(original, epsilon /= 10, candidate);
      if (found.dimension != null_space_) break;
      if (candidate.worst < best_.worst) best_ = candidate;
    }
  }

  /// Solves the tasks of `original` with rows epsilon u = 0 and removes the null space.
  NullSpace solve_pulled(const Candidate& original, double epsilon, Candidate& candidate) const {
    candidate = {};
    candidate.features = original.features;
    candidate.bandwidth = original.bandwidth;
    candidate.boundary_weight = original.boundary_weight;
    prepare(candidate);
    const CollocationOptions collocation = collocation_of(candidate);
    const PulledTasks pulled = pull_tasks(active_, axes_, columns_of(candidate), collocation,
                                          collocation_points(problem_, axes_, columns_of(candidate), collocation),
                                          epsilon, stream_seed(options_.seed, 2));
    std::vector<const Problem*> tasks;
    for (const auto& task : pulled.problems) tasks.push_back(&task);
    solve_tasks(candidate, tasks, pulled.points, epsilon);
    // Rank and condition are told of the system as it was: the added rows hide its deficiency.
    candidate.newton = original.newton;
    const NullSpace found =
        remove_null_space(problem_, axes_, *candidate.ansatz, candidate.bandwidth, epsilon, candidate.heads);
    evaluate(candidate);
    return found;
  }

  HeadResult result() {
    HeadResult result;
    result.null_space = null_space_;
    for (Index t = 0; t < best_.heads.cols(); ++t) {
      Window window{0, 0, best_.ansatz, best_.heads.col(t)};
      if (problem_.time() >= 0) {
        const auto& time = problem_.coordinates[static_cast<size_t>(problem_.time())];
        window.start = time.low;
        window.end = time.high;
      }
      result.solutions.emplace_back(problem_.time(), std::vector<Window>{window});
    }
    result.holdouts = best_.holdouts;
    result.holdout = best_.worst;
    result.newton = best_.newton;
    result.bandwidth = best_.bandwidth.cwiseQuotient(half_length_);
    result.boundary_weight = best_.boundary_weight;
    result.features = best_.features;
    result.patches = best_.ansatz->patchwork(0).patches();
    result.trials = std::move(trials_);
    result.reached_tolerance = best_.worst < tolerance_;
    return result;
  }

  std::vector<const Problem*> tasks_;
  std::vector<const Problem*> active_;  // the first task while bandwidths are searched, then all
  const Problem& problem_;
  HeadOptions options_;
  Progress& progress_;
  FieldFunction start_;
  std::vector<PartitionAxis> axes_;
  Index chain_ = 0;
  Eigen::VectorXd half_length_;
  double tolerance_;
  Levels levels_{};
  Candidate best_;
  std::vector<HeadTrial> trials_;
  std::string last_error_;
  int stalled_ = 0;
  bool is_linear_ = true;
  bool start_smoothly_ = false;  // where there is no solution yet to start from
  Index null_space_ = 0;
};

// Beside the decay all is slow in a layer, and features that oscillate in it make the system ill-conditioned.
std::shared_ptr<const Body> layer_body(const Problem& problem, const HeadOptions& options, BodyRequest request) {
  constexpr double kSlow = 0.1;
  const Index t = problem.time();
  request.bandwidth[t] *= kSlow;
  const auto& time = problem.coordinates[static_cast<size_t>(t)];
  const Index decaying = request.features / 2;
  request.features -= decaying;
  const auto slow = make_body(options.body, request);
  request.features = decaying;
  request.seed = stream_seed(request.seed, 1);
  const auto fast = std::make_shared<DecayingBody>(make_body(options.body, request), t, time.low, options.decay_rate);
  return std::make_shared<JoinedBody>(std::vector<std::shared_ptr<const Body>>{slow, fast});
}

}  // namespace

std::shared_ptr<const Ansatz> make_ansatz(const Problem& problem, const HeadOptions& options,
                                          const std::vector<PartitionAxis>& axes, Index chain_coordinate,
                                          Index features, const std::vector<Eigen::VectorXd>& bandwidth_of_cell) {
  const Index d = problem.dimension();
  Index cells = 1;
  for (const auto& axis : axes) cells *= axis.cells();
  const auto enrichment = options.enrich && cells == 1 ? geometry_enrichment(problem) : nullptr;
  std::vector<Ansatz::FieldPart> parts;
  for (size_t f = 0; f < problem.fields.size(); ++f) {
    const auto* joined = options.joined ? &options.joined->parts()[std::min(f, options.joined->parts().size() - 1)] : nullptr;
    std::vector<std::shared_ptr<const Body>> bodies;
    for (Index cell = 0; cell < cells; ++cell) {
      BodyRequest request;
      request.features = features;
      request.bandwidth = bandwidth_of_cell[bandwidth_of_cell.size() == 1 ? 0 : static_cast<size_t>(cell)];
      request.centre.resize(d);
      request.half_width.resize(d);
      request.period = Eigen::VectorXd::Zero(d);
      request.seed = stream_seed(options.seed, 1000 + 7919 * f + static_cast<uint64_t>(cell));
      Index rest = cell;
      for (Index i = d; i-- > 0;) {
        const auto& axis = axes[static_cast<size_t>(i)];
        const Index own = rest % axis.cells();
        rest /= axis.cells();
        request.centre[i] = 0.5 * (axis.low(own) + axis.high(own));
        request.half_width[i] = 0.5 * (axis.high(own) - axis.low(own));
        if (problem.coordinates[static_cast<size_t>(i)].periodic && axis.cells() == 1) request.period[i] = axis.length();
      }
      std::vector<std::shared_ptr<const Body>> of_cell{
          options.decay_rate > 0 ? layer_body(problem, options, request) : make_body(options.body, request)};
      if (enrichment) of_cell.push_back(enrichment);
      if (joined) of_cell.push_back(joined->patchwork->shared_body(0));
      bodies.push_back(of_cell.size() == 1 ? of_cell.front() : std::make_shared<JoinedBody>(std::move(of_cell)));
    }
    Ansatz::FieldPart part{std::make_shared<Patchwork>(axes, chain_coordinate, std::move(bodies)), std::nullopt};
    const auto constraint = options.constraints.find(problem.fields[f].name);
    if (joined)
      part.constraint = joined->constraint;
    else if (constraint != options.constraints.end())
      part.constraint = formula_constraint(coordinate_names(problem.coordinates), constraint->second.factor,
                                           constraint->second.lift);
    parts.push_back(std::move(part));
  }
  return std::make_shared<Ansatz>(std::move(parts));
}

HeadResult solve_global_head(const std::vector<const Problem*>& tasks, const HeadOptions& options,
                             Progress& progress, const FieldFunction& start) {
  return GlobalSolver(tasks, options, progress, start).run();
}

HardConstraint formula_constraint(const std::vector<std::string>& coordinates, const Expression& factor,
                                  const Expression& lift) {
  return {jets_of(coordinates, factor), jets_of(coordinates, lift), factor, lift};
}

}  // namespace torsor
