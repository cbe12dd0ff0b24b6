// Fields of a network that has the velocity among its inputs: sums over the velocity nodes.
//
//   u_f(x) = sum_j c_jf n_o(f)(x, v_j),     c_jf = w_j p_l(v_j) for the moment l of an unknown of the velocity, w_j for other fields,
//
// with an output o for every unknown.
#pragma once

#include <vector>

#include "problems/problem.h"

namespace torsor {

struct VelocityAverages {
  Eigen::MatrixXd nodes;       ///< J x components
  Eigen::MatrixXd weights;     ///< c, J x fields
  std::vector<Index> unknown;  ///< o, of each field
  Index unknowns = 0;

  /// The network's output that a field is a sum of, where tasks have outputs of their own: `output` is task times fields plus
  /// field.
  Index network_output(Index output) const {
    const Index fields = weights.cols();
    return output / fields * unknowns + unknown[static_cast<size_t>(output % fields)];
  }
};

/// Those of a problem with a velocity.
VelocityAverages velocity_averages(const Problem& problem);

}  // namespace torsor
