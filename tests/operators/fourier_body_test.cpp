// Features times the modes of a Fourier series.
#include "operators/fourier_body.h"

#include <numbers>

#include "operators/body_data.h"
#include "operators/sine_features.h"
#include "tests/operators/body_checks.h"

namespace torsor {
namespace {

const Eigen::Vector3d kCentre(0.3, 0.5, -0.2), kPeriod(2, 0, 1);

/// Sines of the second coordinate alone, and a constant.
std::shared_ptr<const Body> of_time() {
  const Eigen::MatrixXd frequencies{{0, 1.5, 0}, {0, -2, 0}, {0, 0, 0}};
  return std::make_shared<SineFeatures>(frequencies, Eigen::Vector3d(0.3, 1, std::numbers::pi / 2), Eigen::Vector3d(0, 0.5, 0));
}

FourierBody body() { return {FourierModes(kCentre, kPeriod, 2), of_time()}; }

TEST(FourierBody, IsTheProduct) {
  const Eigen::MatrixXd points = random_matrix(20, 3, -1, 1, 1);
  const Eigen::MatrixXd own = feature_jets(*of_time(), points, {0, 1, 0}), all = feature_jets(body(), points, {0, 1, 0});
  ASSERT_EQ(all.cols(), 25 * 3);  // 5 modes along each of two coordinates
  // The mode sin(2 pi (x - 0.3)/2) cos(4 pi (z + 0.2)): 1, cos, sin, cos 2, sin 2 along each, the first coordinate fastest.
  const Index mode = 2 + 5 * 3;
  const Eigen::ArrayXd factor = (std::numbers::pi * (points.col(0).array() - 0.3)).sin() *
                                (4 * std::numbers::pi * (points.col(2).array() + 0.2)).cos();
  EXPECT_LT(relative_difference(all.middleCols(3 * mode, 3), (own.array().colwise() * factor).matrix()), 1e-13);
  EXPECT_LT(relative_difference(all.leftCols(3), own), 1e-15);
}

TEST(FourierBody, RowsAndFieldAgree) {
  expect_rows_and_field_agree(body(), random_matrix(15, 3, -1, 1, 2), supported_indices(3));
}

TEST(FourierBody, DerivativesAreThoseOfDifferences) {
  const Eigen::MatrixXd points = random_matrix(10, 3, -1, 1, 3);
  for (const auto& a : supported_indices(3))
    for (Index i = 0; i < 3; ++i)
      if (a[static_cast<size_t>(i)] > 0) expect_differences_converge(body(), points, a, i, 4e-3);
}

TEST(FourierBody, IsPeriodic) {
  const Eigen::MatrixXd points = random_matrix(10, 3, -1, 1, 4);
  const Eigen::MatrixXd moved = points.rowwise() + Eigen::RowVector3d(2, 0, -3);
  EXPECT_LT(relative_difference(feature_jets(body(), moved, {1, 0, 0}), feature_jets(body(), points, {1, 0, 0})), 1e-12);
}

TEST(FourierBody, PlainDataGivesTheSameBits) {
  const auto copy = body_from_data(describe_body(body()));
  const Eigen::MatrixXd points = random_matrix(10, 3, -1, 1, 5);
  EXPECT_EQ(copy->kind(), "fourier");
  EXPECT_EQ(feature_jets(*copy, points, {1, 1, 0}), feature_jets(body(), points, {1, 1, 0}));
  BodyData damaged = describe_body(body());
  damaged.text["of"] = "fourier";
  EXPECT_NE(error_of([&] { body_from_data(damaged); }).find("'of'"), std::string::npos);
}

TEST(FourierBody, BadSizesAreNamed) {
  EXPECT_NE(error_of([] { FourierModes(kCentre, Eigen::Vector3d::Zero(), 1); }).find("no coordinate is periodic"), std::string::npos);
  EXPECT_NE(error_of([] { FourierModes(kCentre, Eigen::Vector2d(1, 0), 1); }).find("2 periods"), std::string::npos);
  EXPECT_NE(error_of([] { FourierModes(kCentre, kPeriod, 0); }).find("harmonics = 0"), std::string::npos);
  EXPECT_NE(error_of([] { FourierBody(FourierModes(Eigen::Vector2d(0, 0), Eigen::Vector2d(1, 0), 1), of_time()); }).find("2 coordinates"),
            std::string::npos);
}

}  // namespace
}  // namespace torsor
