// Blocks through the network: see block_pass.h.
#include "operators/engine/block_pass.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace torsor::engine {
namespace {

/// Hands out parts of a buffer, first only counting, then with the memory.
template <class Real>
class Carver {
 public:
  explicit Carver(Real* begin) : begin_(begin) {}
  Real* take(Index count) {
    Real* part = begin_ ? begin_ + used_ : nullptr;
    used_ += padded<Real>(count);
    return part;
  }
  size_t bytes() const { return static_cast<size_t>(used_) * sizeof(Real); }

 private:
  Real* begin_;
  Index used_ = 0;
};

}  // namespace

Arena::~Arena() {
  std::free(data_);
}

void* Arena::reserve(size_t bytes) {
  if (bytes > size_) {
    std::free(data_);
    data_ = nullptr;
    size_ = 0;
    const size_t line = static_cast<size_t>(kLine), rounded = (bytes + line - 1) / line * line;
    data_ = std::aligned_alloc(line, rounded);
    if (!data_) throw std::bad_alloc();
    size_ = rounded;
  }
  return data_;
}

template <class Real>
BlockPass<Real>::BlockPass(const NetworkLayout<Real>& layout, const KernelTable<Real>& kernel,
                           const Real* packed, Arena& arena)
    : layout_(layout), kernel_(kernel), packed_(packed) {
  const Index points = layout.block, most_rows = points * layout.channels;
  const auto carve = [&](Carver<Real> carver) {
    z_.clear(), state_.clear(), hidden_.clear();
    source_ = carver.take(layout.source_size());
    inputs_ = carver.take(most_rows * layout.input_ld);
    for (const Index ld : layout.hidden_ld) {
      z_.push_back(carver.take(most_rows * ld));
      state_.push_back(carver.take(points * ld));
      hidden_.push_back(carver.take(most_rows * ld));
    }
    outputs_ = carver.take(most_rows * layout.output_ld);
    adjoints_ = carver.take(most_rows * layout.output_ld);
    dh_ = carver.take(most_rows * layout.widest_ld);
    dz_ = carver.take(most_rows * layout.widest_ld);
    constant_adjoints_ = carver.take(points * padded<Real>(layout.shape.constants));
    return carver.bytes();
  };
  const size_t bytes = carve(Carver<Real>(nullptr));
  carve(Carver<Real>(static_cast<Real*>(arena.reserve(bytes))));
}

template <class Real>
void BlockPass<Real>::set_point(Index k, const Real* point, const Real* constants) {
  const Index d = layout_.shape.coordinates, linear = layout_.linear_count, waves = layout_.wave_count;
  const auto argument = [&](Index j) {
    Real sum = layout_.phases[to_size(j)];
    for (Index i = 0; i < d; ++i) sum += layout_.frequencies[to_size(j * d + i)] * point[i];
    return sum;
  };
  source_[0] = 1;
  for (Index j = 0; j < linear; ++j) source_[1 + j] = argument(j);
  if (waves > 0) {
    Real* sines = source_ + layout_.linear_end();
    Real* arguments = sines + 2 * layout_.wave_room();
    for (Index j = 0; j < waves; ++j) arguments[j] = argument(linear + j);
    std::fill(arguments + waves, arguments + layout_.wave_room(), Real(0));
    kernel_.sine_cosine(vectors(waves), arguments, sines, sines + layout_.wave_room());
  }
  const auto columns = static_cast<Index>(layout_.shape.inputs.size());
  const Index all = columns + layout_.shape.constants;
  const InputEntry* entry = layout_.entries.data();
  for (Index c = 0; c < layout_.channels; ++c) {
    Real* row = inputs_ + (k * layout_.channels + c) * layout_.input_ld;
    for (Index j = 0; j < columns; ++j, ++entry)
      row[j] = static_cast<Real>(entry->factor) * source_[entry->source];
    for (Index j = columns; j < all; ++j) row[j] = c == 0 ? constants[j - columns] : Real(0);
    std::fill(row + all, row + layout_.input_ld, Real(0));
  }
}

template <class Real>
ActivationBlock<Real> BlockPass<Real>::activation_block(Index l) const {
  return {count_, vectors(layout_.shape.layer_outputs(l)), layout_.hidden_ld[to_size(l)], z_[to_size(l)],
          state_[to_size(l)]};
}

template <class Real>
void BlockPass<Real>::multiply_forward(const Product& product, Real* out, Index ld, bool accumulate) const {
  kernel_.multiply(rows(), product.inputs, input_of(product), ld_of(product), packed_ + product.forward,
                   vectors(product.outputs), out, ld, accumulate);
}

