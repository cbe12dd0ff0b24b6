#include "solvers/head/time_march.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "physics/error.h"
#include "physics/random.h"
#include "problems/residual.h"
#include "solvers/clock.h"
#include "solvers/head/global_head.h"
#include "solvers/head/incompatible_data.h"

namespace torsor {
namespace {

// A cell of a window in normalised coordinates [-1, 1]^2: this many features of this bandwidth resolve a field that is
// analytic over a few cell lengths to about 1e-9; less resolved cells are halved instead of given more features, for
// the cost of a chain grows with the number of cells only linearly.
struct CellBody {
  Index features;
  double space_bandwidth, time_bandwidth;
};
constexpr CellBody kFewFields{160, 7, 5};
// Kinetic equations have many fields, and the cost grows with the cube of fields times features.
constexpr CellBody kManyFields{64, 6, 2};
constexpr Index kMaxCells = 400;
constexpr double kNarrowestCell = 2e-6;  // of the whole length
constexpr int kMaxAttempts = 60;

/// Hold-out residuals to reach in every window: linear, nonlinear.
struct Tolerances {
  double linear, nonlinear;
};
constexpr Tolerances kChain{1e-8, 1e-5}, kManyDimensions{1e-6, 1e-4};

double tolerance_for(const Problem& problem, const HeadOptions& options, const Tolerances& tolerances) {
  if (options.tolerance > 0) return options.tolerance;
  const auto axes = whole_domain(problem);
  return is_linear(problem, collocation_points(problem, axes, 16, {})) ? tolerances.linear : tolerances.nonlinear;
}

/// What an attempt asks for: cells to halve, or a shorter window.
struct Refinement {
  std::vector<Index> split;
  bool shorten = false;
  bool empty() const { return split.empty() && !shorten; }
};

/// Where a window's attempt stands: the solved window and each cell's share of the hold-out residual.
struct Attempt {
  std::shared_ptr<const Window> window;
  std::vector<double> edges;
  std::vector<double> cell_holdout;
  Eigen::VectorXd sizes;  ///< greatest absolute value of each field, of the moments of one unknown together
  double indicator() const { return *std::max_element(cell_holdout.begin(), cell_holdout.end()); }
  Holdout holdout;
  NewtonReport newton;
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
        high_(coordinate(space_).high) {
    tolerance_ = tolerance_for(problem, options, kChain);
    if (problem.velocity) {
      body_ = kManyFields;
      rates_ = relaxation_rates(problem);
    }
    if (options.features > 0) body_.features = options.features;
    const Index cells = options.patches.empty() ? 4 : options.patches[static_cast<size_t>(space_)];
    for (Index k = 0; k <= cells; ++k)
      edges_.push_back(low_ + (high_ - low_) * static_cast<double>(k) / static_cast<double>(cells));
    end_ = coordinate(time_).high;
    length_ = (end_ - coordinate(time_).low) / static_cast<double>(options.windows > 0 ? options.windows : 10);
    fixed_length_ = options.windows > 0;
    fixed_cells_ = !options.patches.empty();
    shortest_ = 1e-4 * (end_ - coordinate(time_).low);
    if (!fixed_length_) smooth_corners();
  }

  HeadResult run() {
    double now = coordinate(time_).low;
    const double duration = end_ - now;
    std::vector<Window> windows;
    std::shared_ptr<const Window> before;
    while (now < end_ - 1e-12 * duration) {
      const double end = now + length_ > end_ - 1e-3 * length_ ? end_ : now + length_;
      const Attempt attempt = solve_window(now, end, before);
      length_ = attempt.window->end - now;
      before = attempt.window;
      windows.push_back(*before);
      now = before->end;
      record(attempt);
      prepare_next(attempt);
      progress_.update((now - coordinate(time_).low) / duration,
                       "t = " + std::to_string(now) + ", " + std::to_string(edges_.size() - 1) + " patches");
    }
    result_.solutions.emplace_back(time_, std::move(windows));
    result_.features = body_.features;
    result_.reached_tolerance = worst_indicator_ <= tolerance_;
    result_.boundary_weight = weight();
    return result_;
  }

