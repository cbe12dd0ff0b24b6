// The derivative engine behind torch: see network_jets.h.
#include "operators/engine/network_jets.h"

#include <torch/torch.h>

#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "operators/tensor_jets.h"
#include "physics/error.h"
#include "physics/tensor/tensor_algebra.h"

namespace torsor {

using torch::Tensor;

struct NetworkJets::Engines {
  JetEngine<double> doubles;
  JetEngine<float> floats;

  template <class Real>
  const JetEngine<Real>& of() const {
    if constexpr (std::is_same_v<Real, double>)
      return doubles;
    else
      return floats;
  }
};

namespace {

std::string to_text(torch::IntArrayRef sizes) {
  std::string text = "[";
  for (size_t i = 0; i < sizes.size(); ++i) text += (i ? ", " : "") + std::to_string(sizes[i]);
  return text + "]";
}

void check_tensor(const std::string& name, const Tensor& tensor, const Tensor& like,
                  std::vector<int64_t> sizes) {
  if (!tensor.defined()) throw InputError("jets: " + name + " must be given, " + to_text(sizes));
  if (tensor.sizes() != torch::IntArrayRef(sizes))
    throw InputError("jets: " + name + " of shape " + to_text(tensor.sizes()) + " must be " + to_text(sizes));
  if (tensor.scalar_type() != like.scalar_type() || tensor.device() != like.device())
    throw InputError("jets: " + name + " must be of the type and on the device of the points");
}

void check_inputs(const NetworkShape& shape, const Tensor& parameters, const Tensor& points,
                  const Tensor& constants) {
  check_jet_points("jets", points, shape.coordinates);
  check_tensor("parameters", parameters, points, {shape.parameters()});
  if (shape.constants > 0)
    check_tensor("constants", constants, points, {points.size(0), shape.constants});
  else if (constants.defined() && constants.numel() > 0)
    throw InputError("jets: constants of shape " + to_text(constants.sizes()) +
                     " for a network without them");
}

void check_fused(const Tensor& points) {
  if (!points.device().is_cpu() ||
      (points.scalar_type() != torch::kFloat64 && points.scalar_type() != torch::kFloat32))
    throw InputError("jets: the fused backend takes float64 and float32 on the CPU; use the tensor backend");
  if (points.requires_grad())
    throw InputError("jets: the fused backend gives no gradient by the points; use the tensor backend");
}

/// Calls action(Real()) with the floating type of the tensor.
template <class Action>
auto with_type(const Tensor& tensor, const Action& action) {
  return tensor.scalar_type() == torch::kFloat64 ? action(double()) : action(float());
}

/// Contiguous tensors and the batch that points into them.
template <class Real>
struct TensorBatch {
  Tensor points, constants, parameters;
  JetBatch<Real> batch;

  TensorBatch(const Tensor& parameters_, const Tensor& points_, const Tensor& constants_)
      : points(points_.detach().contiguous()), parameters(parameters_.detach().contiguous()) {
    batch.count = points.size(0);
    batch.points = points.data_ptr<Real>();
    if (!constants_.defined() || constants_.numel() == 0) return;
    constants = constants_.detach().contiguous();
    batch.constants = constants.data_ptr<Real>();
  }
  const Real* weights() const { return parameters.data_ptr<Real>(); }
};

}  // namespace

/// The fused engine as a node of torch's graph.
struct FusedJets : torch::autograd::Function<FusedJets> {
  struct Holder : torch::CustomClassHolder {
    explicit Holder(std::shared_ptr<const NetworkJets::Engines> held) : engines(std::move(held)) {}
    std::shared_ptr<const NetworkJets::Engines> engines;
  };

  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& parameters,
                        const Tensor& points, const Tensor& constants,
                        std::shared_ptr<const NetworkJets::Engines> engines) {
    context->save_for_backward({parameters, points, constants});
    context->saved_data["engines"] = torch::IValue::make_capsule(c10::make_intrusive<Holder>(engines));
    return with_type(points, [&](auto zero) {
      using Real = decltype(zero);
      const auto& engine = engines->template of<Real>();
      const TensorBatch<Real> in(parameters, points, constants);
      Tensor jets = torch::empty({points.size(0), engine.request().channels(), engine.shape().outputs},
                                 in.points.options());
      engine.jets(in.batch, in.weights(), jets.template data_ptr<Real>());
      return jets;
    });
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& outputs) {
    if (torch::GradMode::is_enabled() && outputs[0].requires_grad())
      throw InputError("jets: the fused backend is differentiable once; use the tensor backend");
    const torch::NoGradGuard no_grad;
    const auto saved = context->get_saved_variables();
    const auto holder =
        c10::static_intrusive_pointer_cast<Holder>(context->saved_data["engines"].toCapsule());
    return with_type(saved[1], [&](auto zero) -> torch::autograd::variable_list {
      using Real = decltype(zero);
      const auto& engine = holder->engines->template of<Real>();
      const TensorBatch<Real> in(saved[0], saved[1], saved[2]);
      const Tensor adjoints = outputs[0].contiguous();
      Tensor gradient = torch::empty({engine.shape().parameters()}, in.points.options()), constants;
      if (in.constants.defined()) constants = torch::empty_like(in.constants);
      engine.gradients(in.batch, in.weights(), adjoints.template data_ptr<Real>(),
                       gradient.template data_ptr<Real>(),
                       constants.defined() ? constants.template data_ptr<Real>() : nullptr);
      return {gradient, Tensor(), constants, Tensor()};
    });
  }
};

