// Weights of the losses: the factor of every set (a term of a task), and the weight of every point.
//
// Factors
//   fixed   as given, 1 otherwise
//   ntk     factor_s = (sum_r K_r) / K_s, K_s = mean_k |d r_s(x_k) / d parameters|^2: all terms' residuals then decay at
//           rates of the same order (Wang, Yu, Perdikaris, "When and why PINNs fail to train: a neural tangent kernel
//           perspective", JCP 2022, equation 6.5), times the factor given
// Points
//   none
//   causal         interior points of time slice i weigh exp(-epsilon sum_{j<i} L_j), L_j the slice's loss (Wang,
//                  Sankaran, Perdikaris, "Respecting causality is all you need", 2022)
//   rba            w <- gamma w + eta |r| / max |r|, the loss with w^2 (Anagnostopoulos et al., "Residual-based
//                  attention", CMAME 2024)
//   self-adaptive  w by gradient ascent on the loss with w^2 (McClenny and Braga-Neto, JCP 2023)
// The combiner `lra` and `relobralo` weigh losses too; they see gradients and histories.
#pragma once

#include <map>
#include <string>

#include "solvers/state.h"
#include "solvers/train/task_losses.h"

namespace torsor {

struct LossWeightOptions {
  std::string factors = "fixed";             ///< fixed | ntk
  std::map<std::string, double> given;       ///< by name of the term
  Index every = 1000;  ///< steps between new ntk factors (0: only at the start), and point weights of quasi-Newton methods
  std::string points = "none";               ///< none | causal | rba | self-adaptive
  double causal_epsilon = 1;
  Index causal_slices = 32;
  double rba_decay = 0.999, rba_rate = 0.01;
  double ascent_rate = 0.01;                 ///< of self-adaptive weights
};

class LossWeights {
 public:
  LossWeights(const std::vector<Problem>& tasks, const LossWeightOptions& options);

  /// Whether what changes once in `every` steps changes at this one.
  bool due(Index step) const { return step == 0 || (options_.every > 0 && step % options_.every == 0); }
  /// Whether points have weights at all.
  bool weighs_points() const { return options_.points != "none"; }
  /// One for each set.
  const Eigen::VectorXd& factors() const { return factors_; }

  /// New points: factors of their sets, point weights begin again.
  void points_changed(const TaskLosses& losses);
  /// Before a step: ntk factors where they are due.
  void update_factors(Index step, const TaskLosses& losses, const Eigen::VectorXd& parameters);
  /// After a step's residuals are known: the weights of the points for the next step.
  void update_points(TaskLosses& losses, const std::vector<Eigen::VectorXd>& residuals) const;

  /// The weights of the points before the first step.
  void start_points(TaskLosses& losses) const;

  State state() const;
  void restore(const State& state) { factors_ = state.vector("factors"); }

 private:
  /// What the configuration gives for the set's term; 1 where it gives nothing.
  double given(const PointSet& set) const;
  Eigen::VectorXd causal(const PointSet& set, const Eigen::VectorXd& residual) const;

  const std::vector<Problem>& tasks_;
  LossWeightOptions options_;
  Eigen::VectorXd factors_;
};

}  // namespace torsor
