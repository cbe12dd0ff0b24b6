// Gauss-Newton and Levenberg-Marquardt methods for f = |r(x)|^2 with the Jacobian J of r (damped_model.h).
//
// damping = none: x <- x + t d, d the least-squares solution of J d = -r without the directions whose singular values
// are (by estimate) below cut_off times the largest; t by a search over powers of two. The residuals of networks do not
// determine many directions, and what is left of them in J is noise: with a loose cut-off the method goes through the
// strongly nonlinear phase, with a tight one it converges quadratically. The cut-off starts loose and is divided by
// ten whenever the linear model promises little gain, or no step is found. On linear problems the first step is the
// solution.
//
// damping = search: x <- x + t d, d = argmin |J d + r|^2 + mu |D d|^2, t as above; mu becomes smaller where t is near one,
// larger where t is small. Larger steps than the gain ratio allows, along the curved valleys of networks' losses.
//
// damping = gain: x <- x + d, d = argmin |J d + r|^2 + mu |D d|^2, with mu from the ratio of the gain to that of the
// linear model,
//
//     g = (f(x) - f(x + d)) / (|r|^2 - |J d + r|^2):   g > 0:  mu <- mu max(1/3, 1 - (2 g - 1)^3), nu <- 2
//                                                      else:   mu <- mu nu, nu <- 2 nu, and again.
//
// Sources: Mueller, Zeinhofer, "Achieving high accuracy with PINNs via energy natural gradient descent", ICML 2023
// (truncated Gauss-Newton with a search over steps); Nielsen, "Damping parameter in Marquardt's method", report
// IMM-REP-1999-05, DTU (the update of mu).
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "physics/error.h"
#include "solvers/optimise/damped_model.h"

namespace torsor {
namespace {

using Eigen::VectorXd;

// A predicted gain below this share of f is lost in the rounding of f.
constexpr double kRounding = 1e-16;
// Less damping, relative to the largest curvature, would not change the triangle any more.
constexpr double kLeastDamping = 1e-30;
// Change of the damping by a search; 2 to 10 are about equally good on Poisson's equation.
constexpr double kDampingFactor = 3;

std::string in_words(const char* text, double value) {
  std::ostringstream stream;
  stream << text << value;
  return stream.str();
}

enum class Damping { none, search, gain };

struct GaussNewtonOptions {
  Damping rule;
  DampingScale scale;
  double cut_off, least_cut_off, sufficient_gain, damping;
};

class GaussNewton final : public Optimiser {
 public:
  explicit GaussNewton(const GaussNewtonOptions& options)
      : options_(options), cut_off_(options.cut_off), damping_(options.damping) {}

  bool first_order() const override { return false; }

  StepReport step(Objective& objective, VectorXd& x) override {
    StepReport report;
    report.value = objective.value(x);
    report.evaluations = 2;  // the other one with the Jacobian
    if (!std::isfinite(report.value))
      throw NumericalError("the objective is " + std::to_string(report.value) + " at the start of a step");
    const DampedModel model(objective, x, options_.scale);
    report.gradient_norm = model.gradient_norm();
    const Trials trials{objective, model, x, report};
    const Move move = take(trials);
    report.stopped = move.reached.size() == 0;
    if (report.stopped) {
      report.reason = move.reason;
      return report;
    }
    report.step_norm = (move.reached - x).norm();
    x = move.reached;
    return report;
  }

  void objective_changed() override { cut_off_ = options_.cut_off; }

  State state() const override {
    State state;
    state.set("cut_off", cut_off_);
    state.set("damping", damping_);
    state.set("growth", growth_);
    return state;
  }
  void restore(const State& state) override {
    cut_off_ = state.number("cut_off");
    damping_ = state.number("damping");
    growth_ = state.number("growth");
  }

 private:
  struct Trials {
    Objective& objective;
    const DampedModel& model;
    const VectorXd& x;
    StepReport& report;

