#include "solvers/reference/transport_volterra.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <string>
#include <utility>

#include "physics/error.h"
#include "physics/transport_exact.h"
#include "physics/velocity_set.h"
#include "solvers/reference/chebyshev.h"
#include "solvers/reference/fourier.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

constexpr double kPi = std::numbers::pi;
constexpr Complex kI{0.0, 1.0};
constexpr int kDegree = 16;       // of the pieces in tau
constexpr int kGauss = 24;        // nodes of the integral over a piece
constexpr double kMemory = 40.0;  // tau beyond which only the eigenmode is left
constexpr double kPhase = 4.0;    // (1 + kappa) times the length of a piece: degree 16 leaves 1e-14
constexpr int kMaxPieces = 4000;

const VelocitySet& gauss_rule() {
  static const VelocitySet rule = half_range_velocities(kGauss);
  return rule;
}

}  // namespace

// One Fourier mode: rho^ on the pieces, and what it gives.
class TransportVolterra::Mode {
 public:
  Mode(const TransportMode& mode, double k, double eps, double t_end) : shape_(mode.shape), k_(k), eps_(eps) {
    kappa_ = eps * std::abs(k);
    tau_end_ = std::min(t_end / (eps * eps), kMemory);
    set_up_shape();
    if (t_end / (eps * eps) > kMemory) set_up_eigenmode();
    solve();
  }

  double wave_number() const { return k_; }

  Complex rho(double t) const {
    const double tau = t / (eps_ * eps_);
    if (tau > kMemory) return amplitude_ * std::exp(lambda_ * t);
    const Index p = piece_at(tau);
    return values_at(p, VectorXd::Constant(1, tau / length_ - static_cast<double>(p)))(0);
  }

  Complex flux(double t) const {
    const double tau = t / (eps_ * eps_);
    // rho_t + i k j = 0.
    if (tau > kMemory) return k_ == 0.0 ? 0.0 : kI * (lambda_ / k_) * rho(t);
    const Complex memory = memory_integral(
        tau, [this](double s) { return -kI * direction() * std::exp(-s) * std::sph_bessel(1, kappa_ * s); });
    return (free_moment(tau, 1) + memory) / eps_;
  }

  Complex f(double t, double v) const {
    const double tau = t / (eps_ * eps_);
    const Complex rate = 1.0 + kI * (eps_ * k_ * v);
    if (tau > kMemory) return rho(t) / (a_ + kI * (eps_ * k_ * v));
    return std::exp(-rate * tau) * shape_(v) +
           memory_integral(tau, [rate](double s) { return std::exp(-rate * s); });
  }

  // rho^, j^ and f^ at many velocities, with one interpolation of rho^ for all of them.
  Eigen::RowVectorXcd amplitudes(double t, const VectorXd& velocities) const {
    const double tau = t / (eps_ * eps_);
    Eigen::RowVectorXcd result(2 + velocities.size());
    result.head(2) << rho(t), flux(t);
    if (tau > kMemory) {
      for (Index m = 0; m < velocities.size(); ++m) result(2 + m) = f(t, velocities(m));
      return result;
    }
    VectorXcd past;
    VectorXd elapsed;
    gather_past(tau, past, elapsed);
    for (Index m = 0; m < velocities.size(); ++m) {
      const Complex rate = 1.0 + kI * (eps_ * k_ * velocities(m));
      result(2 + m) = std::exp(-rate * tau) * shape_(velocities(m));
      for (Index g = 0; g < past.size(); ++g) result(2 + m) += std::exp(-rate * elapsed(g)) * past(g);
    }
    return result;
  }

 private:
  double direction() const { return k_ < 0.0 ? -1.0 : 1.0; }

  // f^0 at nodes enough for e^{-i kappa v tau} up to the end.
  void set_up_shape() {
    if (kappa_ * tau_end_ > kPhase * kMaxPieces)
      throw NumericalError("transport_volterra: |k| t_end/eps = " + scientific(kappa_ * tau_end_) +
                           " for k = " + scientific(k_) + ", at most " + scientific(kPhase * kMaxPieces) +
                           " are possible");
    set_ = double_gauss_velocities(48 + static_cast<int>(0.5 * kappa_ * tau_end_));
    initial_.resize(set_.size());
    for (Index m = 0; m < set_.size(); ++m) initial_(m) = set_.weights(m) * shape_(set_.nodes(m));
    if (!initial_.allFinite()) throw InputError("transport_volterra: a value of shape is not finite");
  }

  // The projection on the eigenfunction; without one nothing is left at late times.
  void set_up_eigenmode() {
    if (kappa_ >= 0.5 * kPi) return;
    lambda_ = k_ == 0.0 ? 0.0 : transport_decay_rate(eps_, std::abs(k_));
    a_ = 1.0 + eps_ * eps_ * lambda_;
    Complex projection = 0.0;
    for (Index m = 0; m < set_.size(); ++m)
      projection += initial_(m) / (a_ + kI * (eps_ * k_ * set_.nodes(m)));
    amplitude_ = (a_ * a_ + kappa_ * kappa_) * projection;
  }

