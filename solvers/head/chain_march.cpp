#include "solvers/head/chain_march.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "physics/error.h"
#include "physics/random.h"
#include "solvers/clock.h"
#include "solvers/head/cell_row.h"
#include "solvers/head/global_head.h"
#include "solvers/head/incompatible_data.h"
#include "solvers/head/row_weights.h"
#include "solvers/head/time_window.h"

namespace torsor {
namespace {

// A cell of a window in normalised coordinates [-1, 1]^2: this many features of this bandwidth resolve a field that is
// analytic over a few cell lengths to about 1e-9; less resolved cells are halved instead of given more features, for
// the cost of a chain grows with the number of cells only linearly.
struct CellBody {
  Index features;
  double space_bandwidth, time_bandwidth;
  Index most_cells;
};
constexpr CellBody kFewFields{160, 7, 5, 400};
// Kinetic equations have many fields, and the cost grows with the cube of fields times features.
constexpr CellBody kManyFields{64, 6, 2, 48};
constexpr double kNarrowestCell = 1e-4, kNarrowestAtWalls = 2e-6;  // of the whole length
constexpr int kMaxAttempts = 60;

/// Hold-out residuals to reach; of kinetic equations, whose wall layers cost much.
constexpr MarchTolerances kFine{1e-8, 1e-5}, kKinetic{1e-6, 1e-5};

/// What an attempt asks for: cells to halve, or a shorter window.
struct Refinement {
  std::vector<Index> split;
  bool shorten = false;
  bool empty() const { return split.empty() && !shorten; }
};

/// Where a window's attempt stands: the solved window and each cell's share of the hold-out residual.
struct Attempt {
  std::shared_ptr<const Window> window;
  CellRow cells;
  std::vector<double> cell_holdout;
  Eigen::VectorXd sizes;  ///< greatest absolute value of each field, of the moments of one unknown together
  Holdout holdout;
  NewtonReport newton;

  double of_cell(Index cell) const { return cell_holdout[static_cast<size_t>(cell)]; }
  double indicator() const { return *std::max_element(cell_holdout.begin(), cell_holdout.end()); }
};

/// The attempts at one window.
struct WindowSearch {
  std::vector<Attempt> attempts;
  double end;
  double best = std::numeric_limits<double>::infinity();
  int without_gain = 0;
  bool split_instead = false, solved = false;
  std::string trouble = "no attempt";

  explicit WindowSearch(double first_end) : end(first_end) {}

  void add(Attempt attempt) {
    without_gain = attempt.indicator() < 0.5 * best ? 0 : without_gain + 1;
    best = std::min(best, attempt.indicator());
    attempts.push_back(std::move(attempt));
  }
  /// The first attempt, which has the longest window, with an indicator that is no larger.
  const Attempt& first_within(double indicator) const {
    return *std::find_if(attempts.begin(), attempts.end(),
                         [&](const Attempt& attempt) { return attempt.indicator() <= indicator; });
  }
};

class ChainMarch {
 public:
  ChainMarch(const Problem& problem, const HeadOptions& options, Progress& progress)
      : problem_(problem),
        options_(options),
        progress_(progress),
        time_(problem.time()),
        space_(problem.space().front()),
        low_(coordinate(space_).low),
        high_(coordinate(space_).high),
        cells_(low_, high_, options.patches.empty() ? 4 : options.patches[static_cast<size_t>(space_)]) {
    tolerance_ = tolerance_for(problem, options, problem.velocity ? kKinetic : kFine);
    if (problem.velocity) {
      body_ = kManyFields;
      rates_ = relaxation_rates(problem);
    }
    if (options.features > 0) body_.features = options.features;
    end_ = coordinate(time_).high;
    length_ = (end_ - coordinate(time_).low) / static_cast<double>(options.windows > 0 ? options.windows : 10);
    fixed_length_ = options.windows > 0;
    fixed_cells_ = !options.patches.empty();
    phase_ = end_ - coordinate(time_).low;
    shortest_ = 1e-4 * phase_;
    if (!fixed_length_) smooth_corners();
  }

