// Linear scalarisation: the gradient of the plain sum of the losses,
//
//   d = g_1 + ... + g_m.
#include "solvers/combine/weighter.h"

namespace torsor {
namespace {

class LinearScalarisation final : public Weighter {
  Eigen::VectorXd weights(const Eigen::VectorXd& losses, Index) override {
    return Eigen::VectorXd::Ones(losses.size());
  }
};

const RegisterCombiner registered({
    .name = "ls",
    .title = "Linear scalarisation",
    .formula = "d = g_1 + ... + g_m",
    .source = "the sum of the losses",
    .caveats = "A task with large gradients decides alone.",
    .options = {},
    .make = [](const OptionValues&, std::uint64_t) { return std::make_unique<LinearScalarisation>(); },
});

}  // namespace
}  // namespace torsor
