#include "solvers/reference/corner_singularity.h"

#include <complex>

namespace torsor {

Eigen::MatrixXd singular_jets(const std::vector<CornerSingularity>& corners, const Eigen::MatrixXd& points) {
  using Complex = std::complex<double>;
  Eigen::MatrixXd jets = Eigen::MatrixXd::Zero(points.rows(), 6);
  for (const CornerSingularity& s : corners) {
    const double kx = s.direction[0] * s.scale[0], ky = s.direction[1] * s.scale[1];
    for (Eigen::Index i = 0; i < points.rows(); ++i) {
      const Complex zeta(kx * (points(i, 0) - s.corner[0]), ky * (points(i, 1) - s.corner[1]));
      const Complex log_zeta = zeta == Complex(0.0, 0.0) ? Complex(0.0, 0.0) : std::log(zeta);
      // F = zeta^2 log zeta and its derivatives; d/dX = d/dzeta, d/dY = i d/dzeta.
      const Complex f = zeta * zeta * log_zeta, f1 = 2.0 * zeta * log_zeta + zeta, f2 = 2.0 * log_zeta + 3.0;
      Eigen::Matrix<double, 1, 6> jet;
      jet << f.imag(), kx * f1.imag(), ky * f1.real(), kx * kx * f2.imag(), kx * ky * f2.real(),
          -ky * ky * f2.imag();
      jets.row(i) += s.coefficient * jet;
    }
  }
  return jets;
}

}  // namespace torsor