  HeadResult run() {
    if (problem_.velocity && !fixed_length_) march_initial_layer();
    march(end_);
    result_.solutions.emplace_back(time_, std::move(windows_));
    result_.features = body_.features;
    result_.reached_tolerance = worst_indicator_ <= tolerance_;
    result_.boundary_weight = weight();
    return result_;
  }

 private:
  const Coordinate& coordinate(Index i) const { return problem_.coordinates[static_cast<size_t>(i)]; }
  double weight() const { return options_.boundary_weight > 0 ? options_.boundary_weight : 1.0; }

  double now() const { return windows_.empty() ? coordinate(time_).low : windows_.back().end; }

  std::shared_ptr<const Window> last_window() const {
    return windows_.empty() ? nullptr : std::make_shared<const Window>(windows_.back());
  }

  void march(double end) {
    phase_ = end - now();
    while (now() < end - 1e-12 * phase_) {
      const double stop = now() + length_ > end - 1e-3 * length_ ? end : now() + length_;
      const Attempt attempt = solve_window(now(), stop, last_window());
      length_ = attempt.window->end - attempt.window->start;
      windows_.push_back(*attempt.window);
      record(attempt);
      prepare_next(attempt);
      progress_.update((now() - coordinate(time_).low) / (end_ - coordinate(time_).low),
                       "t = " + std::to_string(now()) + ", " + std::to_string(cells_.size()) + " patches");
    }
  }

  // Kinetic data out of equilibrium relax in a layer of windows of its own, with features that decay as it does.
  void march_initial_layer() {
    const double rate = options_.decay_rate > 0 ? options_.decay_rate : rates_.maxCoeff();
    const double layer = kInitialLayer / rate, start = coordinate(time_).low;
    if (rate <= 0 || layer > 0.5 * (end_ - start) || in_equilibrium(problem_)) return;
    const double length = length_, shortest = shortest_;
    options_.decay_rate = rate;
    length_ = layer;
    shortest_ = 1e-3 * layer;
    march(start + layer);
    options_.decay_rate = 0;
    length_ = length;
    shortest_ = shortest;
    inherited_ = 0;
    begin_at_walls();
  }

  // Data that a layer leaves need not fit the boundary's in their derivatives, and then the walls make layers of the width
  // of diffusion in a short time.
  void begin_at_walls() {
    constexpr double kBegin = 1e-5;
    length_ = kBegin * (end_ - coordinate(time_).low);
    shortest_ = 0.1 * length_;
    graded_ = !fixed_cells_;
    if (graded_) grade_cells(Eigen::Vector2d(low_, high_));
  }

  /// Whether the fields that relax begin with zero.
  bool in_equilibrium(const Problem& problem) const {
    const auto sets = collocation_points(problem, whole_domain(problem), 64, {});
    const Eigen::VectorXd sizes = sizes_of_initial_data(problem, sets);
    return ((rates_.array() > 0).select(sizes.array(), 0.0) == 0.0).all();
  }

  // Refines patches and window until the tolerance holds, or refinement no longer helps: then what is left comes from
  // the initial data, and the best attempt is kept. Behind a jump of the data shorter windows would only be more of them:
  // there the longest is kept that is about as good, and the windows after it are not asked for more.
  Attempt solve_window(double start, double end, const std::shared_ptr<const Window>& before) {
    WindowSearch search(end);
    for (int number = 0; number < kMaxAttempts && attempt_and_refine(start, before, search); ++number) throw_if_stopped();
    if (search.attempts.empty())
      throw NumericalError("time window at t = " + std::to_string(start) + " failed: " + search.trouble);
    if (search.solved) {
      inherited_ *= 0.5;
      return search.attempts.back();
    }
    if (graded_) inherited_ = 2 * search.best;
    const Attempt& chosen = search.first_within(graded_ ? inherited_ : search.best);
    cells_ = chosen.cells;
    return chosen;
  }

