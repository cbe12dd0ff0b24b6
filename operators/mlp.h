// Dense networks with random inner weights as features (extreme learning machines; HLConcELM, Ni and Dong,
// "Numerical computation of partial differential equations by hidden-layer concatenated extreme learning
// machine", 2022):
//
//   h_0 = e(x),     h_l = s(W_l h_(l-1) + b_l),     l = 1 ... n,
//   phi = h_n,   or   phi = (h_1, ..., h_n) where the hidden layers are concatenated,
//
// with e the coordinates from the centre of the cell, or cosines and sines where the body is periodic
// (CoordinateEmbedding). First layer: W_ji = B_i r, r ~ U(-1, 1), so that the bandwidth B_i is the greatest
// slope of z along coordinate i, as for the sine features; a periodic coordinate's columns of harmonic h get
// r B_i L / (2 pi h harmonics), which keeps that bound. b_j puts the zero of z_j, the place of the
// transition, through a point uniform in the cell (for the sine, which has no transition: b_j ~ U(0, 2 pi)).
// Deeper layers: W_l ~ U(-a, a), a = gain sqrt(6 / (n_in + n_out)) (Glorot and Bengio 2010), b_l ~ U(-gain,
// gain).
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "operators/body.h"
#include "operators/tensor_jets.h"

namespace torsor {

/// z = W h + b.
struct DenseLayer {
  torch::Tensor weight;  ///< [out, in]
  torch::Tensor bias;    ///< [out]
};

class Mlp : public Body {
 public:
  /// How to draw the weights.
  struct Options {
    std::vector<Index> widths{200, 200};  ///< of the hidden layers, each >= 1
    Activation activation = Activation::tanh;
    bool concatenate = false;    ///< features are all hidden layers, not the last one alone
    Eigen::VectorXd bandwidth;   ///< B, one for each coordinate, > 0, radians per unit of the coordinate
    Eigen::VectorXd centre;      ///< d, of the cell
    Eigen::VectorXd half_width;  ///< d, of the cell, > 0; empty: 4 / B. A periodic coordinate takes L / 2
    Eigen::VectorXd period;      ///< d; 0 where the coordinate is not periodic
    Index harmonics = 1;         ///< of the embedding of a periodic coordinate
    double gain = 1;             ///< of the deeper layers, > 0
    uint64_t seed = 0;
  };

  /// Draws the weights (float64, CPU). Throws InputError for no layers, a width, bandwidth, half-width, gain
  /// or number of harmonics that is not positive, and for sizes that differ.
  explicit Mlp(const Options& options);

  /// Given weights: layer 1 takes embedding.width() inputs, every other the outputs of the one before. The
  /// tensors are shared, not copied. Throws InputError for no layers or shapes that do not fit.
  Mlp(CoordinateEmbedding embedding, Activation activation, bool concatenate, std::vector<DenseLayer> layers);

  Index dimension() const override { return embedding_.dimension(); }
  Index features() const override;
  std::string kind() const override { return "mlp"; }

  /// As Body::add_rows. Throws InputError for an index that check_jet_indices refuses.
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const override;
  /// As Body::field_jets. Throws InputError for an index that check_jet_indices refuses.
  Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                             const std::vector<MultiIndex>& indices,
                             const Eigen::Ref<const Eigen::VectorXd>& w) const override;

  const CoordinateEmbedding& embedding() const { return embedding_; }
  Activation activation() const { return activation_; }
  bool concatenates() const { return concatenate_; }
  const std::vector<DenseLayer>& layers() const { return layers_; }
  /// W_1, b_1, W_2, b_2, ...: handles of the weights themselves, for an optimiser.
  std::vector<torch::Tensor> parameters() const;

 private:
  CoordinateEmbedding embedding_;
  Activation activation_;
  bool concatenate_;
  std::vector<DenseLayer> layers_;
};

/// Jets of the features at `points` [N, d]: one tensor [N, m] for each index, of the device and type of the
/// points (weights elsewhere or of another type are converted on the way); differentiable with respect to
/// weights and points. Throws InputError for points of another width and for an index that check_jet_indices
/// refuses.
std::vector<torch::Tensor> tensor_jets(const Mlp& body, const torch::Tensor& points,
                                       const std::vector<MultiIndex>& indices);

}  // namespace torsor
