// HRGrad's properties over sampled sets of gradients: each test goes through 10,000 of them, m = 2 ... 8, of all kinds
// (conflicting, parallel, opposite, nearly singular, with zeros, of very different norms, ...).
#include <gtest/gtest.h>

#include <numeric>

#include "combine_test_tools.h"
#include "physics/error.h"
#include "solvers/combine/equal_cosine.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/harmonised_cone.h"
#include "solvers/combine/plane_rotation.h"

namespace torsor::combine_test {
namespace {

constexpr int kSets = 10000;
// On raw gradients, with many inner steps, so that the angles are far from zero.
const Settings kRaw = {{"moments", "no"}, {"inner_steps_min", "30"}, {"inner_steps_max", "30"}};
const Settings kUnguarded = {{"moments", "no"}, {"inner_steps_min", "30"}, {"inner_steps_max", "30"}, {"guard", "no"}};

// The rotated unit gradients of a result as vectors, made anew from the angles; columns of zero gradients are zero.
MatrixXd rotated_units(const Sample& sample, const VectorXd& angles) {
  const MatrixXd u = units(sample.gradients);
  const UnitGram unit(gram_matrix(sample.gradients));
  const VectorXd anchor = u * unit.spread(anchor_weights(unit.cosines), u.cols());
  MatrixXd rotated = u;
  for (Index i = 0; i < u.cols(); ++i) {
    if (angles[i] == 0) continue;
    const VectorXd w = (anchor - u.col(i).dot(anchor) * u.col(i)).normalized();
    rotated.col(i) = std::cos(angles[i]) * u.col(i) + std::sin(angles[i]) * w;
  }
  return rotated;
}

TEST(HrGrad, RotatedGradientsKeepTheirNormsAndHaveEqualCosines) {
  Sampler sampler(1);
  int rotated_sets = 0;
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const Combination result = combine("hrgrad", sample, kUnguarded);
    if (result.direction.norm() == 0) continue;
    const MatrixXd rotated = rotated_units(sample, result.angles);
    const VectorXd cosines = rotated.transpose() * result.direction.normalized();
    const bool independent = (MatrixXd(rotated.transpose() * rotated).diagonal().minCoeff() > 0) &&
                             Sample{sample.kind, rotated, {}}.condition() > 1e-9;
    double low = 2, high = -2;
    for (Index i = 0; i < rotated.cols(); ++i) {
      if (rotated.col(i).norm() == 0) continue;
      ASSERT_NEAR(rotated.col(i).norm(), 1, 1e-12) << n;
      low = std::min(low, cosines[i]), high = std::max(high, cosines[i]);
    }
    if (independent) {
      ASSERT_GE(low, -1e-8) << n;
      ASSERT_NEAR(low, high, 1e-7) << n << " kind " << static_cast<int>(sample.kind);
    }
    // The length is the sum of the projections of the rotated gradients, and with it the aggregate product identity.
    const VectorXd norms = sample.gradients.colwise().norm();
    const double length = norms.dot(cosines);
    ASSERT_NEAR(length, result.direction.norm(), 1e-6 * norms.maxCoeff()) << n;
    rotated_sets += result.angles.any();
  }
  EXPECT_GT(rotated_sets, kSets / 2);
}

TEST(HrGrad, GuardLeavesNoOriginalGradientBehind) {
  Sampler sampler(2);
  int falls = 0, unguarded_negative = 0;
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    Settings settings = kRaw;
    settings["lambda"] = "0.1";  // little fidelity to the original gradients, so that the guard has work
    const Combination result = combine("hrgrad", sample, settings);
    ASSERT_GE(cosines_with(sample.gradients, result.direction).minCoeff(), -1e-8) << n << " " << result.fallback;
    // Then no rotated gradient objects either, dependent gradients included.
    ASSERT_GE(cosines_with(rotated_units(sample, result.angles), result.direction).minCoeff(), -1e-8) << n;
    settings["guard"] = "no";
    const Combination free = combine("hrgrad", sample, settings);
    const double worst = cosines_with(sample.gradients, free.direction).minCoeff();
    // The guard acts and says so exactly where it has to.
    if (worst < -1e-9) {
      ASSERT_FALSE(result.fallback.empty()) << n;
      ++unguarded_negative;
    }
    if (worst > 1e-9) {
      ASSERT_TRUE(result.fallback.empty()) << n << " " << result.fallback << " " << worst;
      ASSERT_EQ(result.direction, free.direction);
    }
    falls += !result.fallback.empty();
  }
  EXPECT_GT(unguarded_negative, 10);
  std::cout << "the guard acted in " << falls << " of " << kSets << " sets, " << unguarded_negative
            << " with a negative product\n";
}