  /// One more attempt; cells and end of the next one, or false where there is to be none.
  bool attempt_and_refine(double start, const std::shared_ptr<const Window>& before, WindowSearch& search) {
    try {
      search.add(attempt_window(start, search.end, before));
    } catch (const NumericalError& error) {
      search.trouble = error.what();
      if (fixed_length_ || search.end - start < shortest()) return false;
      search.end = start + 0.5 * (search.end - start);
      return true;
    }
    Refinement refinement = judge(search.attempts.back(), search.split_instead);
    search.solved = refinement.empty();
    if (search.solved) return false;
    const bool stuck = search.without_gain > 0 || !can_refine(refinement, search.end - start);
    if (graded_ && refinement.shorten && !search.split_instead && stuck) refinement = split_longest(search);
    if (search.without_gain >= 2 || !can_refine(refinement, search.end - start)) return false;
    if (!refinement.split.empty()) cells_.split(refinement.split);
    else search.end = start + 0.5 * (search.end - start);
    return true;
  }

  /// Near a wall the curvatures may mislead: back to the longer window, with narrower cells.
  Refinement split_longest(WindowSearch& search) {
    search.split_instead = true;
    search.without_gain = 0;
    const Attempt& longest = search.first_within(2 * search.best);
    search.end = longest.window->end;
    cells_ = longest.cells;
    return judge(longest, search.split_instead);
  }

  /// Whether refinement has not helped lately.
  bool inherits() const { return inherited_ > tolerance_; }

  /// What a window is refined to.
  double goal() const { return std::max(tolerance_, inherited_); }

  bool can_refine(const Refinement& refinement, double duration) const {
    if (!refinement.split.empty()) return cells_.size() + static_cast<Index>(refinement.split.size()) <= body_.most_cells;
    return duration > shortest();
  }

  // What a jump leaves changes with the time since; what needs much shorter windows are fronts, which no window resolves.
  double shortest() const {
    constexpr double kOfElapsed = 0.1;
    return graded_ ? std::max(shortest_, kOfElapsed * (now() - coordinate(time_).low)) : shortest_;
  }

  // Where initial and boundary data jump, the boundary's come in over a short time. Windows begin with a part of it, cells
  // at the scale of the layer that it makes, and both grow from there.
  void smooth_corners() {
    constexpr double kRamp = 3e-4, kMonotoneRamp = 1e-6;  // of all of time: errors below 1e-7 and 1e-5 at a 50th of it
    constexpr MarchTolerances kRough{1e-7, 1e-5}, kRoughKinetic{1e-5, 1e-5};
    const IncompatibleData data(problem_);
    if (!data.found()) return;
    const bool linear = is_linear(problem_, collocation_points(problem_, whole_domain(problem_), 16, {}));
    const double ramp = (linear ? kRamp : kMonotoneRamp) * (end_ - coordinate(time_).low);
    tolerance_ = tolerance_for(problem_, options_, problem_.velocity ? kRoughKinetic : kRough);
    ramped_ = data.with_ramp(ramp, linear ? 3 : 0);
    ramp_end_ = coordinate(time_).low + ramp;
    length_ = 0.25 * ramp;
    shortest_ = 0.05 * length_;
    graded_ = !fixed_cells_;
    if (graded_) grade_cells(data.places().col(space_));
  }

  // The scale of the layer is the equation's; the first window tells it.
  void grade_cells(const Eigen::VectorXd& places) {
    double best = std::numeric_limits<double>::infinity();
    CellRow chosen = cells_;
    for (double width = 1.0 / 16; width > 0.5 * kNarrowestAtWalls && best > tolerance_; width /= 4) {
      for (const double x : places) cells_.halve_at(x, width * (high_ - low_));
      try {
        const double indicator = attempt_window(now(), now() + length_, last_window()).indicator();
        if (indicator > best) continue;
        best = indicator;
        chosen = cells_;
      } catch (const NumericalError&) {
        // Narrower cells may do.
      }
    }
    cells_ = chosen;  // solved again as the first attempt, with the scales that these attempts have found
  }

