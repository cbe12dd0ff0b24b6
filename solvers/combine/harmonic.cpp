// HARMONIC: the mean direction of the extreme rays r_1 ... r_p of the harmonised cone, the directions that the gradients
// can make together and that no task objects to,
//
//   d = (a . (g_1 + ... + g_m)) a,    a = U( sum_j U(r_j) ).
#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/harmonised_cone.h"

namespace torsor {
namespace {

class Harmonic final : public GramCombiner {
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const UnitGram unit(gram);
    result.weights = Eigen::VectorXd::Zero(gram.rows());
    if (unit.size() == 0) return;
    const Eigen::VectorXd anchor = anchor_weights(unit.cosines);
    if (!anchor.any()) result.fallback = "Pareto stationary: the harmonised cone is {0}, no step";
    const double length = unit.norms.dot(unit.cosines * anchor);
    result.weights = unit.weights_of_gradients(length * anchor, gram.rows());
  }
};

const RegisterCombiner registered({
    .name = "harmonic",
    .title = "Harmonised cone (HARMONIC)",
    .formula = "H = {G l : l >= 0, G^T G l >= 0},  r_j its extreme rays,  a = U( sum_j U(r_j) ),\n"
               "d = (a . (g_1 + ... + g_m)) a",
    .source = "HARMONIC (ICLR 2026, OpenReview PRYl1mO1go), theorem 1",
    .caveats =
        "Equal rays count once. Where double description meets more than 4096 rays (never for m <= 8) the anchor is "
        "the point of least norm in the convex hull of the unit gradients, which is in H too. a can jump where "
        "the cone gains or loses a ray.",
    .options = {},
    .make = [](const OptionValues&, std::uint64_t) { return std::make_unique<Harmonic>(); },
});

}  // namespace
}  // namespace torsor
