// An objective's residuals and Jacobian as the blocks that a streamed QR folds.
#pragma once

#include "solvers/dense/streamed_qr.h"
#include "solvers/optimise/optimiser.h"

namespace torsor {

/// [J, -r] = Q [R, c]. Rows are gathered into one block for each thread and folded at the same time; the bits depend
/// on the number of threads. Throws NumericalError naming the first residual that, or whose derivative, is not finite.
StreamedQr factor_residuals(Objective& objective, const Eigen::VectorXd& x);

/// J^T (n x m) and r, for fewer residuals than parameters.
void gather_residuals(Objective& objective, const Eigen::VectorXd& x, Eigen::MatrixXd& jacobian_transposed,
                      Eigen::VectorXd& residuals);

}  // namespace torsor
