// Gradient vaccine: gradients that are less alike than usual are turned towards each other. p_i starts as g_i; for the
// other tasks j in turn, with c the cosine of p_i and g_j and t_ij its running mean, where c < t_ij,
//
//   p_i <- p_i + |p_i| (t sqrt(1-c^2) - c sqrt(1-t^2)) / (|g_j| sqrt(1-t^2)) g_j     (afterwards the cosine is t_ij),
//   t_ij <- (1-beta) t_ij + beta c    (always),        then  d = p_1 + ... + p_m.
#include <algorithm>
#include <cmath>

#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/random_stream.h"

namespace torsor {
namespace {

class GradientVaccine final : public GramCombiner {
 public:
  GradientVaccine(double beta, bool random_order, std::uint64_t seed)
      : beta_(beta), random_order_(random_order), random_(seed) {}

  State state() const override {
    State state;
    state.set("targets", targets_);
    state.set_text("random", random_.text());
    return state;
  }
  void restore(const State& state) override {
    targets_ = state.matrix("targets");
    random_.restore(state.text("random"));
  }

 private:
  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd&, Index, Combination& result) override {
    const Index m = gram.rows();
    if (targets_.size() == 0) targets_ = Eigen::MatrixXd::Zero(m, m);
    result.weights = Eigen::VectorXd::Zero(m);
    for (Index i = 0; i < m; ++i) {
      if (gram(i, i) > 0) result.weights += vaccinated(gram, i);
    }
  }

  // Weights of p_i.
  Eigen::VectorXd vaccinated(const Eigen::MatrixXd& gram, Index i) {
    const Index m = gram.rows();
    Eigen::VectorXd p = Eigen::VectorXd::Unit(m, i);
    std::vector<Index> order(static_cast<size_t>(m));
    for (Index j = 0; j < m; ++j) order[static_cast<size_t>(j)] = j;
    if (random_order_) order = random_.permutation(m);
    for (const Index j : order) {
      const double norm = combined_norm(gram, p), other = std::sqrt(gram(j, j));
      if (j == i || norm == 0 || other == 0) continue;
      const double cosine = std::clamp(gram.col(j).dot(p) / norm / other, -1.0, 1.0);
      double& target = targets_(i, j);
      if (cosine < target) {
        const double sine = std::sqrt(1 - cosine * cosine);
        const double target_sine = std::sqrt(std::max(0.0, 1 - target * target));
        // A target of one would need an infinite multiple of g_j.
        if (target_sine > 1e-6) p[j] += norm * (target * sine - cosine * target_sine) / (other * target_sine);
      }
      target = (1 - beta_) * target + beta_ * cosine;
    }
    return p;
  }

  double beta_;
  bool random_order_;
  RandomStream random_;
  Eigen::MatrixXd targets_;  // t, m x m
};

const RegisterCombiner registered({
    .name = "gradvac",
    .title = "Gradient vaccine",
    .formula = "d = sum_i p_i;  p_i = g_i, then for the other j in turn, with c = cos(p_i, g_j), where c < t_ij:\n"
               "p_i <- p_i + |p_i| (t sqrt(1-c^2) - c sqrt(1-t^2)) / (|g_j| sqrt(1-t^2)) g_j;\n"
               "t_ij <- (1-beta) t_ij + beta c",
    .source = "Wang, Tsvetkov, Firat, Cao: Gradient vaccine (ICLR 2021), eq. 2-3",
    .caveats = "One target for the whole vector (the paper also has one for each layer). Targets start at 0, as in "
               "PCGrad. The paper's beta is 0.01; 0.5 is that of LibMTL and TorchJD.",
    .options = {{"beta", "real", "0.5", "how fast the targets follow", "in [0, 1]"},
                {"order", "choice", "random", "of the other tasks: drawn for each i, or 0 ... m-1",
                 "one of: random|given"}},
    .make =
        [](const OptionValues& values, std::uint64_t seed) {
          return std::make_unique<GradientVaccine>(values.real("beta"), values.text("order") == "random", seed);
        },
});

}  // namespace
}  // namespace torsor