  std::vector<PartitionAxis> axes(double start, double end) const {
    std::vector<PartitionAxis> axes;
    for (Index i = 0; i < problem_.dimension(); ++i)
      axes.push_back(i == time_ ? PartitionAxis({start, end}, false)
                                : PartitionAxis(cells_.edges(), coordinate(space_).periodic));
    return axes;
  }

  Eigen::VectorXd bandwidth_of_cell(const PartitionAxis& axis, Index cell, double duration) const {
    Eigen::VectorXd bandwidth(2);
    bandwidth[space_] = body_.space_bandwidth / (0.5 * (axis.high(cell) - axis.low(cell)));
    bandwidth[time_] = body_.time_bandwidth / (0.5 * duration);
    return bandwidth;
  }

  Attempt attempt_window(double start, double end, const std::shared_ptr<const Window>& before) {
    const double began = wall_seconds();
    const Problem window = window_problem(start < ramp_end_ ? ramped_ : problem_, start, end, before);
    const auto partition = axes(start, end);
    const auto& axis = partition[static_cast<size_t>(space_)];
    std::vector<Eigen::VectorXd> bandwidth;
    for (Index cell = 0; cell < axis.cells(); ++cell) bandwidth.push_back(bandwidth_of_cell(axis, cell, end - start));
    CollocationOptions collocation = options_.collocation;
    collocation.resolution.resize(2);
    collocation.resolution[space_] = body_.space_bandwidth;
    collocation.resolution[time_] = body_.time_bandwidth;
    collocation.seed = stream_seed(options_.seed, 1);
    auto points = collocation_points(window, partition, body_.features, collocation);
    const bool scaled = problem_.velocity && scale_rows(window, scales_, points);
    if (scaled && before) forget_rows(window, rates_, end - start, points);
    const auto ansatz = make_ansatz(window, options_, partition, space_, body_.features, bandwidth);
    NewtonOptions newton = options_.newton;
    newton.boundary_weight = weight();
    Attempt attempt{nullptr, cells_, {}, {}, {}, {}};
    const FieldFunction guess = before ? frozen_start(before, time_) : FieldFunction();
    const Eigen::MatrixXd head = solve_newton({&window}, *ansatz, points, guess, newton, attempt.newton);
    attempt.window = std::make_shared<Window>(Window{start, end, ansatz, head.col(0)});
    const auto unseen = holdout_points(window, partition, body_.features, collocation);
    attempt.holdout = evaluate_holdout(window, unseen, field_of(*ansatz, attempt.window->head));
    scales_ = attempt.holdout.scales;
    if (problem_.velocity && !scaled) return attempt_window(start, end, before);
    if (scaled && before) forget_holdout(window, rates_, end - start, attempt.holdout);
    require_solved(attempt.newton, attempt.holdout.worst);
    attempt.sizes = largest_values(*attempt.window, interior_of(window, unseen));
    attempt.cell_holdout.assign(static_cast<size_t>(axis.cells()), 0.0);
    for (size_t s = 0; s < unseen.size(); ++s)
      accumulate(unseen[s], attempt.holdout.terms[s], end - start, attempt.cell_holdout);
    result_.trials.push_back(
        {body_.features, bandwidth.front(), weight(), attempt.holdout.worst, wall_seconds() - began});
    return attempt;
  }

  Eigen::VectorXd largest_values(const Window& window, const Eigen::MatrixXd& points) const {
    std::vector<FieldJet> values;
    for (Index f = 0; f < window.ansatz->fields(); ++f) values.push_back({f, MultiIndex(2, 0)});
    Eigen::VectorXd largest = window.ansatz->jets(points, values, window.head).cwiseAbs().colwise().maxCoeff();
    for (const auto& unknown : problem_.velocity_fields) {
      auto moments = largest.segment(unknown.first, unknown.basis.cols());
      moments.setConstant(moments.maxCoeff());
    }
    return largest;
  }

