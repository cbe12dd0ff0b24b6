// Impartial multi-task learning, gradient part: the affine combination with equal projections on all gradients,
//
//   d = G a,    sum a = 1,    U(g_i) . d equal for all i;    a = v / sum v,    v_i = (C^+ 1)_i / |g_i|,
//
// C the cosines. For independent gradients v is G^+ |g|, and d has the direction of ConFIG up to its sign.
#include <cmath>

#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"

namespace torsor {
namespace {

class ImpartialGradients final : public GramCombiner {
 public:
  explicit ImpartialGradients(bool descend) : descend_(descend) {}

 private:
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const UnitGram unit(gram);
    const Eigen::VectorXd ones = Eigen::VectorXd::Ones(unit.size());
    const Eigen::VectorXd v = pseudo_inverse_times(unit.cosines, ones).cwiseQuotient(unit.norms);
    result.weights = Eigen::VectorXd::Zero(gram.rows());
    const double sum = v.sum();
    if (unit.size() == 0) return;
    if (std::abs(sum) <= 1e-12 * v.cwiseAbs().maxCoeff() || sum == 0) {
      result.fallback = "the weights add up to zero and cannot be scaled to one, no step";
      return;
    }
    result.weights = unit.spread(v / (descend_ ? std::abs(sum) : sum), gram.rows());
  }

  bool descend_;
};

const RegisterCombiner registered({
    .name = "imtl-g",
    .title = "Impartial multi-task learning (gradients)",
    .formula = "d = G a,  sum a = 1,  U(g_i) . d equal for all i:  a = v/sum v,  v_i = (C^+ 1)_i/|g_i|,  C the cosines",
    .source =
        "Liu, Li, Kuang, Xue, Chen, Yang, Liao, Zhang: Towards impartial multi-task learning (ICLR 2021), eq. 4-6",
    .caveats =
        "As published the common projection is negative where sum v < 0 (possible for gradients of very different "
        "norms in conflict): the step then ascends along every gradient. descend = yes divides by |sum v|. For "
        "dependent gradients the pseudo-inverse is that of the cosines, so that it does not depend on norms.",
    .options = {{"descend", "boolean", "no", "never a negative common projection", ""}},
    .make = [](const OptionValues& values,
               std::uint64_t) { return std::make_unique<ImpartialGradients>(values.boolean("descend")); },
});

}  // namespace
}  // namespace torsor
