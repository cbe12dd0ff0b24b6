// Features times exp(-rate (t - start)).
#include "operators/decaying_body.h"

#include "operators/body_factory.h"
#include "tests/operators/body_checks.h"

namespace torsor {
namespace {

std::shared_ptr<const Body> sines() {
  BodyRequest request;
  request.features = 7;
  request.bandwidth = Eigen::Vector2d(3, 2);
  request.centre = Eigen::Vector2d(0.5, 0.5);
  request.half_width = Eigen::Vector2d(0.5, 0.5);
  request.period = Eigen::Vector2d::Zero();
  request.seed = 3;
  return make_body({}, request);
}

TEST(DecayingBody, IsTheProduct) {
  const auto inner = sines();
  const DecayingBody body(inner, 1, 0.2, 3.0);
  const Eigen::MatrixXd points = random_matrix(9, 2, 0, 1, 1);
  const Eigen::ArrayXd decay = (-3.0 * (points.col(1).array() - 0.2)).exp();
  const auto times = [&](const Eigen::MatrixXd& jets) -> Eigen::MatrixXd { return jets.array().colwise() * decay; };
  const Eigen::MatrixXd value = feature_jets(*inner, points, {0, 0}), x = feature_jets(*inner, points, {1, 0});
  const Eigen::MatrixXd t = feature_jets(*inner, points, {0, 1}), tt = feature_jets(*inner, points, {0, 2});
  EXPECT_LT(relative_difference(feature_jets(body, points, {0, 0}), times(value)), 1e-14);
  EXPECT_LT(relative_difference(feature_jets(body, points, {1, 0}), times(x)), 1e-14);
  EXPECT_LT(relative_difference(feature_jets(body, points, {0, 1}), times(t - 3 * value)), 1e-14);
  EXPECT_LT(relative_difference(feature_jets(body, points, {0, 2}), times(tt - 6 * t + 9 * value)), 1e-13);
}

TEST(DecayingBody, RowsAndFieldAgree) {
  const DecayingBody body(sines(), 0, 0.0, 5.0);
  const Eigen::MatrixXd points = random_matrix(6, 2, 0, 1, 2);
  const Eigen::VectorXd head = random_matrix(body.features(), 1, -1, 1, 3);
  const std::vector<MultiIndex> indices{{0, 0}, {1, 0}, {0, 2}, {1, 1}};
  const Eigen::MatrixXd jets = body.field_jets(points, indices, head);
  for (size_t c = 0; c < indices.size(); ++c)
    EXPECT_LT(relative_difference(feature_jets(body, points, indices[c]) * head, jets.col(static_cast<Index>(c))), 1e-13);
}

TEST(DecayingBody, RefusesAnotherCoordinate) {
  EXPECT_THROW(DecayingBody(sines(), 2, 0, 1), InputError);
  EXPECT_THROW(DecayingBody(sines(), -1, 0, 1), InputError);
}

}  // namespace
}  // namespace torsor