namespace {

MultiIndex index_of(const std::vector<Index>& along, Index d) {
  MultiIndex a(static_cast<size_t>(d), 0);
  for (const Index i : along) ++a[static_cast<size_t>(i)];
  return a;
}

/// d^a of the columns of the inputs at `points`, constants behind them: [N, columns].
Tensor input_jet(const NetworkShape& shape, const Tensor& points, const Tensor& constants,
                 const MultiIndex& a) {
  const int order = total_order(a);
  std::vector<Tensor> columns;
  for (const InputColumn& column : shape.inputs) {
    double factor = 1;
    for (size_t i = 0; i < a.size(); ++i) factor *= std::pow(column.frequency[static_cast<Index>(i)], a[i]);
    const Tensor frequency = to_tensor(column.frequency).to(points.options());
    const Tensor argument = torch::mm(points, frequency) + column.phase;
    const bool cosine = column.kind == InputColumn::Kind::cosine;
    const int quarter =
        (order + (cosine ? 1 : 0)) % 4;  // d^n sin = sin(. + n pi/2), the cosine a quarter turn ahead
    if (column.kind == InputColumn::Kind::linear)
      columns.push_back(order == 0 ? argument : torch::full_like(argument, order == 1 ? factor : 0));
    else
      columns.push_back((quarter >= 2 ? -factor : factor) *
                        (quarter % 2 ? torch::cos(argument) : torch::sin(argument)));
  }
  if (shape.constants > 0) columns.push_back(order == 0 ? constants : torch::zeros_like(constants));
  return torch::cat(columns, 1);
}

DenseLayer layer_of(const NetworkShape& shape, const Tensor& parameters, Index l) {
  const Index in = shape.layer_inputs(l), out = shape.layer_outputs(l);
  return {parameters.narrow(0, shape.weight_offset(l), in * out).view({out, in}),
          parameters.narrow(0, shape.bias_offset(l), out)};
}

/// Jets of the last layer's inputs for the indices of `closure`.
TensorJets feature_jets(const NetworkShape& shape, const Tensor& parameters, const Tensor& points,
                        const Tensor& constants, const std::vector<MultiIndex>& closure) {
  TensorJets jets;
  for (const auto& a : closure) jets[a] = input_jet(shape, points, constants, a);
  std::vector<TensorJets> hidden;
  for (Index l = 0; l + 1 < shape.layers(); ++l) {
    const auto [weight, bias] = layer_of(shape, parameters, l);
    TensorJets next = activation_jets(shape.activation, dense_jets(jets, weight, bias), closure);
    if (shape.skip == Skip::residual && l > 0)
      for (auto& [a, value] : next) value = value + jets.at(a);
    jets = std::move(next);
    hidden.push_back(jets);
  }
  if (shape.skip != Skip::concatenate) return jets;
  for (auto& [a, value] : jets) {
    std::vector<Tensor> parts;
    for (const auto& layer : hidden) parts.push_back(layer.at(a));
    value = torch::cat(parts, 1);
  }
  return jets;
}

Tensor composed_jets(const NetworkShape& shape, const JetRequest& request, const Tensor& parameters,
                     const Tensor& points, const Tensor& constants) {
  std::vector<MultiIndex> indices = request.derivatives;
  for (const Index i : request.laplacian) indices.push_back(index_of({i, i}, shape.coordinates));
  const auto [weight, bias] = layer_of(shape, parameters, shape.layers() - 1);
  const TensorJets u =
      dense_jets(feature_jets(shape, parameters, points, constants, lower_closure(indices)), weight, bias);
  std::vector<Tensor> channels;
  for (const auto& a : request.derivatives) channels.push_back(u.at(a));
  Tensor laplacian;
  for (const Index i : request.laplacian) {
    const Tensor& second = u.at(index_of({i, i}, shape.coordinates));
    laplacian = laplacian.defined() ? laplacian + second : second;
  }
  if (laplacian.defined()) channels.push_back(laplacian);
  return torch::stack(channels, 1);
}

}  // namespace

