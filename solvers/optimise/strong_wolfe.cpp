#include "solvers/optimise/strong_wolfe.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace torsor {
namespace {

bool is_finite(const LinePoint& p) { return std::isfinite(p.value) && std::isfinite(p.slope); }

std::string in_words(const char* text, double value) {
  std::ostringstream stream;
  stream << text << value;
  return stream.str();
}

class Search {
 public:
  Search(const LineFunction& p, const LinePoint& start, const WolfeOptions& options)
      : p_(p), start_(start), options_(options), noise_(options.rounding * std::abs(start.value)) {}

  WolfeResult run(double first_step) {
    if (!is_finite(start_)) return failure("value or slope at the start is not finite");
    if (!(start_.slope < 0)) return failure(in_words("not a direction of descent: slope ", start_.slope));
    return bracket(first_step);
  }

 private:
  LinePoint evaluate(double step) {
    ++evaluations_;
    LinePoint point = p_(step);
    point.step = step;
    return point;
  }

  bool used_up() const { return evaluations_ >= options_.max_evaluations; }
  bool decreases(const LinePoint& p) const {
    return p.value <= start_.value + options_.decrease * p.step * start_.slope;
  }
  bool decreases_within_rounding(const LinePoint& p) const {
    return p.value <= start_.value + noise_ && p.slope <= (2 * options_.decrease - 1) * start_.slope;
  }
  bool too_high(const LinePoint& p, const LinePoint& low) const {
    if (!is_finite(p)) return true;
    return !(decreases(p) || decreases_within_rounding(p)) || (p.value >= low.value + noise_ && low.step > 0);
  }
  bool is_flat(const LinePoint& p) const { return std::abs(p.slope) <= options_.curvature * std::abs(start_.slope); }

  // Algorithm 3.5: ever longer steps until an interval holds a point that satisfies the conditions.
  WolfeResult bracket(double first_step) {
    LinePoint low = start_;
    double step = first_step;
    while (!used_up()) {
      const LinePoint p = evaluate(step);
      if (too_high(p, low)) return zoom(low, p);
      if (is_flat(p)) return success(p);
      if (p.slope >= 0) return zoom(p, low);
      step = longer(low, p);
      low = p;
    }
    return out_of_evaluations(low);
  }

  // Algorithm 3.6: `low` is the best point with the decrease, and p falls from it towards `high`.
  WolfeResult zoom(LinePoint low, LinePoint high) {
    double width = std::abs(high.step - low.step);
    bool bisect = false;
    while (!used_up()) {
      const double step = inside(low, high, bisect);
      if (step == low.step || step == high.step) return no_room(low);
      const LinePoint p = evaluate(step);
      if (too_high(p, low)) {
        high = p;
      } else {
        if (is_flat(p)) return success(p);
        if (p.slope * (high.step - low.step) >= 0) high = low;
        low = p;
      }
      // Interpolation that shrinks the interval too slowly is replaced by bisection once.
      const double shrunk = std::abs(high.step - low.step);
      bisect = shrunk > 0.66 * width;
      width = shrunk;
    }
    return out_of_evaluations(low);
  }

  // Minimiser of the cubic through both points; by the slopes alone where the values differ by rounding only.
  double interpolate(const LinePoint& a, const LinePoint& b) const {
    const double length = b.step - a.step;
    if (std::abs(b.value - a.value) <= noise_) return a.step - a.slope * length / (b.slope - a.slope);
    const double d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step);
    const double d2 = std::copysign(std::sqrt(d1 * d1 - a.slope * b.slope), length);
    return b.step - length * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
  }

  double longer(const LinePoint& a, const LinePoint& b) const {
    const double length = b.step - a.step, step = interpolate(a, b);
    const double least = b.step + length, most = b.step + 9 * length;
    return std::isfinite(step) && step > b.step ? std::clamp(step, least, most) : most;
  }

  double inside(const LinePoint& low, const LinePoint& high, bool bisect) const {
    const double length = high.step - low.step;
    if (!is_finite(high)) return low.step + 0.25 * length;
    double share = bisect ? 0.5 : (interpolate(low, high) - low.step) / length;
    if (!std::isfinite(share)) share = 0.5;
    return low.step + std::clamp(share, 0.1, 0.9) * length;
  }

  WolfeResult success(const LinePoint& p) const {
    if (decreases(p)) return {p, WolfeEnd::strong, evaluations_, "the strong Wolfe conditions hold"};
    return {p, WolfeEnd::approximate, evaluations_, "the Wolfe conditions hold within rounding of the value"};
  }
  WolfeResult failure(const std::string& reason) const { return {start_, WolfeEnd::failed, evaluations_, reason}; }
  WolfeResult best(const LinePoint& low, const std::string& reason) const {
    if (low.step > 0 && low.value < start_.value) return {low, WolfeEnd::decrease, evaluations_, reason};
    return failure(reason);
  }
  WolfeResult out_of_evaluations(const LinePoint& low) const {
    return best(low, "no point with the Wolfe conditions in " + std::to_string(evaluations_) + " evaluations");
  }
  WolfeResult no_room(const LinePoint& low) const {
    return best(low, in_words("no number left between the bounds of the step, near ", low.step));
  }

  const LineFunction& p_;
  const LinePoint start_;
  const WolfeOptions options_;
  const double noise_;
  Index evaluations_ = 0;
};

}  // namespace

WolfeResult search_wolfe(const LineFunction& p, const LinePoint& start, double first_step,
                         const WolfeOptions& options) {
  return Search(p, start, options).run(first_step);
}

}  // namespace torsor