 private:
  const Coordinate& coordinate(Index i) const { return problem_.coordinates[static_cast<size_t>(i)]; }
  double weight() const { return options_.boundary_weight > 0 ? options_.boundary_weight : 1.0; }

  // Refines patches and window until the tolerance holds, or refinement no longer helps: then what is left comes from
  // the initial data, shorter windows would only be more of them, and the windows after this one are not asked for more.
  Attempt solve_window(double start, double end, const std::shared_ptr<const Window>& before) {
    std::string trouble = "no attempt";
    std::vector<Attempt> attempts;
    double best = std::numeric_limits<double>::infinity();
    int without_gain = 0;
    for (int attempt_number = 0; attempt_number < kMaxAttempts; ++attempt_number) {
      throw_if_stopped();
      try {
        attempts.push_back(attempt_window(start, end, before));
        const Refinement refinement = judge(attempts.back());
        debug(attempts.back(), refinement);
        if (refinement.empty()) {
          inherited_ *= 0.5;
          return attempts.back();
        }
        without_gain = attempts.back().indicator() < 0.5 * best ? 0 : without_gain + 1;
        best = std::min(best, attempts.back().indicator());
        if (without_gain >= 2 || !can_refine(refinement, end - start)) break;
        if (!refinement.split.empty()) split_cells(refinement.split);
        else end = start + 0.5 * (end - start);
      } catch (const NumericalError& error) {
        trouble = error.what();
        if (fixed_length_ || end - start < shortest_) break;
        end = start + 0.5 * (end - start);
      }
    }
    if (attempts.empty()) throw NumericalError("time window at t = " + std::to_string(start) + " failed: " + trouble);
    inherited_ = 2 * best;
    const auto chosen = std::find_if(attempts.begin(), attempts.end(), [&](const Attempt& a) { return a.indicator() <= inherited_; });
    edges_ = chosen->edges;
    return *chosen;
  }

  /// Whether refinement has not helped lately.
  bool inherits() const { return inherited_ > tolerance_; }

  /// What a window is refined to.
  double goal() const { return std::max(tolerance_, inherited_); }

  bool can_refine(const Refinement& refinement, double duration) const {
    if (!refinement.split.empty()) return edges_.size() + refinement.split.size() <= static_cast<size_t>(kMaxCells);
    return duration > shortest_;
  }

  // Where initial and boundary data jump, the boundary's come in over a short time. Windows begin with a part of it, cells
  // at the scale of the layer that it makes, and both grow from there.
  void smooth_corners() {
    constexpr double kRamp = 3e-4, kMonotoneRamp = 1e-6;  // of all of time; for errors below 1e-7 and 1e-5 at a 50th of it
    constexpr Tolerances kRough{1e-7, 1e-5};
    const IncompatibleData data(problem_);
    if (!data.found()) return;
    const bool linear = is_linear(problem_, collocation_points(problem_, whole_domain(problem_), 16, {}));
    const double ramp = (linear ? kRamp : kMonotoneRamp) * (end_ - coordinate(time_).low);
    if (options_.tolerance == 0) tolerance_ = linear ? kRough.linear : kRough.nonlinear;
    problem_ = data.with_ramp(ramp, linear ? 3 : 0);
    length_ = 0.25 * ramp;
    shortest_ = 0.05 * length_;
    graded_ = !fixed_cells_;
    if (graded_) grade_cells(data.places().col(space_));
  }

  // The scale of the layer is the equation's; the first window tells it.
  void grade_cells(const Eigen::VectorXd& places) {
    double best = std::numeric_limits<double>::infinity();
    std::vector<double> chosen = edges_;
    for (double width = 1.0 / 16; width > 0.5 * kNarrowestCell && best > tolerance_; width /= 4) {
      for (const double x : places) halve_cells_at(x, width * (high_ - low_));
      try {
        const double start = coordinate(time_).low;
        const double indicator = attempt_window(start, start + length_, nullptr).indicator();
        if (indicator > best) continue;
        best = indicator;
        chosen = edges_;
      } catch (const NumericalError&) {
        // Narrower cells may do.
      }
    }
    edges_ = chosen;
  }