NetworkJets::NetworkJets(NetworkShape shape, JetRequest request, JetBackend backend)
    : engines_(std::make_shared<const Engines>(
          Engines{JetEngine<double>(shape, request), JetEngine<float>(shape, request)})),
      backend_(backend) {}

const NetworkShape& NetworkJets::shape() const {
  return engines_->doubles.shape();
}
const JetRequest& NetworkJets::request() const {
  return engines_->doubles.request();
}

Tensor NetworkJets::operator()(const Tensor& parameters, const Tensor& points,
                               const Tensor& constants) const {
  check_inputs(shape(), parameters, points, constants);
  if (backend_ == JetBackend::tensor) return composed_jets(shape(), request(), parameters, points, constants);
  check_fused(points);
  const Tensor inputs = constants.defined() ? constants : points.new_empty({points.size(0), 0});
  return FusedJets::apply(parameters, points, inputs, engines_);
}

GroupGradients NetworkJets::group_gradients(const Tensor& parameters, const Tensor& points,
                                            const Tensor& adjoints, const Tensor& groups, Index group_count,
                                            const Tensor& constants) const {
  check_inputs(shape(), parameters, points, constants);
  check_fused(points);
  const Index n = points.size(0);
  check_tensor("adjoints", adjoints, points, {n, request().channels(), shape().outputs});
  if (groups.dim() != 1 || groups.size(0) != n || groups.scalar_type() != torch::kInt64 ||
      !groups.device().is_cpu())
    throw InputError("jets: groups must be int64 [" + std::to_string(n) + "] on the CPU");
  if (group_count < 1) throw InputError("groups: count = " + std::to_string(group_count) + " must be >= 1");
  const Tensor positions = groups.contiguous(), weights = adjoints.detach().contiguous();
  static_assert(sizeof(Index) == sizeof(int64_t));
  return with_type(points, [&](auto zero) {
    using Real = decltype(zero);
    TensorBatch<Real> in(parameters, points, constants);
    in.batch.groups = reinterpret_cast<const Index*>(positions.template data_ptr<int64_t>());
    in.batch.group_count = group_count;
    GroupGradients result{torch::empty({group_count, shape().parameters()}, in.points.options()), Tensor()};
    if (in.constants.defined()) result.constants = torch::empty_like(in.constants);
    engines_->template of<Real>().gradients(
        in.batch, in.weights(), weights.template data_ptr<Real>(),
        result.parameters.template data_ptr<Real>(),
        result.constants.defined() ? result.constants.template data_ptr<Real>() : nullptr);
    return result;
  });
}

Tensor NetworkJets::jacobian(const Tensor& parameters, const Tensor& points, const Tensor& adjoints,
                             const Tensor& constants) const {
  check_inputs(shape(), parameters, points, constants);
  check_fused(points);
  check_tensor("adjoints", adjoints, points, {points.size(0), request().channels(), shape().outputs});
  const Tensor weights = adjoints.detach().contiguous();
  return with_type(points, [&](auto zero) {
    using Real = decltype(zero);
    const TensorBatch<Real> in(parameters, points, constants);
    Tensor rows = torch::empty({points.size(0), shape().parameters()}, in.points.options());
    engines_->template of<Real>().jacobian(in.batch, in.weights(), weights.template data_ptr<Real>(),
                                           rows.template data_ptr<Real>());
    return rows;
  });
}

NetworkShape shape_of(const Mlp& body, Index outputs) {
  NetworkShape shape;
  shape.coordinates = body.dimension();
  shape.inputs =
      periodic_inputs(body.embedding().centre, body.embedding().period, body.embedding().harmonics);
  for (const DenseLayer& layer : body.layers()) shape.widths.push_back(layer.bias.size(0));
  shape.activation = body.activation();
  shape.skip = body.concatenates() ? Skip::concatenate : Skip::none;
  shape.outputs = outputs;
  return shape;
}

}  // namespace torsor
