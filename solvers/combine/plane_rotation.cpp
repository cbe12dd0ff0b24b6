#include "solvers/combine/plane_rotation.h"

#include <algorithm>
#include <cmath>

namespace torsor {
namespace {

constexpr double kLargestCosine = 0.999;

}  // namespace

PlaneRotation::PlaneRotation(const Eigen::MatrixXd& cosines, const Eigen::VectorXd& products, std::vector<bool> turns,
                             double lambda)
    : cosines_(cosines), products_(products), lambda_(lambda) {
  const Index m = products.size();
  angles_to_d_.resize(m);
  caps_.resize(m);
  for (Index i = 0; i < m; ++i) {
    angles_to_d_[i] = std::acos(std::clamp(products[i], -1.0, 1.0));
    const bool turnable = turns[static_cast<size_t>(i)] && std::abs(products[i]) <= kLargestCosine;
    caps_[i] = turnable ? angles_to_d_[i] : 0.0;
  }
}

PlaneRotation::Rotated PlaneRotation::rotated(const Eigen::VectorXd& angles) const {
  Rotated r{Eigen::VectorXd::Ones(size()), Eigen::VectorXd::Zero(size())};
  for (Index i = 0; i < size(); ++i) {
    if (caps_[i] == 0) continue;
    const double sine = std::sin(angles_to_d_[i]);
    r.a[i] = std::sin(angles_to_d_[i] - angles[i]) / sine;
    r.b[i] = std::sin(angles[i]) / sine;
  }
  return r;
}

Eigen::MatrixXd PlaneRotation::rotated_cosines(const Rotated& r) const {
  Eigen::MatrixXd result = r.a.asDiagonal() * cosines_ * r.a.asDiagonal();
  const Eigen::VectorXd mixed = r.a.cwiseProduct(products_);
  result += mixed * r.b.transpose() + r.b * mixed.transpose() + r.b * r.b.transpose();
  result.diagonal().setOnes();  // |r_i| = 1 by construction
  return result;
}

double PlaneRotation::objective(const Eigen::VectorXd& angles) const {
  const double m = static_cast<double>(size());
  if (m < 2) return 0;
  const double square_of_sum = rotated_cosines(rotated(angles)).sum();
  const double alignment = (m * (m - 1) - (square_of_sum - m)) / 2;
  return alignment / (m * (m - 1)) + lambda_ / (2 * m) * (1 - angles.array().cos()).sum();
}

Eigen::VectorXd PlaneRotation::gradient(const Eigen::VectorXd& angles) const {
  const double m = static_cast<double>(size());
  Eigen::VectorXd result = Eigen::VectorXd::Zero(size());
  if (m < 2) return result;
  const Rotated r = rotated(angles);
  const Eigen::VectorXd u_times_sum = cosines_ * r.a + products_ * r.b.sum();
  const double d_times_sum = products_.dot(r.a) + r.b.sum();
  for (Index i = 0; i < size(); ++i) {
    if (caps_[i] == 0) continue;
    const double sine = std::sin(angles_to_d_[i]);
    const double turned =
        (-std::cos(angles_to_d_[i] - angles[i]) * u_times_sum[i] + std::cos(angles[i]) * d_times_sum) / sine;
    result[i] = -turned / (m * (m - 1)) + lambda_ / (2 * m) * std::sin(angles[i]);
  }
  return result;
}

Eigen::VectorXd PlaneRotation::minimise(const Eigen::VectorXd& start, Index steps, double rate) const {
  const auto clamped = [&](const Eigen::VectorXd& x) { return x.cwiseMax(0.0).cwiseMin(caps_).eval(); };
  Eigen::VectorXd angles = clamped(start);
  for (Index step = 0; step < steps; ++step) angles = clamped(angles - rate * gradient(angles));
  return angles;
}

}  // namespace torsor
