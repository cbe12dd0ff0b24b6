// Dense networks as features: see mlp.h.
#include "operators/mlp.h"

#include <omp.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "physics/random.h"
#include "physics/tensor/tensor_algebra.h"

namespace torsor {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using torch::Tensor;

// Points evaluated at a time, so that the jets of a layer stay in the cache.
constexpr Index kBlock = 256;

/// One thread for the tensor operations while this lives inside a parallel region: the caller's threads
/// already use every core. No gradients are recorded.
class SerialEvaluation {
 public:
  SerialEvaluation()
      : threads_(at::get_num_threads()) {  // the first call of a thread also sets its number, so ask first
    if (omp_in_parallel()) omp_set_num_threads(1);
  }
  SerialEvaluation(const SerialEvaluation&) = delete;
  SerialEvaluation& operator=(const SerialEvaluation&) = delete;
  ~SerialEvaluation() {
    if (omp_in_parallel()) omp_set_num_threads(threads_);
  }

 private:
  torch::NoGradGuard no_grad_;
  int threads_;
};

template <class Visit>
void for_each_block(Index n, const Visit& visit) {
  for (Index first = 0; first < n; first += kBlock) visit(first, std::min(kBlock, n - first));
}

void require(bool condition, const std::string& text) {
  if (!condition) throw InputError("mlp: " + text);
}

void check_positive(const Eigen::VectorXd& values, const std::string& name) {
  for (const double value : values)
    require(value > 0 && std::isfinite(value), name + " = " + std::to_string(value) + " must be > 0");
}

void check(const Mlp::Options& options) {
  require(!options.widths.empty(), "at least one hidden layer is needed");
  for (const Index width : options.widths)
    require(width >= 1, "width = " + std::to_string(width) + " must be >= 1");
  const Index d = options.bandwidth.size();
  require(d >= 1, "bandwidth is empty");
  require(options.centre.size() == d && options.period.size() == d &&
              (options.half_width.size() == d || options.half_width.size() == 0),
          "bandwidth, centre, half-width and period differ in size");
  check_positive(options.bandwidth, "bandwidth");
  check_positive(options.half_width, "half-width");
  require(options.harmonics >= 1, "harmonics = " + std::to_string(options.harmonics) + " must be >= 1");
  require(options.gain > 0 && std::isfinite(options.gain),
          "gain = " + std::to_string(options.gain) + " must be > 0");
}

/// The greatest first-layer weight of each column of the embedding.
Eigen::VectorXd weight_scales(const CoordinateEmbedding& embedding, const Eigen::VectorXd& bandwidth) {
  Eigen::VectorXd scales(embedding.width());
  Index column = 0;
  for (Index i = 0; i < embedding.dimension(); ++i) {
    if (!(embedding.period[i] > 0)) {
      scales[column++] = bandwidth[i];
      continue;
    }
    const double unit = 2 * std::numbers::pi / embedding.period[i];
    for (Index h = 1; h <= embedding.harmonics; ++h, column += 2)
      scales.segment(column, 2).setConstant(bandwidth[i] /
                                            (unit * static_cast<double>(h * embedding.harmonics)));
  }
  return scales;
}

/// The embedding of a point uniform in the cell.
Eigen::VectorXd draw_in_cell(Random& random, const CoordinateEmbedding& embedding,
                             const Mlp::Options& options) {
  Eigen::VectorXd columns(embedding.width());
  Index column = 0;
  for (Index i = 0; i < embedding.dimension(); ++i) {
    const double place = random.uniform(-1, 1);
    if (!(embedding.period[i] > 0)) {
      columns[column++] =
          place * (options.half_width.size() > 0 ? options.half_width[i] : 4 / options.bandwidth[i]);
      continue;
    }
    for (Index h = 1; h <= embedding.harmonics; ++h) {
      columns[column++] = std::cos(std::numbers::pi * static_cast<double>(h) * place);
      columns[column++] = std::sin(std::numbers::pi * static_cast<double>(h) * place);
    }
  }
  return columns;
}

DenseLayer to_layer(const Eigen::MatrixXd& weight, const Eigen::VectorXd& bias) {
  return {to_tensor(weight).contiguous(), to_tensor(bias).flatten().contiguous()};
}

DenseLayer draw_first_layer(Random& random, const CoordinateEmbedding& embedding,
                            const Mlp::Options& options) {
  const Index width = options.widths.front();
  const Eigen::VectorXd scales = weight_scales(embedding, options.bandwidth);
  Eigen::MatrixXd weight(width, scales.size());
  Eigen::VectorXd bias(width);
  for (Index j = 0; j < width; ++j) {
    for (Index c = 0; c < scales.size(); ++c) weight(j, c) = scales[c] * random.uniform(-1, 1);
    bias[j] = options.activation == Activation::sine
                  ? 2 * std::numbers::pi * random.uniform()
                  : -weight.row(j).dot(draw_in_cell(random, embedding, options));
  }
  return to_layer(weight, bias);
}

DenseLayer draw_deeper_layer(Random& random, Index n_in, Index n_out, double gain) {
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(n_in + n_out));
  Eigen::MatrixXd weight(n_out, n_in);
  Eigen::VectorXd bias(n_out);
  for (Index j = 0; j < n_out; ++j) {
    for (Index i = 0; i < n_in; ++i) weight(j, i) = random.uniform(-bound, bound);
    bias[j] = random.uniform(-gain, gain);
  }
  return to_layer(weight, bias);
}

}  // namespace

