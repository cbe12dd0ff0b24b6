// Projecting conflicting gradients: p_i starts as g_i; for the other tasks j in turn, where p_i . g_j < 0,
//
//   p_i <- p_i - (p_i . g_j / |g_j|^2) g_j,        then  d = p_1 + ... + p_m.
//
// The g_j are the original gradients, their order is drawn for every i.
#include "solvers/combine/combiner.h"
#include "solvers/combine/random_stream.h"

namespace torsor {
namespace {

class PcGrad final : public GramCombiner {
 public:
  PcGrad(bool random_order, std::uint64_t seed) : random_order_(random_order), random_(seed) {}

  State state() const override {
    State state;
    state.set_text("random", random_.text());
    return state;
  }
  void restore(const State& state) override { random_.restore(state.text("random")); }

 private:
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const Index m = gram.rows();
    result.weights = Eigen::VectorXd::Zero(m);
    for (Index i = 0; i < m; ++i) {
      Eigen::VectorXd p = Eigen::VectorXd::Unit(m, i);
      std::vector<Index> order(static_cast<size_t>(m));
      for (Index j = 0; j < m; ++j) order[static_cast<size_t>(j)] = j;
      if (random_order_) order = random_.permutation(m);
      for (const Index j : order) {
        const double product = gram.col(j).dot(p);
        if (j != i && product < 0) p[j] -= product / gram(j, j);
      }
      result.weights += p;
    }
  }

  bool random_order_;
  RandomStream random_;
};

const RegisterCombiner registered({
    .name = "pcgrad",
    .title = "Projecting conflicting gradients",
    .formula = "d = sum_i p_i;  p_i = g_i, then for the other j in turn, where p_i . g_j < 0:\n"
               "p_i <- p_i - (p_i . g_j/|g_j|^2) g_j",
    .source = "Yu, Kumar, Gupta, Levine, Hausman, Finn: Gradient surgery for multi-task learning (NeurIPS 2020), "
              "algorithm 1",
    .caveats = "For m > 2 later projections can bring back a conflict, with the order deciding.",
    .options = {{"order", "choice", "random", "of the other tasks: drawn for each i, or 0 ... m-1",
                 "one of: random|given"}},
    .make = [](const OptionValues& values,
               std::uint64_t seed) { return std::make_unique<PcGrad>(values.text("order") == "random", seed); },
});

}  // namespace
}  // namespace torsor
