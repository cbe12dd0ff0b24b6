#include "solvers/train/task_network.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "operators/velocity_body.h"
#include "physics/error.h"
#include "physics/random.h"
#include "solvers/head/collocation.h"

namespace torsor {
namespace {

struct Places {
  Eigen::VectorXd centre, period;  // 0 where not periodic
};

Places places_of(const std::vector<Coordinate>& coordinates) {
  const auto d = static_cast<Index>(coordinates.size());
  Places places{Eigen::VectorXd(d), Eigen::VectorXd::Zero(d)};
  for (Index i = 0; i < d; ++i) {
    const Coordinate& c = coordinates[static_cast<size_t>(i)];
    places.centre[i] = (c.low + c.high) / 2;
    if (c.periodic) places.period[i] = c.high - c.low;
  }
  return places;
}

/// Coordinates scaled to [-1, 1], periodic ones as cosines and sines.
std::vector<InputColumn> inputs_of(const std::vector<Coordinate>& coordinates, Index harmonics) {
  const auto [centre, period] = places_of(coordinates);
  std::vector<InputColumn> columns = periodic_inputs(centre, period, harmonics);
  for (auto& column : columns) {
    if (column.kind != InputColumn::Kind::linear) continue;
    Index i;
    column.frequency.cwiseAbs().maxCoeff(&i);
    const double half = (coordinates[static_cast<size_t>(i)].high - coordinates[static_cast<size_t>(i)].low) / 2;
    column.frequency /= half;
    column.phase /= half;
  }
  return columns;
}

void check_same_fields(const std::vector<Problem>& tasks) {
  for (const auto& task : tasks) {
    bool same = task.fields.size() == tasks.front().fields.size() && task.terms.size() == tasks.front().terms.size() &&
                task.dimension() == tasks.front().dimension();
    for (size_t i = 0; same && i < task.coordinates.size(); ++i)
      same = task.coordinates[i].low == tasks.front().coordinates[i].low &&
             task.coordinates[i].high == tasks.front().coordinates[i].high;
    if (!same) throw InputError("tasks trained together must have the same coordinates, fields and terms");
  }
}

constexpr const char* kVelocityShapes[] = {"moments", "products", "nodes"};

}  // namespace

VelocityShape velocity_shape_from_name(const std::string& name) {
  const auto found = std::find(std::begin(kVelocityShapes), std::end(kVelocityShapes), name);
  if (found == std::end(kVelocityShapes))
    throw InputError(unknown_name_message("shape", name, {std::begin(kVelocityShapes), std::end(kVelocityShapes)}));
  return static_cast<VelocityShape>(found - std::begin(kVelocityShapes));
}

TaskNetwork::TaskNetwork(const std::vector<Problem>& tasks, const NetworkOptions& options)
    : options_(options),
      tasks_(static_cast<Index>(tasks.size())),
      fields_(static_cast<Index>(tasks.front().fields.size())),
      constants_(tasks.size()) {
  check_same_fields(tasks);
  if (!own_heads()) {
    inputs_ = parameter_inputs(tasks);
    std::transform(tasks.begin(), tasks.end(), constants_.begin(),
                   [this](const Problem& task) { return constant_inputs(inputs_, task); });
  }
  shape_.coordinates = tasks.front().dimension();
  shape_.inputs = inputs_of(tasks.front().coordinates, options.harmonics);
  if (options.modes > 0) take_modes(tasks.front().coordinates);
  shape_.constants = constants_.front().size();
  shape_.widths = options.widths;
  shape_.activation = options.activation;
  shape_.skip = options.skip;
  shape_.outputs = outputs();
  if (options.velocity != VelocityShape::moments) take_velocity(tasks.front());
  shape_.check();
  constraints_.resize(tasks.front().fields.size(), nullptr);
  for (const auto& [field, constraints] : options_.constraints) {
    if (constraints.size() != 1 && constraints.size() != tasks.size())
      throw InputError("hard constraint on '" + field + "': " + std::to_string(constraints.size()) + " for " +
                       std::to_string(tasks.size()) + " tasks");
    constraints_[static_cast<size_t>(tasks.front().field_index(field))] = &constraints;
  }
  positive_.resize(tasks.front().fields.size(), false);
  for (const auto& field : options_.positive) positive_[static_cast<size_t>(tasks.front().field_index(field))] = true;
}

void TaskNetwork::take_modes(const std::vector<Coordinate>& coordinates) {
  const auto [centre, period] = places_of(coordinates);
  if (period.maxCoeff() <= 0) throw InputError("model.modes: no coordinate is periodic");
  if (period.minCoeff() > 0) throw InputError("model.modes: all coordinates are periodic; a network needs one that is not");
  if (!options_.positive.empty()) throw InputError("model.modes: a sum of modes is not positive (model.positive)");
  modes_.emplace(centre, period, options_.modes);
  std::erase_if(shape_.inputs, [](const InputColumn& column) { return column.kind != InputColumn::Kind::linear; });
}

void TaskNetwork::take_velocity(const Problem& problem) {
  const std::string key = std::string("model.velocity = ") + kVelocityShapes[static_cast<int>(options_.velocity)];
  if (!problem.velocity) throw InputError(key + ": the problem has no velocity");
  if (options_.velocity == VelocityShape::products) {
    if (own_heads() && tasks_ > 1) throw InputError(key + ": heads of their own have no products; needs model.task_inputs = parameters");
    products_.emplace(shape_, problem, mode_count(), options_.products);
    return;
  }
  if (modes_) throw InputError(key + ": not with model.modes");
  if (!options_.positive.empty()) throw InputError(key + ": a mean over nodes is no exponential (model.positive)");
  averages_ = velocity_averages(problem);
  shape_.constants += averages_->nodes.cols();
  shape_.outputs = (own_heads() ? tasks_ : 1) * averages_->unknowns;
}

const HardConstraint* TaskNetwork::constraint(Index task, Index field) const {
  const auto* constraints = constraints_[static_cast<size_t>(field)];
  return constraints ? &(*constraints)[constraints->size() == 1 ? 0 : static_cast<size_t>(task)] : nullptr;
}

Index TaskNetwork::shared() const {
  if (tasks_ == 1 || !own_heads()) return size();
  return shape_.weight_offset(shape_.layers() - 1);
}

Eigen::VectorXd TaskNetwork::initial_parameters() const {
  Random random(stream_seed(options_.seed, 0x6e6574));
  Eigen::VectorXd parameters = Eigen::VectorXd::Zero(shape_.parameters());
  for (Index l = 0; l < shape_.layers(); ++l) {
    // A head is a last layer of its own: its size counts, not that of all heads together.
    const Index outputs = l + 1 == shape_.layers() ? shape_.outputs / (own_heads() ? tasks_ : 1) : shape_.layer_outputs(l);
    const double deviation = std::sqrt(2.0 / static_cast<double>(shape_.layer_inputs(l) + outputs));
    for (Index k = 0; k < shape_.layer_inputs(l) * shape_.layer_outputs(l); ++k)
      parameters[shape_.weight_offset(l) + k] = deviation * random.normal();
    // Where z is zero, and tanh bends, differs from neuron to neuron: through a point uniform in the range of the
    // layer's inputs. Neurons that begin alike stay alike for long, above all under Gauss-Newton.
    if (l + 1 == shape_.layers()) continue;
    for (Index j = 0; j < shape_.layer_outputs(l); ++j)
      for (Index i = 0; i < shape_.layer_inputs(l); ++i)
        parameters[shape_.bias_offset(l) + j] -=
            parameters[shape_.weight_offset(l) + j * shape_.layer_inputs(l) + i] * random.uniform(-1, 1);
  }
  return products_ ? products_->initial(parameters, random) : parameters;
}

std::vector<std::pair<Index, Index>> TaskNetwork::blocks() const {
  std::vector<std::pair<Index, Index>> result;
  for (Index l = 0; l < shape_.layers() - (products_ ? 1 : 0); ++l) {
    result.emplace_back(shape_.layer_outputs(l), shape_.layer_inputs(l));
    result.emplace_back(shape_.layer_outputs(l), 1);
  }
  if (products_)
    for (const auto& block : products_->blocks()) result.push_back(block);
  return result;
}

/// The features of a field.
std::shared_ptr<const Body> TaskNetwork::body_of(Index field, const NetworkBody& network) const {
  if (averages_) return std::make_shared<VelocityBody>(network, averages_->nodes, averages_->weights.col(field));
  const auto body = std::make_shared<NetworkBody>(network);
  if (modes_) return std::make_shared<FourierBody>(*modes_, body);
  return body;
}

Solution TaskNetwork::solution(const Problem& task, Index index, const Eigen::VectorXd& parameters,
                               bool concatenate) const {
  const Eigen::VectorXd of_shape = products_ ? products_->expanded(parameters) : parameters;
  Eigen::VectorXd inputs_at = Eigen::VectorXd::Zero(shape_.constants);
  inputs_at.head(constants(index).size()) = constants(index);
  const NetworkBody network(shape_, of_shape, inputs_at, concatenate);
  const auto axes = whole_domain(task);
  const Index last = shape_.layers() - 1, inputs = shape_.layer_inputs(last);
  std::vector<Ansatz::FieldPart> parts;
  Eigen::VectorXd head(fields_ * mode_count() * network.features());
  std::shared_ptr<const Body> body;  // all fields share it but with averages
  for (Index f = 0; f < fields_; ++f) {
    if (!body || averages_) body = body_of(f, network);
    parts.push_back({std::make_shared<Patchwork>(axes, 0, std::vector<std::shared_ptr<const Body>>{body}), std::nullopt});
    if (constraint(index, f)) parts.back().constraint = *constraint(index, f);
    parts.back().positive = positive(f);
    for (Index k = 0; k < mode_count(); ++k) {
      const Index o = averages_ ? averages_->network_output(output(index, f)) : output(index, f, k);
      head.segment((f * mode_count() + k) * network.features(), network.features()) = network.head_of(
          of_shape.segment(shape_.weight_offset(last) + o * inputs, inputs), of_shape[shape_.bias_offset(last) + o]);
    }
  }
  Window window;
  if (const Index t = task.time(); t >= 0) {
    window.start = task.coordinates[static_cast<size_t>(t)].low;
    window.end = task.coordinates[static_cast<size_t>(t)].high;
  }
  window.ansatz = std::make_shared<Ansatz>(std::move(parts));
  window.head = std::move(head);
  return Solution(task.time(), {std::move(window)});
}

}  // namespace torsor
