// Bodies as plain data: bit-exact round trips, and malformed data named by its entry.
#include "operators/body_data.h"

#include <torch/torch.h>

#include <functional>

#include "body_checks.h"
#include "operators/mlp.h"
#include "operators/sine_features.h"

namespace torsor {
namespace {

SineFeatures sine_body() {
  SineFeatures::Options options;
  options.features = 7;
  options.bandwidth = Eigen::Vector2d(3, 5);
  options.centre = Eigen::Vector2d(0.1, -0.0);
  options.period = Eigen::Vector2d(0, 2);
  return SineFeatures(options);
}

Mlp mlp_body(bool concatenate, Activation activation = Activation::swish) {
  Mlp::Options options;
  options.widths = {5, 4};
  options.activation = activation;
  options.concatenate = concatenate;
  options.bandwidth = Eigen::Vector2d(3, 5);
  options.centre = Eigen::Vector2d(0.1, 0.2);
  options.period = Eigen::Vector2d(0, 2);
  options.harmonics = 2;
  return Mlp(options);
}

void expect_round_trip(const Body& body) {
  const BodyData data = describe_body(body);
  const auto copy = body_from_data(data);
  const BodyData again = describe_body(*copy);
  EXPECT_EQ(data.kind, again.kind);
  EXPECT_EQ(data.text, again.text);
  EXPECT_EQ(data.arrays, again.arrays);
  EXPECT_EQ(copy->kind(), body.kind());
  const Eigen::MatrixXd points = random_matrix(9, 2, -1, 1, 1);
  for (const auto& a : supported_indices(2))
    EXPECT_EQ(feature_jets(*copy, points, a), feature_jets(body, points, a));
}

TEST(BodyData, RoundTripsAreBitExact) {
  expect_round_trip(sine_body());
  for (const auto& name : activation_names())
    for (const bool concatenate : {false, true})
      expect_round_trip(mlp_body(concatenate, activation_from_name(name)));
}

TEST(BodyData, ArraysHoldTheLastIndexFastest) {
  const Eigen::MatrixXd frequencies{{1, 2}, {3, 4}, {5, 6}};
  const BodyData data =
      describe_body(SineFeatures(frequencies, Eigen::Vector3d(7, 8, 9), Eigen::Vector2d(0, 1)));
  EXPECT_EQ(data.arrays.at("frequencies"), (BodyArray{{3, 2}, {1, 2, 3, 4, 5, 6}}));
  EXPECT_EQ(data.arrays.at("phases"), (BodyArray{{3}, {7, 8, 9}}));
}

TEST(BodyData, TrainedAndSinglePrecisionWeightsAreDescribed) {
  const Mlp body = mlp_body(true);
  for (auto& parameter : body.parameters()) parameter.requires_grad_(true);
  expect_round_trip(body);
  std::vector<DenseLayer> single;
  for (const auto& layer : body.layers())
    single.push_back({layer.weight.detach().to(torch::kFloat32), layer.bias.detach().to(torch::kFloat32)});
  expect_round_trip(Mlp(body.embedding(), body.activation(), true, single));
}

class ForeignBody : public Body {
 public:
  Index dimension() const override { return 1; }
  Index features() const override { return 1; }
  std::string kind() const override { return "foreign"; }
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>&, const std::vector<MultiIndex>&,
                const Eigen::Ref<const Eigen::MatrixXd>&, double*, Index) const override {}
};

TEST(BodyData, ABodyOfAnUnknownKindIsRefused) {
  EXPECT_NE(error_of([] { describe_body(ForeignBody()); }).find("'foreign'"), std::string::npos);
}

struct Damage {
  std::string entry;
  std::function<void(BodyData&)> apply;
};

void expect_named(const BodyData& sound, const std::vector<Damage>& damages) {
  for (const auto& damage : damages) {
    BodyData data = sound;
    damage.apply(data);
    const std::string text = error_of([&] { body_from_data(data); });
    EXPECT_NE(text.find("'" + damage.entry + "'"), std::string::npos) << damage.entry << ": " << text;
  }
}

TEST(BodyData, DamagedSineFeaturesNameTheEntry) {
  expect_named(describe_body(sine_body()),
               {{"cosine", [](auto& d) { d.kind = "cosine"; }},
                {"frequencies", [](auto& d) { d.arrays.erase("frequencies"); }},
                {"frequencies", [](auto& d) { d.arrays["frequencies"].first = {14}; }},
                {"frequencies",
                 [](auto& d) {
                   d.arrays["frequencies"].first = {0, 2};
                 }},
                {"frequencies",
                 [](auto& d) {
                   d.arrays["frequencies"].first = {-7, -2};
                 }},
                {"frequencies",
                 [](auto& d) {
                   d.arrays["frequencies"].first = {1LL << 62, 4};
                 }},
                {"frequencies", [](auto& d) { d.arrays["frequencies"].second.pop_back(); }},
                {"phases",
                 [](auto& d) {
                   d.arrays["phases"] = {{6}, std::vector<double>(6)};
                 }},
                {"centre", [](auto& d) { d.arrays["centre"].second[1] = NAN; }}});
}

TEST(BodyData, DamagedNetworksNameTheEntry) {
  expect_named(describe_body(mlp_body(false)),
               {{"activation", [](auto& d) { d.text.erase("activation"); }},
                {"activation", [](auto& d) { d.text["activation"] = "swoosh"; }},
                {"concatenate", [](auto& d) { d.text["concatenate"] = "maybe"; }},
                {"harmonics", [](auto& d) { d.text["harmonics"] = "2x"; }},
                {"harmonics", [](auto& d) { d.text["harmonics"] = "99999999999999999999"; }},
                {"harmonics", [](auto& d) { d.text["harmonics"] = "4611686018427387904"; }},
                {"layers", [](auto& d) { d.text["layers"] = "0"; }},
                {"layer_3_weight", [](auto& d) { d.text["layers"] = "3"; }},
                {"period",
                 [](auto& d) {
                   d.arrays["period"] = {{1}, {0.0}};
                 }},
                {"layer_1_weight", [](auto& d) { d.text["harmonics"] = "1"; }},
                {"layer_2_weight", [](auto& d) { d.arrays["layer_2_weight"].second[0] = INFINITY; }},
                {"layer_2_bias", [](auto& d) { d.arrays.erase("layer_2_bias"); }}});
}

}  // namespace
}  // namespace torsor
