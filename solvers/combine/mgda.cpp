// Multiple gradient descent algorithm: the shortest convex combination of the gradients,
//
//   d = G a,    a = argmin { |G a|^2 : a >= 0, sum a = 1 },
//
// so that g_i . d >= |d|^2 for every task, with equality where a_i > 0. Solved exactly by an active-set method where
// others iterate with Frank and Wolfe. The gradients may be scaled before by their norms, losses, or both.
#include <string>

#include "solvers/combine/combiner.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/nonnegative_qp.h"
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class MultipleGradientDescent final : public GramCombiner {
 public:
  explicit MultipleGradientDescent(std::string scaling) : scaling_(std::move(scaling)) {}

 private:
  // g_i / scale_i takes the place of g_i.
  Eigen::VectorXd scales(const Eigen::MatrixXd& gram, const Eigen::VectorXd& losses) const {
    Eigen::VectorXd result = Eigen::VectorXd::Ones(losses.size());
    if (scaling_ == "norm" || scaling_ == "loss-norm") result = gram.diagonal().cwiseSqrt();
    if (scaling_ == "loss" || scaling_ == "loss-norm") result = result.cwiseProduct(positive(losses)).eval();
    return (result.array() > 0).select(result, 1.0);
  }

  void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd& losses, Index, Combination& result) override {
    const Eigen::VectorXd inverse = scales(gram, losses).cwiseInverse();
    const Eigen::MatrixXd scaled = inverse.asDiagonal() * gram * inverse.asDiagonal();
    result.weights = least_norm_weights(scaled).cwiseProduct(inverse);
  }

  std::string scaling_;
};

const RegisterCombiner registered({
    .name = "mgda",
    .title = "Multiple gradient descent algorithm",
    .formula = "d = G a,  a = argmin { |G a|^2 : a >= 0, sum a = 1 }",
    .source =
        "Desideri (2012); Sener, Koltun: Multi-task learning as multi-objective optimization (NeurIPS 2018), eq. 3",
    .caveats =
        "The step is as short as the shortest gradient allows: a task with a small gradient decides. Solved exactly "
        "(others use Frank-Wolfe steps). Gradients that are zero are left out, where the literal minimum is d = 0.",
    .options = {{"scaling", "choice", "none", "divide gradients before by their norm, loss, or the product of both",
                 "one of: none|norm|loss|loss-norm"}},
    .make = [](const OptionValues& values,
               std::uint64_t) { return std::make_unique<MultipleGradientDescent>(values.text("scaling")); },
});

}  // namespace
}  // namespace torsor