  // rms of a term's relative residual in each cell, weighted by the root of the cell's share of space-time (1 for a
  // fortieth of it, a typical cell): equal weighted residuals are equal parts of the whole L2 norm, so a thin layer or
  // a short transient may have a larger residual than the bulk.
  void accumulate(const TermPoints& points, const TermHoldout& holdout, double duration,
                  std::vector<double>& cell_holdout) const {
    std::vector<double> sum(cell_holdout.size(), 0), count(cell_holdout.size(), 0);
    for (Index k = 0; k < points.points.rows(); ++k) {
      const auto cell = static_cast<size_t>(cells_.at(points.points(k, space_)));
      sum[cell] += holdout.values[k] * holdout.values[k];
      count[cell] += 1;
    }
    const double share = 40 * duration / phase_ / (high_ - low_);
    for (size_t c = 0; c < sum.size(); ++c)
      if (count[c] > 0)
        cell_holdout[c] =
            std::max(cell_holdout[c], std::sqrt(sum[c] / count[c] * share * cells_.width(static_cast<Index>(c))));
  }

  // Which cells miss the tolerance, and whether along x (halve them) or along t (shorten the window).
  Refinement judge(const Attempt& attempt, bool split_instead) const {
    Refinement refinement;
    for (Index cell = 0; cell < attempt.cells.size(); ++cell) {
      if (attempt.of_cell(cell) <= goal()) continue;
      const double narrowest = (graded_ ? kNarrowestAtWalls : kNarrowestCell) * (high_ - low_);
      const bool narrow = fixed_cells_ || attempt.cells.width(cell) <= narrowest;
      if (!narrow && (split_instead || bends_along_x(attempt, cell))) refinement.split.push_back(cell);
      else if (!fixed_length_) refinement.shorten = true;
    }
    if (refinement.shorten) refinement.split.clear();
    return refinement;
  }

  // The coordinate along which the fields' second derivative, times the squared length of the cell, is larger.
  bool bends_along_x(const Attempt& attempt, Index cell) const {
    if (graded_ && is_slow(attempt, cell)) return true;
    const double width = attempt.cells.width(cell), duration = attempt.window->end - attempt.window->start;
    double along_x = 0, along_t = 0;
    for (Index f = 0; f < static_cast<Index>(problem_.fields.size()); ++f) {
      const auto bend = bending(attempt, f, cell);
      along_x = std::max(along_x, bend[0] * std::pow(width / body_.space_bandwidth, 2));
      along_t = std::max(along_t, bend[1] * std::pow(duration / body_.time_bandwidth, 2));
    }
    return along_x >= along_t;
  }

  // rms of u_xx and u_tt over a cell.
  Eigen::Vector2d bending(const Attempt& attempt, Index field, Index cell) const {
    const Window& window = *attempt.window;
    FieldJet xx{field, {0, 0}}, tt{field, {0, 0}};
    xx.orders[static_cast<size_t>(space_)] = 2;
    tt.orders[static_cast<size_t>(time_)] = 2;
    constexpr Index kGrid = 8;
    Eigen::MatrixXd points(kGrid * kGrid, 2);
    const auto inside = [](double low, double high, Index i) {
      return low + (high - low) * (static_cast<double>(i) + 0.5) / kGrid;
    };
    for (Index i = 0; i < kGrid; ++i)
      for (Index j = 0; j < kGrid; ++j) {
        points(i * kGrid + j, space_) = inside(attempt.cells.low(cell), attempt.cells.high(cell), i);
        points(i * kGrid + j, time_) = inside(window.start, window.end, j);
      }
    return window.ansatz->jets(points, {xx, tt}, window.head).colwise().norm().transpose() / static_cast<double>(kGrid);
  }