    // f at x + t d; infinite where it is not a number.
    double value(const VectorXd& d, double t) const {
      ++report.evaluations;
      const double f = objective.value(x + t * d);
      return std::isnan(f) ? std::numeric_limits<double>::infinity() : f;
    }
    bool below_rounding(double gain) const { return !(gain > kRounding * report.value); }
  };

  struct Move {
    VectorXd reached;  // empty: no step
    double value = 0, t = 0;
    std::string reason = {};
  };

  Move take(const Trials& trials) {
    switch (options_.rule) {
      case Damping::none: return undamped_step(trials);
      case Damping::search: return searched_step(trials);
      case Damping::gain: break;
    }
    return damped_step(trials);
  }

  Move undamped_step(const Trials& trials) {
    for (;;) {
      const bool tightest = cut_off_ <= options_.least_cut_off;
      const DampedStep step = trials.model.solve(0, cut_off_);
      // Slow progress in spite of a large predicted gain is due to curvature: a tighter cut-off would make it worse.
      const bool promising = step.predicted > options_.sufficient_gain * trials.report.value;
      const Move move = promising || tightest ? search(trials, step) : Move{};
      if (move.reached.size() > 0) return move;
      if (tightest) return rescue(trials, move);
      cut_off_ = std::max(cut_off_ / 10, options_.least_cut_off);
    }
  }

  // The first minimum of f(x + t d) among t = 1, 1/2, 1/4, ... that lies below f(x). From the long steps down: a search
  // from the last t on stays with the small steps of a curved valley, and gets caught in it.
  static Move search(const Trials& trials, const DampedStep& step) {
    double t = 1, best = trials.value(step.d, t);
    while (!(best < trials.report.value)) {
      t /= 2;
      if (trials.below_rounding(2 * t * step.predicted))
        return {{}, 0, 0, in_words("the gain to be had is below the rounding of the objective: ", step.predicted)};
      best = trials.value(step.d, t);
    }
    while (improves(trials, step, t / 2, best)) t /= 2;
    return {trials.x + t * step.d, best, t};
  }

  static bool improves(const Trials& trials, const DampedStep& step, double t, double& best) {
    const double value = trials.value(step.d, t);
    if (!(value < best)) return false;
    best = value;
    return true;
  }

  // Where the tightest cut-off has no step, that is convergence, or directions that J hardly sees hide the others: the
  // next step begins with the loose cut-off again if a damped step still gets down.
  Move rescue(const Trials& trials, const Move& failed) {
    damping_ = options_.damping;
    growth_ = 2;
    Move move = damped_step(trials);
    cut_off_ = options_.cut_off;
    if (move.reached.size() == 0 || trials.below_rounding(1e-6 * (trials.report.value - move.value)))
      return failed;
    return move;
  }

  Move searched_step(const Trials& trials) {
    const double curvature = trials.model.largest_curvature();
    for (;;) {
      const Move move = search(trials, trials.model.solve(damping_ * curvature, kRounding));
      const bool largest = damping_ >= 1;
      if (move.t >= 0.5) damping_ = std::max(kLeastDamping, damping_ / kDampingFactor);
      if (move.t < 0.1) damping_ = std::min(1.0, damping_ * (move.t > 0 ? kDampingFactor : 100));
      if (move.reached.size() > 0 || largest) return move;
    }
  }

  Move damped_step(const Trials& trials) {
    const double curvature = trials.model.largest_curvature();
    for (;;) {
      const DampedStep step = trials.model.solve(damping_ * curvature, kRounding);
      if (trials.below_rounding(step.predicted))
        return {{}, 0, 0, in_words("the gain to be had is below the rounding of the objective: ", step.predicted)};
      const double value = trials.value(step.d, 1), gain = (trials.report.value - value) / step.predicted;
      if (gain > 0) {
        damping_ = std::max(kLeastDamping, damping_ * std::max(1.0 / 3, 1 - std::pow(2 * gain - 1, 3)));
        growth_ = 2;
        return {trials.x + step.d, value, 1};
      }
      damping_ *= growth_;
      growth_ *= 2;
    }
  }

