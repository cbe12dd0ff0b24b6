// Features of a periodic field: those of another body times the modes of a Fourier series,
//
//   phi_{k m + j}(x) = e_k(x) psi_j(x),    e_k in {1, cos(2 pi h (x_i - c_i)/L_i), sin(2 pi h (x_i - c_i)/L_i)}, h = 1 ... H,
//
// products over the periodic coordinates x_i of length L_i, where the m features psi_j depend on the other coordinates only.
// A field of few harmonics is then left with functions of time, and its modes do not mix: mass, the mode 1, is not lost to
// errors of the others.
#pragma once

#include <memory>
#include <vector>

#include "operators/body.h"

namespace torsor {

class FourierModes {
 public:
  /// `period` L_i, 0 where a coordinate is not periodic. Throws InputError for another number of entries than `centre`
  /// has, harmonics < 1, and without a periodic coordinate.
  FourierModes(Eigen::VectorXd centre, Eigen::VectorXd period, Index harmonics);

  /// (2 H + 1) to the power of the number of periodic coordinates; mode 0 is the constant.
  Index count() const { return count_; }
  /// d^a e_k at points (N x d) for every a of `indices`.
  Eigen::MatrixXd jets(const Eigen::Ref<const Eigen::MatrixXd>& points, Index mode,
                       const std::vector<MultiIndex>& indices) const;
  /// Whether a derivative is zero of whatever does not depend on the periodic coordinates.
  bool differentiates(const MultiIndex& index) const;

  const Eigen::VectorXd& centre() const { return centre_; }
  const Eigen::VectorXd& period() const { return period_; }
  Index harmonics() const { return harmonics_; }

 private:
  Eigen::VectorXd centre_, period_;
  Index harmonics_, count_ = 1;
};

class FourierBody : public Body {
 public:
  /// `body` must not depend on the periodic coordinates of `modes`. Throws InputError for another dimension.
  FourierBody(FourierModes modes, std::shared_ptr<const Body> body);

  Index dimension() const override { return body_->dimension(); }
  Index features() const override { return modes_.count() * body_->features(); }
  std::string kind() const override { return "fourier"; }
  bool is_trained() const override { return body_->is_trained(); }
  std::shared_ptr<const Body> with_constants(const Eigen::VectorXd& constants) const override {
    return std::make_shared<FourierBody>(modes_, body_->with_constants(constants));
  }
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const override;
  Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                             const Eigen::Ref<const Eigen::VectorXd>& w) const override;

  const FourierModes& modes() const { return modes_; }
  const std::shared_ptr<const Body>& body() const { return body_; }

 private:
  FourierModes modes_;
  std::shared_ptr<const Body> body_;
};

}  // namespace torsor
