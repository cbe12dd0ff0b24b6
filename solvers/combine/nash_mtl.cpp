// Nash-MTL: the bargaining solution, at which the product of the gains g_i . d over a ball is largest,
//
//   d = G a,    A a = 1/a  (entry by entry),  a > 0,    A = G^T G.
//
// Every task gains g_i . d = 1/a_i, and |d|^2 = a^T A a = m whatever the gradients. Solved by Newton's method on the
// convex function a^T A a / 2 - sum log a (others iterate on a sequence of cone programs).
#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/power_balance.h"

namespace torsor {
namespace {

class NashBargaining final : public GramCombiner {
 public:
  NashBargaining(Index every, double max_norm) : every_(every), max_norm_(max_norm) {}

  State state() const override {
    State state;
    state.set("weights", Eigen::MatrixXd(weights_));
    return state;
  }
  void restore(const State& state) override { weights_ = state.vector("weights"); }

 private:
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index step, Combination& result) override {
    if (weights_.size() != gram.rows() || step % every_ == 0) result.fallback = bargain(gram);
    result.weights = weights_;
    const double norm = combined_norm(gram, weights_);
    if (max_norm_ > 0 && norm > max_norm_) result.weights *= max_norm_ / norm;
  }

  // The reason where there is no solution.
  std::string bargain(const Eigen::MatrixXd& gram) {
    const UnitGram unit(gram);
    weights_ = Eigen::VectorXd::Zero(gram.rows());
    if (unit.size() == 0) return "";
    const auto solution = solve_power_balance(unit.cosines, Eigen::VectorXd::Ones(unit.size()), 1);
    if (!solution) return "Pareto stationary: the bargaining problem has no solution, no step";
    weights_ = unit.weights_of_gradients(*solution, gram.rows());
    return "";
  }

  Index every_;
  double max_norm_;
  Eigen::VectorXd weights_;  // a of the last bargain
};

const RegisterCombiner registered({
    .name = "nash-mtl",
    .title = "Nash bargaining (Nash-MTL)",
    .formula = "d = G a,  G^T G a = 1/a (entry by entry),  a > 0",
    .source = "Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik, Fetaya: Multi-task learning as a bargaining game "
              "(ICML 2022), claim 3.1",
    .caveats =
        "|d| = sqrt(m) in every step, however small the gradients: the learning rate alone sets the step (the "
        "authors' code divides the Gram matrix by its norm and clips |d| to 1; max_norm = 1 is the same). No step "
        "at Pareto stationary points.",
    .options = {{"every", "integer", "1", "steps between two bargains; the weights are kept between", ">= 1"},
                {"max_norm", "real", "0", "longest |d|; 0: no limit", ">= 0"}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<NashBargaining>(values.integer("every"), values.real("max_norm"));
        },
});

}  // namespace
}  // namespace torsor
