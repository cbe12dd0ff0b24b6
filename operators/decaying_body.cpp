#include "operators/decaying_body.h"

#include <cmath>

#include "physics/error.h"

namespace torsor {

DecayingBody::DecayingBody(std::shared_ptr<const Body> body, Index time, double start, double rate)
    : body_(std::move(body)), time_(time), start_(start), rate_(rate) {
  if (time < 0 || time >= body_->dimension()) throw InputError("decaying body: there is no such time coordinate");
}

Eigen::MatrixXd DecayingBody::factor(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                     const std::vector<MultiIndex>& closure) const {
  const Eigen::ArrayXd decay = (-rate_ * (points.col(time_).array() - start_)).exp();
  Eigen::MatrixXd jets = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(closure.size()));
  for (size_t c = 0; c < closure.size(); ++c) {
    const int in_time = closure[c][static_cast<size_t>(time_)];
    if (total_order(closure[c]) == in_time) jets.col(static_cast<Index>(c)) = std::pow(-rate_, in_time) * decay;
  }
  return jets;
}

void DecayingBody::add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                            const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const {
  const auto closure = lower_closure(indices);
  body_->add_rows(points, closure, multiply_operator(indices, coefficients, closure, factor(points, closure)), out, ld);
}

Eigen::MatrixXd DecayingBody::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                         const std::vector<MultiIndex>& indices,
                                         const Eigen::Ref<const Eigen::VectorXd>& w) const {
  const auto closure = lower_closure(indices);
  return product_jets(indices, closure, factor(points, closure), body_->field_jets(points, closure, w));
}

}  // namespace torsor
