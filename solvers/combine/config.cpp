// ConFIG, conflict-free inverse gradients (nothing to do with configuration): the unit direction g_u that has the same
// cosine with every gradient, as long as the sum of the projections on it,
//
//   g_u = U( (M^+)^T 1 ),    M = [U(g_1) ... U(g_m)],    d = (sum_i l_i U(g_i) . g_u) g_u,
//
// l_i = |g_i|, or one and the same mean of the norms for all.
#include <cmath>
#include <string>

#include "solvers/combine/combiner.h"
#include "solvers/combine/equal_cosine.h"
#include "solvers/combine/gram.h"

namespace torsor {
namespace {

class ConflictFreeInverse final : public GramCombiner {
 public:
  explicit ConflictFreeInverse(std::string length) : length_(std::move(length)) {}

 private:
  Eigen::VectorXd lengths(const Eigen::VectorXd& norms) const {
    const auto all = [&](double value) { return Eigen::VectorXd::Constant(norms.size(), value).eval(); };
    if (length_ == "min") return all(norms.minCoeff());
    if (length_ == "max") return all(norms.maxCoeff());
    if (length_ == "harmonic") return all(1 / norms.cwiseInverse().mean());
    if (length_ == "arithmetic") return all(norms.mean());
    if (length_ == "geometric") return all(std::exp(norms.array().log().mean()));
    return norms;
  }

  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const UnitGram unit(gram);
    result.weights = Eigen::VectorXd::Zero(gram.rows());
    if (unit.size() == 0) return;
    const Eigen::VectorXd v = equal_cosine_weights(unit.cosines);
    const double length = lengths(unit.norms).dot(unit.cosines * v);
    result.weights = unit.weights_of_gradients(length * v, gram.rows());
  }

  std::string length_;
};

const RegisterCombiner registered({
    .name = "config",
    .title = "Conflict-free inverse gradients (ConFIG)",
    .formula = "g_u = U( (M^+)^T 1 ),  M = [U(g_1) ... U(g_m)],  d = (sum_i l_i U(g_i) . g_u) g_u,  l_i = |g_i|",
    .source = "Liu, Chu, Thuerey: ConFIG (ICLR 2025), eq. 2-4",
    .caveats =
        "Equal cosines, not equal products, unless the gradients have equal norms. Opposite gradients give a step of "
        "zero length, and nearly opposite ones a short step. Weights of gradients can be negative for m > 2: the "
        "step can leave the cone of the gradients.",
    .options = {{"length", "choice", "projection",
                 "projection: l_i = |g_i|; others: all l_i are this mean (or extreme) of the norms",
                 "one of: projection|min|max|harmonic|arithmetic|geometric"}},
    .make = [](const OptionValues& values,
               std::uint64_t) { return std::make_unique<ConflictFreeInverse>(values.text("length")); },
});

}  // namespace
}  // namespace torsor
