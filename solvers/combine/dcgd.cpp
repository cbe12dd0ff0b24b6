// Dual cone gradient descent: steps stay in the dual cone K* = {y : G^T y >= 0}. With g = g_1 + ... + g_m,
//
//   projection   d = P(g), the nearest point in K*
//   average      d = g if it is in K*, else 1/m sum_i P(g_i)
//   centre       d = (c . g) c,  c the unit direction with equal cosines to all gradients.
//
// For two losses these are the published rules: P(g_1) = g_1 - (g_1 . g_2 / |g_2|^2) g_2, and c bisects the gradients.
#include <algorithm>
#include <string>

#include "solvers/combine/combiner.h"
#include "solvers/combine/equal_cosine.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/nonnegative_qp.h"

namespace torsor {
namespace {

class DualConeDescent final : public GramCombiner {
 public:
  explicit DualConeDescent(std::string rule) : rule_(std::move(rule)) {}

 private:
  static Eigen::VectorXd average(const Eigen::MatrixXd& gram) {
    const Index m = gram.rows();
    const Eigen::VectorXd total = Eigen::VectorXd::Ones(m);
    if ((gram * total).minCoeff() >= 0) return total;
    const UnitGram unit(gram);
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(m);
    for (const Index i : unit.tasks) sum += dual_cone_weights(gram, Eigen::VectorXd::Unit(m, i));
    return sum / static_cast<double>(std::max<Index>(unit.size(), 1));
  }

  static Eigen::VectorXd centre(const Eigen::MatrixXd& gram) {
    const UnitGram unit(gram);
    const Eigen::VectorXd c = equal_cosine_weights(unit.cosines);
    return unit.weights_of_gradients(unit.norms.dot(unit.cosines * c) * c, gram.rows());
  }

  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    if (rule_ == "projection") result.weights = dual_cone_weights(gram, Eigen::VectorXd::Ones(gram.rows()));
    if (rule_ == "average") result.weights = average(gram);
    if (rule_ == "centre") result.weights = centre(gram);
  }

  std::string rule_;
};

const RegisterCombiner registered({
    .name = "dcgd",
    .title = "Dual cone gradient descent",
    .formula = "g = g_1 + ... + g_m,  K* = {y : g_i . y >= 0 for all i},  P = projection on K*\n"
               "projection: d = P(g);  average: d = g in K*, else 1/m sum_i P(g_i);\n"
               "centre: d = (c . g) c,  c the unit direction with equal cosines to all g_i",
    .source = "Hwang, Lim: Dual cone gradient descent for training physics-informed neural networks (NeurIPS 2024), "
              "algorithms 1-3",
    .caveats =
        "Published for two losses (residual and boundary). For more, ours: the projections on K* of all of them, "
        "and for the centre the direction of ConFIG, which is the bisector at m = 2. As published, average jumps "
        "by a factor of two where g leaves K*.",
    .options = {{"rule", "choice", "centre", "which point of K*", "one of: projection|average|centre"}},
    .make = [](const OptionValues& values,
               std::uint64_t) { return std::make_unique<DualConeDescent>(values.text("rule")); },
});

}  // namespace
}  // namespace torsor
