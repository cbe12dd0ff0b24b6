// One block of points through the network and back, in the buffers of one thread. Formulas: jet_engine.h.
#pragma once

#include "operators/engine/network_layout.h"

namespace torsor::engine {

/// Memory that is kept between calls and only grows; aligned to cache lines.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// Room for `bytes`; what was there before is lost.
  void* reserve(size_t bytes);

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

/// Consecutive points of a block.
struct Segment {
  Index first, count;
};

template <class Real>
class BlockPass {
 public:
  /// Carves the buffers out of `arena`; `packed` holds the weights, NetworkLayout::pack_layer.
  BlockPass(const NetworkLayout<Real>& layout, const KernelTable<Real>& kernel, const Real* packed,
            Arena& arena);

  /// Begins a block of `count` points.
  void begin(Index count) { count_ = count; }
  /// Sets the inputs of the k-th point from its coordinates and constants.
  void set_point(Index k, const Real* point, const Real* constants);
  /// Runs the block to the network's outputs.
  void forward();
  /// The k-th point's jets, channels asked for x outputs.
  void get_jets(Index k, const Real* parameters, Real* jets) const;
  /// Sets the adjoints of the k-th point's jets.
  void set_adjoints(Index k, const Real* adjoints);
  /// From the adjoints of all points to those of every layer; forward() must have run before. Calls
  /// after_layer(l) for every layer, the last first, when the adjoints of its W h + b are there for the
  /// functions below.
  template <class AfterLayer>
  void reverse(const AfterLayer& after_layer) {
    for (Index l = layout_.shape.layers() - 1; l >= 0; --l) {
      if (l + 1 < layout_.shape.layers()) reverse_hidden(l);
      after_layer(l);
    }
  }

  /// Inside after_layer: adds the gradient by the layer's weights and bias over the points of `segment`.
  void add_gradient(Index l, const Segment& segment, Real* gradient) const;
  /// Inside after_layer: the derivative by the layer's weights and bias for the k-th point alone, as the
  /// parameters.
  void write_jacobian(Index l, Index k, Real* row) const;
  /// Inside after_layer(0): adjoints of the constant inputs into a buffer, count x padded(constants).
  const Real* constant_adjoints();

 private:
  const Real* input_of(const Product& product) const {
    return product.source < 0 ? inputs_ : hidden_[to_size(product.source)];
  }
  Index ld_of(const Product& product) const {
    return product.source < 0 ? layout_.input_ld : layout_.hidden_ld[to_size(product.source)];
  }
  bool is_last(Index l) const { return l + 1 == layout_.shape.layers(); }
  Index output_ld(Index l) const { return is_last(l) ? layout_.output_ld : layout_.hidden_ld[to_size(l)]; }
  const Real* output_adjoints(Index l) const { return is_last(l) ? adjoints_ : dz_; }
  Index vectors(Index width) const { return (width + kernel_.lanes - 1) / kernel_.lanes; }
  Index rows() const { return count_ * layout_.channels; }
  ActivationBlock<Real> activation_block(Index l) const;
  void multiply_forward(const Product& product, Real* out, Index ld, bool accumulate) const;
  void multiply_reverse(Index l, const Product& product, bool accumulate) const;
  void reverse_hidden(Index l);
  static size_t to_size(Index i) { return static_cast<size_t>(i); }

  const NetworkLayout<Real>& layout_;
  const KernelTable<Real>& kernel_;
  const Real* packed_;
  Index count_ = 0;
  Real *inputs_, *source_;                 // rows of g; one point's sources of input jets
  std::vector<Real*> z_, state_, hidden_;  // of every hidden layer
  Real *outputs_, *adjoints_;              // of the network
  Real *dh_, *dz_;                         // of the layer that the reverse pass is at
  Real* constant_adjoints_;
};

extern template class BlockPass<double>;
extern template class BlockPass<float>;

}  // namespace torsor::engine
