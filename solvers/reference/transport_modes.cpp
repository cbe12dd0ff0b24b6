#include "solvers/reference/transport_modes.h"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <cmath>
#include <complex>
#include <string>
#include <unsupported/Eigen/MatrixFunctions>

#include "physics/error.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

constexpr Complex kI{0.0, 1.0};
constexpr double kSlow = 0.5;      // largest eps |k.v| with a slow eigenvalue well apart from the others
constexpr double kMemory = 80.0;   // tau at which the others have died away
constexpr double kDependent = 1e3; // condition number of eigenvectors from which on they are not used

// The root zeta of the secular equation, by Newton's method; squares = (k.v_j)^2.
double slow_rate(const VectorXd& weights, const ArrayXd& squares, double eps) {
  const double e2 = eps * eps;
  double zeta = -weights.dot(squares.matrix());
  for (int k = 0; k < 50; ++k) {
    const double s = 1.0 + e2 * zeta;
    const ArrayXd numerator = zeta * s + squares, denominator = s * s + e2 * squares;
    const ArrayXd slope = (1.0 + 2.0 * e2 * zeta) / denominator - numerator * 2.0 * s * e2 / denominator.square();
    const double change =
        weights.dot((numerator / denominator).matrix()) / weights.dot(slope.matrix());
    zeta -= change;
    if (!(std::abs(change) > 1e-15 * std::abs(zeta))) return zeta;
  }
  return zeta;
}

}  // namespace

bool has_mirror_images(const VelocityBasis& velocities) {
  for (Index j = 0; j < velocities.size(); ++j) {
    bool found = false;
    for (Index i = 0; i < velocities.size() && !found; ++i)
      found = (velocities.nodes.row(i) + velocities.nodes.row(j)).cwiseAbs().maxCoeff() <= 1e-13 &&
              std::abs(velocities.weights(i) - velocities.weights(j)) <= 1e-13;
    if (!found) return false;
  }
  return true;
}

OrdinatesMode::OrdinatesMode(const VelocityBasis& velocities, double eps, const VectorXd& wave, const VectorXcd& start)
    : eps_(eps), fast_(start) {
  if (!(eps > 0.0)) throw InputError("transport-modes: eps = " + scientific(eps) + " must be positive");
  if (wave.size() != velocities.dimension() || start.size() != velocities.size())
    throw InputError("transport-modes: a wave vector of " + std::to_string(velocities.dimension()) +
                     " components and " +
                     std::to_string(velocities.size()) + " moments are needed");
  if (!has_mirror_images(velocities)) throw InputError("transport-modes: each velocity v needs -v of the same weight");
  const VectorXd speeds = velocities.nodes * wave;
  streaming_ = velocities.polynomials.transpose() * velocities.weights.cwiseProduct(speeds).asDiagonal() *
               velocities.polynomials;
  has_slow_ = eps * speeds.cwiseAbs().maxCoeff() <= kSlow;
  if (has_slow_) split_slow_part(velocities, speeds);
}

// With start = rho e_0 + eps h and <d^2> = d.d (not conjugated), the coefficient of e_0 + eps d is
// c = (rho + eps^2 d.h)/(1 + eps^2 d.d), and what is left is eps (eps a e_0 + h - c d), a = (rho d.d - d.h)/(...).
void OrdinatesMode::split_slow_part(const VelocityBasis& velocities, const VectorXd& speeds) {
  slow_rate_ = slow_rate(velocities.weights, speeds.array().square(), eps_);
  const Index n = velocities.size(), rest = n - 1;
  MatrixXcd system = kI * eps_ * streaming_.bottomRightCorner(rest, rest).cast<Complex>();
  system.diagonal().array() += 1.0 + eps_ * eps_ * slow_rate_;
  const VectorXcd d = system.partialPivLu().solve(-kI * streaming_.col(0).tail(rest));
  const Complex rho = fast_(0);
  const VectorXcd h = fast_.tail(rest) / eps_;
  const Complex dd = d.cwiseProduct(d).sum(), dh = d.cwiseProduct(h).sum(), size = 1.0 + eps_ * eps_ * dd;
  const Complex c = (rho + eps_ * eps_ * dh) / size;
  slow_.resize(n);
  slow_ << c, eps_ * c * d;
  fast_scale_ = eps_;
  fast_ << eps_ * (rho * dd - dh) / size, h - c * d;
}

void OrdinatesMode::diagonalise() const {
  diagonalised_ = true;
  generator_ = -kI * eps_ * streaming_.cast<Complex>();
  generator_.diagonal().array() -= 1.0;
  generator_(0, 0) += 1.0;
  const Eigen::ComplexEigenSolver<MatrixXcd> solver(generator_);
  if (solver.info() != Eigen::Success) return;
  const Eigen::PartialPivLU<MatrixXcd> lu(solver.eigenvectors());
  by_eigenvectors_ = lu.rcond() > 1.0 / kDependent;
  if (!by_eigenvectors_) return;
  values_ = solver.eigenvalues();
  vectors_ = solver.eigenvectors();
  coefficients_ = lu.solve(fast_);
}

VectorXcd OrdinatesMode::fast(double tau) const {
  if (tau == 0.0) return fast_;
  if (!diagonalised_) diagonalise();
  if (by_eigenvectors_) return vectors_ * ((values_ * tau).array().exp() * coefficients_.array()).matrix();
  return MatrixXcd(tau * generator_).exp() * fast_;
}

VectorXcd OrdinatesMode::moments(double t) const {
  const double tau = t / (eps_ * eps_);
  if (!has_slow_) return fast(tau);
  VectorXcd m = std::exp(slow_rate_ * t) * slow_;
  if (tau < kMemory) m += fast_scale_ * fast(tau);
  return m;
}

}  // namespace torsor
