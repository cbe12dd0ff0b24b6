// Error norms: hand-computed values, masks, zero references, NaN predictions, bad inputs.
#include "physics/norms.h"

#include <gtest/gtest.h>

#include <limits>

namespace torsor {
namespace {

using Eigen::Vector3d;
using Eigen::VectorXd;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Norms, HandComputedValues) {
  const Vector3d reference(3, -4, 0), prediction(3, -2, 1);
  EXPECT_DOUBLE_EQ(relative_l2(prediction, reference), std::sqrt(5.0) / 5);
  EXPECT_DOUBLE_EQ(relative_l1(prediction, reference), 3.0 / 7);
  EXPECT_DOUBLE_EQ(max_absolute(prediction, reference), 2);
  EXPECT_DOUBLE_EQ(relative_max(prediction, reference), 0.5);
  EXPECT_EQ(error_norms(reference, reference).relative_l2, 0);
}

TEST(Norms, MaskedPairsAreDropped) {
  const Vector3d reference(2, kNan, -2), prediction(1, kNan, -2);
  const ErrorNorms norms = error_norms(prediction, reference);
  EXPECT_EQ(norms.count, 2);
  EXPECT_DOUBLE_EQ(norms.relative_l2, 1 / std::sqrt(8.0));
  EXPECT_DOUBLE_EQ(norms.relative_l1, 0.25);
  EXPECT_DOUBLE_EQ(norms.relative_max, 0.5);
  EXPECT_FALSE(norms.reference_is_zero);
}

TEST(Norms, PredictionThatIsNotANumberIsNeverHidden) {
  for (int bad = 0; bad < 3; ++bad) {
    Vector3d prediction(1, 2, 3);
    prediction[bad] = kNan;
    const ErrorNorms norms = error_norms(prediction, Vector3d(1, 1, 1));
    EXPECT_TRUE(std::isnan(norms.relative_l2));
    EXPECT_TRUE(std::isnan(norms.relative_l1));
    EXPECT_TRUE(std::isnan(norms.max_absolute));
    EXPECT_TRUE(std::isnan(norms.relative_max));
  }
}

TEST(Norms, ZeroReferenceReportsTheAbsoluteError) {
  const ErrorNorms norms = error_norms(VectorXd::Constant(100, -1e-3), VectorXd::Zero(100));
  EXPECT_TRUE(norms.reference_is_zero);
  EXPECT_NEAR(norms.relative_l2, 1e-3, 1e-15);
  EXPECT_NEAR(norms.relative_l1, 1e-3, 1e-15);
  EXPECT_EQ(norms.relative_max, 1e-3);
  EXPECT_EQ(norms.max_absolute, 1e-3);
}

TEST(Norms, ScalingBothLeavesTheRatiosAlone) {
  const VectorXd reference = VectorXd::LinSpaced(50, -1, 2), prediction = reference.array().sin();
  const ErrorNorms one = error_norms(prediction, reference),
                   big = error_norms(1024 * prediction, 1024 * reference);
  EXPECT_DOUBLE_EQ(one.relative_l2, big.relative_l2);
  EXPECT_DOUBLE_EQ(one.relative_l1, big.relative_l1);
  EXPECT_DOUBLE_EQ(one.relative_max, big.relative_max);
  EXPECT_DOUBLE_EQ(1024 * one.max_absolute, big.max_absolute);
}

TEST(Norms, BadInputs) {
  EXPECT_THROW(error_norms(VectorXd::Ones(2), VectorXd::Ones(3)), InputError);
  EXPECT_THROW(error_norms(VectorXd::Ones(2), VectorXd::Constant(2, kNan)), InputError);
  EXPECT_THROW(error_norms(VectorXd(), VectorXd()), InputError);
}

}  // namespace
}  // namespace torsor
