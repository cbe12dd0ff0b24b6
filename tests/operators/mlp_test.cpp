// Dense networks: jets against nested automatic differentiation, periodic embedding, threads, gradients, bad
// requests.
#include "operators/mlp.h"

#include <torch/torch.h>

#include <numbers>

#include "body_checks.h"
#include "physics/tensor/tensor_algebra.h"

namespace torsor {
namespace {

using torch::Tensor;

Mlp::Options options(Index d, std::vector<Index> widths = {13, 9}) {
  Mlp::Options result;
  result.widths = std::move(widths);
  result.bandwidth = Eigen::VectorXd::LinSpaced(d, 2.0, 4.0);
  result.centre = Eigen::VectorXd::LinSpaced(d, -0.5, 1.0);
  result.half_width = Eigen::VectorXd::Constant(d, 1.5);
  result.period = Eigen::VectorXd::Zero(d);
  result.seed = 3;
  return result;
}

/// d^a of sum_j w_j phi_j by differentiating the value again and again.
Tensor nested_gradient(const Mlp& body, const Tensor& points, const Tensor& w, const MultiIndex& a) {
  const Tensor x = points.detach().clone().requires_grad_(true);
  const MultiIndex value(a.size(), 0);
  Tensor u = torch::mv(tensor_jets(body, x, {value})[0], w);
  for (size_t i = 0; i < a.size(); ++i)
    for (int order = 0; order < a[i]; ++order)
      u = torch::autograd::grad({u.sum()}, {x}, {}, true, true)[0].select(1, static_cast<int64_t>(i));
  return u.detach();
}

void expect_nested_gradients(const Mlp& body) {
  const Index d = body.dimension();
  const Tensor points = to_tensor(random_matrix(7, d, -1, 1, 8));
  const Tensor w = to_tensor(random_matrix(body.features(), 1, -1, 1, 9)).flatten();
  const auto indices = supported_indices(d);
  const auto jets = tensor_jets(body, points, indices);
  for (size_t c = 0; c < indices.size(); ++c) {
    const Eigen::MatrixXd expected = to_matrix(nested_gradient(body, points, w, indices[c]));
    EXPECT_LT(relative_difference(to_matrix(torch::mv(jets[c], w)), expected), 1e-10) << "index " << c;
  }
}

TEST(Mlp, JetsAreTheNestedGradientsForEveryActivation) {
  for (const auto& name : activation_names())
    for (const bool concatenate : {false, true}) {
      SCOPED_TRACE(name);
      auto request = options(2, {8, 11, 6});
      request.activation = activation_from_name(name);
      request.concatenate = concatenate;
      expect_nested_gradients(Mlp(request));
    }
}

TEST(Mlp, JetsAreTheNestedGradientsForEveryShape) {
  for (const auto& widths : std::vector<std::vector<Index>>{{1}, {12}, {5, 1, 7}, {4, 4, 4, 4}})
    for (const Index d : {1, 3}) {
      auto request = options(d, widths);
      request.concatenate = widths.size() > 1;
      expect_nested_gradients(Mlp(request));
    }
}

TEST(Mlp, JetsOfThePeriodicEmbeddingAreTheNestedGradients) {
  for (const Index harmonics : {1, 3}) {
    auto request = options(2);
    request.period << 0, 2.5;
    request.harmonics = harmonics;
    request.concatenate = true;
    expect_nested_gradients(Mlp(request));
    request.period << 1.5, 2.5;
    expect_nested_gradients(Mlp(request));
  }
}

TEST(Mlp, TheEmbeddingIsExactlyPeriodic) {
  auto request = options(2);
  request.period << 0, 2.5;
  request.harmonics = 2;
  const Mlp body(request);
  const Eigen::MatrixXd points = random_matrix(20, 2, -1, 1, 7);
  Eigen::MatrixXd moved = points;
  moved.col(1).array() += 2.5;
  for (const auto& a : supported_indices(2))
    EXPECT_LT(relative_difference(feature_jets(body, moved, a), feature_jets(body, points, a)), 1e-12);
  moved.col(0).array() += 2.5;
  EXPECT_GT(relative_difference(feature_jets(body, moved, {0, 0}), feature_jets(body, points, {0, 0})), 0.1);
}

TEST(Mlp, DerivativesAreLimitsOfDifferences) {
  const Mlp body(options(2));
  const Eigen::MatrixXd points = random_matrix(5, 2, -1, 1, 2);
  const std::vector<std::pair<MultiIndex, Index>> cases{{{1, 0}, 0}, {{1, 1}, 1}, {{0, 3}, 1}, {{4, 0}, 0}};
  for (const auto& [a, i] : cases) expect_differences_converge(body, points, a, i, 0.04);
}

TEST(Mlp, RowsAndFieldAgreeForEveryNumberOfPoints) {
  auto request = options(2);
  request.concatenate = true;
  request.period[0] = 3;
  const Mlp body(request);
  for (const Index n : {0, 1, 255, 256, 257})
    expect_rows_and_field_agree(body, random_matrix(n, 2, -1, 1, 3), supported_indices(2));
}

TEST(Mlp, RowsAgreeWithTensorJets) {
  const Mlp body(options(3));
  const Eigen::MatrixXd points = random_matrix(31, 3, -1, 1, 4);
  const auto indices = supported_indices(3);
  const auto jets = tensor_jets(body, to_tensor(points), indices);
  for (size_t c = 0; c < indices.size(); ++c)
    EXPECT_LT(relative_difference(to_matrix(jets[c]), feature_jets(body, points, indices[c])), 1e-12);
}

TEST(Mlp, ThreadsGetTheSameRowsAsASingleCall) {
  const Mlp body(options(2, {40, 40}));
  const Eigen::MatrixXd points = random_matrix(64, 2, -1, 1, 4);
  const Eigen::MatrixXd expected = feature_jets(body, points, {1, 1});
  std::vector<double> difference(24);
#pragma omp parallel for num_threads(4)
  for (size_t t = 0; t < difference.size(); ++t)
    difference[t] = relative_difference(feature_jets(body, points, {1, 1}), expected);
  for (const double value : difference) EXPECT_LT(value, 1e-14);
}

TEST(Mlp, FirstLayerKeepsTheBandwidthAndItsTransitionsLieInTheCell) {
  auto request = options(2, {500});
  const Mlp body(request);
  const Eigen::MatrixXd weight = to_matrix(body.layers()[0].weight);
  const Eigen::VectorXd bias = to_matrix(body.layers()[0].bias);
  for (Index i = 0; i < 2; ++i) {
    EXPECT_LE(weight.col(i).cwiseAbs().maxCoeff(), request.bandwidth[i]);
    EXPECT_GT(weight.col(i).cwiseAbs().maxCoeff(), 0.98 * request.bandwidth[i]);
  }
  // The line z = 0 meets the cell |x_i - c_i| <= 1.5 exactly when |b| <= 1.5 (|w_1| + |w_2|).
  EXPECT_LE((bias.cwiseAbs() - 1.5 * weight.cwiseAbs().rowwise().sum()).maxCoeff(), 1e-12);
}

TEST(Mlp, SlopesInPeriodicCoordinatesKeepTheBandwidth) {
  auto request = options(1, {300});
  request.period[0] = 2.0;
  request.harmonics = 3;
  request.half_width.resize(0);
  const Mlp body(request);
  const Eigen::MatrixXd weight = to_matrix(body.layers()[0].weight);
  for (Index h = 1; h <= 3; ++h)
    for (const Index c : {2 * h - 2, 2 * h - 1})
      EXPECT_LE(weight.col(c).cwiseAbs().maxCoeff() * std::numbers::pi * static_cast<double>(h),
                request.bandwidth[0] / 3 + 1e-12);
}

TEST(Mlp, TheSeedDecidesTheBodyAndTorchsGeneratorDoesNot) {
  auto request = options(2);
  torch::manual_seed(1);
  const Mlp first(request);
  torch::manual_seed(2);
  const Mlp again(request);
  request.seed = 4;
  const Mlp other(request);
  for (size_t p = 0; p < 4; ++p) {
    EXPECT_TRUE(torch::equal(first.parameters()[p], again.parameters()[p]));
    EXPECT_FALSE(torch::equal(first.parameters()[p], other.parameters()[p]));
  }
}

TEST(Mlp, GradientsReachTheWeightsThroughTheJets) {
  const Mlp body(options(2, {6, 5}));
  for (auto& parameter : body.parameters()) parameter.requires_grad_(true);
  const Tensor points = to_tensor(random_matrix(9, 2, -1, 1, 4));
  const auto loss = [&] {
    const auto jets = tensor_jets(body, points, {{2, 0}, {1, 1}, {0, 4}});
    return (jets[0] * jets[1] + jets[2]).pow(2).mean();
  };
  loss().backward();
  const Tensor weight = body.parameters()[2];
  const double slope = weight.grad()[1][2].item<double>();
  const torch::NoGradGuard no_grad;
  const double step = 1e-5;
  weight[1][2] += step;
  const double above = loss().item<double>();
  weight[1][2] -= 2 * step;
  const double below = loss().item<double>();
  EXPECT_NEAR((above - below) / (2 * step), slope, 1e-5 * std::max(1.0, std::abs(slope)));
}

TEST(Mlp, RowsOfABodyInTrainingRecordNoGradients) {
  const Mlp body(options(1));
  for (auto& parameter : body.parameters()) parameter.requires_grad_(true);
  EXPECT_TRUE(feature_jets(body, random_matrix(3, 1, -1, 1, 4), {2}).allFinite());
  EXPECT_TRUE(torch::GradMode::is_enabled());
}

TEST(Mlp, SinglePrecisionPointsGiveSinglePrecisionJets) {
  const Mlp body(options(2));
  const Tensor points = to_tensor(random_matrix(9, 2, -1, 1, 4));
  const auto coarse = tensor_jets(body, points.to(torch::kFloat32), {{1, 1}});
  EXPECT_EQ(coarse[0].scalar_type(), torch::kFloat32);
  const auto fine = tensor_jets(body, points, {{1, 1}});
  EXPECT_LT(relative_difference(to_matrix(coarse[0].to(torch::kFloat64)), to_matrix(fine[0])), 1e-4);
}

TEST(Mlp, JetsOnAnAcceleratorAreThoseOfTheProcessor) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no accelerator";
  const Mlp body(options(2));
  const Tensor points = to_tensor(random_matrix(9, 2, -1, 1, 4));
  const auto indices = supported_indices(2);
  const auto here = tensor_jets(body, points, indices),
             there = tensor_jets(body, points.to(torch::kCUDA), indices);
  for (size_t c = 0; c < indices.size(); ++c)
    EXPECT_LT(relative_difference(to_matrix(there[c].cpu()), to_matrix(here[c])), 1e-12);
}

TEST(Mlp, ActivationsStayFiniteFarOut) {
  const Tensor z = torch::tensor({-800.0, -40.0, 0.0, 40.0, 800.0}, torch::kFloat64);
  for (const auto& name : activation_names())
    for (const auto& derivative : activation_derivatives(activation_from_name(name), z, 4))
      EXPECT_TRUE(torch::isfinite(derivative).all().item<bool>()) << name;
  const auto softplus = activation_derivatives(Activation::softplus, z, 1);
  EXPECT_EQ(softplus[0][4].item<double>(), 800);
  EXPECT_EQ(softplus[1][2].item<double>(), 0.5);
}

TEST(Mlp, UnsupportedIndicesAreNamed) {
  const Mlp body(options(2));
  for (const auto& [a, name] : std::vector<std::pair<MultiIndex, std::string>>{
           {{2, 1}, "(2, 1)"}, {{5, 0}, "(5, 0)"}, {{2, 2}, "(2, 2)"}, {{1}, "(1)"}, {{-1, 0}, "(-1, 0)"}}) {
    const auto tensors = [&] { tensor_jets(body, torch::zeros({2, 2}, torch::kFloat64), {{0, 0}, a}); };
    EXPECT_NE(error_of(tensors).find(name), std::string::npos) << error_of(tensors);
    if (a.size() == 2) {
      EXPECT_NE(error_of([&] { feature_jets(body, Eigen::MatrixXd::Zero(2, 2), a); }).find(name),
                std::string::npos);
      EXPECT_NE(error_of([&] {
                  body.field_jets(Eigen::MatrixXd::Zero(2, 2), {a}, Eigen::VectorXd::Zero(body.features()));
                }).find(name),
                std::string::npos);
    }
  }
}

TEST(Mlp, BadRequestsAreNamed) {
  const auto refusal = [](const auto& change) {
    auto request = options(2);
    change(request);
    return error_of([&] { Mlp body(request); });
  };
  using Options = Mlp::Options;
  EXPECT_NE(refusal([](Options& o) { o.widths.clear(); }).find("hidden layer"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.widths[1] = 0; }).find("width = 0"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.bandwidth[1] = 0; }).find("bandwidth = 0"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.half_width[0] = -2; }).find("half-width = -2"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.gain = NAN; }).find("gain = nan"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.harmonics = 0; }).find("harmonics = 0"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.period.resize(1); }).find("differ in size"), std::string::npos);
  EXPECT_NE(error_of([] { activation_from_name("tahn"); }).find("did you mean 'tanh'"), std::string::npos);
  EXPECT_NE(error_of([] {
              tensor_jets(Mlp(options(2)), torch::zeros({4, 3}), {{0, 0}});
            }).find("[N, 2]"),
            std::string::npos);
  const CoordinateEmbedding embedding{Eigen::VectorXd::Zero(2), Eigen::VectorXd::Zero(2), 1};
  const DenseLayer layer{torch::zeros({3, 4}), torch::zeros({3})};
  EXPECT_NE(error_of([&] { Mlp(embedding, Activation::tanh, false, {layer}); }).find("layer 1"),
            std::string::npos);
}

}  // namespace
}  // namespace torsor