  // e^{-tau} <v^power f^0 e^{-i kappa v tau}>.
  Complex free_moment(double tau, int power) const {
    Complex total = 0.0;
    for (Index m = 0; m < set_.size(); ++m)
      total +=
          std::pow(set_.nodes(m), power) * std::exp(-kI * (eps_ * k_ * set_.nodes(m) * tau)) * initial_(m);
    return std::exp(-tau) * total;
  }

  double kernel(double s) const { return std::exp(-s) * std::sph_bessel(0, kappa_ * s); }

  void solve() {
    const int pieces = std::max(1, static_cast<int>(std::ceil(tau_end_ * (1.0 + kappa_) / kPhase)));
    length_ = tau_end_ > 0.0 ? tau_end_ / pieces : 1.0;
    const VectorXd unit = chebyshev_nodes(kDegree, 0.0, 1.0);
    // memory[d](i, j): the weight of value j of a piece in the integral to node i of the piece d later.
    std::vector<MatrixXd> memory;
    for (int d = 0; d < pieces; ++d) memory.push_back(memory_matrix(d, unit));
    const auto self = (MatrixXd::Identity(kDegree + 1, kDegree + 1) - memory[0]).partialPivLu();
    values_.resize(kDegree + 1, pieces);
    for (int p = 0; p < pieces; ++p) {
      VectorXcd right(kDegree + 1);
      for (int i = 0; i <= kDegree; ++i) right(i) = free_moment((p + unit(i)) * length_, 0);
      for (int q = 0; q < p; ++q) right += memory[static_cast<std::size_t>(p - q)] * values_.col(q);
      values_.col(p).real() = self.solve(right.real());
      values_.col(p).imag() = self.solve(right.imag());
    }
  }

  MatrixXd memory_matrix(int d, const VectorXd& unit) const {
    const VelocitySet& rule = gauss_rule();
    MatrixXd result = MatrixXd::Zero(kDegree + 1, kDegree + 1);
    for (int i = 0; i <= kDegree; ++i) {
      const double share = d == 0 ? unit(i) : 1.0;  // within the own piece only up to the node
      if (share == 0.0) continue;
      const VectorXd at = share * rule.nodes;
      const MatrixXd lagrange = chebyshev_interpolation(kDegree, 0.0, 1.0, at);
      for (int g = 0; g < kGauss; ++g)
        result.row(i) +=
            length_ * share * rule.weights(g) * kernel(length_ * (d + unit(i) - at(g))) * lagrange.row(g);
    }
    return result;
  }

  Index piece_at(double tau) const {
    return std::clamp<Index>(static_cast<Index>(tau / length_), 0, values_.cols() - 1);
  }

  // rho^ at places of piece p, 0 its start and 1 its end.
  VectorXcd values_at(Index p, const VectorXd& places) const {
    return chebyshev_interpolation(kDegree, 0.0, 1.0, places) * values_.col(p);
  }

  // int_0^tau kernel(s) rho^(tau - s) ds.
  template <class Kernel>
  Complex memory_integral(double tau, const Kernel& kernel_of) const {
    VectorXcd past;
    VectorXd elapsed;
    gather_past(tau, past, elapsed);
    Complex total = 0.0;
    for (Index g = 0; g < past.size(); ++g) total += kernel_of(elapsed(g)) * past(g);
    return total;
  }

  // The nodes of the integrals over the past: s, and rho^(tau - s) times the weight of the node.
  void gather_past(double tau, VectorXcd& past, VectorXd& elapsed) const {
    const VelocitySet& rule = gauss_rule();
    const Index last = piece_at(tau);
    past.resize((last + 1) * kGauss);
    elapsed.resize((last + 1) * kGauss);
    for (Index p = 0; p <= last; ++p) {
      const double start = static_cast<double>(p) * length_;
      const double share = p == last ? (tau - start) / length_ : 1.0;
      const VectorXd places = share * rule.nodes;
      past.segment(p * kGauss, kGauss) = (share * length_ * rule.weights).cwiseProduct(values_at(p, places));
      // Where tau begins a piece, rounding can make it less than zero.
      elapsed.segment(p * kGauss, kGauss) = (tau - start - length_ * places.array()).max(0.0).matrix();
    }
  }

  std::function<Complex(double)> shape_;
  double k_, eps_, kappa_ = 0.0, tau_end_ = 0.0;
  VelocitySet set_;
  VectorXcd initial_;  // weights times f^0
  double lambda_ = 0.0, a_ = 1.0;
  Complex amplitude_ = 0.0;  // of the eigenmode in rho^
  double length_ = 1.0;      // of a piece
  Eigen::MatrixXcd values_;  // rho^, (degree + 1) x pieces
};

