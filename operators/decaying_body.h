// Features for an initial layer: those of another body times exp(-rate (t - start)), t one of the coordinates.
//
// A kinetic field out of equilibrium is smooth in t plus a part exp(-t/eps^2) a(t, x) with a smooth in t/eps^2 (the decay
// is that of unscattered particles, a their free flight), so both parts of a layer are smooth but for the factor.
#pragma once

#include <memory>

#include "operators/body.h"

namespace torsor {

class DecayingBody : public Body {
 public:
  DecayingBody(std::shared_ptr<const Body> body, Index time, double start, double rate);

  Index dimension() const override { return body_->dimension(); }
  Index features() const override { return body_->features(); }
  std::string kind() const override { return "decaying"; }
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const override;
  Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                             const Eigen::Ref<const Eigen::VectorXd>& w) const override;

  const std::shared_ptr<const Body>& body() const { return body_; }
  Index time() const { return time_; }
  double start() const { return start_; }
  double rate() const { return rate_; }

 private:
  /// Jets of the factor over `closure` at the points.
  Eigen::MatrixXd factor(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& closure) const;

  std::shared_ptr<const Body> body_;
  Index time_;
  double start_, rate_;
};

}  // namespace torsor
