#include "operators/network_body.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "operators/engine/jet_engine.h"
#include "physics/error.h"

namespace torsor {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr Index kBlock = 256;  // points whose features are held at a time

/// Jets of a network at points (N x d): N rows of channels x outputs.
RowMajor jets_at(const NetworkShape& shape, const Eigen::VectorXd& parameters, const Eigen::VectorXd& constants,
                 const std::vector<MultiIndex>& indices, const RowMajor& points) {
  const JetEngine<double> engine(shape, {indices, {}});
  RowMajor jets(points.rows(), static_cast<Index>(indices.size()) * shape.outputs);
  const RowMajor repeated = constants.transpose().replicate(shape.constants > 0 ? points.rows() : 0, 1);
  const JetBatch<double> batch{points.rows(), points.data(), repeated.data(), nullptr, 1};
  engine.jets(batch, parameters.data(), jets.data());
  return jets;
}

/// Where a jet of the constant feature is not zero.
bool is_value(const MultiIndex& index) {
  return std::all_of(index.begin(), index.end(), [](int order) { return order == 0; });
}

}  // namespace

NetworkBody::NetworkBody(NetworkShape shape, const Eigen::VectorXd& parameters, Eigen::VectorXd constants,
                         bool concatenate)
    : shape_(std::move(shape)), constants_(std::move(constants)) {
  shape_.check();
  const Index hidden_parameters = shape_.weight_offset(shape_.layers() - 1);
  if (parameters.size() < hidden_parameters)
    throw InputError("network body: " + std::to_string(parameters.size()) + " weights; its hidden layers have " +
                     std::to_string(hidden_parameters));
  if (constants_.size() != shape_.constants)
    throw InputError("network body: " + std::to_string(constants_.size()) + " constant inputs; the network has " +
                     std::to_string(shape_.constants));
  // Residual skips add the layers up already: their last one is all there is to a head.
  if (concatenate && shape_.skip == Skip::none) shape_.skip = Skip::concatenate;
  hidden_ = shape_.layer_inputs(shape_.layers() - 1);
  shape_.outputs = hidden_;
  parameters_ = Eigen::VectorXd::Zero(shape_.parameters());
  parameters_.head(hidden_parameters) = parameters.head(hidden_parameters);
  for (Index j = 0; j < hidden_; ++j) parameters_[hidden_parameters + j * hidden_ + j] = 1;
}

void NetworkBody::add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                           const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const {
  if (indices.empty()) return;
  for (Index first = 0; first < points.rows(); first += kBlock) {
    const Index n = std::min(kBlock, points.rows() - first);
    const RowMajor jets = jets_at(shape_, parameters_, constants_, indices, points.middleRows(first, n));
    Eigen::Map<Eigen::MatrixXd, 0, Eigen::OuterStride<>> rows(out + first, n, features(), Eigen::OuterStride<>(ld));
    for (size_t c = 0; c < indices.size(); ++c) {
      const auto column = static_cast<Index>(c);
      const auto factor = coefficients.col(column).segment(first, n);
      rows.leftCols(hidden_) += factor.asDiagonal() * jets.middleCols(column * hidden_, hidden_);
      if (is_value(indices[c])) rows.col(hidden_) += factor;
    }
  }
}

Eigen::MatrixXd NetworkBody::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                        const std::vector<MultiIndex>& indices,
                                        const Eigen::Ref<const Eigen::VectorXd>& w) const {
  if (indices.empty()) return Eigen::MatrixXd(points.rows(), 0);
  NetworkShape field = shape_;
  field.outputs = 1;
  Eigen::VectorXd parameters(field.parameters());
  const Index hidden_parameters = field.weight_offset(field.layers() - 1);
  parameters << parameters_.head(hidden_parameters), w;
  return jets_at(field, parameters, constants_, indices, points);
}

NetworkBody NetworkBody::at_constants(const Eigen::VectorXd& constants) const {
  NetworkBody result = *this;
  if (constants.size() != constants_.size())
    throw InputError("network body: " + std::to_string(constants.size()) + " constant inputs; the network has " +
                     std::to_string(constants_.size()));
  result.constants_ = constants;
  return result;
}

Eigen::VectorXd NetworkBody::head_of(const Eigen::VectorXd& weights, double bias) const {
  if (weights.size() > hidden_)
    throw InputError("network body: a last layer of " + std::to_string(weights.size()) + " weights for " +
                     std::to_string(hidden_) + " features");
  // A last layer behind the last hidden layer alone leaves the earlier ones out.
  Eigen::VectorXd head = Eigen::VectorXd::Zero(features());
  head.segment(hidden_ - weights.size(), weights.size()) = weights;
  head[hidden_] = bias;
  return head;
}

}  // namespace torsor
