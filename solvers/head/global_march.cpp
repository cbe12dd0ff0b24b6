#include "solvers/head/global_march.h"

#include <optional>

#include "physics/error.h"
#include "solvers/head/global_head.h"
#include "solvers/head/time_window.h"

namespace torsor {
namespace {

constexpr MarchTolerances kOnePiece{1e-8, 1e-5}, kManyDimensions{1e-6, 1e-4};

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
  static constexpr int kStalled = 2;  // one shorter window may have a worse bandwidth by chance

  HeadResult solve_window(double start, double end, const std::shared_ptr<const Window>& before) {
    const double shortest = 1e-4 * (problem_.coordinates[static_cast<size_t>(problem_.time())].high -
                                    problem_.coordinates[static_cast<size_t>(problem_.time())].low);
    std::optional<HeadResult> best;
    int without_gain = 0;
    while (true) {
      try {
        HeadResult next = solve(start, end, before);
        const bool gain = !best || best->holdout >= kUnresolved || next.holdout <= 0.5 * best->holdout;
        without_gain = gain ? 0 : without_gain + 1;
        if (without_gain == kStalled) {
          // What is left comes from the initial data, and the windows after this one will not get rid of it either.
          tolerance_ = 2 * best->holdout;
          return *best;
        }
        if (gain) best = std::move(next);
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

}  // namespace

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
  constexpr double kThin = 0.04;
  constexpr Index kFeatures = 160;  // of each of many fields: shorter windows cost less than more features
  const auto& time = problem.coordinates[static_cast<size_t>(problem.time())];
  HeadOptions whole = options;
  whole.tolerance = tolerance_for(problem, options, kOnePiece);
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
  const double duration = time.high - time.low, layer = kInitialLayer / of_layer.decay_rate;
  const bool apart = layer < 0.5 * duration;
  // Features of all of time stand still in a layer, and would only make its system ill-conditioned.
  if (apart) of_layer.joined.reset();
  GlobalMarch march(problem, of_layer, whole.tolerance, progress);
  if (apart) {
    march.march(time.low + layer, layer);
    // In a thin layer g is far larger than after it, and would hide what is wrong there.
    if (layer > kThin * duration) whole.least_scales = march.scales();
    whole.relaxation_rates = relaxation_rates(problem);
    march.start_anew(whole);
  }
  march.march(time.high, duration);
  return march.result();
}

}  // namespace torsor
