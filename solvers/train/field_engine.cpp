#include "solvers/train/field_engine.h"

#include <numeric>

#include "solvers/train/task_network.h"

namespace torsor {
namespace {

using RowMajor = VelocityProducts::RowMajor;
using Map = Eigen::Map<const RowMajor>;

class MomentEngine : public FieldEngine {
 public:
  MomentEngine(const TaskNetwork& network, const JetRequest& request) : engine_(network.shape(), request) {}

  void jets(const JetBatch<double>& batch, const double* parameters, double* jets) const override {
    engine_.jets(batch, parameters, jets);
  }
  void value_and_gradients(const JetBatch<double>& batch, const double* parameters,
                           const JetEngine<double>::Residual& residual, double* losses, double* gradients) const override {
    engine_.value_and_gradients(batch, parameters, residual, losses, gradients);
  }
  void jacobian(const JetBatch<double>& batch, const double* parameters, const double* adjoints, double* rows) const override {
    engine_.jacobian(batch, parameters, adjoints, rows);
  }

 private:
  JetEngine<double> engine_;
};

class ProductEngine : public FieldEngine {
 public:
  ProductEngine(const TaskNetwork& network, const JetRequest& request)
      : engine_(network.shape(), request), products_(*network.products()) {}

  void jets(const JetBatch<double>& batch, const double* parameters, double* jets) const override {
    engine_.jets(batch, products_.expanded(own(parameters)).data(), jets);
  }
  void value_and_gradients(const JetBatch<double>& batch, const double* parameters,
                           const JetEngine<double>::Residual& residual, double* losses, double* gradients) const override {
    RowMajor of_shape(batch.group_count, engine_.shape().parameters());
    engine_.value_and_gradients(batch, products_.expanded(own(parameters)).data(), residual, losses, of_shape.data());
    Eigen::Map<RowMajor>(gradients, batch.group_count, products_.size()) = products_.pulled_back(own(parameters), of_shape);
  }
  void jacobian(const JetBatch<double>& batch, const double* parameters, const double* adjoints, double* rows) const override {
    RowMajor of_shape(batch.count, engine_.shape().parameters());
    engine_.jacobian(batch, products_.expanded(own(parameters)).data(), adjoints, of_shape.data());
    Eigen::Map<RowMajor>(rows, batch.count, products_.size()) = products_.pulled_back(own(parameters), of_shape);
  }

 private:
  Eigen::Map<const Eigen::VectorXd> own(const double* parameters) const { return {parameters, products_.size()}; }

  JetEngine<double> engine_;
  const VelocityProducts& products_;
};

/// Jets and adjoints of a point are matrices of channels x outputs: of the fields, and at each node of the network.
class NodeEngine : public FieldEngine {
 public:
  NodeEngine(const TaskNetwork& network, const JetRequest& request)
      : engine_(network.shape(), request), averages_(*network.averages()), outputs_(network.outputs()) {}

  void jets(const JetBatch<double>& batch, const double* parameters, double* jets) const override {
    const AtNodes at_nodes(batch, averages_, engine_.shape());
    RowMajor of_network(at_nodes.batch.count, own_size());
    engine_.jets(at_nodes.batch, parameters, of_network.data());
    for (Index k = 0; k < batch.count; ++k) average(of_network, k, jets + k * size());
  }

  void value_and_gradients(const JetBatch<double>& batch, const double* parameters,
                           const JetEngine<double>::Residual& residual, double* losses, double* gradients) const override {
    RowMajor of_fields(batch.count, size()), adjoints(batch.count, size());
    jets(batch, parameters, of_fields.data());
    std::vector<Index> points(static_cast<size_t>(batch.count));
    std::iota(points.begin(), points.end(), Index{0});
    std::vector<double> of_points(points.size());
    residual({batch.count, points.data(), of_fields.data(), adjoints.data(), of_points.data()});
    std::fill_n(losses, batch.group_count, 0.0);
    for (size_t k = 0; k < points.size(); ++k) losses[batch.groups ? batch.groups[k] : 0] += of_points[k];
    const AtNodes at_nodes(batch, averages_, engine_.shape());
    engine_.gradients(at_nodes.batch, parameters, spread(adjoints).data(), gradients);
  }

