// UPGrad: every gradient is projected on the dual cone {y : G^T y >= 0}, the set of directions that no task objects to,
// and the mean taken,
//
//   d = 1/m sum_i P(g_i).
#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/nonnegative_qp.h"

namespace torsor {
namespace {

class UpGrad final : public GramCombiner {
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const Index m = gram.rows();
    const UnitGram unit(gram);
    result.weights = Eigen::VectorXd::Zero(m);
    for (const Index i : unit.tasks) result.weights += dual_cone_weights(gram, Eigen::VectorXd::Unit(m, i));
    if (unit.size() > 0) result.weights /= static_cast<double>(unit.size());
  }
};

const RegisterCombiner registered({
    .name = "upgrad",
    .title = "Unconflicting projection of gradients (UPGrad)",
    .formula = "d = 1/m sum_i P(g_i),  P(y) = the nearest point to y in {z : g_j . z >= 0 for all j}",
    .source = "Quinton, Rey: Jacobian descent for multi-objective optimization (2024), eq. 6 and proposition 1",
    .caveats = "",
    .options = {},
    .make = [](const OptionValues&, std::uint64_t) { return std::make_unique<UpGrad>(); },
});

}  // namespace
}  // namespace torsor
