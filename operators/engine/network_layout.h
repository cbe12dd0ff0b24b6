// A network as the blocks see it: leading dimensions, the places of weights and gradients in packed buffers,
// and the coefficients of the inputs' jets. Made once for a shape and a request.
#pragma once

#include <vector>

#include "operators/engine/jet_request.h"
#include "operators/engine/kernel_table.h"
#include "operators/engine/network_shape.h"

namespace torsor::engine {

constexpr Index kLine = 64;  // bytes of a cache line

template <class Real>
Index lines_of(Index width) {
  return (width * static_cast<Index>(sizeof(Real)) + kLine - 1) / kLine;
}

/// Distance of rows: an odd number of cache lines, so that a column does not fall on few sets of the cache.
template <class Real>
Index padded(Index width) {
  return (lines_of<Real>(width) | 1) * kLine / static_cast<Index>(sizeof(Real));
}

/// One matrix of weights, outputs x inputs, between a layer's activations and the next: the layer's whole W,
/// or, with concatenating skips, the columns of the last W that belong to one hidden layer.
struct Product {
  Index source;  // hidden layer, -1: the inputs of the network
  Index inputs, outputs;
  Index weights, stride;   // where the matrix begins in the parameters, and from row to row
  Index forward, reverse;  // where its packed forms begin; reverse < 0: not needed
  Index gradient;          // where its gradient begins in a gradient buffer
  bool transposed;         // the gradient is kept as inputs x outputs, so that its rows fill vectors
};

struct Layer {
  std::vector<Product> products;
  Index outputs, bias;  // bias in the parameters
  Index bias_gradient;  // in a gradient buffer
  Index padded_bias;    // in the packed weights
};

/// One channel of one input column: factor * source[index].
struct InputEntry {
  double factor;
  Index source;
};

template <class Real>
struct NetworkLayout {
  NetworkShape shape;
  JetRequest request;
  JetPlan plan;
  Index channels;
  Index input_ld = 0, output_ld = 0, widest_ld = 0;
  std::vector<Index> hidden_ld;
  std::vector<Layer> layers;
  Index constants_packed =
      -1;  // the first layer's columns of the constant inputs, packed for the reverse pass
  Index packed_size = 0, gradient_size = 0;
  Index block = 0;  // points in a block
  // The jets of a point's input columns are entries of (1, linear columns, sines, cosines) times
  // constant factors; each part begins at a cache line, `linear_end` and `wave_room` numbers wide.
  std::vector<InputEntry> entries;        // channels x columns of the coordinates
  std::vector<Real> frequencies, phases;  // of the arguments: linear columns, then those of sines and cosines
  Index linear_count = 0, wave_count = 0;

  NetworkLayout(NetworkShape shape, JetRequest request);

  Index linear_end() const { return padded<Real>(1 + linear_count); }
  Index wave_room() const { return padded<Real>(wave_count); }
  Index source_size() const { return linear_end() + 3 * wave_room(); }  // the last part: the waves' arguments

  /// The weights and bias of layer l as the kernels read them.
  void pack_layer(const KernelTable<Real>& kernel, Index l, const Real* parameters, Real* packed) const;

  /// Adds the sum of `buffers`, gradient buffers in this order, of layer l to `gradient`, laid out as the
  /// parameters.
  void reduce_layer(Index l, const std::vector<const Real*>& buffers, Real* gradient) const;

 private:
  Product make_product(Index source, Index inputs, Index outputs, Index weights, Index stride);
  void lay_out_layers();
  void lay_out_inputs();
  void append_argument(const InputColumn& column);
  InputEntry make_entry(Index channel, const InputColumn& column, Index place) const;
  Index choose_block() const;
};

extern template struct NetworkLayout<double>;
extern template struct NetworkLayout<float>;

}  // namespace torsor::engine
