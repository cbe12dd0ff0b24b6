// A symmetric matrix H (n x n) that takes rank-two updates and multiplies vectors, in one sweep over half its entries:
//
//     H <- H / tau + a s s^T + b (s h^T + h s^T) + c h h^T.
//
// The sweep is limited by memory (n = 5000: 100 MB read and written), so an update is only noted, and carried out when
// the next product needs the entries anyway.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "solvers/state.h"

namespace torsor {

using Eigen::Index;

/// Coefficients of the update.
struct SymmetricUpdate {
  double tau = 1, a = 0, b = 0, c = 0;
};

class InverseHessian {
 public:
  /// `scale` times the identity.
  InverseHessian(Index n, double scale);

  Index size() const { return n_; }

  /// Notes an update; one that is still pending is carried out first.
  void update(const SymmetricUpdate& coefficients, const Eigen::VectorXd& s, const Eigen::VectorXd& h);

  /// H (x, z) in one sweep, which carries out a pending update. The bits depend on the number of threads.
  void multiply(const Eigen::VectorXd& x, const Eigen::VectorXd& z, Eigen::VectorXd& hx, Eigen::VectorXd& hz);

  /// All entries, with a pending update carried out.
  Eigen::MatrixXd dense();

  State state() const;
  explicit InverseHessian(const State& state);

 private:
  Index column_offset(Index j) const { return j * n_ - j * (j - 1) / 2; }
  void apply_pending();

  Index n_ = 0;
  Eigen::VectorXd entries_;  // lower triangle, column after column
  bool pending_ = false;
  SymmetricUpdate coefficients_;
  Eigen::VectorXd s_, h_;
};

}  // namespace torsor