  // Joins pairs of cells of equal width that are far below the tolerance, and lengthens the window when all are.
  void prepare_next(const Attempt& attempt) {
    const auto& eta = attempt.cell_holdout;
    const double worst = *std::max_element(eta.begin(), eta.end());
    if (!fixed_length_) {
      if (worst < 0.02 * goal() || (graded_ && (inherits() || is_slow(attempt)))) length_ *= 1.5;
      else if (worst < 0.2 * goal()) length_ *= 1.2;
    }
    if (fixed_cells_) return;
    cells_.join([&](Index cell) { return may_join(attempt, cell); }, 0.26 * (high_ - low_));
  }

  /// The field hardly bends in time: what is left of the residual comes from space.
  bool is_slow(const Attempt& attempt, Index cell) const {
    constexpr double kFlat = 0.2;
    const double duration = attempt.window->end - attempt.window->start;
    for (Index f = 0; f < static_cast<Index>(problem_.fields.size()); ++f)
      if (bending(attempt, f, cell)[1] * duration * duration > kFlat * attempt.sizes[f]) return false;
    return true;
  }

  bool is_slow(const Attempt& attempt) const {
    for (Index cell = 0; cell < attempt.cells.size(); ++cell)
      if (!is_slow(attempt, cell)) return false;
    return true;
  }

  // Far below the tolerance; or the layer that the cells were made for has grown out of them. Cells much narrower than the
  // field's scale lose digits: derivatives of rounding errors grow with the inverse square of the width.
  bool may_join(const Attempt& attempt, Index cell) const {
    constexpr double kFar = 1e-4, kBelow = 0.05, kFlat = 0.2, kVeryFlat = 0.05;
    const double eta = std::max(attempt.of_cell(cell), attempt.of_cell(cell + 1)) / goal();
    if (eta < kFar) return true;
    if (!graded_ || (eta > kBelow && !inherits())) return false;
    const double width = attempt.cells.high(cell + 1) - attempt.cells.low(cell);
    for (Index f = 0; f < static_cast<Index>(problem_.fields.size()); ++f) {
      const double bend = std::max(bending(attempt, f, cell)[0], bending(attempt, f, cell + 1)[0]);
      if (bend * width * width > (eta > kBelow ? kVeryFlat : kFlat) * attempt.sizes[f]) return false;
    }
    return true;
  }

  void record(const Attempt& attempt) {
    if (attempt.holdout.worst >= result_.holdout) {
      result_.newton = attempt.newton;
      result_.holdouts = {attempt.holdout};
      result_.bandwidth = result_.trials.back().bandwidth;
    }
    result_.holdout = std::max(result_.holdout, attempt.holdout.worst);
    worst_indicator_ = std::max(worst_indicator_, attempt.indicator());
    result_.patches = std::max(result_.patches, attempt.window->ansatz->patchwork(0).patches());
  }

  Problem problem_;
  Problem ramped_;  ///< until ramp_end_, where its data jump
  double ramp_end_ = -std::numeric_limits<double>::infinity();
  HeadOptions options_;
  Progress& progress_;
  Index time_, space_;
  double low_, high_;
  CellRow cells_;
  double end_ = 0, length_ = 0, shortest_ = 0, tolerance_ = 0;
  double phase_ = 0;  ///< the time that is marched through: residuals count by their share of it
  std::vector<Window> windows_;
  bool fixed_length_ = false, fixed_cells_ = false, graded_ = false;
  CellBody body_ = kFewFields;
  Eigen::VectorXd rates_;  ///< of relaxation, of each field
  EquationScales scales_;  ///< of the equations' rows
  double inherited_ = 0;  ///< hold-out residual that comes from earlier windows
  double worst_indicator_ = 0;
  HeadResult result_;
};

}  // namespace

HeadResult march_chain(const Problem& problem, const HeadOptions& options, Progress& progress) {
  return ChainMarch(problem, options, progress).run();
}

}  // namespace torsor