  void jacobian(const JetBatch<double>& batch, const double* parameters, const double* adjoints, double* rows) const override {
    constexpr Index kPoints = 32;  // at a time: every node has a row
    const Index width = engine_.shape().parameters(), nodes = averages_.nodes.rows();
    for (Index first = 0; first < batch.count; first += kPoints) {
      const Index n = std::min(kPoints, batch.count - first);
      const JetBatch<double> part{n, batch.points + first * engine_.shape().coordinates,
                                  batch.constants + first * constants(engine_.shape()), nullptr, 1};
      const AtNodes at_nodes(part, averages_, engine_.shape());
      RowMajor of_nodes(n * nodes, width);
      engine_.jacobian(at_nodes.batch, parameters, spread(Map(adjoints + first * size(), n, size())).data(), of_nodes.data());
      for (Index k = 0; k < n; ++k)
        Eigen::Map<Eigen::RowVectorXd>(rows + (first + k) * width, width) =
            of_nodes.middleRows(k * nodes, nodes).colwise().sum();
    }
  }

 private:
  Index constants(const NetworkShape& shape) const { return shape.constants - averages_.nodes.cols(); }
  Index channels() const { return engine_.request().channels(); }
  Index size() const { return channels() * outputs_; }
  Index own_size() const { return channels() * engine_.shape().outputs; }

  /// A batch with every point at each node, nodes fastest.
  struct AtNodes {
    RowMajor points, constants;
    std::vector<Index> groups;
    JetBatch<double> batch;

    AtNodes(const JetBatch<double>& of, const VelocityAverages& averages, const NetworkShape& shape) {
      const Index nodes = averages.nodes.rows(), velocity = averages.nodes.cols(), own = shape.constants - velocity;
      points.resize(of.count * nodes, shape.coordinates);
      constants.resize(of.count * nodes, shape.constants);
      for (Index k = 0; k < of.count; ++k) {
        points.middleRows(k * nodes, nodes).rowwise() = Map(of.points, of.count, shape.coordinates).row(k);
        constants.block(k * nodes, 0, nodes, own).rowwise() = Map(of.constants, of.count, own).row(k);
        constants.block(k * nodes, own, nodes, velocity) = averages.nodes;
        if (of.groups) groups.insert(groups.end(), static_cast<size_t>(nodes), of.groups[k]);
      }
      batch = {of.count * nodes, points.data(), constants.data(), of.groups ? groups.data() : nullptr, of.group_count};
    }
  };

  /// visit(output of the network, output of the fields, the field).
  template <class Visit>
  void each_output(const Visit& visit) const {
    for (Index o = 0; o < outputs_; ++o) visit(averages_.network_output(o), o, o % averages_.weights.cols());
  }

  void average(const RowMajor& of_network, Index point, double* jets) const {
    const Index nodes = averages_.nodes.rows();
    const auto own = of_network.middleRows(point * nodes, nodes);
    each_output([&](Index from, Index to, Index field) {
      for (Index c = 0; c < channels(); ++c)
        jets[c * outputs_ + to] = own.col(c * engine_.shape().outputs + from).dot(averages_.weights.col(field));
    });
  }

  /// The adjoints of the nodes from those of the points.
  RowMajor spread(const Eigen::Ref<const RowMajor>& adjoints) const {
    const Index nodes = averages_.nodes.rows();
    RowMajor result = RowMajor::Zero(adjoints.rows() * nodes, own_size());
    each_output([&](Index from, Index to, Index field) {
      for (Index c = 0; c < channels(); ++c)
        for (Index k = 0; k < adjoints.rows(); ++k)
          result.col(c * engine_.shape().outputs + from).segment(k * nodes, nodes) +=
              adjoints(k, c * outputs_ + to) * averages_.weights.col(field);
    });
    return result;
  }

  JetEngine<double> engine_;
  const VelocityAverages& averages_;
  Index outputs_;
};

}  // namespace

std::unique_ptr<const FieldEngine> make_field_engine(const TaskNetwork& network, const JetRequest& request) {
  if (network.averages()) return std::make_unique<NodeEngine>(network, request);
  if (network.products()) return std::make_unique<ProductEngine>(network, request);
  return std::make_unique<MomentEngine>(network, request);
}

}  // namespace torsor
