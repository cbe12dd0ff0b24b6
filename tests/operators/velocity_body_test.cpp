// Moments of a network with the velocity as an input.
#include "operators/velocity_body.h"

#include "body_checks.h"
#include "operators/body_data.h"

namespace torsor {
namespace {

const Eigen::MatrixXd kNodes{{-0.7}, {0.1}, {0.9}};
const Eigen::Vector3d kWeights(0.2, -0.5, 0.3);

/// A network of x (periodic), t, one parameter and the velocity.
NetworkBody network() {
  NetworkShape shape;
  shape.coordinates = 2;
  shape.inputs = periodic_inputs(Eigen::Vector2d(0.2, 0.1), Eigen::Vector2d(2, 0), 1);
  shape.constants = 2;
  shape.widths = {6, 5};
  shape.outputs = 1;
  return {shape, random_matrix(shape.parameters(), 1, -0.8, 0.8, 3), Eigen::Vector2d(0.4, 0), true};
}

VelocityBody body() { return {network(), kNodes, kWeights}; }

TEST(VelocityBody, IsTheSumOverTheNodes) {
  const Eigen::MatrixXd points = random_matrix(20, 2, -1, 1, 1);
  for (const MultiIndex& a : {MultiIndex{0, 0}, MultiIndex{1, 0}, MultiIndex{1, 1}}) {
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(20, body().features());
    for (Index j = 0; j < 3; ++j)
      sum += kWeights[j] * feature_jets(network().at_constants(Eigen::Vector2d(0.4, kNodes(j, 0))), points, a);
    EXPECT_LT(relative_difference(feature_jets(body(), points, a), sum), 1e-13);
  }
}

TEST(VelocityBody, RowsAndFieldAgree) {
  expect_rows_and_field_agree(body(), random_matrix(15, 2, -1, 1, 2), supported_indices(2));
}

TEST(VelocityBody, TakesOtherParameters) {
  const Eigen::MatrixXd points = random_matrix(10, 2, -1, 1, 3);
  const VelocityBody expected(network().at_constants(Eigen::Vector2d(-0.3, 5)), kNodes, kWeights);
  const auto other = body().with_constants(Eigen::VectorXd::Constant(1, -0.3));
  EXPECT_EQ(feature_jets(*other, points, {0, 1}), feature_jets(expected, points, {0, 1}));
  EXPECT_NE(feature_jets(*other, points, {0, 1}), feature_jets(body(), points, {0, 1}));
  EXPECT_THROW(body().with_constants(Eigen::Vector2d(0, 0)), InputError);
}

TEST(VelocityBody, PlainDataGivesTheSameBits) {
  const auto copy = body_from_data(describe_body(body()));
  const Eigen::MatrixXd points = random_matrix(10, 2, -1, 1, 4);
  EXPECT_EQ(copy->kind(), "velocity");
  EXPECT_TRUE(copy->is_trained());
  EXPECT_EQ(feature_jets(*copy, points, {1, 1}), feature_jets(body(), points, {1, 1}));
}

TEST(VelocityBody, NumbersThatDoNotFitAreRefused) {
  EXPECT_THROW(VelocityBody(network(), kNodes, Eigen::Vector2d(1, 1)), InputError);
  EXPECT_THROW(VelocityBody(network(), Eigen::MatrixXd::Zero(3, 3), kWeights), InputError);
  EXPECT_THROW(VelocityBody(network(), Eigen::MatrixXd(0, 1), Eigen::VectorXd(0)), InputError);
}

}  // namespace
}  // namespace torsor
