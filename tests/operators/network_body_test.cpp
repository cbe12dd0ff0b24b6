// Trained networks as bodies: features against finite differences, the network's own last layer as a head, and plain
// data.
#include "operators/network_body.h"

#include "body_checks.h"
#include "operators/body_data.h"
#include "operators/engine/jet_engine.h"

namespace torsor {
namespace {

NetworkShape sampled_shape(Skip skip, Index constants) {
  NetworkShape shape;
  shape.coordinates = 2;
  shape.inputs = periodic_inputs(Eigen::Vector2d(0.2, 0.1), Eigen::Vector2d(0, 2), 1);
  shape.constants = constants;
  shape.widths = {9, 9, 9};
  shape.skip = skip;
  shape.outputs = 3;
  return shape;
}

struct Network {
  NetworkShape shape;
  Eigen::VectorXd parameters, constants;
  NetworkBody body;

  Network(Skip skip, Index p, bool concatenate)
      : shape(sampled_shape(skip, p)),
        parameters(random_matrix(shape.parameters(), 1, -0.8, 0.8, 3)),
        constants(random_matrix(p, 1, -1, 1, 4)),
        body(shape, parameters, constants, concatenate) {}
};

const std::vector<Network>& networks() {
  static const std::vector<Network> all{{Skip::none, 0, false},
                                        {Skip::none, 2, true},
                                        {Skip::residual, 1, true},
                                        {Skip::concatenate, 0, false}};
  return all;
}

TEST(NetworkBody, FeaturesAreThoseOfFiniteDifferences) {
  const Eigen::MatrixXd points = random_matrix(300, 2, -1, 1, 1);
  constexpr double h = 1e-4;
  for (const auto& network : networks()) {
    Eigen::MatrixXd low = points, high = points;
    low.col(0).array() -= h;
    high.col(0).array() += h;
    const Eigen::MatrixXd difference =
        (feature_jets(network.body, high, {0, 0}) - feature_jets(network.body, low, {0, 0})) / (2 * h);
    EXPECT_LT(relative_difference(feature_jets(network.body, points, {1, 0}), difference), 1e-6);
    EXPECT_EQ(feature_jets(network.body, points, {0, 0}).col(network.body.features() - 1).minCoeff(), 1.0);
    EXPECT_EQ(feature_jets(network.body, points, {0, 2}).col(network.body.features() - 1).norm(), 0.0);
  }
}

TEST(NetworkBody, TheLastLayerIsAHead) {
  const Eigen::MatrixXd points = random_matrix(50, 2, -1, 1, 2);
  const Eigen::Matrix<double, Eigen::Dynamic, 2, Eigen::RowMajor> rows = points;
  for (const auto& network : networks()) {
    const NetworkShape& shape = network.shape;
    const JetEngine<double> engine(shape, {{{0, 0}, {1, 1}}, {}});
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> jets(50, 2 * shape.outputs);
    const Eigen::MatrixXd constants = network.constants.replicate(1, 50);
    engine.jets({50, rows.data(), constants.data(), nullptr, 1}, network.parameters.data(), jets.data());
    const Index last = shape.layers() - 1, inputs = shape.layer_inputs(last);
    for (Index o = 0; o < shape.outputs; ++o) {
      const Eigen::VectorXd head =
          network.body.head_of(network.parameters.segment(shape.weight_offset(last) + o * inputs, inputs),
                               network.parameters[shape.bias_offset(last) + o]);
      const Eigen::MatrixXd own = network.body.field_jets(points, {{0, 0}, {1, 1}}, head);
      EXPECT_LT(relative_difference(own.col(0), jets.col(o)), 1e-13);
      EXPECT_LT(relative_difference(own.col(1), jets.col(shape.outputs + o)), 1e-13);
      EXPECT_LT(relative_difference(own.col(1), feature_jets(network.body, points, {1, 1}) * head), 1e-13);
    }
  }
}

TEST(NetworkBody, PlainDataGivesTheSameBits) {
  const Eigen::MatrixXd points = random_matrix(20, 2, -1, 1, 5);
  for (const auto& network : networks()) {
    const auto copy = body_from_data(describe_body(network.body));
    EXPECT_EQ(feature_jets(*copy, points, {0, 2}), feature_jets(network.body, points, {0, 2}));
  }
}

TEST(NetworkBody, BadSizesAreNamed) {
  const NetworkShape shape = sampled_shape(Skip::none, 1);
  const Eigen::VectorXd parameters = Eigen::VectorXd::Zero(shape.parameters());
  EXPECT_NE(error_of([&] { NetworkBody(shape, parameters.head(5), Eigen::VectorXd::Zero(1), false); }).find("5 weights"),
            std::string::npos);
  EXPECT_NE(error_of([&] { NetworkBody(shape, parameters, Eigen::VectorXd::Zero(2), false); }).find("2 constant"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              const NetworkBody body(shape, parameters, Eigen::VectorXd::Zero(1), false);
              feature_jets(body, Eigen::MatrixXd::Zero(3, 2), {2, 1});
            }).find("(2, 1)"), std::string::npos);
}

}  // namespace
}  // namespace torsor
