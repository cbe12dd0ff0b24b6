// Layout of networks: see network_layout.h.
#include "operators/engine/network_layout.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace torsor::engine {
namespace {

// Activations of a block, forward and reverse, in bytes; with the packed weights they fill a second-level
// cache of 1 MiB.
constexpr Index kBlockBytes = 384 << 10;
// Rows for which the weights of a layer are loaded at least; more where they do not stay in the cache between
// blocks.
constexpr Index kLeastRows = 64, kLeastRowsOfWide = 128, kWide = 256;
constexpr Index kLeastPoints = 8, kMostPoints = 128;

template <class Real>
Index packed_room(Index depth, Index columns) {
  return depth * lines_of<Real>(columns) * kLine / static_cast<Index>(sizeof(Real));
}

/// Panels of B (depth x columns, B(k, j) = at[k * row_step + j * column_step]) as KernelTable::multiply reads
/// them.
template <class Real>
void pack(const KernelTable<Real>& kernel, Index depth, Index columns, const Real* at, Index row_step,
          Index column_step, Real* out) {
  const Index lanes = kernel.lanes, vectors = (columns + lanes - 1) / lanes;
  const Index panels = panel_count(vectors, kernel.panel_vectors);
  for (Index p = 0; p < panels; ++p) {
    const Index first = panel_begin(p, panels, vectors) * lanes;
    const Index width = panel_begin(p + 1, panels, vectors) * lanes - first;
    const Index filled = std::min(width, columns - first);
    for (Index k = 0; k < depth; ++k, out += width) {
      const Real* row = at + k * row_step + first * column_step;
      for (Index j = 0; j < filled; ++j) out[j] = row[j * column_step];
      std::fill(out + filled, out + width, Real(0));
    }
  }
}

}  // namespace

template <class Real>
NetworkLayout<Real>::NetworkLayout(NetworkShape shape_, JetRequest request_)
    : shape((shape_.check(), std::move(shape_))),
      request(std::move(request_)),
      plan(request, shape.coordinates),
      channels(plan.channels.channels) {
  lay_out_layers();
  lay_out_inputs();
  block = choose_block();
}

template <class Real>
Product NetworkLayout<Real>::make_product(Index source, Index inputs, Index outputs, Index weights,
                                          Index stride) {
  Product p{source, inputs, outputs, weights, stride, packed_size, -1, gradient_size, inputs < outputs};
  packed_size += packed_room<Real>(inputs, outputs);
  if (source >= 0) {
    p.reverse = packed_size;
    packed_size += packed_room<Real>(outputs, inputs);
  }
  gradient_size += p.transposed ? inputs * padded<Real>(outputs) : outputs * padded<Real>(inputs);
  return p;
}

template <class Real>
void NetworkLayout<Real>::lay_out_layers() {
  const Index count = shape.layers();
  for (Index l = 0; l < count; ++l) {
    const Index inputs = shape.layer_inputs(l), outputs = shape.layer_outputs(l),
                weights = shape.weight_offset(l);
    Layer layer{{}, outputs, shape.bias_offset(l), 0, 0};
    if (l + 1 < count || shape.skip != Skip::concatenate) {
      layer.products.push_back(make_product(l - 1, inputs, outputs, weights, inputs));
    } else {
      for (Index k = 0, column = 0; k + 1 < count; column += shape.layer_outputs(k), ++k)
        layer.products.push_back(make_product(k, shape.layer_outputs(k), outputs, weights + column, inputs));
    }
    layer.bias_gradient = gradient_size;
    gradient_size += padded<Real>(outputs);
    layer.padded_bias = packed_size;
    packed_size += padded<Real>(outputs);
    layers.push_back(std::move(layer));
    if (l + 1 < count) hidden_ld.push_back(padded<Real>(outputs));
  }
  if (shape.constants > 0) {
    constants_packed = packed_size;
    packed_size += packed_room<Real>(shape.layer_outputs(0), shape.constants);
  }
  input_ld = padded<Real>(shape.layer_inputs(0));
  output_ld = padded<Real>(shape.outputs);
  widest_ld = *std::max_element(hidden_ld.begin(), hidden_ld.end());
}