  void halve_cells_at(double x, double width) {
    while (true) {
      const Index cell = cell_at(x);
      if (edges_[static_cast<size_t>(cell) + 1] - edges_[static_cast<size_t>(cell)] <= width) return;
      split_cells({cell});
    }
  }

  std::vector<PartitionAxis> axes(double start, double end) const {
    std::vector<PartitionAxis> axes;
    for (Index i = 0; i < problem_.dimension(); ++i)
      axes.push_back(i == time_ ? PartitionAxis({start, end}, false)
                                : PartitionAxis(edges_, coordinate(space_).periodic));
    return axes;
  }

  Eigen::VectorXd bandwidth_of_cell(const PartitionAxis& axis, Index cell, double duration) const {
    Eigen::VectorXd bandwidth(2);
    bandwidth[space_] = body_.space_bandwidth / (0.5 * (axis.high(cell) - axis.low(cell)));
    bandwidth[time_] = body_.time_bandwidth / (0.5 * duration);
    return bandwidth;
  }

  void debug(const Attempt& attempt, const Refinement& refinement) const {
    if (!getenv("DEBUG_MARCH")) return;
    fprintf(stderr, "window %.3e + %.3e: %zu cells, goal %.1e indicator %.1e, holdout %.1e, shorten %d split %zu |", attempt.window->start, attempt.window->end-attempt.window->start, edges_.size() - 1, goal(), attempt.indicator(), attempt.holdout.worst, refinement.shorten, refinement.split.size());
    std::map<std::string, double> worst;
    for (const auto& t : attempt.holdout.terms) { const auto name = attempt_names_[static_cast<size_t>(t.term)]; auto& w = worst[name.substr(0, name.find('['))]; w = std::max(w, t.relative); }
    for (const auto& [name, value] : worst) fprintf(stderr, " %s:%.0e", name.c_str(), value);
    fprintf(stderr, " %.2f s\n", result_.trials.back().seconds);
    if (getenv("DEBUG_MARCH")[0] == '2') {
    for (size_t c = 0; c < attempt.cell_holdout.size(); ++c) fprintf(stderr, " %.4g:%.0e", edges_[c], attempt.cell_holdout[c] / std::sqrt(40*(attempt.window->end-attempt.window->start)/0.1*(edges_[c+1]-edges_[c])));
    fprintf(stderr, "\n");}
  }

