// M-ConFIG: ConFIG on first moments of the tasks' gradients, of which every step brings only one, in turn,
//
//   step t: g_i for i = t mod m;  m_i <- b m_i + (1 - b) g_i;  d = pseudo-gradient of ConFIG(m_1 ... m_m, bias-corrected)
//
// (task_moments.h), so that a step costs the gradient of one task.
#include "solvers/combine/task_moments.h"

namespace torsor {
namespace {

std::unique_ptr<Combiner> make(const OptionValues& values, std::uint64_t seed) {
  const CombinerInfo& config = find_combiner("config");
  OptionValues inner(config.options);
  inner.set("length", values.text("length"));
  return with_task_moments(config.make(inner, seed), {.beta1 = values.real("beta1"), .cyclic = true});
}

const RegisterCombiner registered({
    .name = "m-config",
    .title = "ConFIG on moments, one task in each step (M-ConFIG)",
    .formula = "step t: task i = t mod m;  m_i <- b m_i + (1-b) g_i;  h = ConFIG(m_j/(1-b^t_j));\n"
               "M_t = (1-b^t) h;  d = (M_t - b M_{t-1})/(1-b)",
    .source = "Liu, Chu, Thuerey: ConFIG (ICLR 2025), algorithm 1; t_j counts task j's own steps, as in their code",
    .caveats =
        "d is a pseudo-gradient: Adam with the same beta1, from the first step on, makes h its corrected first moment; "
        "with another optimiser or beta1 it is something else. In the first m - 1 steps only the tasks seen so far "
        "have a say (the authors' code takes no step then).",
    .options = {{"beta1", "real", "0.9", "b; must be that of the optimiser", "in [0, 1)"},
                {"length", "choice", "projection", "as that of config",
                 "one of: projection|min|max|harmonic|arithmetic|geometric"}},
    .make = make,
});

}  // namespace
}  // namespace torsor
