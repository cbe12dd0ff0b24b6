#include "operators/sine_features.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "operators/sine_kernel.h"
#include "physics/error.h"
#include "physics/random.h"
#include "physics/sampler.h"

namespace torsor {
namespace {

/// From a point of (0, 1)^(d + 1) to one of the unit ball of R^d, uniform measure to uniform measure.
Eigen::VectorXd to_ball(const Eigen::Ref<const Eigen::VectorXd>& unit) {
  const Index d = unit.size() - 1;
  Eigen::VectorXd direction(d);
  for (Index i = 0; i < d; ++i) direction[i] = normal_quantile(std::clamp(unit[i], 1e-12, 1 - 1e-12));
  const double norm = direction.norm();
  return norm > 0 ? Eigen::VectorXd(std::pow(unit[d], 1.0 / static_cast<double>(d)) / norm * direction) : direction;
}

void check(const SineFeatures::Options& options) {
  if (options.features < 1)
    throw InputError("sine features: features = " + std::to_string(options.features) + " must be >= 1");
  const Index d = options.bandwidth.size();
  if (d < 1) throw InputError("sine features: bandwidth is empty");
  if (options.centre.size() != d || options.period.size() != d)
    throw InputError("sine features: bandwidth, centre and period differ in size");
  for (Index i = 0; i < d; ++i)
    if (!(options.bandwidth[i] > 0) || !std::isfinite(options.bandwidth[i]))
      throw InputError("sine features: bandwidth = " + std::to_string(options.bandwidth[i]) + " must be > 0");
}

/// Derivative columns sorted into those that multiply the sine and those that multiply the cosine.
struct Parity {
  std::vector<Index> order;  // even total orders first
  Index n_even = 0, n_odd = 0;
};

Parity split_by_parity(const std::vector<MultiIndex>& indices) {
  Parity parity;
  for (int odd : {0, 1})
    for (size_t c = 0; c < indices.size(); ++c)
      if (total_order(indices[c]) % 2 == odd) parity.order.push_back(static_cast<Index>(c));
  for (const auto& a : indices) (total_order(a) % 2 ? parity.n_odd : parity.n_even) += 1;
  return parity;
}

}  // namespace

SineFeatures::SineFeatures(const Options& options) {
  check(options);
  const Index d = options.bandwidth.size(), m = options.features;
  // Frequencies and phases of low discrepancy leave no gaps: several times more accurate than independent ones.
  const Eigen::MatrixXd draws = make_sampler("sobol")->points(m, d + 2, options.seed);
  frequencies_.resize(m, d);
  phases_.resize(m);
  centre_ = options.centre;
  for (Index j = 0; j < m; ++j) {
    frequencies_.row(j) = to_ball(draws.row(j).head(d + 1).transpose()).cwiseProduct(options.bandwidth);
    for (Index i = 0; i < d; ++i) {
      if (options.period[i] <= 0) continue;
      const double unit = 2 * std::numbers::pi / options.period[i];
      frequencies_(j, i) = unit * std::round(frequencies_(j, i) / unit);
    }
    phases_[j] = 2 * std::numbers::pi * draws(j, d + 1);
  }
}

SineFeatures::SineFeatures(Eigen::MatrixXd frequencies, Eigen::VectorXd phases, Eigen::VectorXd centre)
    : frequencies_(std::move(frequencies)), phases_(std::move(phases)), centre_(std::move(centre)) {
  if (phases_.size() != frequencies_.rows() || centre_.size() != frequencies_.cols())
    throw InputError("sine features: frequencies, phases and centre differ in size");
}

// Column c of the result: sign * prod_i W_i^a_i, with the sign of sin(z + |a| pi/2) = +-sin z or +-cos z.
Eigen::MatrixXd SineFeatures::monomials(const std::vector<MultiIndex>& indices) const {
  Eigen::MatrixXd result(features(), static_cast<Index>(indices.size()));
  for (size_t c = 0; c < indices.size(); ++c) {
    const double sign = (total_order(indices[c]) / 2) % 2 ? -1.0 : 1.0;
    Eigen::ArrayXd column = Eigen::ArrayXd::Constant(features(), sign);
    for (Index i = 0; i < dimension(); ++i)
      for (int order = 0; order < indices[c][static_cast<size_t>(i)]; ++order) column *= frequencies_.col(i).array();
    result.col(static_cast<Index>(c)) = column;
  }
  return result;
}

void SineFeatures::add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                            const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const {
  const Index n = points.rows();
  if (n == 0) return;
  const Parity parity = split_by_parity(indices);
  const Eigen::MatrixXd local = points.rowwise() - centre_.transpose();
  const Eigen::MatrixXd sorted = coefficients(Eigen::all, parity.order);
  const Eigen::MatrixXd factors = monomials(indices)(Eigen::all, parity.order).transpose();
  const Eigen::MatrixXd w = frequencies_.transpose();
  for (Index j = 0; j < features(); ++j)
    sine_row_kernel(n, dimension(), local.data(), n, w.col(j).data(), phases_[j], parity.n_even, parity.n_odd,
                    factors.col(j).data(), sorted.data(), n, out + j * ld);
}

Eigen::MatrixXd SineFeatures::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                         const std::vector<MultiIndex>& indices,
                                         const Eigen::Ref<const Eigen::VectorXd>& head) const {
  const Index n = points.rows();
  Eigen::MatrixXd sorted = Eigen::MatrixXd::Zero(n, static_cast<Index>(indices.size()));
  if (n == 0) return sorted;
  const Parity parity = split_by_parity(indices);
  const Eigen::MatrixXd local = points.rowwise() - centre_.transpose();
  const Eigen::MatrixXd factors = (head.asDiagonal() * monomials(indices)(Eigen::all, parity.order)).transpose();
  const Eigen::MatrixXd w = frequencies_.transpose();
  for (Index j = 0; j < features(); ++j)
    sine_jet_kernel(n, dimension(), local.data(), n, w.col(j).data(), phases_[j], parity.n_even, parity.n_odd,
                    factors.col(j).data(), sorted.data(), n);
  Eigen::MatrixXd jets(n, sorted.cols());
  for (size_t c = 0; c < parity.order.size(); ++c) jets.col(parity.order[c]) = sorted.col(static_cast<Index>(c));
  return jets;
}

}  // namespace torsor