TEST(HrGrad, IsConfigWithoutConflict) {
  Sampler sampler(3);
  int sets = 0;
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.make(n % 2 ? Kind::agreeing : static_cast<Kind>(n % kKinds), 2 + n % 7);
    const MatrixXd gram = sample.gradients.transpose() * sample.gradients;
    const bool conflict = gram.minCoeff() < 0;
    // The literal test never fires, conflict or not.
    const Combination literal =
        combine("hrgrad", sample, {{"moments", "no"}, {"conflict", "literal"}, {"guard", "no"}});
    const Combination config = combine("config", sample);
    ASSERT_LE((literal.direction - config.direction).norm(), 1e-9 * (1 + config.direction.norm())) << n;
    ASSERT_FALSE(literal.angles.any());
    if (conflict) continue;
    const Combination result = combine("hrgrad", sample, kUnguarded);
    ASSERT_LE((result.direction - config.direction).norm(), 1e-12 * config.direction.norm()) << n;
    ++sets;
  }
  EXPECT_GT(sets, kSets / 2);
}

TEST(HrGrad, HasTheDirectionOfConfigForTwoTasks) {
  Sampler sampler(4);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.make(static_cast<Kind>(n % kKinds), 2);
    if (least_unit_norm(sample.gradients) < 1e-5) continue;  // opposite: no direction at all
    const VectorXd mine = combine("hrgrad", sample, kRaw).direction, config = combine("config", sample).direction;
    ASSERT_LE((mine.normalized() - config.normalized()).norm(), 1e-8) << n;
    // HRGrad never shortens the step of ConFIG.
    ASSERT_GE(mine.norm(), config.norm() * (1 - 1e-9)) << n;
  }
}

// The optimal angle of two unit gradients at the angle phi solves sin(phi - 2 x) = lambda/2 sin x.
TEST(HrGrad, AngleOfTwoTasksIsTheKnownOne) {
  const double phi = 170 * M_PI / 180;
  Sample sample{Kind::random, MatrixXd(2, 2), VectorXd::Ones(2)};
  sample.gradients << 1, std::cos(phi), 0, std::sin(phi);
  const Settings settings = {{"moments", "no"}, {"inner_steps_min", "2000"}, {"inner_steps_max", "2000"}};
  const Combination result = combine("hrgrad", sample, settings);
  EXPECT_NEAR(result.angles[0], result.angles[1], 1e-12);
  EXPECT_NEAR(result.angles[0] * 180 / M_PI, 70.9, 0.05);
  EXPECT_NEAR(std::sin(phi - 2 * result.angles[0]), 0.5 * std::sin(result.angles[0]), 1e-9);
  EXPECT_NEAR(result.direction.norm() / 2, std::cos(phi / 2 - result.angles[0]), 1e-9);
}

TEST(HrGrad, DoesNotDependOnTheOrderOfTasks) {
  Sampler sampler(5);
  std::mt19937_64 engine(5);
  int compared = 0;
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    // Where rounding decides whether two rays are one or an eigenvalue is zero, the order does.
    const double least = least_unit_norm(sample.gradients);
    if (least < (sample.kind == Kind::flat ? 0.05 : 1e-3)) continue;
    const Index m = sample.gradients.cols();
    Eigen::PermutationMatrix<-1, -1> order(m);
    order.setIdentity();
    std::shuffle(order.indices().data(), order.indices().data() + m, engine);
    const Sample shuffled{sample.kind, sample.gradients * order, order.transpose() * sample.losses};
    const Combination result = combine("hrgrad", sample, kRaw), other = combine("hrgrad", shuffled, kRaw);
    const double scale = sample.gradients.colwise().norm().sum();
    ASSERT_LE((result.direction - other.direction).norm(), 1e-7 * scale)
        << n << " kind " << static_cast<int>(sample.kind);
    ++compared;
  }
  std::cout << compared << " sets compared\n";
  EXPECT_GT(compared, kSets / 2);
}

TEST(HrGrad, ScalesWithTheGradients) {
  Sampler sampler(6);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const Combination result = combine("hrgrad", sample, kRaw);
    // All by a power of two: the very same bits.
    const Sample larger{sample.kind, 1024 * sample.gradients, sample.losses};
    ASSERT_EQ(combine("hrgrad", larger, kRaw).direction, 1024 * result.direction) << n;
    // One alone: the direction stays, the length changes.
    Sample one = sample;
    one.gradients.col(0) *= 4;
    const Combination longer = combine("hrgrad", one, kRaw);
    ASSERT_EQ(result.fallback.empty(), longer.fallback.empty());
    if (result.direction.norm() == 0) continue;
    ASSERT_LE((longer.direction.normalized() - result.direction.normalized()).norm(), 1e-9) << n;
    ASSERT_GE(longer.direction.norm(), result.direction.norm() * (1 - 1e-6)) << n;
  }
}

