// Bodies by name: kinds, sizes, what a request passes on, unknown names.
#include "operators/body_factory.h"

#include "body_checks.h"
#include "operators/mlp.h"
#include "operators/sine_features.h"

namespace torsor {
namespace {

BodyRequest request(Index features = 31) {
  BodyRequest result;
  result.features = features;
  result.bandwidth = Eigen::Vector2d(4, 5);
  result.centre = Eigen::Vector2d(0.5, -0.5);
  result.half_width = Eigen::Vector2d(1, 2);
  result.period = Eigen::Vector2d(0, 3);
  result.seed = 9;
  return result;
}

BodyOptions mlp_options(Index layers, bool concatenate) {
  BodyOptions options;
  options.kind = "mlp";
  options.layers = layers;
  options.concatenate = concatenate;
  return options;
}

std::vector<Index> widths_of(const Body& body) {
  std::vector<Index> widths;
  for (const auto& layer : dynamic_cast<const Mlp&>(body).layers()) widths.push_back(layer.bias.size(0));
  return widths;
}

TEST(BodyFactory, EveryNameMakesABodyOfThatKindAndSize) {
  for (const auto& name : body_names()) {
    BodyOptions options;
    options.kind = name;
    const auto body = make_body(options, request());
    EXPECT_EQ(body->kind(), name);
    EXPECT_EQ(body->features(), 31);
    EXPECT_EQ(body->dimension(), 2);
    expect_rows_and_field_agree(*body, random_matrix(6, 2, -1, 1, 2), supported_indices(2));
  }
  EXPECT_EQ(body_names(), (std::vector<std::string>{"sine", "mlp"}));
}

TEST(BodyFactory, EveryBodyIsPeriodicWhereAsked) {
  const Eigen::MatrixXd points = random_matrix(6, 2, -1, 1, 2);
  Eigen::MatrixXd moved = points;
  moved.col(1).array() += 3;
  for (const auto& name : body_names()) {
    BodyOptions options;
    options.kind = name;
    const auto body = make_body(options, request());
    EXPECT_LT(relative_difference(feature_jets(*body, moved, {0, 1}), feature_jets(*body, points, {0, 1})),
              1e-12);
  }
}

TEST(BodyFactory, ConcatenatedLayersShareTheFeatures) {
  EXPECT_EQ(widths_of(*make_body(mlp_options(3, true), request(32))), (std::vector<Index>{11, 11, 10}));
  EXPECT_EQ(widths_of(*make_body(mlp_options(1, true), request(5))), (std::vector<Index>{5}));
  EXPECT_EQ(widths_of(*make_body(mlp_options(2, false), request(32))), (std::vector<Index>{32, 32}));
}

TEST(BodyFactory, TheRequestIsPassedOn) {
  auto options = mlp_options(2, true);
  options.activation = "swish";
  const auto body = make_body(options, request());
  const auto& mlp = dynamic_cast<const Mlp&>(*body);
  EXPECT_EQ(mlp.activation(), Activation::swish);
  EXPECT_EQ(mlp.embedding().centre, request().centre);
  EXPECT_EQ(mlp.embedding().period, request().period);
  const auto sine = make_body(BodyOptions{}, request());
  EXPECT_EQ(dynamic_cast<const SineFeatures&>(*sine).centre(), request().centre);
}

TEST(BodyFactory, SeedsGiveDifferentBodies) {
  const Eigen::MatrixXd points = random_matrix(6, 2, -1, 1, 2);
  for (const auto& name : body_names()) {
    BodyOptions options;
    options.kind = name;
    auto other = request();
    other.seed += 1;
    const Eigen::MatrixXd first = feature_jets(*make_body(options, request()), points, {0, 0});
    EXPECT_EQ(first, feature_jets(*make_body(options, request()), points, {0, 0}));
    EXPECT_NE(first, feature_jets(*make_body(options, other), points, {0, 0}));
  }
}

TEST(BodyFactory, BadOptionsAreNamed) {
  BodyOptions options;
  options.kind = "sin";
  EXPECT_EQ(error_of([&] { make_body(options, request()); }),
            "unknown body 'sin'; did you mean 'sine'? Known: sine, mlp");
  options = mlp_options(2, true);
  options.activation = "relu";
  EXPECT_NE(error_of([&] { make_body(options, request()); }).find("unknown activation 'relu'"),
            std::string::npos);
  EXPECT_NE(error_of([&] { make_body(mlp_options(0, true), request()); }).find("layers = 0"),
            std::string::npos);
  EXPECT_NE(error_of([&] { make_body(mlp_options(3, true), request(2)); }).find("features = 2"),
            std::string::npos);
  EXPECT_NE(error_of([&] { make_body(BodyOptions{}, request(0)); }).find("features = 0"), std::string::npos);
}

}  // namespace
}  // namespace torsor
