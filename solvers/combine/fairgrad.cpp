// FairGrad: the direction that is alpha-fair to the gains g_i . d,
//
//   d = G w,    A w = w^(-1/alpha)  (entry by entry),  w > 0,    A = G^T G.
//
// alpha = 1 is Nash-MTL, large alpha comes close to equal gains for all.
#include <cmath>

#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/power_balance.h"

namespace torsor {
namespace {

class FairGradients final : public GramCombiner {
 public:
  explicit FairGradients(double alpha) : alpha_(alpha) {}

 private:
  // With x_i = w_i |g_i| and the cosines C the system is C x = k / x^(1/alpha), k_i = |g_i|^(1/alpha - 1).
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const UnitGram unit(gram);
    result.weights = Eigen::VectorXd::Zero(gram.rows());
    if (unit.size() == 0) return;
    const Eigen::VectorXd k = unit.norms.array().pow(1 / alpha_ - 1);
    if (const auto x = solve_power_balance(unit.cosines, k, 1 / alpha_))
      result.weights = unit.weights_of_gradients(*x, gram.rows());
    else
      result.fallback = "Pareto stationary: no fair direction, no step";
  }

  double alpha_;
};

const RegisterCombiner registered({
    .name = "fairgrad",
    .title = "Fair resource allocation (FairGrad)",
    .formula = "d = G w,  G^T G w = w^(-1/alpha) (entry by entry),  w > 0",
    .source = "Ban, Ji: Fair resource allocation in multi-task learning (ICML 2024), eq. 4",
    .caveats =
        "alpha = 1 is nash-mtl. Solved by Newton's method on a convex function (others: bounded least squares). No "
        "step at Pareto stationary points.",
    .options = {{"alpha", "real", "2", "fairness: 1 proportional, 2 least delay, large: the worst task counts", "> 0"}},
    .make = [](const OptionValues& values,
               std::uint64_t) { return std::make_unique<FairGradients>(values.real("alpha")); },
});

}  // namespace
}  // namespace torsor
