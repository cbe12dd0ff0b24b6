// Gram matrices of task gradients: A = G^T G for G = [g_1 ... g_m] (D x m), and what is done with them.
//
// A combiner that knows A knows every norm, angle and product of combinations of the gradients:
//   (G v)^T (G w) = v^T A w.
// Products of two entries lose half of the digits of a small singular value of G: directions whose unit gradients
// have eigenvalues below `kRankTolerance` are treated as dependent.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace torsor {

using Eigen::Index;

/// Eigenvalues of a Gram matrix of unit vectors below this fraction of the largest are rounding errors.
constexpr double kRankTolerance = 1e-12;

/// A = G^T G, in one sweep over G.
Eigen::MatrixXd gram_matrix(const Eigen::Ref<const Eigen::MatrixXd>& gradients);

/// A^T B, in one sweep.
Eigen::MatrixXd products(const Eigen::Ref<const Eigen::MatrixXd>& a, const Eigen::Ref<const Eigen::MatrixXd>& b);

/// G w; columns of zero weight are not read.
Eigen::VectorXd weighted_sum(const Eigen::Ref<const Eigen::MatrixXd>& gradients, const Eigen::VectorXd& weights);

/// The gradients that are not zero, as lengths and cosines.
struct UnitGram {
  std::vector<Index> tasks;  ///< which gradients, k of m
  Eigen::VectorXd norms;     ///< k, > 0
  Eigen::MatrixXd cosines;   ///< k x k, ones on the diagonal

  explicit UnitGram(const Eigen::MatrixXd& gram);
  Index size() const { return norms.size(); }
  /// Weights (k) of the unit gradients as weights (m) of the gradients; zero for zero gradients.
  Eigen::VectorXd weights_of_gradients(const Eigen::VectorXd& unit_weights, Index m) const;
  /// Values (k) of the tasks here as values (m) of all tasks, zero elsewhere.
  Eigen::VectorXd spread(const Eigen::VectorXd& values, Index m) const;
};

/// |G w| from the Gram matrix.
double combined_norm(const Eigen::MatrixXd& gram, const Eigen::VectorXd& weights);

/// Q^+ b for symmetric positive semidefinite Q, by its eigenvalues above `tolerance` times the largest.
Eigen::VectorXd pseudo_inverse_times(const Eigen::MatrixXd& q, const Eigen::VectorXd& b,
                                     double tolerance = kRankTolerance);

}  // namespace torsor
