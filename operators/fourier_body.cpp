#include "operators/fourier_body.h"

#include <cmath>
#include <numbers>

#include "physics/error.h"

namespace torsor {

FourierModes::FourierModes(Eigen::VectorXd centre, Eigen::VectorXd period, Index harmonics)
    : centre_(std::move(centre)), period_(std::move(period)), harmonics_(harmonics) {
  if (period_.size() != centre_.size())
    throw InputError("Fourier modes: " + std::to_string(period_.size()) + " periods for " + std::to_string(centre_.size()) +
                     " coordinates");
  if (harmonics < 1) throw InputError("Fourier modes: harmonics = " + std::to_string(harmonics) + " must be >= 1");
  for (const double length : period_)
    if (length > 0) count_ *= 2 * harmonics + 1;
  if (count_ == 1) throw InputError("Fourier modes: no coordinate is periodic");
}

bool FourierModes::differentiates(const MultiIndex& index) const {
  for (Index i = 0; i < period_.size(); ++i)
    if (period_[i] > 0 && index[static_cast<size_t>(i)] > 0) return true;
  return false;
}

Eigen::MatrixXd FourierModes::jets(const Eigen::Ref<const Eigen::MatrixXd>& points, Index mode,
                                   const std::vector<MultiIndex>& indices) const {
  constexpr double kQuarter = std::numbers::pi / 2;  // a derivative of the cosine moves it by that much
  Eigen::MatrixXd jets = Eigen::MatrixXd::Ones(points.rows(), static_cast<Index>(indices.size()));
  for (Index i = 0; i < period_.size(); ++i) {
    const bool periodic = period_[i] > 0;
    const Index own = periodic ? mode % (2 * harmonics_ + 1) : 0;  // 1, cos, sin, cos, sin, ...
    if (periodic) mode /= 2 * harmonics_ + 1;
    const double frequency = own == 0 ? 0 : 2 * std::numbers::pi * static_cast<double>((own + 1) / 2) / period_[i];
    const double phase = own > 0 && own % 2 == 0 ? -kQuarter : 0;
    for (size_t c = 0; c < indices.size(); ++c) {
      const int order = indices[c][static_cast<size_t>(i)];
      if (order == 0 && own == 0) continue;
      jets.col(static_cast<Index>(c)).array() *=
          std::pow(frequency, order) * (frequency * (points.col(i).array() - centre_[i]) + phase + order * kQuarter).cos();
    }
  }
  return jets;
}

FourierBody::FourierBody(FourierModes modes, std::shared_ptr<const Body> body) : modes_(std::move(modes)), body_(std::move(body)) {
  if (modes_.centre().size() != body_->dimension())
    throw InputError("Fourier body: modes of " + std::to_string(modes_.centre().size()) + " coordinates for a body of " +
                     std::to_string(body_->dimension()));
}

namespace {

/// Those derivatives of a closure that are not zero for a function of the other coordinates, and their columns.
std::vector<MultiIndex> remaining(const std::vector<MultiIndex>& closure, const FourierModes& modes, std::vector<Index>& columns) {
  std::vector<MultiIndex> result;
  for (size_t c = 0; c < closure.size(); ++c) {
    if (modes.differentiates(closure[c])) continue;
    result.push_back(closure[c]);
    columns.push_back(static_cast<Index>(c));
  }
  return result;
}

}  // namespace

void FourierBody::add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                           const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const {
  const auto closure = lower_closure(indices);
  std::vector<Index> columns;
  const auto needed = remaining(closure, modes_, columns);
  for (Index k = 0; k < modes_.count(); ++k) {
    const Eigen::MatrixXd of_mode = multiply_operator(indices, coefficients, closure, modes_.jets(points, k, closure));
    body_->add_rows(points, needed, of_mode(Eigen::all, columns), out + k * body_->features() * ld, ld);
  }
}

Eigen::MatrixXd FourierBody::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                                        const Eigen::Ref<const Eigen::VectorXd>& w) const {
  const auto closure = lower_closure(indices);
  std::vector<Index> columns;
  const auto needed = remaining(closure, modes_, columns);
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(indices.size()));
  Eigen::MatrixXd own = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(closure.size()));
  for (Index k = 0; k < modes_.count(); ++k) {
    own(Eigen::all, columns) = body_->field_jets(points, needed, w.segment(k * body_->features(), body_->features()));
    result += product_jets(indices, closure, modes_.jets(points, k, closure), own);
  }
  return result;
}

}  // namespace torsor