template <class Real>
void NetworkLayout<Real>::lay_out_inputs() {
  std::vector<Index> linear, place;  // columns of kind linear; each column's place among them or the waves
  std::vector<InputColumn> waves;    // the different arguments of sines and cosines
  for (Index j = 0; j < static_cast<Index>(shape.inputs.size()); ++j) {
    const InputColumn& column = shape.inputs[static_cast<size_t>(j)];
    if (column.kind == InputColumn::Kind::linear) {
      place.push_back(static_cast<Index>(linear.size()));
      linear.push_back(j);
      continue;
    }
    const auto same = std::find_if(waves.begin(), waves.end(), [&](const InputColumn& wave) {
      return wave.phase == column.phase && wave.frequency == column.frequency;
    });
    place.push_back(same - waves.begin());
    if (same == waves.end()) waves.push_back(column);
  }
  linear_count = static_cast<Index>(linear.size());
  wave_count = static_cast<Index>(waves.size());
  for (const Index j : linear) append_argument(shape.inputs[static_cast<size_t>(j)]);
  for (const InputColumn& wave : waves) append_argument(wave);
  for (Index c = 0; c < channels; ++c)
    for (size_t j = 0; j < shape.inputs.size(); ++j)
      entries.push_back(make_entry(c, shape.inputs[j], place[j]));
}

template <class Real>
void NetworkLayout<Real>::append_argument(const InputColumn& column) {
  for (const double k : column.frequency) frequencies.push_back(static_cast<Real>(k));
  phases.push_back(static_cast<Real>(column.phase));
}

template <class Real>
InputEntry NetworkLayout<Real>::make_entry(Index channel, const InputColumn& column, Index place) const {
  const auto& along = plan.directions[static_cast<size_t>(channel)];
  const bool laplacian = channel == plan.channels.laplacian;
  double factor = laplacian ? 0 : 1;
  for (const Index i : along) {
    const double k = column.frequency[i];
    laplacian ? factor += k* k : factor *= k;
  }
  const size_t order = laplacian ? 2 : along.size();
  if (column.kind == InputColumn::Kind::linear)
    return order == 0 ? InputEntry{1, 1 + place} : InputEntry{order == 1 ? factor : 0, 0};
  // d^n sin = sin(. + n pi/2), and the cosine is a quarter turn ahead.
  const size_t quarter = (order + (column.kind == InputColumn::Kind::cosine ? 1 : 0)) % 4;
  const Index source = linear_end() + (quarter % 2 ? wave_room() : 0) + place;
  return {quarter >= 2 ? -factor : factor, source};
}

template <class Real>
Index NetworkLayout<Real>::choose_block() const {
  const Index layer_sum = std::accumulate(hidden_ld.begin(), hidden_ld.end(), Index{0});
  const Index point_bytes =
      ((2 * channels + 1) * layer_sum + 2 * channels * widest_ld + channels * (input_ld + 2 * output_ld)) *
      static_cast<Index>(sizeof(Real));
  const Index widest = *std::max_element(shape.widths.begin(), shape.widths.end());
  const Index rows = widest >= kWide ? kLeastRowsOfWide : kLeastRows;
  const Index least = std::max(kLeastPoints, (rows + channels - 1) / channels);
  return std::clamp(kBlockBytes / point_bytes, least, kMostPoints);
}

template <class Real>
void NetworkLayout<Real>::pack_layer(const KernelTable<Real>& kernel, Index l, const Real* parameters,
                                     Real* packed) const {
  const Layer& layer = layers[static_cast<size_t>(l)];
  for (const Product& p : layer.products) {
    pack<Real>(kernel, p.inputs, p.outputs, parameters + p.weights, 1, p.stride, packed + p.forward);
    if (p.reverse >= 0)
      pack<Real>(kernel, p.outputs, p.inputs, parameters + p.weights, p.stride, 1, packed + p.reverse);
  }
  Real* bias = packed + layer.padded_bias;
  std::copy_n(parameters + layer.bias, layer.outputs, bias);
  std::fill(bias + layer.outputs, bias + padded<Real>(layer.outputs), Real(0));
  if (l == 0 && constants_packed >= 0) {
    const Product& p = layer.products.front();
    pack<Real>(kernel, p.outputs, shape.constants, parameters + p.weights + (p.inputs - shape.constants),
               p.stride, 1, packed + constants_packed);
  }
}

template <class Real>
void NetworkLayout<Real>::reduce_layer(Index l, const std::vector<const Real*>& buffers,
                                       Real* gradient) const {
  const Layer& layer = layers[static_cast<size_t>(l)];
  for (const Product& p : layer.products) {
    const Index ld = padded<Real>(p.transposed ? p.outputs : p.inputs);
    const Index output_step = p.transposed ? 1 : ld, input_step = p.transposed ? ld : 1;
    for (const Real* buffer : buffers)
      for (Index o = 0; o < p.outputs; ++o) {
        const Real* from = buffer + p.gradient + o * output_step;
        Real* to = gradient + p.weights + o * p.stride;
        for (Index i = 0; i < p.inputs; ++i) to[i] += from[i * input_step];
      }
  }
  for (const Real* buffer : buffers)
    for (Index o = 0; o < layer.outputs; ++o) gradient[layer.bias + o] += buffer[layer.bias_gradient + o];
}

template struct NetworkLayout<double>;
template struct NetworkLayout<float>;

}  // namespace torsor::engine