Mlp::Mlp(const Options& options) : activation_(options.activation), concatenate_(options.concatenate) {
  check(options);
  embedding_ = {options.centre, options.period, options.harmonics};
  Random random(options.seed);
  layers_.push_back(draw_first_layer(random, embedding_, options));
  for (size_t l = 1; l < options.widths.size(); ++l)
    layers_.push_back(draw_deeper_layer(random, options.widths[l - 1], options.widths[l], options.gain));
}

Mlp::Mlp(CoordinateEmbedding embedding, Activation activation, bool concatenate,
         std::vector<DenseLayer> layers)
    : embedding_(std::move(embedding)),
      activation_(activation),
      concatenate_(concatenate),
      layers_(std::move(layers)) {
  require(embedding_.centre.size() >= 1 && embedding_.period.size() == embedding_.centre.size(),
          "centre and period differ in size");
  require(embedding_.harmonics >= 1, "harmonics = " + std::to_string(embedding_.harmonics) + " must be >= 1");
  require(!layers_.empty(), "at least one hidden layer is needed");
  Index n_in = embedding_.width();
  for (size_t l = 0; l < layers_.size(); ++l) {
    const auto& [weight, bias] = layers_[l];
    const bool fits = weight.defined() && bias.defined() && weight.dim() == 2 && bias.dim() == 1 &&
                      weight.size(1) == n_in && weight.size(0) == bias.size(0) && weight.size(0) >= 1;
    require(fits, "layer " + std::to_string(l + 1) + " must have a weight [out, " + std::to_string(n_in) +
                      "] and a bias [out]");
    n_in = weight.size(0);
  }
}

Index Mlp::features() const {
  if (!concatenate_) return layers_.back().bias.size(0);
  Index sum = 0;
  for (const auto& layer : layers_) sum += layer.bias.size(0);
  return sum;
}

std::vector<Tensor> Mlp::parameters() const {
  std::vector<Tensor> result;
  for (const auto& layer : layers_) {
    result.push_back(layer.weight);
    result.push_back(layer.bias);
  }
  return result;
}

std::vector<Tensor> tensor_jets(const Mlp& body, const Tensor& points,
                                const std::vector<MultiIndex>& indices) {
  check_jet_points("mlp", points, body.dimension());
  check_jet_indices(indices, body.dimension());
  std::vector<Tensor> result;
  if (indices.empty()) return result;
  const auto closure = lower_closure(indices);
  TensorJets jets = embedding_jets(body.embedding(), points, closure);
  std::vector<TensorJets> hidden;
  for (const auto& layer : body.layers()) {
    jets = activation_jets(
        body.activation(),
        dense_jets(jets, layer.weight.to(points.options()), layer.bias.to(points.options())), closure);
    if (body.concatenates()) hidden.push_back(jets);
  }
  if (!body.concatenates()) hidden.push_back(jets);
  for (const auto& a : indices) {
    std::vector<Tensor> blocks;
    for (const auto& layer : hidden) blocks.push_back(layer.at(a));
    result.push_back(blocks.size() == 1 ? blocks.front() : torch::cat(blocks, 1));
  }
  return result;
}

void Mlp::add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                   const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const {
  if (indices.empty()) return;
  const SerialEvaluation serial;
  Eigen::Map<Eigen::MatrixXd, 0, Eigen::OuterStride<>> rows(out, points.rows(), features(),
                                                            Eigen::OuterStride<>(ld));
  for_each_block(points.rows(), [&](Index first, Index n) {
    const auto jets = tensor_jets(*this, to_tensor(points.middleRows(first, n)), indices);
    const Tensor factors = to_tensor(coefficients.middleRows(first, n));
    Tensor sum = jets[0] * factors.narrow(1, 0, 1);
    for (size_t c = 1; c < jets.size(); ++c)
      sum.addcmul_(jets[c], factors.narrow(1, static_cast<Index>(c), 1));
    rows.middleRows(first, n) +=
        Eigen::Map<const RowMajor>(sum.contiguous().data_ptr<double>(), n, features());
  });
}

Eigen::MatrixXd Mlp::field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                const std::vector<MultiIndex>& indices,
                                const Eigen::Ref<const Eigen::VectorXd>& w) const {
  const SerialEvaluation serial;
  const Tensor head = to_tensor(w);
  Eigen::MatrixXd result(points.rows(), static_cast<Index>(indices.size()));
  for_each_block(points.rows(), [&](Index first, Index n) {
    const auto jets = tensor_jets(*this, to_tensor(points.middleRows(first, n)), indices);
    for (size_t c = 0; c < jets.size(); ++c)
      result.col(static_cast<Index>(c)).segment(first, n) = to_matrix(torch::mm(jets[c], head));
  });
  return result;
}

}  // namespace torsor
