// Features of a kinetic field that is a moment of a network with the velocity among its inputs,
//
//   phi_k(x) = sum_j c_j h_k(x, v_j),     c_j = w_j p_l(v_j) for the moment l,
//
// h_k the hidden layers of the network and 1, which it evaluates at every velocity node v_j.
#pragma once

#include "operators/network_body.h"

namespace torsor {

class VelocityBody : public Body {
 public:
  /// The last constant inputs of `network` are the velocity; `nodes` (J x its components), `weights` c_j (J). Throws
  /// InputError for other numbers of them, and without nodes.
  VelocityBody(const NetworkBody& network, Eigen::MatrixXd nodes, Eigen::VectorXd weights);

  Index dimension() const override { return at_node_.front().dimension(); }
  Index features() const override { return at_node_.front().features(); }
  std::string kind() const override { return "velocity"; }
  bool is_trained() const override { return true; }
  /// `constants`: those before the velocity.
  std::shared_ptr<const Body> with_constants(const Eigen::VectorXd& constants) const override;
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const override;
  Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                             const Eigen::Ref<const Eigen::VectorXd>& w) const override;

  /// The network at the first node.
  const NetworkBody& network() const { return at_node_.front(); }
  const Eigen::MatrixXd& nodes() const { return nodes_; }
  const Eigen::VectorXd& weights() const { return weights_; }

 private:
  Eigen::MatrixXd nodes_;
  Eigen::VectorXd weights_;
  std::vector<NetworkBody> at_node_;
};

}  // namespace torsor