std::vector<TransportMode> transport_modes(const std::function<double(double)>& profile,
                                           const std::function<double(double)>& shape, double a, double b,
                                           int nodes) {
  if (!profile || !shape) throw InputError("transport_modes: profile and shape must be given");
  const VectorXd x = fourier_nodes(nodes, a, b);
  VectorXcd coefficients = VectorXcd::Zero((nodes + 1) / 2);
  for (int j = 0; j < nodes; ++j) {
    const double value = profile(x(j));
    for (Index w = 0; w < coefficients.size(); ++w) {
      // The phase modulo one turn first: no rounding of large angles.
      const double turn = static_cast<double>(w * j % nodes) / nodes;
      coefficients(w) += (w == 0 ? 1.0 : 2.0) / nodes * value * std::exp(-2.0 * kPi * kI * turn);
    }
  }
  const double negligible = 1e-15 * coefficients.cwiseAbs().maxCoeff();
  std::vector<TransportMode> modes;
  for (Index w = 0; w < coefficients.size(); ++w) {
    const Complex c = coefficients(w);
    if (std::abs(c) > negligible)
      modes.push_back({static_cast<int>(w), [c, shape](double v) { return c * shape(v); }});
  }
  return modes;
}

TransportVolterra::TransportVolterra(double a, double b, double eps, std::vector<TransportMode> modes,
                                     double t_end)
    : a_(a), eps_(eps), t_end_(t_end) {
  if (!(a < b))
    throw InputError("transport_volterra: a = " + scientific(a) + " < b = " + scientific(b) + " is needed");
  if (!(eps > 0.0)) throw InputError("transport_volterra: eps = " + scientific(eps) + " must be positive");
  if (!(t_end >= 0.0))
    throw InputError("transport_volterra: t_end = " + scientific(t_end) + " must not be negative");
  for (const TransportMode& mode : modes) {
    if (!mode.shape)
      throw InputError("transport_volterra: the shape of wave " + std::to_string(mode.wave) + " is missing");
    modes_.push_back(std::make_unique<Mode>(mode, 2.0 * kPi * mode.wave / (b - a), eps, t_end));
  }
}

TransportVolterra::~TransportVolterra() = default;

void TransportVolterra::check_points(const MatrixXd& points, Index columns) const {
  if (points.cols() != columns)
    throw InputError("transport_volterra: points must have " + std::to_string(columns) + " columns");
  for (Index i = 0; i < points.rows(); ++i)
    if (!(points(i, 1) >= 0.0 && points(i, 1) <= t_end_))
      throw InputError("transport_volterra: t = " + scientific(points(i, 1)) + " is not in [0, " +
                       scientific(t_end_) + "]");
  if (columns == 3 && points.rows() > 0 && !(points.col(2).cwiseAbs().maxCoeff() <= 1.0))
    throw InputError("transport_volterra: |v| <= 1 is needed");
}

// Re sum over the modes of exp(ik(x - a)) amplitude(mode, rest), where `rest` are the other coordinates of
// the point: each distinct one is worked out once.
template <class Amplitude>
VectorXd TransportVolterra::sum(const MatrixXd& points, const Amplitude& amplitude) const {
  VectorXd values = VectorXd::Zero(points.rows());
  for (const auto& mode : modes_) {
    std::map<std::pair<double, double>, Complex> known;
    for (Index i = 0; i < points.rows(); ++i) {
      const double t = points(i, 1), v = points.cols() > 2 ? points(i, 2) : 0.0;
      const auto [found, is_new] = known.try_emplace({t, v});
      if (is_new) found->second = amplitude(*mode, t, v);
      values(i) += (std::exp(kI * (mode->wave_number() * (points(i, 0) - a_))) * found->second).real();
    }
  }
  return values;
}

VectorXd TransportVolterra::rho(const MatrixXd& points) const {
  check_points(points, 2);
  return sum(points, [](const Mode& mode, double t, double) { return mode.rho(t); });
}

VectorXd TransportVolterra::flux(const MatrixXd& points) const {
  check_points(points, 2);
  return sum(points, [](const Mode& mode, double t, double) { return mode.flux(t); });
}

VectorXd TransportVolterra::f(const MatrixXd& points) const {
  check_points(points, 3);
  return sum(points, [](const Mode& mode, double t, double v) { return mode.f(t, v); });
}

Eigen::MatrixXcd TransportVolterra::amplitudes(double t, const VectorXd& velocities) const {
  MatrixXd points(velocities.size(), 3);
  points << VectorXd::Zero(velocities.size()), VectorXd::Constant(velocities.size(), t), velocities;
  check_points(points, 3);
  Eigen::MatrixXcd result(static_cast<Index>(modes_.size()), 2 + velocities.size());
  for (std::size_t m = 0; m < modes_.size(); ++m)
    result.row(static_cast<Index>(m)) = modes_[m]->amplitudes(t, velocities);
  return result;
}

VectorXd TransportVolterra::wave_numbers() const {
  VectorXd numbers(static_cast<Index>(modes_.size()));
  for (std::size_t m = 0; m < modes_.size(); ++m) numbers(static_cast<Index>(m)) = modes_[m]->wave_number();
  return numbers;
}

double TransportVolterra::memory() const { return kMemory * eps_ * eps_; }

}  // namespace torsor
