// Dual-balancing: losses are balanced by logarithms, gradients by norms,
//
//   b_i <- h_i + beta/t^sigma (b_i - h_i),  h_i = g_i/(L_i + epsilon),    d = sum_i (max_j |b_j| / |b_i|) b_i,
//
// t counts steps from 1; b starts at zero; epsilon as in the authors' code (LibMTL).
#include <cmath>

#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class DualBalance final : public Combiner {
 public:
  DualBalance(double beta, double sigma, double epsilon) : beta_(beta), sigma_(sigma), epsilon_(epsilon) {}

  Combination combine(const TaskGradients& tasks) override {
    check_tasks(tasks);
    const Index m = tasks.gradients.cols();
    if (steps_ == 0) averages_ = Eigen::MatrixXd::Zero(tasks.gradients.rows(), m);
    steps_ += 1;
    const double memory = beta_ / std::pow(steps_, sigma_);
    const Eigen::VectorXd inverse = positive((tasks.losses.array() + epsilon_).matrix()).cwiseInverse();
    for (Index i = 0; i < m; ++i)
      averages_.col(i) = memory * averages_.col(i) + (1 - memory) * inverse[i] * tasks.gradients.col(i);
    const Eigen::VectorXd norms = averages_.colwise().norm();
    const Eigen::VectorXd factors = (norms.array() == 0).select(0.0, norms.maxCoeff() / norms.array());
    Combination result;
    result.direction = weighted_sum(averages_, factors);
    check_finite(tasks, result);
    return result;
  }

  State state() const override {
    State state;
    state.set("averages", averages_);
    state.set("steps", steps_);
    return state;
  }
  void restore(const State& state) override {
    averages_ = state.matrix("averages");
    steps_ = state.number("steps");
  }

 private:
  double beta_, sigma_, epsilon_, steps_ = 0;
  Eigen::MatrixXd averages_;  // b_i as columns
};

const RegisterCombiner registered({
    .name = "db-mtl",
    .title = "Dual-balancing (DB-MTL)",
    .formula = "h_i = g_i/(L_i + epsilon),  b_i <- h_i + beta/t^sigma (b_i - h_i),  d = sum_i (max_j |b_j|/|b_i|) b_i",
    .source =
        "Lin, Jiang, Ye, Zhang, Chen, Chen, Liu, Kwok: Dual-balancing for multi-task learning (2023), algorithm 1",
    .caveats = "",
    .options = {{"beta", "real", "0.9", "memory of the gradients", "in [0, 1]"},
                {"sigma", "real", "0", "how fast the memory fades with the steps", ">= 0"},
                {"epsilon", "real", "1e-8", "added to the losses in the logarithm", ">= 0"}},
    .make =
        [](const OptionValues& values, std::uint64_t) {
          return std::make_unique<DualBalance>(values.real("beta"), values.real("sigma"), values.real("epsilon"));
        },
});

}  // namespace
}  // namespace torsor
