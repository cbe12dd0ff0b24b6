// Conflict-averse gradient descent: the best direction for the worst task within a ball around the mean gradient g_0,
//
//   d = argmax { min_i g_i . d : |d - g_0| <= c |g_0| } = g_0 + c |g_0| g_w / |g_w|,    g_w = G w,
//   w = argmin { g_w . g_0 + c |g_0| |g_w| : w >= 0, sum w = 1 },
//
// divided by 1 + c^2. Solved exactly: for a given length t of g_w the minimum over w is the point of least norm in the
// convex hull of the shifted gradients g_i + t/(c |g_0|) g_0, and t is the root of |g_w(t)| = t.
#include <cmath>
#include <string>

#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/nonnegative_qp.h"

namespace torsor {
namespace {

// Relative width of the bracket of t at the end.
constexpr double kRootTolerance = 1e-14;
// |g_w| below this fraction of the smallest gradient is zero: Pareto stationary.
constexpr double kNoNorm = 1e-7;

// The weights w(t) and the excess |g_w| - t.
struct Trial {
  Eigen::VectorXd w;
  double excess;
};

Trial try_length(const Eigen::MatrixXd& gram, double radius, double t) {
  const Eigen::VectorXd mean_products = gram.rowwise().mean();
  const double shift = t / radius;
  Eigen::MatrixXd shifted = gram.array() + shift * shift * mean_products.mean();
  shifted.colwise() += shift * mean_products;
  shifted.rowwise() += shift * mean_products.transpose();
  Trial trial;
  trial.w = least_norm_weights(shifted);
  trial.excess = combined_norm(gram, trial.w) - t;
  return trial;
}

// The excess falls with t (its sign is that of the derivative of a convex function); regula falsi with the Illinois
// rule between the least norm and the largest one.
Eigen::VectorXd worst_case_weights(const Eigen::MatrixXd& gram, double radius, double low, double high) {
  Trial below = try_length(gram, radius, low), above = try_length(gram, radius, high);
  double f_low = below.excess, f_high = above.excess;
  int last_side = 0;
  for (int step = 0; step < 200 && high - low > kRootTolerance * high && f_low > 0 && f_high < 0; ++step) {
    const double t = (low * f_high - high * f_low) / (f_high - f_low);
    Trial trial = try_length(gram, radius, t);
    const int side = trial.excess > 0 ? 1 : -1;
    const bool done = std::abs(trial.excess) <= kRootTolerance * t;
    if (side > 0) {
      low = t, f_low = trial.excess, below = std::move(trial);
      if (last_side == side) f_high /= 2;
    } else {
      high = t, f_high = trial.excess, above = std::move(trial);
      if (last_side == side) f_low /= 2;
    }
    last_side = side;
    if (done) break;
  }
  return std::abs(below.excess) < std::abs(above.excess) ? below.w : above.w;
}

class ConflictAverse final : public GramCombiner {
 public:
  ConflictAverse(double c, const std::string& rescaling) : c_(c) {
    if (rescaling == "square") divisor_ = 1 + c * c;
    if (rescaling == "linear") divisor_ = 1 + c;
  }

 private:
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const UnitGram unit(gram);
    result.weights = Eigen::VectorXd::Zero(gram.rows());
    if (unit.size() == 0) return;
    const Eigen::MatrixXd block = gram(unit.tasks, unit.tasks);
    const double count = static_cast<double>(unit.size());
    Eigen::VectorXd weights = Eigen::VectorXd::Constant(unit.size(), 1 / count);
    const double radius = c_ * combined_norm(block, weights);
    const double least = combined_norm(block, least_norm_weights(block));
    if (least <= kNoNorm * unit.norms.minCoeff()) {
      result.fallback = "Pareto stationary: no direction helps all tasks, no step";
      return;
    }
    if (radius > 0) {
      const Eigen::VectorXd w = worst_case_weights(block, radius, least, unit.norms.maxCoeff());
      weights += radius / combined_norm(block, w) * w;
    }
    result.weights = unit.spread(weights / divisor_, gram.rows());
  }

  double c_, divisor_ = 1;
};

const RegisterCombiner registered({
    .name = "cagrad",
    .title = "Conflict-averse gradient descent",
    .formula = "g_0 = mean g_i,  d = (g_0 + c |g_0| g_w/|g_w|) / (1 + c^2),  g_w = G w,\n"
               "w = argmin { g_w . g_0 + c |g_0| |g_w| : w >= 0, sum w = 1 }",
    .source = "Liu, Liu, Jin, Stone, Liu: Conflict-averse gradient descent (NeurIPS 2021), algorithm 1",
    .caveats =
        "Solved to rounding (others: SLSQP or a cone solver). Steps are about m times shorter than those of ls, for "
        "g_0 is a mean. No step at Pareto stationary points, where g_w/|g_w| is not defined.",
    .options = {{"c", "real", "0.5", "radius of the ball in units of |g_0|; 0: the mean gradient", "in [0, 1)"},
                {"rescaling", "choice", "square", "divide by 1, 1 + c^2 or 1 + c", "one of: none|square|linear"}},
    .make = [](const OptionValues& values,
               std::uint64_t) { return std::make_unique<ConflictAverse>(values.real("c"), values.text("rescaling")); },
});

}  // namespace
}  // namespace torsor