  GaussNewtonOptions options_;
  double cut_off_;
  double damping_;      // mu by the largest curvature
  double growth_ = 2;   // nu
};

// A search begins with hardly any damping: the long first steps spread the neurons (relative error of Poisson's equation,
// 300 steps of networks 20, 40 and 64 wide: about 2e-5 from 1e-3, 2e-6 from 1e-8, 4e-7 from 1e-13).
double initial_damping(const OptionValues& values, const std::string& rule) {
  if (values.text("initial_damping") != "auto") return values.real("initial_damping");
  return rule == "search" ? 1e-13 : 1e-3;
}

const RegisterOptimiser registration({
    .name = "gauss-newton",
    .title = "Gauss-Newton with a cut-off, and Levenberg-Marquardt",
    .formula = "f = |r(x)|^2,  J = dr / dx,  [J, -r] = Q [R, c]\n"
               "damping = none:  x <- x + t d,  d = R^+ c (singular values below cut_off left out),  t = 1, 1/2, 1/4, ...\n"
               "damping = search:  x <- x + t d,  d = argmin |J d + r|^2 + mu |D d|^2,\n"
               "                   mu <- mu / 3 for t >= 1/2,  3 mu for t < 1/10\n"
               "damping = gain:  x <- x + d,  mu by the gain ratio (f(x) - f(x + d)) / (|r|^2 - |J d + r|^2)",
    .source = "Mueller, Zeinhofer, ICML 2023 (energy natural gradient); More, LNM 630 (1978) 105-116; Nielsen, report "
              "IMM-REP-1999-05; Demmel, Grigori, Hoemmen, Langou, SIAM J. Sci. Comput. 34 (2012) (streamed QR)",
    .caveats = "Needs residuals, all of them in each step. A step costs 2 m n^2 operations for m residuals and n "
               "parameters (2 n m^2 for m < n); memory is n^2 whatever m. damping = search is steady from any start. "
               "damping = none is fastest and most accurate where the network has neurons to spare and gets caught where it "
               "has not; it solves linear problems in one step up to the cut-off (cut_off = 1e-14 for badly conditioned "
               "ones). damping = gain, the classical method, is slow in the curved valleys of networks' losses. All depend "
               "on the start: neurons that begin nearly equal (all biases zero) stay so for long.",
    .first_order = false,
    .options = {{"damping", "choice", "search", "none: cut-off and search along d; search: mu by that search; gain: mu by the gain ratio",
                 "one of: none|search|gain"},
                {"cut_off", "real", "1e-8", "first relative cut-off of singular values", "in (0, 1)"},
                {"least_cut_off", "real", "1e-14", "last relative cut-off", "in (0, 1)"},
                {"sufficient_gain", "real", "0.1", "share of f below which a predicted gain makes the cut-off tighter",
                 "in [0, 1)"},
                {"initial_damping", "real", "auto",
                 "first mu, relative to the largest squared column norm of J; auto: 1e-13 for search, 1e-3 otherwise",
                 "auto or > 0"},
                {"scale", "choice", "identity", "D: identity, or the norms of J's columns", "one of: identity|columns"}},
    .make = [](const OptionValues& values, const std::vector<std::pair<Index, Index>>&) -> std::unique_ptr<Optimiser> {
      const std::string rule = values.text("damping");
      const bool columns = values.text("scale") == "columns";
      const double cut_off = values.real("cut_off");
      return std::make_unique<GaussNewton>(GaussNewtonOptions{
          .rule = rule == "none" ? Damping::none : rule == "search" ? Damping::search : Damping::gain,
          .scale = columns ? DampingScale::columns : DampingScale::identity,
          .cut_off = cut_off,
          .least_cut_off = std::min(cut_off, values.real("least_cut_off")),
          .sufficient_gain = values.real("sufficient_gain"),
          .damping = initial_damping(values, rule)});
    },
});

}  // namespace
}  // namespace torsor
