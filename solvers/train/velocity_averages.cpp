#include "solvers/train/velocity_averages.h"

namespace torsor {

VelocityAverages velocity_averages(const Problem& problem) {
  const VelocityBasis& velocity = *problem.velocity;
  const auto fields = static_cast<Index>(problem.fields.size());
  VelocityAverages result{velocity.nodes, velocity.weights.replicate(1, fields), std::vector<Index>(problem.fields.size(), -1), 0};
  for (const auto& field : problem.velocity_fields) {
    for (Index m = 0; m < field.basis.cols(); ++m) {
      result.weights.col(field.first + m).array() *= field.basis.col(m).array();
      result.unknown[static_cast<size_t>(field.first + m)] = result.unknowns;
    }
    ++result.unknowns;
  }
  for (Index& unknown : result.unknown)
    if (unknown < 0) unknown = result.unknowns++;
  return result;
}

}  // namespace torsor