  Attempt attempt_window(double start, double end, const std::shared_ptr<const Window>& before) {
    const double began = wall_seconds();
    const Problem window = window_problem(problem_, start, end, before);
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
    const bool scaled = problem_.velocity && scale_rows(window, points);
    if (scaled && before) relax_rows(window, end - start, points);
    const auto ansatz = make_ansatz(window, options_, partition, space_, body_.features, bandwidth);
    NewtonOptions newton = options_.newton;
    newton.boundary_weight = weight();
    Attempt attempt;
    attempt_names_.clear();
    for (const auto& t : window.terms) attempt_names_.push_back(t.name);
    const FieldFunction guess = before ? frozen_start(before, time_) : FieldFunction();
    const Eigen::MatrixXd head = solve_newton({&window}, *ansatz, points, guess, newton, attempt.newton);
    attempt.window = std::make_shared<Window>(Window{start, end, ansatz, head.col(0)});
    attempt.edges = edges_;
    const auto unseen = holdout_points(window, partition, body_.features, collocation);
    attempt.holdout = evaluate_holdout(window, unseen, field_of(*ansatz, attempt.window->head));
    scales_ = attempt.holdout.scales;
    if (problem_.velocity && !scaled) return attempt_window(start, end, before);
    require_solved(attempt.newton, attempt.holdout.worst);
    attempt.sizes = largest_values(*attempt.window, interior_of(window, unseen));
    if (getenv("DEBUG_DUMP") && start > atof(getenv("DEBUG_DUMP"))) {
      for (size_t q = 0; q < unseen.size(); ++q) {
        const auto& term = window.terms[static_cast<size_t>(unseen[q].term)];
        Eigen::Matrix<double, 4, 4> sum = Eigen::Matrix<double, 4, 4>::Zero(), n = sum;
        for (Index k = 0; k < unseen[q].points.rows(); ++k) {
          const double x = unseen[q].points(k, space_), tt = (unseen[q].points(k, time_) - start) / (end - start);
          const int a = x < 1e-4 ? 0 : x < 1e-3 ? 1 : x < 1e-2 ? 2 : 3, b = std::min(3, int(tt * 4));
          sum(a, b) += attempt.holdout.terms[q].values[k] * attempt.holdout.terms[q].values[k];
          n(a, b) += 1;
        }
        fprintf(stderr, "%s\n", term.name.c_str());
        for (int a = 0; a < 4; ++a) { for (int b = 0; b < 4; ++b) fprintf(stderr, " %.1e", std::sqrt(sum(a, b) / std::max(1.0, n(a, b)))); fprintf(stderr, "\n"); }
      }
      fprintf(stderr, "duration %.2e sizes", end - start); for (double z : attempt.sizes) fprintf(stderr, " %.2e", z); fprintf(stderr, "\n edges");
      for (double e : edges_) fprintf(stderr, " %.2e", e);
      for (const auto& [k2, v2] : attempt.holdout.scales) fprintf(stderr, "\n%s %.3e", k2.c_str(), v2);
      fprintf(stderr, "\n");
      std::exit(3);
    }
    attempt.cell_holdout.assign(static_cast<size_t>(axis.cells()), 0.0);
    for (size_t s = 0; s < unseen.size(); ++s)
      accumulate(unseen[s], attempt.holdout.terms[s], end - start, attempt.cell_holdout);
    result_.trials.push_back({body_.features, bandwidth.front(), weight(), attempt.holdout.worst, wall_seconds() - began});
    return attempt;
  }

  // Rows of equal norm weigh a residual by the features' derivatives, which in narrow cells are large: the thinner the
  // cell the less it counts. Rows divided by the scale of their equation measure what the hold-out residual does.
  bool scale_rows(const Problem& window, std::vector<TermPoints>& points) const {
    std::vector<double> weights;
    for (const auto& set : points) {
      const auto scale = scales_.find(equation_of(window.terms[static_cast<size_t>(set.term)]));
      if (scale == scales_.end() || scale->second <= 0) return false;
      weights.push_back(1 / scale->second);
    }
    for (size_t s = 0; s < points.size(); ++s) {
      points[s].equalise = false;
      points[s].weight = weights[s];
    }
    return true;
  }

