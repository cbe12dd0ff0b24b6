// Line search for the strong Wolfe conditions, for p(t) = f(x + t d) with p'(0) < 0:
//
//     p(t) <= p(0) + c1 t p'(0)   (decrease),      |p'(t)| <= c2 |p'(0)|   (curvature),      0 < c1 < c2 < 1.
//
// Where p changes by no more than its rounding, epsilon |p(0)|, values say nothing and slopes decide: the decrease
// condition may then be replaced by p'(t) <= (2 c1 - 1) p'(0), which is the same for a quadratic p ("approximate Wolfe
// conditions").
//
// Sources: Nocedal, Wright, Numerical Optimization, 2nd ed., algorithms 3.5 and 3.6 with cubic interpolation (3.59);
// Hager, Zhang, SIAM J. Optim. 16 (2005) 170-192, equations 4.1 to 4.3.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <string>

namespace torsor {

using Eigen::Index;

/// t, p(t), p'(t). Value and slope need not be finite: the search steps back.
struct LinePoint {
  double step = 0, value = 0, slope = 0;
};

using LineFunction = std::function<LinePoint(double step)>;

struct WolfeOptions {
  double decrease = 1e-4;       ///< c1
  double curvature = 0.9;       ///< c2; 0.9 suits quasi-Newton directions, which are tried at t = 1
  /// epsilon, the relative noise of p; 0: only the strong conditions. Residuals have rounding errors relative to their
  /// terms, so a small sum of their squares is known to far fewer digits than its exponent suggests.
  double rounding = 1e-6;
  Index max_evaluations = 30;
};

enum class WolfeEnd {
  strong,       ///< the strong Wolfe conditions hold
  approximate,  ///< curvature holds, and the decrease within rounding
  decrease,     ///< no point with small enough slope was found; the best one with the decrease is returned
  failed,
};

struct WolfeResult {
  LinePoint point;  ///< the start if the search failed
  WolfeEnd end = WolfeEnd::failed;
  Index evaluations = 0;
  std::string reason;  ///< in words, for every end
};

/// From `start` (t = 0) with first trial `first_step` > 0. Never throws for values of p.
WolfeResult search_wolfe(const LineFunction& p, const LinePoint& start, double first_step,
                         const WolfeOptions& options = {});

}  // namespace torsor
