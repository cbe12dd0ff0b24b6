// HRGrad, harmonised rotational gradient (Z. Liang, arXiv 2604.24745, 2026). With U(x) = x/|x| and u_i = U(g_i):
//
//   1 anchor      d = U( sum of the unit extreme rays of {G l : l >= 0, G^T G l >= 0} )         harmonised_cone.h
//   2 rotation    r_i = cos x_i u_i + sin x_i w_i,  w_i = U(d - (u_i . d) u_i), conflicting tasks  plane_rotation.h
//   3 angles      x minimises alignment + lambda proximity over 0 <= x_i <= angle(u_i, d)
//   4 aggregation g_u = U( (M^+)^T 1 ), M = [r_1 ... r_m]                                        equal_cosine.h
//                 direction = ( sum_i |g_i| r_i . g_u ) g_u
//
// on the tasks' bias-corrected first moments in the place of the g_i (task_moments.h); the direction then is Adam's first
// moment. It all happens in the Gram
// matrix: d = sum_i mu_i u_i, so that every r_i, and with them the direction, is a combination of the gradients.
#include <cstdio>
#include <string>

#include "physics/error.h"
#include "solvers/combine/adaptive_steps.h"
#include "solvers/combine/combiner.h"
#include "solvers/combine/equal_cosine.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/harmonised_cone.h"
#include "solvers/combine/plane_rotation.h"
#include "solvers/combine/task_moments.h"

namespace torsor {
namespace {

// A cosine above this is not negative but rounded.
constexpr double kNegative = -1e-12;

struct HrGradOptions {
  std::string conflict;
  double delta, lambda, rate;
  bool guard;
};

// A direction as weights of the unit gradients.
struct UnitDirection {
  Eigen::VectorXd weights;
  double length = 0;
};

class HrGrad final : public GramCombiner {
 public:
  HrGrad(HrGradOptions options, const AdaptiveSteps& steps) : options_(std::move(options)), steps_(steps) {}

  State state() const override {
    State state;
    state.set("angles", Eigen::MatrixXd(angles_));
    state.set("losses", Eigen::MatrixXd(steps_.before()));
    return state;
  }
  void restore(const State& state) override {
    angles_ = state.vector("angles");
    steps_.restore(state.vector("losses"));
  }

 private:
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd& losses, Index, Combination& result) override {
    const Index m = gram.rows();
    const Index inner_steps = steps_.next(losses);
    const UnitGram unit(gram);
    if (angles_.size() != m) angles_ = Eigen::VectorXd::Zero(m);
    const Eigen::VectorXd anchor = unit.size() > 0 ? anchor_if_needed(unit.cosines) : Eigen::VectorXd();
    const UnitDirection direction =
        anchor.size() > 0 ? rotate_and_aggregate(unit, anchor, inner_steps) : aggregate(unit);
    result.angles = angles_;
    result.weights = unit.weights_of_gradients(direction.length * direction.weights, m);
    if (options_.guard) guard(unit, anchor, direction.weights, result);
  }

  // No weights where nothing can turn: gradients without conflict keep their directions, and ConFIG is what is left.
  Eigen::VectorXd anchor_if_needed(const Eigen::MatrixXd& cosines) const {
    if (options_.conflict == "pairwise" && cosines.minCoeff() >= kNegative) return {};
    return anchor_weights(cosines);
  }

  std::vector<bool> conflicting(const Eigen::MatrixXd& cosines, const Eigen::VectorXd& products) const {
    std::vector<bool> result(static_cast<size_t>(products.size()));
    for (Index i = 0; i < products.size(); ++i) {
      const size_t task = static_cast<size_t>(i);
      if (options_.conflict == "pairwise") result[task] = cosines.col(i).minCoeff() < kNegative;
      if (options_.conflict == "threshold") result[task] = products[i] < options_.delta;
      if (options_.conflict == "literal") result[task] = products[i] < kNegative;
    }
    return result;
  }

  // Stage 4 without rotation: ConFIG.
  UnitDirection aggregate(const UnitGram& unit) {
    angles_.setZero();
    UnitDirection result;
    result.weights = equal_cosine_weights(unit.cosines);
    result.length = unit.norms.dot(unit.cosines * result.weights);
    return result;
  }

  // Stages 2 to 4.
  UnitDirection rotate_and_aggregate(const UnitGram& unit, const Eigen::VectorXd& anchor, Index inner_steps) {
    const Eigen::VectorXd products = unit.cosines * anchor;
    const PlaneRotation rotation(unit.cosines, products, conflicting(unit.cosines, products), options_.lambda);
    const Eigen::VectorXd angles = rotation.minimise(angles_(unit.tasks), inner_steps, options_.rate);
    angles_ = unit.spread(angles, angles_.size());

    const auto rotated = rotation.rotated(angles);
    const Eigen::MatrixXd cosines = rotation.rotated_cosines(rotated);
    const Eigen::VectorXd v = equal_cosine_weights(cosines);
    UnitDirection result;
    result.weights = rotated.a.cwiseProduct(v) + rotated.b.dot(v) * anchor;
    result.length = unit.norms.dot(cosines * v);
    return result;
  }

