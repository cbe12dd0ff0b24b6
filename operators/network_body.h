// The hidden layers of a trained network as a body: features are the outputs of the last hidden layer, or of all of
// them, and the constant 1, so that the network's own last layer is one head among many. Jets by the derivative engine
// (operators/engine), which a last layer that copies its inputs makes give out the features themselves.
#pragma once

#include "operators/body.h"
#include "operators/engine/network_shape.h"

namespace torsor {

class NetworkBody : public Body {
 public:
  /// `shape` and `parameters` as in NetworkShape; its last layer is not looked at. `constants` (shape.constants) are
  /// the inputs that do not depend on the coordinates. With `concatenate` the features are all hidden layers, first to
  /// last. Throws InputError as NetworkShape::check does and for sizes that differ.
  NetworkBody(NetworkShape shape, const Eigen::VectorXd& parameters, Eigen::VectorXd constants, bool concatenate);

  Index dimension() const override { return shape_.coordinates; }
  Index features() const override { return hidden_ + 1; }
  std::string kind() const override { return "network"; }

  /// As Body::add_rows. Throws InputError for an index that the engine does not support (mixed ones of order > 2,
  /// orders > 4).
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const override;
  /// As Body::field_jets. Throws InputError for an index that the engine does not support.
  Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                             const Eigen::Ref<const Eigen::VectorXd>& w) const override;

  bool is_trained() const override { return true; }
  std::shared_ptr<const Body> with_constants(const Eigen::VectorXd& constants) const override {
    return std::make_shared<NetworkBody>(at_constants(constants));
  }
  /// As with_constants.
  NetworkBody at_constants(const Eigen::VectorXd& constants) const;

  /// The head that a last layer with this row of weights and this bias is: features().
  Eigen::VectorXd head_of(const Eigen::VectorXd& weights, double bias) const;

  /// The shape with features() - 1 outputs, its weights with a last layer that copies, and the constant inputs.
  const NetworkShape& shape() const { return shape_; }
  const Eigen::VectorXd& parameters() const { return parameters_; }
  const Eigen::VectorXd& constants() const { return constants_; }

 private:
  NetworkShape shape_;
  Index hidden_;
  Eigen::VectorXd parameters_, constants_;
};

}  // namespace torsor
