#include "operators/body.h"

#include "physics/error.h"

namespace torsor {

std::shared_ptr<const Body> Body::with_constants(const Eigen::VectorXd&) const {
  throw InputError("a body of kind '" + kind() + "' has no constant inputs");
}

Eigen::MatrixXd Body::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                 const std::vector<MultiIndex>& indices,
                                 const Eigen::Ref<const Eigen::VectorXd>& w) const {
  const Index n = points.rows();
  Eigen::MatrixXd jets(n, static_cast<Index>(indices.size()));
  Eigen::MatrixXd rows(n, features());
  const Eigen::MatrixXd ones = Eigen::MatrixXd::Ones(n, 1);
  for (size_t c = 0; c < indices.size(); ++c) {
    rows.setZero();
    add_rows(points, {indices[c]}, ones, rows.data(), n);
    jets.col(static_cast<Index>(c)).noalias() = rows * w;
  }
  return jets;
}

}  // namespace torsor
