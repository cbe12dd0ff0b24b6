// The direction that has the same cosine with every given unit gradient (ConFIG, ICLR 2025, eq. 2-3):
//
//   g_u = U( (M^+)^T 1 ),    M = [r_1 ... r_m],    (M^+)^T 1 = M (M^T M)^+ 1.
//
// Where the r_i are dependent the pseudo-inverse gives the direction whose cosines are closest to equal.
#pragma once

#include <Eigen/Core>

namespace torsor {

/// Weights v with g_u = M v, |M v| = 1, from the cosines M^T M; zero where no direction has equal cosines at all.
Eigen::VectorXd equal_cosine_weights(const Eigen::MatrixXd& cosines);

}  // namespace torsor
