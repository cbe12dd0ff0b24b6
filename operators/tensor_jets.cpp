// Jets through dense layers: see tensor_jets.h.
#include "operators/tensor_jets.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <stdexcept>
#include <utility>

#include "physics/error.h"
#include "physics/tensor/tensor_algebra.h"

namespace torsor {
namespace {

using torch::Tensor;

constexpr int kMaxMixedOrder = 2, kMaxPureOrder = 4;

std::string to_text(const MultiIndex& a) {
  std::string text = "(";
  for (size_t i = 0; i < a.size(); ++i) text += (i ? ", " : "") + std::to_string(a[i]);
  return text + ")";
}

bool is_pure(const MultiIndex& a) {
  return std::count_if(a.begin(), a.end(), [](int order) { return order != 0; }) <= 1;
}

/// The coordinates of the single differentiations, each as often as its order: (2, 1) -> 0, 0, 1.
std::vector<size_t> directions(const MultiIndex& a) {
  std::vector<size_t> result;
  for (size_t i = 0; i < a.size(); ++i) result.insert(result.end(), static_cast<size_t>(a[i]), i);
  return result;
}

MultiIndex pure_index(size_t dimension, size_t i, int order) {
  MultiIndex a(dimension, 0);
  a[i] = order;
  return a;
}

// Sums and products of derivatives in which an undefined tensor stands for zero.
Tensor plus(const Tensor& a, const Tensor& b) {
  return !a.defined() ? b : !b.defined() ? a : a + b;
}
Tensor times(const Tensor& a, const Tensor& b) {
  return a.defined() && b.defined() ? a * b : Tensor();
}
Tensor times(double factor, const Tensor& a) {
  return a.defined() ? factor * a : a;
}

Tensor jet(const TensorJets& jets, const MultiIndex& a) {
  const auto found = jets.find(a);
  return found == jets.end() ? Tensor() : found->second;
}

/// With t = tanh z: s' = 1 - t^2, s'' = -2 t s', s''' = (6 t^2 - 2) s', s'''' = (16 - 24 t^2) t s'.
std::vector<Tensor> tanh_derivatives(const Tensor& z, int order) {
  const Tensor t = torch::tanh(z);
  std::vector<Tensor> s{t};
  if (order == 0) return s;
  const Tensor t2 = t * t, slope = 1 - t2;
  s.push_back(slope);
  if (order >= 2) s.push_back(-2 * t * slope);
  if (order >= 3) s.push_back((6 * t2 - 2) * slope);
  if (order >= 4) s.push_back((16 - 24 * t2) * t * slope);
  return s;
}

std::vector<Tensor> sine_derivatives(const Tensor& z, int order) {
  const Tensor sine = torch::sin(z);
  std::vector<Tensor> s{sine};
  if (order == 0) return s;
  const Tensor cosine = torch::cos(z);
  s.push_back(cosine);
  for (int k = 2; k <= order; ++k) s.push_back(-s[static_cast<size_t>(k - 2)]);
  return s;
}

/// 1 / (1 + e^-z) and its derivatives: p = s (1 - s), s' = p, s'' = p (1 - 2 s), s''' = p (1 - 6 p), ...
std::vector<Tensor> logistic_derivatives(const Tensor& z, int order) {
  const Tensor value = torch::sigmoid(z);
  std::vector<Tensor> s{value};
  if (order == 0) return s;
  const Tensor p = value * (1 - value), q = 1 - 2 * value;
  s.push_back(p);
  if (order >= 2) s.push_back(p * q);
  if (order >= 3) s.push_back(p * (1 - 6 * p));
  if (order >= 4) s.push_back(p * q * (1 - 12 * p));
  return s;
}

/// z f(z): the k-th derivative is z f^(k) + k f^(k-1).
std::vector<Tensor> swish_derivatives(const Tensor& z, int order) {
  const auto f = logistic_derivatives(z, order);
  std::vector<Tensor> s{z * f[0]};
  for (size_t k = 1; k < f.size(); ++k) s.push_back(z * f[k] + static_cast<double>(k) * f[k - 1]);
  return s;
}

std::vector<Tensor> softplus_derivatives(const Tensor& z, int order) {
  // ln(e^z + e^0) without overflow; torch's own softplus is cut to z above a threshold.
  std::vector<Tensor> s{torch::logaddexp(z, torch::zeros_like(z))};
  if (order == 0) return s;
  auto slope = logistic_derivatives(z, order - 1);
  std::move(slope.begin(), slope.end(), std::back_inserter(s));
  return s;
}

/// h_a by Faa di Bruno's formula from the derivatives s of the activation.
Tensor compose(const std::vector<Tensor>& s, const TensorJets& z, const MultiIndex& a) {
  const auto along = directions(a);
  if (along.empty()) return s[0];
  if (along.size() == 1) return times(s[1], jet(z, a));
  const Tensor z1 = jet(z, pure_index(a.size(), along.front(), 1));
  if (along.size() == 2) {
    const Tensor other = jet(z, pure_index(a.size(), along.back(), 1));
    return plus(times(s[2], times(z1, other)), times(s[1], jet(z, a)));
  }
  const Tensor z2 = jet(z, pure_index(a.size(), along.front(), 2));
  const Tensor square = times(z1, z1), last = times(s[1], jet(z, a));
  if (along.size() == 3) return plus(times(plus(times(s[3], square), times(3, times(s[2], z2))), z1), last);
  const Tensor z3 = jet(z, pure_index(a.size(), along.front(), 3));
  const Tensor fourth = plus(times(s[4], times(square, square)), times(6, times(s[3], times(square, z2))));
  const Tensor second = plus(times(3, times(z2, z2)), times(4, times(z1, z3)));
  return plus(plus(fourth, times(s[2], second)), last);
}

/// Columns of coordinate i, differentiated `order` times; undefined where the derivative vanishes.
Tensor embedded_columns(const CoordinateEmbedding& embedding, Index i, const Tensor& points, int order) {
  const Tensor x = points.narrow(1, i, 1) - embedding.centre[i];
  if (!(embedding.period[i] > 0)) {
    if (order == 0) return x;
    return order == 1 ? torch::ones({1, 1}, points.options()) : Tensor();
  }
  const double unit = 2 * std::numbers::pi / embedding.period[i];
  std::vector<Tensor> columns;
  for (Index h = 1; h <= embedding.harmonics; ++h) {
    const double frequency = unit * static_cast<double>(h);
    const Tensor angle = frequency * x;
    const Tensor c = torch::cos(angle), s = torch::sin(angle);
    const double scale = (order / 2 % 2 ? -1 : 1) * std::pow(frequency, order);
    columns.push_back(scale * (order % 2 ? -s : c));
    columns.push_back(scale * (order % 2 ? c : s));
  }
  return torch::cat(columns, 1);
}

Tensor embedding_jet(const CoordinateEmbedding& embedding, const Tensor& points, const MultiIndex& a) {
  const auto along = directions(a);
  std::vector<Tensor> blocks;
  if (along.empty()) {
    for (Index i = 0; i < embedding.dimension(); ++i)
      blocks.push_back(embedded_columns(embedding, i, points, 0));
    return torch::cat(blocks, 1);
  }
  const auto active = static_cast<Index>(along.front());
  const Tensor block = is_pure(a) ? embedded_columns(embedding, active, points, total_order(a)) : Tensor();
  if (!block.defined()) return block;
  for (Index i = 0; i < embedding.dimension(); ++i)
    blocks.push_back(i == active ? block
                                 : torch::zeros({block.size(0), embedding.width(i)}, points.options()));
  return torch::cat(blocks, 1);
}

}  // namespace

std::vector<Tensor> activation_derivatives(Activation activation, const Tensor& z, int order) {
  switch (activation) {
    case Activation::tanh:
      return tanh_derivatives(z, order);
    case Activation::sine:
      return sine_derivatives(z, order);
    case Activation::swish:
      return swish_derivatives(z, order);
    case Activation::softplus:
      return softplus_derivatives(z, order);
  }
  throw std::logic_error("activation without derivatives");
}

void check_jet_indices(const std::vector<MultiIndex>& indices, Index dimension) {
  for (const auto& a : indices) {
    if (static_cast<Index>(a.size()) != dimension ||
        std::any_of(a.begin(), a.end(), [](int k) { return k < 0; }))
      throw InputError("derivative " + to_text(a) + " is not a multi-index of " + std::to_string(dimension) +
                       " coordinates");
    if (total_order(a) > (is_pure(a) ? kMaxPureOrder : kMaxMixedOrder))
      throw InputError("derivative " + to_text(a) +
                       " is not supported by this body: mixed ones go to order 2, pure ones to order 4");
  }
}

void check_jet_points(const std::string& who, const Tensor& points, Index dimension) {
  if (points.dim() != 2 || points.size(1) != dimension || !points.is_floating_point())
    throw InputError(who + ": points must be a floating tensor [N, " + std::to_string(dimension) + "]");
}

Index CoordinateEmbedding::width() const {
  Index sum = 0;
  for (Index i = 0; i < dimension(); ++i) sum += width(i);
  return sum;
}

TensorJets embedding_jets(const CoordinateEmbedding& embedding, const Tensor& points,
                          const std::vector<MultiIndex>& closure) {
  TensorJets jets;
  for (const auto& a : closure)
    if (const Tensor value = embedding_jet(embedding, points, a); value.defined()) jets[a] = value;
  return jets;
}

TensorJets dense_jets(const TensorJets& g, const Tensor& weight, const Tensor& bias) {
  TensorJets z;
  for (const auto& [a, value] : g)
    z[a] = total_order(a) == 0 ? torch::addmm(bias, value, weight.t()) : torch::mm(value, weight.t());
  return z;
}

TensorJets activation_jets(Activation activation, const TensorJets& z,
                           const std::vector<MultiIndex>& closure) {
  int order = 0;
  for (const auto& a : closure) order = std::max(order, total_order(a));
  const auto s = activation_derivatives(activation, z.begin()->second, order);  // the value sorts first
  TensorJets h;
  for (const auto& a : closure)
    if (const Tensor value = compose(s, z, a); value.defined()) h[a] = value;
  return h;
}

std::vector<Tensor> tensor_jets(const SineFeatures& body, const Tensor& points,
                                const std::vector<MultiIndex>& indices) {
  check_jet_points("sine features", points, body.dimension());
  const Tensor frequencies = to_tensor(body.frequencies()).to(points.options());
  const Tensor centre = to_tensor(body.centre()).to(points.options()).t();
  const Tensor phases = to_tensor(body.phases()).to(points.options()).t();
  const Tensor angle = torch::mm(points - centre, frequencies.t()) + phases;
  const Tensor sine = torch::sin(angle), cosine = torch::cos(angle);
  std::vector<Tensor> jets;
  for (const auto& a : indices) {
    Tensor factor = torch::full({1, body.features()}, total_order(a) / 2 % 2 ? -1.0 : 1.0, points.options());
    for (const size_t i : directions(a)) factor = factor * frequencies.select(1, static_cast<Index>(i));
    jets.push_back(factor * (total_order(a) % 2 ? cosine : sine));
  }
  return jets;
}

}  // namespace torsor
