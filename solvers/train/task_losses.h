// Losses of all tasks and terms, their gradients by all parameters, and the rows of Gauss-Newton, from the problems' one
// definition of each residual.
//
//   L_s = 1/N_s sum_k w_sk r_s(x_k)^2     for a set s: the points of one term of one task.
//
// Sets of one group at the same points share them, and points that ask for the same derivatives go through the derivative
// engine as one batch; block by block jets, then residuals and their derivatives by the jets (problems/term_program.h), then
// the reverse pass, which gives one gradient for each group of sets at the cost of one.
#pragma once

#include <functional>
#include <memory>

#include "solvers/train/task_network.h"

namespace torsor {

/// The points of one term of one task.
struct PointSet {
  Index task = 0, term = 0;
  Eigen::MatrixXd points;    ///< N x d
  Eigen::MatrixXd normals;   ///< N x d on boundaries, else empty
  Eigen::VectorXd weights;   ///< w_k, N; empty: all 1
};

class TaskLosses {
 public:
  /// `tasks` and `network` must outlive it. Throws InputError, naming term and derivative, for derivatives that the
  /// engine does not have, and terms without a formula.
  TaskLosses(const std::vector<Problem>& tasks, const TaskNetwork& network);
  ~TaskLosses();

  /// `groups`, one for each set, as in the calls of gradients(): sets of one task and group at the same points then share
  /// the network's evaluation there. Without them every set has its own.
  void set_points(std::vector<PointSet> sets, std::vector<Index> groups = {});
  /// Other groups for the same sets.
  void share_points(std::vector<Index> groups);
  const std::vector<PointSet>& sets() const { return sets_; }
  /// New weights w of one set.
  void set_weights(Index set, Eigen::VectorXd weights) { sets_[static_cast<size_t>(set)].weights = std::move(weights); }
  /// "term of task" for messages and histories; the term alone with one task.
  std::string name(Index set) const;

  /// Every function throws NumericalError, naming term, task and point, when a residual is not finite.
  /// L_s of every set.
  Eigen::VectorXd losses(const Eigen::VectorXd& parameters) const;
  /// r_s at the points of every set.
  std::vector<Eigen::VectorXd> residuals(const Eigen::VectorXd& parameters) const;

  struct Gradients {
    Eigen::VectorXd losses;     ///< L_s of every set; 0 where it was left out
    Eigen::MatrixXd gradients;  ///< size x groups: of the sum of factor_s L_s over the group's sets
    std::vector<Eigen::VectorXd> residuals;  ///< empty where the set was left out
  };
  /// Sets with factor 0 are not evaluated.
  Gradients gradients(const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
                      const std::vector<Index>& group_of_set, Index groups) const;

  /// Rows sqrt(factor_s w_k / N_s) r_s(x_k), with their Jacobian by the parameters, block by block: the sum of their
  /// squares is sum_s factor_s L_s.
  void residual_blocks(const Eigen::VectorXd& parameters, const Eigen::VectorXd& factors,
                       const std::function<void(Eigen::Ref<Eigen::VectorXd>, Eigen::Ref<Eigen::MatrixXd>)>& take) const;
  Index residual_count() const;

  /// mean_k |d r_s(x_k) / d parameters|^2 over at most 256 of the set's points: the trace of its neural tangent kernel
  /// over the number of points.
  double tangent_kernel(Index set, const Eigen::VectorXd& parameters) const;

 private:
  struct Batch;
  const Term& term_of(const PointSet& set) const;
  void add_gradients(const Batch& batch, const std::vector<size_t>& stretches, const Eigen::VectorXd& parameters,
                     const Eigen::VectorXd& factors, const std::vector<Index>& group_of_set, Gradients& result) const;
  void add_adjoints(const Batch& batch, size_t stretch, Index begin, Index count, const double* jets,
                    const Eigen::VectorXd& factors, std::vector<Eigen::VectorXd>& residuals, double* adjoints) const;
  void make_batches();
  std::vector<std::vector<Index>> stretches() const;
  std::unique_ptr<Batch> make_batch(const std::vector<MultiIndex>& derivatives,
                                    const std::vector<std::vector<Index>>& stretches) const;
  void linearise(const Batch& batch, size_t stretch, size_t member, Index begin, Index count, const double* jets,
                 double* residuals, Eigen::MatrixXd* coefficients) const;

  const std::vector<Problem>& tasks_;
  const TaskNetwork& network_;
  std::vector<PointSet> sets_;
  std::vector<Index> groups_;  // of the sets that may share points; empty: none
  std::vector<std::unique_ptr<Batch>> batches_;
};

}  // namespace torsor