template <class Real>
void BlockPass<Real>::forward() {
  const auto activation = static_cast<size_t>(layout_.shape.activation);
  const Index hidden = layout_.shape.layers() - 1;
  for (Index l = 0; l < hidden; ++l) {
    const Layer& layer = layout_.layers[to_size(l)];
    multiply_forward(layer.products.front(), z_[to_size(l)], layout_.hidden_ld[to_size(l)], false);
    const Real* skip = layout_.shape.skip == Skip::residual && l > 0 ? hidden_[to_size(l - 1)] : nullptr;
    kernel_.activate[activation](layout_.plan.channels, activation_block(l), packed_ + layer.padded_bias,
                                 skip, hidden_[to_size(l)]);
  }
  bool accumulate = false;
  for (const Product& product : layout_.layers.back().products) {
    multiply_forward(product, outputs_, layout_.output_ld, accumulate);
    accumulate = true;
  }
}

template <class Real>
void BlockPass<Real>::get_jets(Index k, const Real* parameters, Real* jets) const {
  const Index outputs = layout_.shape.outputs;
  const Real* bias = parameters + layout_.layers.back().bias;
  for (const int channel : layout_.plan.outputs) {
    const Real* row = outputs_ + (k * layout_.channels + channel) * layout_.output_ld;
    for (Index o = 0; o < outputs; ++o) *jets++ = channel == 0 ? row[o] + bias[o] : row[o];
  }
}

template <class Real>
void BlockPass<Real>::set_adjoints(Index k, const Real* adjoints) {
  Real* rows = adjoints_ + k * layout_.channels * layout_.output_ld;
  std::fill_n(rows, layout_.channels * layout_.output_ld, Real(0));
  for (const int channel : layout_.plan.outputs)
    for (Index o = 0; o < layout_.shape.outputs; ++o) rows[channel * layout_.output_ld + o] += *adjoints++;
}

template <class Real>
void BlockPass<Real>::multiply_reverse(Index l, const Product& product, bool accumulate) const {
  kernel_.multiply(rows(), product.outputs, output_adjoints(l), output_ld(l), packed_ + product.reverse,
                   vectors(product.inputs), dh_, ld_of(product), accumulate);
}

template <class Real>
void BlockPass<Real>::reverse_hidden(Index l) {
  const Index last = layout_.shape.layers() - 1;
  const auto& last_products = layout_.layers.back().products;
  // dh_ still holds the adjoints of h_{l+1}: with a residual skip they are those of h_l too.
  if (l + 1 < last)
    multiply_reverse(l + 1, layout_.layers[to_size(l + 1)].products.front(),
                     layout_.shape.skip == Skip::residual);
  if (l + 1 == last || layout_.shape.skip == Skip::concatenate)
    multiply_reverse(last, last_products.size() == 1 ? last_products.front() : last_products[to_size(l)],
                     l + 1 < last);
  kernel_.activate_reverse[static_cast<size_t>(layout_.shape.activation)](layout_.plan.channels,
                                                                          activation_block(l), dh_, dz_);
}

template <class Real>
void BlockPass<Real>::add_gradient(Index l, const Segment& segment, Real* gradient) const {
  const Layer& layer = layout_.layers[to_size(l)];
  const Index first = segment.first * layout_.channels, n = segment.count * layout_.channels;
  const Index ldz = output_ld(l);
  const Real* dz = output_adjoints(l) + first * ldz;
  for (const Product& product : layer.products) {
    const Index ldh = ld_of(product);
    const Real* h = input_of(product) + first * ldh;
    if (product.transposed)
      kernel_.multiply_transposed(n, product.inputs, h, ldh, dz, ldz, vectors(product.outputs),
                                  gradient + product.gradient, padded<Real>(product.outputs));
    else
      kernel_.multiply_transposed(n, product.outputs, dz, ldz, h, ldh, vectors(product.inputs),
                                  gradient + product.gradient, padded<Real>(product.inputs));
  }
  kernel_.add_rows(segment.count, dz, layout_.channels * ldz, vectors(layer.outputs),
                   gradient + layer.bias_gradient);
}

template <class Real>
void BlockPass<Real>::write_jacobian(Index l, Index k, Real* row) const {
  const Layer& layer = layout_.layers[to_size(l)];
  const Index ldz = output_ld(l), first = k * layout_.channels;
  const Real* dz = output_adjoints(l) + first * ldz;
  for (const Product& product : layer.products)
    kernel_.outer_product(layout_.channels, product.outputs, dz, ldz, product.inputs,
                          input_of(product) + first * ld_of(product), ld_of(product), row + product.weights,
                          product.stride);
  std::copy_n(dz, layer.outputs, row + layer.bias);
}

template <class Real>
const Real* BlockPass<Real>::constant_adjoints() {
  const Index outputs = layout_.shape.layer_outputs(0), constants = layout_.shape.constants;
  kernel_.multiply(count_, outputs, dz_, layout_.channels * layout_.hidden_ld.front(),
                   packed_ + layout_.constants_packed, vectors(constants), constant_adjoints_,
                   padded<Real>(constants), false);
  return constant_adjoints_;
}

template class BlockPass<double>;
template class BlockPass<float>;

}  // namespace torsor::engine
