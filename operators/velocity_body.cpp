#include "operators/velocity_body.h"

#include "physics/error.h"

namespace torsor {

VelocityBody::VelocityBody(const NetworkBody& network, Eigen::MatrixXd nodes, Eigen::VectorXd weights)
    : nodes_(std::move(nodes)), weights_(std::move(weights)) {
  Eigen::VectorXd constants = network.constants();
  if (nodes_.rows() < 1 || nodes_.rows() != weights_.size() || nodes_.cols() < 1 || nodes_.cols() > constants.size())
    throw InputError("velocity body: " + std::to_string(nodes_.rows()) + " nodes of " + std::to_string(nodes_.cols()) +
                     " components, " + std::to_string(weights_.size()) + " weights and " + std::to_string(constants.size()) +
                     " constant inputs do not fit together");
  for (const auto& node : nodes_.rowwise()) {
    constants.tail(nodes_.cols()) = node.transpose();
    at_node_.push_back(network.at_constants(constants));
  }
}

std::shared_ptr<const Body> VelocityBody::with_constants(const Eigen::VectorXd& constants) const {
  Eigen::VectorXd all(constants.size() + nodes_.cols());
  all << constants, nodes_.row(0).transpose();
  return std::make_shared<VelocityBody>(network().at_constants(all), nodes_, weights_);
}

void VelocityBody::add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                            const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const {
  for (size_t j = 0; j < at_node_.size(); ++j)
    at_node_[j].add_rows(points, indices, weights_[static_cast<Index>(j)] * coefficients, out, ld);
}

Eigen::MatrixXd VelocityBody::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                                         const Eigen::Ref<const Eigen::VectorXd>& w) const {
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(indices.size()));
  for (size_t j = 0; j < at_node_.size(); ++j)
    result += weights_[static_cast<Index>(j)] * at_node_[j].field_jets(points, indices, w);
  return result;
}

}  // namespace torsor
