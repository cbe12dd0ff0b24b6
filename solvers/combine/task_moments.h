// First moments of every task's gradient around any combiner (M-ConFIG, ConFIG algorithm 1; HRGrad stages 0 and 5).
//
//   m_i <- b m_i + (1 - b) g_i,    c_i = m_i / (1 - b^{t_i}),    t_i = how often task i was seen,
//   h_t = the combiner's direction for c_1 ... c_m.
//
// (c_i is kept alone: c_i <- c_i + (1 - b) / (1 - b^{t_i}) (g_i - c_i) is the same.) h_t is to take the place of Adam's bias-corrected first moment. What is returned is the pseudo-gradient
//
//   q_t = (M_t - b M_{t-1}) / (1 - b),    M_t = (1 - b^t) h_t,    M_0 = 0:
//
// fed to any Adam with the same b from its first step on, it makes the first moment M_t, corrected h_t, and the second
// moment that of the q_t, which is M-ConFIG's recipe.
#pragma once

#include <memory>

#include "solvers/combine/combiner.h"

namespace torsor {

struct TaskMomentsOptions {
  /// b, that of the optimiser.
  double beta1 = 0.9;
  /// One task in each step, in turn, instead of all (M-ConFIG); tasks not seen yet have no say.
  bool cyclic = false;
  /// Return q_t; otherwise h_t itself, for an optimiser without a first moment of its own (Combiner::averaged), whose
  /// second moment is then that of the h_t.
  bool pseudo_gradient = true;
};

std::unique_ptr<Combiner> with_task_moments(std::unique_ptr<Combiner> inner, const TaskMomentsOptions& options);

}  // namespace torsor
