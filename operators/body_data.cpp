// Bodies as plain data: see body_data.h.
#include "operators/body_data.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "operators/body_factory.h"
#include "operators/enrichment.h"
#include "operators/fourier_body.h"
#include "operators/mlp.h"
#include "operators/network_body.h"
#include "operators/sine_features.h"
#include "operators/velocity_body.h"
#include "physics/error.h"
#include "physics/tensor/tensor_algebra.h"

namespace torsor {
namespace {

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

BodyArray matrix_array(const Eigen::MatrixXd& matrix) {
  const RowMajor rows = matrix;
  return {{matrix.rows(), matrix.cols()}, {rows.data(), rows.data() + rows.size()}};
}

BodyArray vector_array(const Eigen::VectorXd& vector) {
  return {{vector.size()}, {vector.data(), vector.data() + vector.size()}};
}

BodyArray tensor_array(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().to(torch::kCPU, torch::kFloat64).contiguous();
  const auto* values = plain.data_ptr<double>();
  return {{plain.sizes().begin(), plain.sizes().end()}, {values, values + plain.numel()}};
}

std::string layer_name(Index layer, const char* part) {
  return "layer_" + std::to_string(layer) + "_" + part;
}

[[noreturn]] void fail(const std::string& entry, const std::string& reason) {
  throw InputError("body data: entry '" + entry + "' " + reason);
}

std::string to_text(const std::vector<long long>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

const std::string& read_text(const BodyData& data, const std::string& name) {
  const auto found = data.text.find(name);
  if (found == data.text.end()) fail(name, "is missing");
  return found->second;
}

constexpr Index kMostCount = 1'000'000;  // layers or harmonics; far above any use, far below an overflow

Index read_count(const BodyData& data, const std::string& name) {
  const std::string& text = read_text(data, name);
  Index count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > kMostCount)
    fail(name, "is '" + text + "', not a whole number from 1 to " + std::to_string(kMostCount));
  return count;
}

/// The array `name`, whose shape must be `shape` (-1: any size >= 1).
const BodyArray& read_array(const BodyData& data, const std::string& name,
                            const std::vector<long long>& shape) {
  const auto found = data.arrays.find(name);
  if (found == data.arrays.end()) fail(name, "is missing");
  const auto& [own, values] = found->second;
  const bool fits = std::equal(own.begin(), own.end(), shape.begin(), shape.end(),
                               [](long long a, long long b) { return b < 0 ? a >= 1 : a == b; });
  if (!fits) fail(name, "has shape " + to_text(own) + " instead of " + to_text(shape) + " (-1: any)");
  // Division, because a product of damaged sizes could overflow.
  size_t rest = values.size();
  for (const long long size : own)
    rest = rest % static_cast<size_t>(size) == 0 ? rest / static_cast<size_t>(size) : 0;
  if (rest != 1) fail(name, "has " + std::to_string(values.size()) + " values for shape " + to_text(own));
  if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
    fail(name, "has values that are not finite");
  return found->second;
}

Eigen::MatrixXd read_matrix(const BodyData& data, const std::string& name,
                            const std::vector<long long>& shape) {
  const auto& [own, values] = read_array(data, name, shape);
  return Eigen::Map<const RowMajor>(values.data(), own[0], own[1]);
}

Eigen::VectorXd read_vector(const BodyData& data, const std::string& name, long long size) {
  const auto& [own, values] = read_array(data, name, {size});
  return Eigen::Map<const Eigen::VectorXd>(values.data(), own[0]);
}

BodyData describe(const SineFeatures& body) {
  return {body.kind(),
          {},
          {{"frequencies", matrix_array(body.frequencies())},
           {"phases", vector_array(body.phases())},
           {"centre", vector_array(body.centre())}}};
}

BodyData describe(const Mlp& body) {
  BodyData data{
      body.kind(),
      {{"activation", activation_name(body.activation())},
       {"concatenate", body.concatenates() ? "yes" : "no"},
       {"harmonics", std::to_string(body.embedding().harmonics)},
       {"layers", std::to_string(body.layers().size())}},
      {{"centre", vector_array(body.embedding().centre)}, {"period", vector_array(body.embedding().period)}}};
  for (size_t l = 0; l < body.layers().size(); ++l) {
    const auto number = static_cast<Index>(l + 1);
    data.arrays[layer_name(number, "weight")] = tensor_array(body.layers()[l].weight);
    data.arrays[layer_name(number, "bias")] = tensor_array(body.layers()[l].bias);
  }
  return data;
}

std::shared_ptr<const Body> read_sine(const BodyData& data) {
  Eigen::MatrixXd frequencies = read_matrix(data, "frequencies", {-1, -1});
  Eigen::VectorXd phases = read_vector(data, "phases", frequencies.rows());
  Eigen::VectorXd centre = read_vector(data, "centre", frequencies.cols());
  return std::make_shared<SineFeatures>(std::move(frequencies), std::move(phases), std::move(centre));
}

Activation read_activation(const BodyData& data) {
  const std::string& name = read_text(data, "activation");
  const auto known = activation_names();
  if (std::find(known.begin(), known.end(), name) == known.end())
    fail("activation", "holds an " + unknown_name_message("activation", name, known));
  return activation_from_name(name);
}

bool read_concatenate(const BodyData& data) {
  const std::string& word = read_text(data, "concatenate");
  if (word != "yes" && word != "no") fail("concatenate", "is '" + word + "', neither 'yes' nor 'no'");
  return word == "yes";
}

std::shared_ptr<const Body> read_mlp(const BodyData& data) {
  CoordinateEmbedding embedding;
  embedding.centre = read_vector(data, "centre", -1);
  embedding.period = read_vector(data, "period", embedding.centre.size());
  embedding.harmonics = read_count(data, "harmonics");
  std::vector<DenseLayer> layers;
  long long n_in = embedding.width();
  const Index count = read_count(data, "layers");
  for (Index l = 1; l <= count; ++l) {
    const Eigen::MatrixXd weight = read_matrix(data, layer_name(l, "weight"), {-1, n_in});
    const Eigen::VectorXd bias = read_vector(data, layer_name(l, "bias"), weight.rows());
    layers.push_back({to_tensor(weight).contiguous(), to_tensor(bias).flatten().contiguous()});
    n_in = weight.rows();
  }
  return std::make_shared<Mlp>(std::move(embedding), read_activation(data), read_concatenate(data),
                               std::move(layers));
}

// One row for each term: centre x, y, coefficient re, im, power, conjugate power, logarithm, direction.
constexpr long long kTermNumbers = 8;

BodyData describe(const PolyanalyticFeatures& body) {
  Eigen::MatrixXd table(body.features(), kTermNumbers);
  for (Index j = 0; j < body.features(); ++j) {
    const auto& term = body.terms()[static_cast<size_t>(j)];
    table.row(j) << term.centre[0], term.centre[1], term.coefficient.real(), term.coefficient.imag(), term.power,
        term.conjugate_power, term.logarithm ? 1 : 0, term.direction;
  }
  Eigen::VectorXd place(3);
  place << static_cast<double>(body.dimension()), static_cast<double>(body.plane()[0]),
      static_cast<double>(body.plane()[1]);
  return {body.kind(), {}, {{"terms", matrix_array(table)}, {"dimension_and_plane", vector_array(place)}}};
}

std::shared_ptr<const Body> read_polyanalytic(const BodyData& data) {
  const Eigen::MatrixXd table = read_matrix(data, "terms", {-1, kTermNumbers});
  const Eigen::VectorXd place = read_vector(data, "dimension_and_plane", 3);
  if (!(place[0] >= 2 && place[1] >= 0 && place[1] < place[0] && place[2] >= 0 && place[2] < place[0]))
    fail("dimension_and_plane", "names coordinates that are not there");
  std::vector<PolyanalyticTerm> terms;
  for (Index j = 0; j < table.rows(); ++j)
    terms.push_back({{table(j, 0), table(j, 1)},
                     {table(j, 2), table(j, 3)},
                     table(j, 4),
                     static_cast<int>(table(j, 5)),
                     table(j, 6) != 0,
                     table(j, 7)});
  const auto index = [&](Index i) { return static_cast<Index>(place[i]); };
  return std::make_shared<PolyanalyticFeatures>(std::move(terms), index(0), std::array<Index, 2>{index(1), index(2)});
}

constexpr const char* kSkips[] = {"none", "residual", "concatenate"};

// Inputs: one row for each column of the network's inputs: kind (0 linear, 1 cosine, 2 sine), phase, frequency.
BodyData describe(const NetworkBody& body) {
  const NetworkShape& shape = body.shape();
  Eigen::MatrixXd inputs(static_cast<Index>(shape.inputs.size()), shape.coordinates + 2);
  for (Index i = 0; i < inputs.rows(); ++i) {
    const auto& column = shape.inputs[static_cast<size_t>(i)];
    inputs.row(i) << static_cast<double>(column.kind), column.phase, column.frequency.transpose();
  }
  Eigen::VectorXd widths(static_cast<Index>(shape.widths.size()));
  for (Index l = 0; l < widths.size(); ++l) widths[l] = static_cast<double>(shape.widths[static_cast<size_t>(l)]);
  BodyData data{body.kind(),
                {{"activation", activation_name(shape.activation)}, {"skip", kSkips[static_cast<int>(shape.skip)]}},
                {{"inputs", matrix_array(inputs)},
                 {"widths", vector_array(widths)},
                 {"parameters", vector_array(body.parameters())}}};
  if (shape.constants > 0) data.arrays["constants"] = vector_array(body.constants());
  return data;
}

std::shared_ptr<const NetworkBody> read_network(const BodyData& data) {
  const Eigen::MatrixXd inputs = read_matrix(data, "inputs", {-1, -1});
  NetworkShape shape;
  shape.coordinates = inputs.cols() - 2;
  for (const auto& row : inputs.rowwise()) {
    if (!(row[0] == 0 || row[0] == 1 || row[0] == 2)) fail("inputs", "name a kind of input other than 0, 1 and 2");
    shape.inputs.push_back({static_cast<InputColumn::Kind>(static_cast<int>(row[0])),
                            row.tail(shape.coordinates).transpose(), row[1]});
  }
  for (const double width : read_vector(data, "widths", -1)) {
    if (!(width >= 1 && width <= NetworkShape::kMaxWidth)) fail("widths", "has a width that no network has");
    shape.widths.push_back(static_cast<Index>(width));
  }
  shape.activation = read_activation(data);
  const auto skip = std::find(std::begin(kSkips), std::end(kSkips), read_text(data, "skip"));
  if (skip == std::end(kSkips)) fail("skip", "is neither none nor residual nor concatenate");
  shape.skip = static_cast<Skip>(skip - std::begin(kSkips));
  Eigen::VectorXd constants(0);
  if (data.arrays.count("constants")) constants = read_vector(data, "constants", -1);
  shape.constants = constants.size();
  shape.check();
  shape.outputs = shape.layer_inputs(shape.layers() - 1);
  return std::make_shared<NetworkBody>(shape, read_vector(data, "parameters", shape.parameters()), constants, false);
}

// The data of the body that the modes multiply, and theirs.
BodyData describe(const FourierBody& body) {
  BodyData data = describe_body(*body.body());
  data.text["of"] = data.kind;
  data.kind = body.kind();
  data.text["mode_harmonics"] = std::to_string(body.modes().harmonics());
  data.arrays["mode_centre"] = vector_array(body.modes().centre());
  data.arrays["mode_period"] = vector_array(body.modes().period());
  return data;
}

std::shared_ptr<const Body> read_fourier(const BodyData& data) {
  BodyData of = data;
  of.kind = read_text(data, "of");
  if (of.kind == data.kind) fail("of", "is the kind itself");
  const Eigen::VectorXd centre = read_vector(data, "mode_centre", -1);
  FourierModes modes(centre, read_vector(data, "mode_period", centre.size()), read_count(data, "mode_harmonics"));
  return std::make_shared<FourierBody>(std::move(modes), body_from_data(of));
}

// The data of the network, and its velocity nodes.
BodyData describe(const VelocityBody& body) {
  BodyData data = describe(body.network());
  data.kind = body.kind();
  data.arrays["velocity_nodes"] = matrix_array(body.nodes());
  data.arrays["velocity_weights"] = vector_array(body.weights());
  return data;
}

std::shared_ptr<const Body> read_velocity(const BodyData& data) {
  Eigen::MatrixXd nodes = read_matrix(data, "velocity_nodes", {-1, -1});
  Eigen::VectorXd weights = read_vector(data, "velocity_weights", nodes.rows());
  return std::make_shared<VelocityBody>(*read_network(data), std::move(nodes), std::move(weights));
}

}  // namespace

BodyData describe_body(const Body& body) {
  if (const auto* sine = dynamic_cast<const SineFeatures*>(&body)) return describe(*sine);
  if (const auto* mlp = dynamic_cast<const Mlp*>(&body)) return describe(*mlp);
  if (const auto* network = dynamic_cast<const NetworkBody*>(&body)) return describe(*network);
  if (const auto* plane = dynamic_cast<const PolyanalyticFeatures*>(&body)) return describe(*plane);
  if (const auto* modes = dynamic_cast<const FourierBody*>(&body)) return describe(*modes);
  if (const auto* velocity = dynamic_cast<const VelocityBody*>(&body)) return describe(*velocity);
  throw InputError("body data: " + unknown_name_message("kind", body.kind(), body_names()));
}

std::shared_ptr<const Body> body_from_data(const BodyData& data) {
  if (data.kind == "sine") return read_sine(data);
  if (data.kind == "mlp") return read_mlp(data);
  if (data.kind == "network") return read_network(data);
  if (data.kind == "polyanalytic") return read_polyanalytic(data);
  if (data.kind == "fourier") return read_fourier(data);
  if (data.kind == "velocity") return read_velocity(data);
  throw InputError("body data: " + unknown_name_message("kind", data.kind, body_names()));
}

}  // namespace torsor