TEST(HrGrad, InnerGradientIsTheDerivative) {
  Sampler sampler(7);
  double worst = 0;
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const UnitGram unit(gram_matrix(sample.gradients));
    if (unit.size() < 2) continue;
    const VectorXd anchor = anchor_weights(unit.cosines);
    const PlaneRotation rotation(unit.cosines, unit.cosines * anchor, std::vector<bool>(unit.norms.size(), true),
                                 sampler.uniform(0, 2));
    VectorXd angles(unit.size());
    for (Index i = 0; i < angles.size(); ++i) angles[i] = sampler.uniform(0, 1) * rotation.caps()[i];
    const VectorXd gradient = rotation.gradient(angles);
    for (Index i = 0; i < angles.size(); ++i) {
      if (rotation.caps()[i] == 0) {
        ASSERT_EQ(gradient[i], 0);
        continue;
      }
      const VectorXd step = 1e-5 * VectorXd::Unit(angles.size(), i);
      const double difference = (rotation.objective(angles + step) - rotation.objective(angles - step)) / 2e-5;
      worst = std::max(worst, std::abs(difference - gradient[i]));
    }
  }
  EXPECT_LT(worst, 1e-8);
}

TEST(HrGrad, InnerStepsReduceTheObjectiveAndKeepTheCaps) {
  Sampler sampler(8);
  for (int n = 0; n < 1000; ++n) {
    const Sample sample = sampler.make(Kind::conflicting, 2 + n % 7);
    const UnitGram unit(gram_matrix(sample.gradients));
    const VectorXd anchor = anchor_weights(unit.cosines);
    const PlaneRotation rotation(unit.cosines, unit.cosines * anchor, std::vector<bool>(unit.norms.size(), true), 0.5);
    VectorXd angles = VectorXd::Zero(unit.size());
    double before = rotation.objective(angles);
    for (int step = 0; step < 20; ++step) {
      angles = rotation.minimise(angles, 1, 0.2);
      const double now = rotation.objective(angles);
      ASSERT_LE(now, before + 1e-15);
      ASSERT_GE(angles.minCoeff(), 0);
      ASSERT_LE((angles - rotation.caps()).maxCoeff(), 0);
      before = now;
    }
  }
}

TEST(HrGrad, StepsOnFromTheLastAngles) {
  Sampler sampler(9);
  const Sample sample = sampler.make(Kind::conflicting, 4);
  auto warm = make("hrgrad", {{"moments", "no"}, {"inner_steps_min", "1"}, {"inner_steps_max", "1"}});
  for (Index step = 0; step < 29; ++step) combine(*warm, sample, step);
  const Combination result = combine(*warm, sample, 29), at_once = combine("hrgrad", sample, kRaw);
  EXPECT_LE((result.angles - at_once.angles).norm(), 1e-12);
  EXPECT_LE((result.direction - at_once.direction).norm(), 1e-12);
}

TEST(HrGrad, NumberOfInnerStepsFollowsTheLosses) {
  Sampler sampler(10);
  Sample sample = sampler.make(Kind::conflicting, 3);
  const Settings settings = {{"moments", "no"}, {"inner_steps_min", "0"}, {"inner_steps_max", "9"}};
  auto method = make("hrgrad", settings);
  EXPECT_FALSE(combine(*method, sample, 0).angles.any());  // no losses before: the least number
  EXPECT_FALSE(combine(*method, sample, 1).angles.any());  // no change
  sample.losses[0] *= 100;
  EXPECT_TRUE(combine(*method, sample, 2).angles.any());
}

TEST(HrGrad, ThresholdTurnsWhatIsFarFromTheAnchor) {
  Sampler sampler(11);
  const Sample sample = sampler.make(Kind::agreeing, 4);
  Settings settings = kRaw;
  settings["conflict"] = "threshold";
  settings["delta"] = "1";
  EXPECT_TRUE(combine("hrgrad", sample, settings).angles.any());
  settings["delta"] = "-1";
  EXPECT_FALSE(combine("hrgrad", sample, settings).angles.any());
}

TEST(HrGrad, RefusesBadOptions) {
  EXPECT_THROW(make("hrgrad", {{"conflict", "sometimes"}}), InputError);
  EXPECT_THROW(make("hrgrad", {{"lambda", "-1"}}), InputError);
  EXPECT_THROW(make("hrgrad", {{"lambda", "one"}}), InputError);
  EXPECT_THROW(make("hrgrad", {{"beta1", "1"}}), InputError);
  EXPECT_THROW(make("hrgrad", {{"lamda", "1"}}), InputError);
  EXPECT_THROW(make("hrgrad", {{"inner_steps_min", "5"}, {"inner_steps_max", "4"}}), InputError);
}

}  // namespace
}  // namespace torsor::combine_test
