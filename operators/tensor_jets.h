// Jets (values and partial derivatives) of dense networks as tensor programs, by forward Taylor propagation.
//
// A layer h = s(z), z = W g + b carries the jets of g to those of h: z_a = W g_a, and by Faa di Bruno's
// formula, with s_k the k-th derivative of s at z and z_i, z_ij, z_ii, ... the partial derivatives of z,
//
//   h_i    = s_1 z_i
//   h_ij   = s_2 z_i z_j + s_1 z_ij
//   h_iii  = s_3 z_i^3 + 3 s_2 z_i z_ii + s_1 z_iii
//   h_iiii = s_4 z_i^4 + 6 s_3 z_i^2 z_ii + s_2 (3 z_ii^2 + 4 z_i z_iii) + s_1 z_iiii.
//
// Everything is plain tensor operations: exact, on any device, in any floating type, and differentiable with
// respect to the weights and the points.
#pragma once

#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

#include "operators/activation.h"
#include "operators/sine_features.h"
#include "physics/multi_index.h"

namespace torsor {

/// s, s', ..., s^(order) at z, each of the shape of z; 0 <= order <= 4.
std::vector<torch::Tensor> activation_derivatives(Activation activation, const torch::Tensor& z, int order);

/// Derivatives d^a of a layer by their multi-index a, each [N, width], or [1, width] where it is the same at
/// all N points. An index that is absent stands for a derivative that vanishes identically; the value is
/// always there.
using TensorJets = std::map<MultiIndex, torch::Tensor>;

/// Throws InputError, naming the index, unless every index has `dimension` entries >= 0 and is of total order
/// <= 2 or a pure derivative of order <= 4.
void check_jet_indices(const std::vector<MultiIndex>& indices, Index dimension);

/// How coordinates enter a network: x_i - centre_i, or, where period_i = L > 0, the 2 * harmonics columns
///   cos(2 pi h (x_i - centre_i) / L), sin(2 pi h (x_i - centre_i) / L),     h = 1 ... harmonics,
/// so that everything behind them is exactly periodic in x_i.
struct CoordinateEmbedding {
  Eigen::VectorXd centre;  ///< d
  Eigen::VectorXd period;  ///< d; 0 where the coordinate is not periodic
  Index harmonics = 1;

  Index dimension() const { return centre.size(); }
  Index width() const;  ///< columns of all coordinates
  Index width(Index i) const { return period[i] > 0 ? 2 * harmonics : 1; }
};

/// Jets of the embedding at `points` [N, d] for the indices of `closure` (a lower_closure): width() columns.
TensorJets embedding_jets(const CoordinateEmbedding& embedding, const torch::Tensor& points,
                          const std::vector<MultiIndex>& closure);

/// Jets of W g + b from those of g; weight [out, in], bias [out].
TensorJets dense_jets(const TensorJets& g, const torch::Tensor& weight, const torch::Tensor& bias);

/// Jets of s(z) from those of z for the indices of `closure` (a lower_closure of indices that
/// check_jet_indices accepts).
TensorJets activation_jets(Activation activation, const TensorJets& z,
                           const std::vector<MultiIndex>& closure);

/// Jets of sine features at `points` [N, d]: one tensor [N, m] for each index, of the device and type of the
/// points. Derivatives of every order. Throws InputError for points of another width.
std::vector<torch::Tensor> tensor_jets(const SineFeatures& body, const torch::Tensor& points,
                                       const std::vector<MultiIndex>& indices);

/// Throws InputError, with `who`, unless `points` is [N, dimension] of a floating type.
void check_jet_points(const std::string& who, const torch::Tensor& points, Index dimension);

}  // namespace torsor