  // The anchor in the place of a direction that an original gradient objects to.
  void guard(const UnitGram& unit, Eigen::VectorXd anchor, const Eigen::VectorXd& direction,
             Combination& result) const {
    if (unit.size() == 0) return;
    Index worst = 0;
    const double cosine = (unit.cosines * direction).minCoeff(&worst);
    if (direction.any() && cosine >= kNegative) return;
    if (anchor.size() == 0) anchor = anchor_weights(unit.cosines);
    char text[160];
    if (!anchor.any())
      std::snprintf(text, sizeof(text), "Pareto stationary: no direction helps all tasks, no step");
    else
      std::snprintf(text, sizeof(text), "the anchor: the direction had the cosine %.2g with the gradient of task %ld",
                    cosine, static_cast<long>(unit.tasks[static_cast<size_t>(worst)]));
    result.fallback = text;
    const double length = unit.norms.dot(unit.cosines * anchor);
    result.weights = unit.weights_of_gradients(length * anchor, result.weights.size());
  }

  HrGradOptions options_;
  AdaptiveSteps steps_;
  Eigen::VectorXd angles_;  // of the last step: where the next search starts
};

std::unique_ptr<Combiner> make(const OptionValues& values, std::uint64_t) {
  HrGradOptions options{.conflict = values.text("conflict"),
                        .delta = values.real("delta"),
                        .lambda = values.real("lambda"),
                        .rate = values.real("inner_learning_rate"),
                        .guard = values.boolean("guard")};
  const long least = values.integer("inner_steps_min"), most = values.integer("inner_steps_max");
  if (most < least)
    throw InputError("the option 'inner_steps_max' must be >= inner_steps_min = " + std::to_string(least));
  auto method = std::make_unique<HrGrad>(std::move(options), AdaptiveSteps(least, most, values.real("k_std")));
  if (!values.boolean("moments")) return method;
  return with_task_moments(std::move(method),
                           {.beta1 = values.real("beta1"), .pseudo_gradient = values.text("second_moment") == "pseudo"});
}

const RegisterCombiner registered({
    .name = "hrgrad",
    .title = "Harmonised rotational gradient (HRGrad)",
    .formula = R"(u_i = U(g_i), U(x) = x/|x|, A = G^T G
anchor       d = U( sum_j U(r_j) ), r_j the extreme rays of {G l : l >= 0, A l >= 0}
rotation     r_i = cos x_i u_i + sin x_i U(d - (u_i . d) u_i) for conflicting tasks, r_i = u_i for others
angles       minimise 1/(m(m-1)) sum_{i<j} (1 - r_i . r_j) + lambda/(2m) sum_i (1 - cos x_i), 0 <= x_i <= angle(u_i, d)
aggregation  g_u = U( (M^+)^T 1 ), M = [r_1 ... r_m]; direction (sum_i |g_i| r_i . g_u) g_u)",
    .source = "Z. Liang, arXiv 2604.24745 (2026). Anchor: HARMONIC (ICLR 2026); rotation and angles: RGB (OpenReview "
              "l0QAezg8HX); aggregation: ConFIG (ICLR 2025)",
    .caveats =
        R"(The paper's conflict test, u_i . d < 0, never fires: d is in the dual cone, so that u_i . d >= 0 for every task, and
the method is then ConFIG (conflict = literal). Our default turns every task that has a negative product with another
one (pairwise); threshold turns those with u_i . d < delta, a guess at the role of the paper's undefined delta.
For two tasks d is the bisector, which is ConFIG's direction: HRGrad differs from ConFIG in length alone, and does not
shrink the step under strong conflict as ConFIG does.
For three tasks and more the direction of independent gradients has non-negative products with the rotated ones, but not
always with the original ones: the guard then takes the anchor's direction, and says so.
The paper's objective for the angles was not available: it is RGB's. Its gradient is at most 1/m, so that few inner steps
turn little; the angles start where the last step left them and converge over many steps.
Ours: angles are capped at the anchor; gradients within a cosine of 0.999 of it do not turn; zero gradients are left out.
With moments = yes the direction takes the place of Adam's first moment, which the trainer then switches off (b1 = 0), and
the guard speaks of moments. The paper leaves open what Adam's second moment is made of: the directions, or the
pseudo-gradients of M-ConFIG (Adam's b1 must be beta1 then).
Where gradients stay nearly opposite moments = no is safer: the guard takes the short anchor in almost every step, and with
moments the few steps of full length between them fill Adam's second moment and stall it
(results/combiners-poisson-holes.md).)",
    .options = {{"conflict", "choice", "pairwise", "which tasks turn", "one of: pairwise|threshold|literal"},
                {"delta", "real", "0.1", "threshold on u_i . d, for conflict = threshold", "in [-1, 1]"},
                {"lambda", "real", "1", "weight of staying close to the original gradients", ">= 0"},
                {"inner_steps_min", "integer", "1", "least gradient steps on the angles in a step", ">= 0"},
                {"inner_steps_max", "integer", "10", "most of them", ">= 0"},
                {"k_std", "real", "1", "spread of the tasks' relative loss changes at which half of the range is used",
                 "> 0"},
                {"inner_learning_rate", "real", "0.2", "of the steps on the angles", "> 0"},
                {"guard", "boolean", "yes", "take the anchor where an original gradient would get a negative product",
                 ""},
                {"moments", "boolean", "yes", "work on first moments of the tasks' gradients, for Adam", ""},
                {"beta1", "real", "0.9", "of the moments", "in [0, 1)"},
                {"second_moment", "choice", "direction",
                 "what Adam's second moment averages: the directions, or the pseudo-gradients of M-ConFIG",
                 "one of: direction|pseudo"}},
    .make = make,
});

}  // namespace
}  // namespace torsor