  // What a relaxing field takes over from the window before is forgotten after 1/rate: an error in it is one in that part of
  // the window only. Rows that insist on it would keep the field off the equilibrium that it has come to.
  void relax_rows(const Problem& window, double duration, std::vector<TermPoints>& points) const {
    for (auto& set : points) {
      const Term& term = window.terms[static_cast<size_t>(set.term)];
      if (term.place == Place::initial) set.weight /= std::sqrt(std::max(1.0, rates_[term.jets.front().field] * duration));
    }
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

  Index cell_at(double x) const {
    const auto above = std::upper_bound(edges_.begin() + 1, edges_.end() - 1, x);
    return static_cast<Index>(above - edges_.begin()) - 1;
  }

  // rms of a term's relative residual in each cell, weighted by the root of the cell's share of space-time (1 for a
  // fortieth of it, a typical cell): equal weighted residuals are equal parts of the whole L2 norm, so a thin layer or
  // a short transient may have a larger residual than the bulk.
  void accumulate(const TermPoints& points, const TermHoldout& holdout, double duration,
                  std::vector<double>& cell_holdout) const {
    std::vector<double> sum(cell_holdout.size(), 0), count(cell_holdout.size(), 0);
    for (Index k = 0; k < points.points.rows(); ++k) {
      const auto cell = static_cast<size_t>(cell_at(points.points(k, space_)));
      sum[cell] += holdout.values[k] * holdout.values[k];
      count[cell] += 1;
    }
    const double share = 40 * duration / (coordinate(time_).high - coordinate(time_).low) / (high_ - low_);
    for (size_t c = 0; c < sum.size(); ++c)
      if (count[c] > 0)
        cell_holdout[c] =
            std::max(cell_holdout[c], std::sqrt(sum[c] / count[c] * share * (edges_[c + 1] - edges_[c])));
  }

  // Which cells miss the tolerance, and whether along x (halve them) or along t (shorten the window): the coordinate
  // along which the field's second derivative, times the squared length of the cell, is larger.
  Refinement judge(const Attempt& attempt) const {
    Refinement refinement;
    const double duration = attempt.window->end - attempt.window->start;
    for (Index cell = 0; cell < static_cast<Index>(attempt.cell_holdout.size()); ++cell) {
      if (attempt.cell_holdout[static_cast<size_t>(cell)] <= goal()) continue;
      const double width = edges_[static_cast<size_t>(cell) + 1] - edges_[static_cast<size_t>(cell)];
      double along_x = 0, along_t = 0;
      for (Index f = 0; f < static_cast<Index>(problem_.fields.size()); ++f) {
        const auto bend = bending(*attempt.window, f, cell);
        along_x = std::max(along_x, bend[0] * width * width / (body_.space_bandwidth * body_.space_bandwidth));
        along_t = std::max(along_t, bend[1] * duration * duration / (body_.time_bandwidth * body_.time_bandwidth));
      }
      const bool narrow = fixed_cells_ || width <= kNarrowestCell * (high_ - low_);
      if ((along_x >= along_t || (graded_ && is_slow(attempt, cell))) && !narrow) refinement.split.push_back(cell);
      else if (!fixed_length_) refinement.shorten = true;
    }
    if (refinement.shorten) refinement.split.clear();
    return refinement;
  }

  // rms of u_xx and u_tt over a cell.
  Eigen::Vector2d bending(const Window& window, Index field, Index cell) const {
    FieldJet xx{field, {0, 0}}, tt{field, {0, 0}};
    xx.orders[static_cast<size_t>(space_)] = 2;
    tt.orders[static_cast<size_t>(time_)] = 2;
    constexpr Index kGrid = 8;
    Eigen::MatrixXd points(kGrid * kGrid, 2);
    const double x0 = edges_[static_cast<size_t>(cell)], x1 = edges_[static_cast<size_t>(cell) + 1];
    for (Index i = 0; i < kGrid; ++i)
      for (Index j = 0; j < kGrid; ++j) {
        points(i * kGrid + j, space_) = x0 + (x1 - x0) * (static_cast<double>(i) + 0.5) / kGrid;
        points(i * kGrid + j, time_) = window.start + (window.end - window.start) * (static_cast<double>(j) + 0.5) / kGrid;
      }
    const Eigen::MatrixXd jets = window.ansatz->jets(points, {xx, tt}, window.head);
    return jets.colwise().norm().transpose() / static_cast<double>(kGrid);
  }

  void split_cells(const std::vector<Index>& cells) {
    std::vector<double> edges;
    for (size_t i = 0; i + 1 < edges_.size(); ++i) {
      edges.push_back(edges_[i]);
      if (std::find(cells.begin(), cells.end(), static_cast<Index>(i)) != cells.end())
        edges.push_back(0.5 * (edges_[i] + edges_[i + 1]));
    }
    edges.push_back(edges_.back());
    edges_ = std::move(edges);
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
    std::vector<double> edges{edges_.front()};
    for (size_t i = 0; i + 1 < edges_.size(); ++i) {
      const bool pair = i + 2 < edges_.size() && edges_[i + 2] - edges_[i] <= 0.26 * (high_ - low_);
      if (pair && may_join(attempt, i)) ++i;
      edges.push_back(edges_[i + 1]);
    }
    if (edges.size() > 2) edges_ = std::move(edges);
  }

  /// The field hardly bends in time: what is left of the residual comes from space.
  bool is_slow(const Attempt& attempt, Index cell) const {
    constexpr double kFlat = 0.2;
    const double duration = attempt.window->end - attempt.window->start;
    for (Index f = 0; f < static_cast<Index>(problem_.fields.size()); ++f)
      if (bending(*attempt.window, f, cell)[1] * duration * duration > kFlat * attempt.sizes[f]) return false;
    return true;
  }

  bool is_slow(const Attempt& attempt) const {
    for (Index cell = 0; cell < static_cast<Index>(attempt.cell_holdout.size()); ++cell)
      if (!is_slow(attempt, cell)) return false;
    return true;
  }

  // Far below the tolerance; or the layer that the cells were made for has grown out of them. Cells much narrower than the
  // field's scale lose digits: derivatives of rounding errors grow with the inverse square of the width.
  bool may_join(const Attempt& attempt, size_t cell) const {
    constexpr double kFar = 1e-4, kBelow = 0.05, kFlat = 0.2;
    const double eta = std::max(attempt.cell_holdout[cell], attempt.cell_holdout[cell + 1]) / goal();
    if (eta < kFar) return true;
    if (!graded_ || (eta > kBelow && !inherits())) return false;
    const double width = edges_[cell + 2] - edges_[cell];
    for (Index f = 0; f < static_cast<Index>(problem_.fields.size()); ++f) {
      const auto first = static_cast<Index>(cell);
      const double bend = std::max(bending(*attempt.window, f, first)[0], bending(*attempt.window, f, first + 1)[0]);
      if (bend * width * width > kFlat * attempt.sizes[f]) return false;
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
  HeadOptions options_;
  Progress& progress_;
  Index time_, space_;
  double low_, high_, end_ = 0, length_ = 0, shortest_ = 0, tolerance_ = 0;
  bool fixed_length_ = false, fixed_cells_ = false, graded_ = false;
  CellBody body_ = kFewFields;
  std::vector<double> edges_;
  Eigen::VectorXd rates_;  ///< of relaxation, of each field
  EquationScales scales_;  ///< of the equations' rows
  double inherited_ = 0;  ///< hold-out residual that comes from earlier windows
  double worst_indicator_ = 0;
  HeadResult result_;
  std::vector<std::string> attempt_names_;
};

// Windows with one body each, for any number of space dimensions. A window whose hold-out residual misses the tolerance
// is halved, unless halving no longer helps: the cost of a body grows with the cube of its features, that of a march
// only linearly with its windows.
class GlobalMarch {
 public:
  GlobalMarch(const Problem& problem, const HeadOptions& options, double tolerance, Progress& progress)
      : problem_(problem), options_(options), progress_(progress), fixed_length_(options.windows > 1), tolerance_(tolerance) {
    options_.tolerance = tolerance_;
    if (options.max_features == 0) options_.max_features = kWindowFeatures;
    asked_ = options_;
  }

  /// Goes on to the time `end`; the first window has this length.
  void march(double end, double length) {
    const auto& time = problem_.coordinates[static_cast<size_t>(problem_.time())];
    double now = windows_.empty() ? time.low : windows_.back().end;
    const double duration = end - now;
    while (now < end - 1e-12 * duration) {
      const auto before = windows_.empty() ? nullptr : std::make_shared<const Window>(windows_.back());
      const double stop = now + length > end - 1e-3 * length ? end : now + length;
      HeadResult window = solve_window(now, stop, before);
      windows_.push_back(window.solutions.front().windows().front());
      options_.least_scales = asked_.least_scales = window.holdouts.front().scales;
      length = windows_.back().end - now;
      now = windows_.back().end;
      progress_.update((now - time.low) / (time.high - time.low), "t = " + std::to_string(now));
      if (!fixed_length_ && window.holdout < 0.1 * tolerance_) length *= 1.5;
      window.holdout = std::max(window.holdout, all_.holdout);
      window.features = std::max(window.features, all_.features);
      all_ = std::move(window);
    }
  }

  /// The next window looks for features and bandwidth anew, with these options and their tolerance.
  void start_anew(const HeadOptions& options) {
    options_ = asked_ = options;
    tolerance_ = options.tolerance;
  }

  const EquationScales& scales() const { return options_.least_scales; }

  HeadResult result() {
    all_.solutions = {Solution(problem_.time(), std::move(windows_))};
    all_.reached_tolerance = all_.holdout <= options_.tolerance;
    return std::move(all_);
  }

 private:
  static constexpr Index kWindowFeatures = 1100;
  static constexpr double kUnresolved = 0.02;  // hold-out residual

  HeadResult solve_window(double start, double end, const std::shared_ptr<const Window>& before) {
    const double shortest = 1e-4 * (problem_.coordinates[static_cast<size_t>(problem_.time())].high -
                                    problem_.coordinates[static_cast<size_t>(problem_.time())].low);
    std::optional<HeadResult> best;
    while (true) {
      try {
        HeadResult next = solve(start, end, before);
        if (best && best->holdout < kUnresolved && next.holdout > 0.5 * best->holdout) {
          // What is left comes from the initial data, and the windows after this one will not get rid of it either.
          tolerance_ = 2 * best->holdout;
          return *best;
        }
        best = std::move(next);
      } catch (const NumericalError& error) {
        if (best) return *best;
        if (fixed_length_ || end - start < shortest)
          throw NumericalError("time window at t = " + std::to_string(start) + " failed: " + error.what());
      }
      if (best && (fixed_length_ || best->holdout <= tolerance_ || end - start < shortest)) return *best;
      end = start + shorter(best) * (end - start);
    }
  }

  // Far from the tolerance a much shorter window has another best bandwidth; near it the choices hold.
  double shorter(const std::optional<HeadResult>& best) {
    constexpr double kFar = 100;
    if (best && best->holdout < kFar * tolerance_) return 0.5;
    options_ = asked_;
    return best && best->holdout < kUnresolved ? 0.3 : 0.5;
  }

  // The first solve finds features and bandwidth (in radians per unit), which later windows keep.
  HeadResult solve(double begin, double end, const std::shared_ptr<const Window>& before) {
    throw_if_stopped();
    const Problem window = window_problem(problem_, begin, end, before);
    SilentProgress silent;
    const FieldFunction start = before ? frozen_start(before, problem_.time()) : FieldFunction();
    HeadResult result = solve_global_head({&window}, options_, silent, start);
    require_solved(result.newton, result.holdout);
    options_.features = result.features;
    options_.bandwidth = result.bandwidth;
    options_.boundary_weight = result.boundary_weight;
    return result;
  }

  const Problem& problem_;
  HeadOptions options_, asked_;  // with what the windows so far have found, and without
  Progress& progress_;
  bool fixed_length_;
  double tolerance_;  // grows where halving windows does not help
  std::vector<Window> windows_;
  HeadResult all_;
};

HeadResult march_in_windows(const Problem& problem, const HeadOptions& options, Progress& progress) {
  const auto& time = problem.coordinates[static_cast<size_t>(problem.time())];
  GlobalMarch march(problem, options, tolerance_for(problem, options, kManyDimensions), progress);
  march.march(time.high, (time.high - time.low) / static_cast<double>(options.windows > 1 ? options.windows : 4));
  return march.result();
}

// Kinetic equations relax: data out of equilibrium go through an initial layer of the length of the fastest relaxation
// time, and the rest is slow. Data in equilibrium have no layer, and one window does for all; otherwise the layer gets
// windows of its own.
HeadResult march_with_relaxation(const Problem& problem, const HeadOptions& options, Progress& progress) {
  constexpr double kLayer = 40;  // exp(-40) = 4e-18
  constexpr double kThin = 0.04;
  constexpr Index kFeatures = 160;  // of each of many fields: shorter windows cost less than more features
  const auto& time = problem.coordinates[static_cast<size_t>(problem.time())];
  HeadOptions whole = options;
  whole.tolerance = tolerance_for(problem, options, kChain);
  if (options.max_features == 0) whole.max_features = kFeatures;
  SilentProgress silent;
  try {
    HeadResult result = solve_global_head({&problem}, whole, silent);
    if (result.reached_tolerance) return result;
  } catch (const NumericalError&) {
    // The windows below may do better.
  }
  HeadOptions of_layer = whole;
  if (options.decay_rate == 0) of_layer.decay_rate = relaxation_rate(problem);
  GlobalMarch march(problem, of_layer, whole.tolerance, progress);
  const double duration = time.high - time.low, layer = kLayer / of_layer.decay_rate;
  if (layer < 0.5 * duration) {
    march.march(time.low + layer, layer);
    // In a thin layer g is far larger than after it, and would hide what is wrong there.
    if (layer > kThin * duration) whole.least_scales = march.scales();
    march.start_anew(whole);
  }
  march.march(time.high, duration);
  return march.result();
}

/// The moments of one unknown go together (holdout.h).
std::string continuing(const Problem& problem, const FieldJet& jet) {
  for (const auto& unknown : problem.velocity_fields)
    if (jet.field >= unknown.first && jet.field < unknown.first + unknown.basis.cols())
      return "continue " + unknown.name + "[" + problem.jet_text(jet) + "]";
  return "continue " + problem.jet_text(jet);
}

}  // namespace

Problem window_problem(const Problem& problem, double start, double end,
                       const std::shared_ptr<const Window>& before) {
  Problem window = problem;
  const Index t = problem.time();
  window.coordinates[static_cast<size_t>(t)].low = start;
  window.coordinates[static_cast<size_t>(t)].high = end;
  if (!before) return window;
  std::erase_if(window.terms, [](const Term& term) { return term.place == Place::initial; });
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f)
    for (int order = 0; order < problem.time_order(f); ++order) {
      FieldJet jet{f, MultiIndex(static_cast<size_t>(problem.dimension()), 0)};
      jet.orders[static_cast<size_t>(t)] = order;
      window.terms.push_back(given_value_term(window, continuing(problem, jet), Place::initial, jet,
                                              [before, jet](const Eigen::MatrixXd& points) -> Eigen::VectorXd {
                                                return before->ansatz->jets(points, {jet}, before->head);
                                              }));
    }
  return window;
}

FieldFunction frozen_start(const std::shared_ptr<const Window>& before, Index time) {
  return [before, time](const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets) {
    Eigen::MatrixXd at_end = points;
    at_end.col(time).setConstant(before->end);
    Eigen::MatrixXd values = before->ansatz->jets(at_end, jets, before->head);
    for (size_t c = 0; c < jets.size(); ++c)
      if (jets[c].orders[static_cast<size_t>(time)] > 0) values.col(static_cast<Index>(c)).setZero();
    return values;
  };
}

Eigen::VectorXd relaxation_rates(const Problem& problem) {
  const Index t = problem.time();
  const auto points = collocation_points(problem, whole_domain(problem), 16, {});
  Eigen::VectorXd rates = Eigen::VectorXd::Zero(static_cast<Index>(problem.fields.size()));
  for (const auto& set : points) {
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    if (term.place != Place::interior) continue;
    const auto linear = linearize(problem, term, set.points, set.normals,
                                  Eigen::MatrixXd::Zero(set.points.rows(), static_cast<Index>(term.jets.size())));
    for (size_t c = 0; c < term.jets.size(); ++c) {
      const FieldJet& jet = term.jets[c];
      if (total_order(jet.orders) != 1 || jet.orders[static_cast<size_t>(t)] != 1) continue;
      const FieldJet value{jet.field, MultiIndex(jet.orders.size(), 0)};
      const auto at = std::find(term.jets.begin(), term.jets.end(), value);
      if (at == term.jets.end()) continue;
      const auto own = linear.coefficients.col(static_cast<Index>(c)).array();
      const auto decay = linear.coefficients.col(at - term.jets.begin()).array();
      rates[jet.field] = std::max(rates[jet.field], (decay / own).maxCoeff());
    }
  }
  return rates;
}

double relaxation_rate(const Problem& problem) { return relaxation_rates(problem).maxCoeff(); }

HeadResult solve_time_march(const Problem& problem, const HeadOptions& options, Progress& progress) {
  const bool chain = problem.space().size() == 1 && problem.box && !(problem.velocity && problem.pieces.empty());
  if (problem.velocity && options.windows == 0 && !chain) return march_with_relaxation(problem, options, progress);
  if (chain) return ChainMarch(problem, options, progress).run();
  return march_in_windows(problem, options, progress);
}

}  // namespace torsor
