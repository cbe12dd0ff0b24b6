#include "solvers/combine/equal_cosine.h"

#include "solvers/combine/gram.h"

namespace torsor {

Eigen::VectorXd equal_cosine_weights(const Eigen::MatrixXd& cosines) {
  const Eigen::VectorXd v = pseudo_inverse_times(cosines, Eigen::VectorXd::Ones(cosines.rows()));
  const double norm = combined_norm(cosines, v);
  // Opposite gradients leave rounding errors of a zero vector.
  const bool nothing = v.size() == 0 || v.cwiseAbs().maxCoeff() < 1e-8 || norm == 0;
  return nothing ? Eigen::VectorXd(Eigen::VectorXd::Zero(v.size())) : Eigen::VectorXd(v / norm);
}

}  // namespace torsor
