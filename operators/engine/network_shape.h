// The shape of a trainable network and the layout of its weights in one vector.
//
//   g = (columns of the coordinates x, constant inputs c)
//   h_1 = s(W_1 g + b_1),    h_l = s(W_l h_{l-1} + b_l)  (+ h_{l-1} with residual skips),    l = 2 ... L
//   u = W f + b,    f = h_L, or (h_1, ..., h_L) with concatenating skips.
//
// The weights are W_1, b_1, ..., W_L, b_L, W, b, one after the other, each matrix row by row (outputs x
// inputs).
#pragma once

#include <Eigen/Core>
#include <vector>

#include "operators/activation.h"

namespace torsor {

using Eigen::Index;

/// One column of g: k.x + phase, cos(k.x + phase) or sin(k.x + phase).
struct InputColumn {
  enum class Kind { linear, cosine, sine };
  Kind kind = Kind::linear;
  Eigen::VectorXd frequency;  ///< k, one entry for each coordinate
  double phase = 0;
};

/// x_i - centre_i for every i.
std::vector<InputColumn> raw_inputs(const Eigen::VectorXd& centre);

/// The columns of CoordinateEmbedding (operators/tensor_jets.h): x_i - centre_i, or, where period_i = L > 0,
/// cos(2 pi h (x_i - centre_i) / L), sin(2 pi h (x_i - centre_i) / L) for h = 1 ... harmonics.
std::vector<InputColumn> periodic_inputs(const Eigen::VectorXd& centre, const Eigen::VectorXd& period,
                                         Index harmonics);

/// cos(k_f.x), sin(k_f.x) for every row k_f of `frequencies` (F x d).
/// Source: Tancik et al., "Fourier features let networks learn high frequency functions", NeurIPS 2020.
std::vector<InputColumn> fourier_inputs(const Eigen::MatrixXd& frequencies);

enum class Skip { none, residual, concatenate };

struct NetworkShape {
  static constexpr Index kMaxWidth = 512, kMaxCoordinates = 4;

  Index coordinates = 0;
  std::vector<InputColumn> inputs;
  Index constants = 0;  ///< inputs that do not depend on the coordinates, from a parameter encoder
  std::vector<Index> widths;
  Activation activation = Activation::tanh;
  Skip skip = Skip::none;
  Index outputs = 1;

  /// Layers with weights: the hidden ones and the last.
  Index layers() const { return static_cast<Index>(widths.size()) + 1; }
  /// Of layer l = 0 ... layers() - 1.
  Index layer_inputs(Index l) const;
  Index layer_outputs(Index l) const;
  /// Where W and b of layer l begin in the vector of weights.
  Index weight_offset(Index l) const;
  Index bias_offset(Index l) const { return weight_offset(l) + layer_outputs(l) * layer_inputs(l); }
  Index parameters() const { return weight_offset(layers()); }

  /// Throws InputError unless there are 1 to 4 coordinates, an input, a hidden layer, 1 <= widths <= 512
  /// (equal ones with residual skips), outputs >= 1, constants >= 0, and finite frequencies with an entry for
  /// each coordinate.
  void check() const;
};

}  // namespace torsor
