// Sine features: exact jets by every way, exact periodicity, seeds, the drawn distribution, bad requests.
#include "operators/sine_features.h"

#include <torch/torch.h>

#include <complex>
#include <numbers>

#include "body_checks.h"
#include "operators/tensor_jets.h"
#include "physics/tensor/tensor_algebra.h"

namespace torsor {
namespace {

SineFeatures::Options options(Index d, Index features = 23) {
  SineFeatures::Options result;
  result.features = features;
  result.bandwidth = Eigen::VectorXd::LinSpaced(d, 3.0, 6.0);
  result.centre = Eigen::VectorXd::LinSpaced(d, -0.5, 1.0);
  result.period = Eigen::VectorXd::Zero(d);
  result.seed = 11;
  return result;
}

TEST(SineFeatures, FirstDerivativeIsTheComplexStep) {
  const SineFeatures body(options(2));
  const Eigen::MatrixXd points = random_matrix(9, 2, -1, 1, 1);
  for (Index i = 0; i < 2; ++i) {
    MultiIndex a{0, 0};
    a[static_cast<size_t>(i)] = 1;
    const Eigen::MatrixXd jets = feature_jets(body, points, a);
    for (Index k = 0; k < points.rows(); ++k)
      for (Index j = 0; j < body.features(); ++j) {
        const double phase =
            body.frequencies().row(j).dot(points.row(k) - body.centre().transpose()) + body.phases()[j];
        const std::complex<double> z(phase, 1e-30 * body.frequencies()(j, i));
        EXPECT_NEAR(jets(k, j), std::sin(z).imag() / 1e-30, 1e-13);
      }
  }
}

TEST(SineFeatures, DerivativesAreLimitsOfDifferences) {
  const SineFeatures body(options(3));
  const Eigen::MatrixXd points = random_matrix(5, 3, -1, 1, 2);
  const std::vector<std::pair<MultiIndex, Index>> cases{{{1, 0, 0}, 0}, {{0, 1, 1}, 1}, {{0, 0, 4}, 2},
                                                        {{2, 1, 0}, 0}, {{1, 1, 1}, 2}, {{3, 0, 2}, 0}};
  for (const auto& [a, i] : cases) expect_differences_converge(body, points, a, i, 0.1);
}

TEST(SineFeatures, RowsAndFieldAgreeForEveryDimension) {
  for (const Index d : {1, 2, 3, 5})
    for (const Index n : {0, 1, 127, 128, 129})
      expect_rows_and_field_agree(SineFeatures(options(d)), random_matrix(n, d, -1, 1, 3),
                                  supported_indices(d));
}

TEST(SineFeatures, TensorJetsAgreeWithRows) {
  const SineFeatures body(options(2));
  const Eigen::MatrixXd points = random_matrix(17, 2, -1, 1, 4);
  const std::vector<MultiIndex> indices{{0, 0}, {1, 0}, {1, 1}, {0, 3}, {2, 3}};
  const auto jets = tensor_jets(body, to_tensor(points), indices);
  for (size_t c = 0; c < indices.size(); ++c)
    EXPECT_LT(relative_difference(to_matrix(jets[c]), feature_jets(body, points, indices[c])), 1e-12);
}

TEST(SineFeatures, TensorJetsTakeTheTypeOfThePoints) {
  const SineFeatures body(options(2));
  const auto jets = tensor_jets(body, torch::zeros({4, 2}, torch::kFloat32), {{0, 0}});
  EXPECT_EQ(jets[0].scalar_type(), torch::kFloat32);
  EXPECT_EQ(jets[0].sizes().vec(), (std::vector<int64_t>{4, 23}));
}

TEST(SineFeatures, PeriodicCoordinatesTakeWholeMultiplesOfTheBaseFrequency) {
  auto request = options(2, 200);
  const double length = 0.7;
  request.bandwidth[1] = 60;
  request.period[1] = length;
  const SineFeatures body(request);
  const Eigen::ArrayXd multiple = body.frequencies().col(1).array() * (length / (2 * std::numbers::pi));
  EXPECT_LT((multiple - multiple.round()).abs().maxCoeff(), 1e-14);
  const Eigen::MatrixXd points = random_matrix(20, 2, -1, 1, 7);
  Eigen::MatrixXd moved = points;
  moved.col(1).array() += length;
  for (const MultiIndex& a : {MultiIndex{0, 0}, {1, 0}, {0, 2}})
    EXPECT_LT(relative_difference(feature_jets(body, moved, a), feature_jets(body, points, a)), 1e-13);
}

TEST(SineFeatures, FrequenciesFillTheEllipsoidOfTheBandwidth) {
  const SineFeatures body(options(2, 4000));
  const Eigen::ArrayXd radius =
      (body.frequencies() * options(2).bandwidth.cwiseInverse().asDiagonal()).rowwise().norm().array();
  EXPECT_LE(radius.maxCoeff(), 1 + 1e-14);
  // Uniform in the disc: a quarter lies within half the radius (binomial deviation 0.7 %).
  EXPECT_NEAR((radius < 0.5).cast<double>().mean(), 0.25, 0.03);
  EXPECT_GE(body.phases().minCoeff(), 0);
  EXPECT_LE(body.phases().maxCoeff(), 2 * std::numbers::pi);
}

TEST(SineFeatures, TheSeedDecidesTheBody) {
  auto request = options(2);
  const SineFeatures first(request), again(request);
  request.seed = 12;
  const SineFeatures other(request);
  EXPECT_EQ(first.frequencies(), again.frequencies());
  EXPECT_EQ(first.phases(), again.phases());
  EXPECT_NE(first.frequencies(), other.frequencies());
}

TEST(SineFeatures, BadRequestsAreNamed) {
  const auto refusal = [](const auto& change) {
    auto request = options(2);
    change(request);
    return error_of([&] { SineFeatures body(request); });
  };
  using Options = SineFeatures::Options;
  EXPECT_NE(refusal([](Options& o) { o.features = 0; }).find("features = 0"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.bandwidth[1] = -1; }).find("bandwidth = -1"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.bandwidth[0] = NAN; }).find("bandwidth = nan"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.bandwidth.resize(0); }).find("bandwidth is empty"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.centre.resize(1); }).find("differ in size"), std::string::npos);
  EXPECT_NE(refusal([](Options& o) { o.period.resize(3); }).find("differ in size"), std::string::npos);
  EXPECT_NE(error_of([] {
              SineFeatures(Eigen::MatrixXd(3, 2), Eigen::VectorXd(2), Eigen::VectorXd(2));
            }).find("differ in size"),
            std::string::npos);
  EXPECT_NE(error_of([] {
              tensor_jets(SineFeatures(options(2)), torch::zeros({4, 3}), {{0, 0}});
            }).find("[N, 2]"),
            std::string::npos);
}

}  // namespace
}  // namespace torsor
