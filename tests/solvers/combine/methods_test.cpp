// The defining property of each combiner that works on gradients, over 10,000 sampled sets of gradients in each test.
#include <gtest/gtest.h>

#include "combine_test_tools.h"
#include "physics/error.h"
#include "solvers/combine/gram.h"
#include "solvers/combine/harmonised_cone.h"

namespace torsor::combine_test {
namespace {

constexpr int kSets = 10000;

// The library's numbers are compared at these condition numbers of the cosines and above.
bool well_conditioned(const Sample& sample) {
  return sample.condition() > 1e-7;
}

MatrixXd without_zeros(const MatrixXd& g) {
  MatrixXd kept(g.rows(), 0);
  for (Index i = 0; i < g.cols(); ++i) {
    if (g.col(i).norm() == 0) continue;
    kept.conservativeResize(Eigen::NoChange, kept.cols() + 1);
    kept.rightCols(1) = g.col(i);
  }
  return kept;
}

double largest_norm(const Sample& sample) {
  return sample.gradients.colwise().norm().maxCoeff();
}

TEST(Gram, ProductsAndSumsAreThoseOfEigen) {
  Sampler sampler(1);
  for (const Index d : {1, 7, 8, 511, 512, 513, 2000}) {
    for (Index m = 1; m <= 9; ++m) {
      const MatrixXd a = sampler.normal(d, m), b = sampler.normal(d, 10 - m);
      const VectorXd w = sampler.normal(m, 1);
      EXPECT_LE((gram_matrix(a) - a.transpose() * a).norm(), 1e-12 * static_cast<double>(d));
      EXPECT_LE((products(a, b) - a.transpose() * b).norm(), 1e-12 * static_cast<double>(d));
      EXPECT_LE((weighted_sum(a, w) - a * w).norm(), 1e-13 * static_cast<double>(d));
    }
  }
}

// A direction is a gradient's: every method gives +g for one task with the gradient g, up to a positive factor.
TEST(AllCombiners, OneTaskIsDescended) {
  Sampler sampler(2);
  for (const auto& info : combiners()) {
    const Sample sample = sampler.make(Kind::random, 2);
    const Sample one{Kind::random, sample.gradients.leftCols(1), sample.losses.head(1)};
    const Combination result = combine(info.name, one);
    ASSERT_GT(result.direction.norm(), 0) << info.name;
    if (info.name == "sam-gs") continue;  // modulates coordinates
    EXPECT_LE((result.direction.normalized() - one.gradients.col(0).normalized()).norm(), 1e-12) << info.name;
  }
}

TEST(AllCombiners, ZeroGradientsHaveNoSay) {
  Sampler sampler(3);
  // Methods that work on gradients alone; the others give every loss a weight, or share a mean.
  const std::vector<std::string> names = {"aligned-mtl", "cagrad", "config",   "dcgd",   "fairgrad", "harmonic",
                                          "imtl-g",      "mgda",   "nash-mtl", "pcgrad", "upgrad",   "rgb"};
  for (const auto& name : names) {
    for (Index m = 2; m <= 6; ++m) {
      const Sample sample = sampler.make(Kind::conflicting, m);
      Sample more{sample.kind, MatrixXd::Zero(12, m + 1), VectorXd::Ones(m + 1)};
      more.gradients.rightCols(m) = sample.gradients;
      Settings settings;
      if (name == "pcgrad") settings["order"] = "given";
      const VectorXd expected = combine(name, sample, settings).direction,
                     found = combine(name, more, settings).direction;
      EXPECT_LE((expected - found).norm(), 1e-11 * expected.norm()) << name;
    }
  }
  for (const auto& info : combiners()) {
    const Sample nothing{Kind::random, MatrixXd::Zero(5, 3), VectorXd::Ones(3)};
    EXPECT_EQ(combine(info.name, nothing).direction, VectorXd::Zero(5)) << info.name;
  }
}

TEST(AllCombiners, GiveFiniteAnswersToAllSets) {
  for (const auto& info : combiners()) {
    Sampler sampler(4);
    for (int n = 0; n < 500; ++n) {
      const Sample sample = sampler.next();
      const Combination result = combine(info.name, sample);
      ASSERT_TRUE(result.direction.allFinite()) << info.name << " " << n;
      if (result.weights.size() > 0) {
        ASSERT_LE((sample.gradients * result.weights - result.direction).norm(),
                  1e-11 * sample.gradients.cwiseAbs().maxCoeff() * result.weights.cwiseAbs().maxCoeff())
            << info.name << " " << n;
      }
    }
  }
}

TEST(AllCombiners, NameTheTaskThatIsNotFinite) {
  for (const auto& info : combiners()) {
    if (info.name == "m-config") continue;  // looks at task 0 alone in the first step
    for (const double bad : {std::nan(""), HUGE_VAL}) {
      Sample sample = Sampler(5).make(Kind::random, 3);
      sample.gradients(4, 2) = bad;
      try {
        combine(info.name, sample);
        FAIL() << info.name;
      } catch (const NumericalError& error) {
        EXPECT_NE(std::string(error.what()).find("task 2"), std::string::npos) << info.name << ": " << error.what();
      }
      sample = Sampler(5).make(Kind::random, 3);
      sample.losses[1] = bad;
      EXPECT_THROW(combine(info.name, sample), NumericalError) << info.name;
    }
  }
}

TEST(AllCombiners, DescribeThemselves) {
  ASSERT_GE(combiners().size(), 28u);
  std::string before;
  for (const auto& info : combiners()) {
    EXPECT_LT(before, info.name);
    before = info.name;
    EXPECT_FALSE(info.title.empty() || info.formula.empty() || info.source.empty()) << info.name;
    for (const auto& option : info.options) EXPECT_FALSE(option.help.empty()) << info.name << " " << option.name;
    EXPECT_THROW(make(info.name, {{"no such option", "1"}}), InputError);
  }
  try {
    find_combiner("hrgrd");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'hrgrad'"), std::string::npos);
  }
}

// Optimality: g_i . d >= |d|^2 for all i, equal where the weight is positive, and weights on the simplex.
TEST(Mgda, IsThePointOfLeastNorm) {
  Sampler sampler(10);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const Combination result = combine("mgda", sample);
    ASSERT_GE(result.weights.minCoeff(), 0) << n;
    ASSERT_NEAR(result.weights.sum(), 1, 1e-12) << n;
    const double square = result.direction.squaredNorm(), norm = result.direction.norm();
    for (Index i = 0; i < result.weights.size(); ++i) {
      const double size = sample.gradients.col(i).norm();
      if (size == 0) continue;
      const double gain = sample.gradients.col(i).dot(result.direction) - square;
      ASSERT_GE(gain, -1e-7 * size * norm - 1e-13 * size * size) << n;
      if (result.weights[i] > 1e-9) {
        ASSERT_LE(result.weights[i] * gain, 1e-7 * square + 1e-13 * size * size) << n;
      }
    }
  }
}

TEST(Mgda, ScalingReplacesTheGradients) {
  const Sample sample = Sampler(11).make(Kind::conflicting, 4);
  Sample scaled = sample;
  for (Index i = 0; i < 4; ++i) scaled.gradients.col(i) /= sample.losses[i] * sample.gradients.col(i).norm();
  EXPECT_LE((combine("mgda", sample, {{"scaling", "loss-norm"}}).direction - combine("mgda", scaled).direction).norm(),
            1e-12);
}

TEST(UpGrad, NeverConflictsAndIsAMeanOfProjections) {
  Sampler sampler(12);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const Combination result = combine("upgrad", sample);
    const double scale = largest_norm(sample);
    const VectorXd gains = units(sample.gradients).transpose() * result.direction;
    ASSERT_GE(gains.minCoeff(), -1e-8 * scale) << n << " kind " << static_cast<int>(sample.kind);
    const double count = static_cast<double>(without_zeros(sample.gradients).cols());
    // Every projection adds non-negative multiples of gradients to its own.
    for (Index i = 0; i < result.weights.size(); ++i)
      if (sample.gradients.col(i).norm() > 0) {
        ASSERT_GE(result.weights[i], 1 / count - 1e-12) << n;
      }
  }
}

// Moreau: P(y) is in K*, and P(y) - y = G s with s >= 0 and (P(y) . g_i) s_i = 0.
TEST(Dcgd, ProjectionIsTheNearestPoint) {
  Sampler sampler(13);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const Combination result = combine("dcgd", sample, {{"rule", "projection"}});
    const VectorXd s = result.weights - VectorXd::Ones(result.weights.size());
    const double scale = largest_norm(sample) * static_cast<double>(s.size());
    ASSERT_GE(s.minCoeff(), -1e-12) << n;
    const VectorXd gains = units(sample.gradients).transpose() * result.direction;
    ASSERT_GE(gains.minCoeff(), -1e-8 * scale) << n;
    for (Index i = 0; i < s.size(); ++i) {
      if (s[i] > 0) {
        ASSERT_NEAR(gains[i], 0, 1e-7 * scale) << n;
      }
    }
  }
}

TEST(Dcgd, HasThePublishedRulesForTwoLosses) {
  Sampler sampler(14);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.make(static_cast<Kind>(n % 4), 2);
    const VectorXd a = sample.gradients.col(0), b = sample.gradients.col(1), sum = a + b;
    const double product = a.dot(b);
    const bool inside = sum.dot(a) >= 0 && sum.dot(b) >= 0;
    VectorXd projection = sum, average = sum;
    if (sum.dot(b) < 0) projection = a - product / b.squaredNorm() * b;
    if (sum.dot(a) < 0) projection = b - product / a.squaredNorm() * a;
    if (!inside) average = ((1 - product / b.squaredNorm()) * b + (1 - product / a.squaredNorm()) * a) / 2;
    const VectorXd middle = a.normalized() + b.normalized();
    const VectorXd centre = middle.dot(sum) / middle.squaredNorm() * middle;
    ASSERT_LE((combine("dcgd", sample, {{"rule", "projection"}}).direction - projection).norm(), 1e-9) << n;
    ASSERT_LE((combine("dcgd", sample, {{"rule", "average"}}).direction - average).norm(), 1e-9) << n;
    ASSERT_LE((combine("dcgd", sample, {{"rule", "centre"}}).direction - centre).norm(), 1e-8) << n;
  }
}

TEST(Config, HasEqualCosinesAndTheLengthOfTheProjections) {
  Sampler sampler(15);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const MatrixXd g = without_zeros(sample.gradients);
    if (Sample{sample.kind, g, {}}.condition() < 1e-9) continue;
    const Combination result = combine("config", sample);
    const VectorXd cosines = cosines_with(g, result.direction);
    ASSERT_NEAR(cosines.minCoeff(), cosines.maxCoeff(), 1e-7) << n;
    ASSERT_GE(cosines.minCoeff(), -1e-9) << n;
    ASSERT_NEAR((g.transpose() * result.direction.normalized()).sum(), result.direction.norm(),
                1e-6 * largest_norm(sample))
        << n;
  }
}

TEST(Config, LengthsFollowTheirMeans) {
  const Sample sample = Sampler(16).make(Kind::conflicting, 3);
  const VectorXd norms = sample.gradients.colwise().norm();
  const VectorXd direction = combine("config", sample).direction.normalized();
  const double cosines = (units(sample.gradients).transpose() * direction).sum();
  const std::map<std::string, double> means = {{"min", norms.minCoeff()},
                                               {"max", norms.maxCoeff()},
                                               {"arithmetic", norms.mean()},
                                               {"geometric", std::cbrt(norms.prod())},
                                               {"harmonic", 3 / norms.cwiseInverse().sum()}};
  for (const auto& [length, mean] : means)
    EXPECT_LE((combine("config", sample, {{"length", length}}).direction - mean * cosines * direction).norm(), 1e-12)
        << length;
}

TEST(Harmonic, IsInTheHarmonisedCone) {
  Sampler sampler(17);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const Combination result = combine("harmonic", sample);
    ASSERT_GE(result.weights.minCoeff(), 0) << n;
    ASSERT_GE(cosines_with(sample.gradients, result.direction).minCoeff(), -1e-8) << n;
    // Projection of the sum on the anchor.
    const VectorXd sum = sample.gradients.rowwise().sum();
    ASSERT_NEAR(result.direction.dot(sum), result.direction.squaredNorm(), 1e-9 * sum.squaredNorm()) << n;
  }
}

// Every (m-1)-subset of the 2m constraints with a one-dimensional null space inside the others.
MatrixXd rays_by_enumeration(const MatrixXd& cosines) {
  const Index m = cosines.rows();
  MatrixXd constraints(2 * m, m);
  constraints << MatrixXd::Identity(m, m), cosines;
  MatrixXd rays(m, 0);
  for (unsigned subset = 0; subset < (1u << (2 * m)); ++subset) {
    if (__builtin_popcount(subset) != m - 1) continue;
    MatrixXd active(m - 1, m);
    for (Index i = 0, k = 0; i < 2 * m; ++i)
      if (subset >> i & 1) active.row(k++) = constraints.row(i);
    const Eigen::FullPivLU<MatrixXd> lu(active);
    if (lu.rank() < m - 1) continue;
    VectorXd ray = lu.kernel().col(0);
    if (ray.sum() < 0) ray = -ray;
    if ((constraints * ray).minCoeff() < -1e-10 * ray.cwiseAbs().maxCoeff()) continue;
    ray /= std::sqrt(ray.dot(cosines * ray));
    if (rays.cols() > 0 && (rays.colwise() - ray).colwise().norm().minCoeff() < 1e-9) continue;
    rays.conservativeResize(Eigen::NoChange, rays.cols() + 1);
    rays.rightCols(1) = ray;
  }
  return rays;
}

TEST(HarmonisedCone, RaysAreThoseOfEnumeration) {
  Sampler sampler(18);
  for (int n = 0; n < 300; ++n) {
    const MatrixXd u = units(sampler.make(n % 2 ? Kind::random : Kind::conflicting, 2 + n % 5).gradients);
    const MatrixXd cosines = u.transpose() * u;
    const MatrixXd expected = rays_by_enumeration(cosines), found = harmonised_rays(cosines);
    ASSERT_EQ(expected.cols(), found.cols()) << n;
    for (Index j = 0; j < found.cols(); ++j)
      ASSERT_LT((expected.colwise() - found.col(j)).colwise().norm().minCoeff(), 1e-6) << n;
  }
}

TEST(HarmonisedCone, AnchorHoldsForManyTasks) {
  Sampler sampler(19);
  for (const Index m : {9, 12, 16, 24}) {
    const MatrixXd u = units(sampler.make(Kind::conflicting, m, 40).gradients);
    const MatrixXd cosines = u.transpose() * u;
    const VectorXd anchor = anchor_weights(cosines);
    EXPECT_NEAR(anchor.dot(cosines * anchor), 1, 1e-10);
    EXPECT_GE(anchor.minCoeff(), 0);
    EXPECT_GE((cosines * anchor).minCoeff(), -1e-10);
  }
}

TEST(NashMtl, SolvesTheBargain) {
  Sampler sampler(20);
  int solved = 0;
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const Combination result = combine("nash-mtl", sample);
    if (!result.fallback.empty()) {
      ASSERT_EQ(result.direction.norm(), 0);
      ASSERT_LT(least_unit_norm(sample.gradients), 1e-4) << n;  // opposite gradients, or nearly
      continue;
    }
    ++solved;
    const double count = static_cast<double>(without_zeros(sample.gradients).cols());
    for (Index i = 0; i < result.weights.size(); ++i) {
      if (sample.gradients.col(i).norm() == 0) continue;
      ASSERT_GT(result.weights[i], 0);
      // Rounding of the sum for the direction counts most where weights are large.
      const double gain = sample.gradients.col(i).dot(result.direction) * result.weights[i];
      const double rounding =
          1e-14 * (sample.gradients * result.weights.asDiagonal()).colwise().squaredNorm().maxCoeff();
      ASSERT_NEAR(gain, 1, 1e-7 + rounding) << n;
    }
    ASSERT_NEAR(result.direction.squaredNorm(), count, 1e-5 * count) << n;
  }
  EXPECT_GT(solved, kSets * 8 / 10);
}

TEST(FairGrad, SolvesItsSystem) {
  Sampler sampler(21);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    if (!well_conditioned(Sample{sample.kind, without_zeros(sample.gradients), {}})) continue;
    const double alpha = std::vector<double>{0.5, 1, 2, 5}[static_cast<size_t>(n % 4)];
    const Combination result = combine("fairgrad", sample, {{"alpha", std::to_string(alpha)}});
    ASSERT_TRUE(result.fallback.empty()) << n << " alpha " << alpha;
    for (Index i = 0; i < result.weights.size(); ++i) {
      if (sample.gradients.col(i).norm() == 0) continue;
      const double expected = std::pow(result.weights[i], -1 / alpha);
      const double size =
          (sample.gradients * result.weights.asDiagonal()).colwise().norm().maxCoeff() * sample.gradients.col(i).norm();
      ASSERT_NEAR(sample.gradients.col(i).dot(result.direction), expected, 1e-7 * expected + 1e-12 * size) << n;
    }
  }
}

TEST(FairGrad, IsNashForAlphaOne) {
  Sampler sampler(22);
  for (int n = 0; n < 100; ++n) {
    const Sample sample = sampler.make(Kind::conflicting, 4);
    ASSERT_LE((combine("fairgrad", sample, {{"alpha", "1"}}).direction - combine("nash-mtl", sample).direction).norm(),
              1e-8);
  }
}

TEST(AlignedMtl, GivesASystemOfConditionNumberOne) {
  Sampler sampler(23);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.make(static_cast<Kind>(n % 3), 2 + n % 7);
    if (sample.condition() < 1e-5) continue;
    const MatrixXd gram = sample.gradients.transpose() * sample.gradients;
    const Eigen::SelfAdjointEigenSolver<MatrixXd> eigen(gram);
    // The aligned gradients are B = sigma A^(-1/2); their sum is the direction, and all have the same length on the span.
    const double sigma = std::sqrt(eigen.eigenvalues()[0]);
    const MatrixXd balance = sigma * eigen.operatorInverseSqrt();
    const MatrixXd aligned = sample.gradients * balance;
    ASSERT_LE((aligned.transpose() * aligned - sigma * sigma * MatrixXd::Identity(gram.rows(), gram.rows())).norm(),
              1e-7 * sigma * sigma);
    const Combination result = combine("aligned-mtl", sample);
    ASSERT_LE((result.direction - aligned.rowwise().sum()).norm(), 1e-8 * sigma) << n;
    ASSERT_NEAR(result.direction.norm(), sigma * std::sqrt(static_cast<double>(gram.rows())), 1e-8 * sigma) << n;
  }
}

TEST(ImtlG, HasEqualProjectionsAndWeightsThatAddUpToOne) {
  Sampler sampler(24);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const MatrixXd g = without_zeros(sample.gradients);
    if (Sample{sample.kind, g, {}}.condition() < 1e-7) continue;
    const Combination result = combine("imtl-g", sample);
    if (!result.fallback.empty()) continue;
    ASSERT_NEAR(result.weights.sum(), 1, 1e-10 * result.weights.cwiseAbs().maxCoeff()) << n;
    const VectorXd projections = units(g).transpose() * result.direction;
    const double size = (sample.gradients * result.weights.asDiagonal()).colwise().norm().maxCoeff();
    ASSERT_NEAR(projections.minCoeff(), projections.maxCoeff(), 1e-9 * size) << n;
    const Combination descending = combine("imtl-g", sample, {{"descend", "yes"}});
    ASSERT_GE((units(g).transpose() * descending.direction).minCoeff(), -1e-9 * size) << n;
  }
}

// d maximises the worst product in the ball: the dual value min g_w.g_0 + c|g_0||g_w| is reached by min_i g_i . d.
TEST(CaGrad, ReachesItsDualValue) {
  Sampler sampler(25);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const MatrixXd g = without_zeros(sample.gradients);
    const Combination result = combine("cagrad", sample, {{"rescaling", "none"}, {"c", "0.4"}});
    if (!result.fallback.empty()) {
      ASSERT_LT(least_unit_norm(sample.gradients), 1e-6) << n;
      continue;
    }
    const VectorXd mean = g.rowwise().mean();
    const double radius = 0.4 * mean.norm();
    const VectorXd difference = result.direction - mean;
    ASSERT_NEAR(difference.norm(), radius, 1e-7 * radius) << n << " kind " << static_cast<int>(sample.kind);
    const VectorXd w = VectorXd(result.weights.array() - 1.0 / static_cast<double>(g.cols()));
    VectorXd kept(g.cols());
    for (Index i = 0, k = 0; i < w.size(); ++i)
      if (sample.gradients.col(i).norm() > 0) kept[k++] = w[i];
    ASSERT_GE(kept.minCoeff(), -1e-10 * kept.maxCoeff()) << n;
    const VectorXd simplex = kept / kept.sum();
    const VectorXd combined = g * simplex;
    const double dual = combined.dot(mean) + radius * combined.norm();
    const double worst = (g.transpose() * result.direction).minCoeff();
    const double scale = g.colwise().norm().maxCoeff() * result.direction.norm();
    ASSERT_NEAR(worst, dual, 1e-7 * scale) << n << " kind " << static_cast<int>(sample.kind);
  }
}

TEST(PcGrad, RemovesConflictsOfTwoTasks) {
  Sampler sampler(26);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.make(static_cast<Kind>(n % kKinds), 2);
    const Combination result = combine("pcgrad", sample);
    ASSERT_GE((units(sample.gradients).transpose() * result.direction).minCoeff(), -1e-12 * largest_norm(sample)) << n;
    if (sample.gradients.col(0).dot(sample.gradients.col(1)) >= 0) {
      ASSERT_EQ(result.direction, VectorXd(sample.gradients.col(0) + sample.gradients.col(1)));
    }
  }
}

TEST(PcGrad, IsTheAlgorithmOnVectors) {
  Sampler sampler(27);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const MatrixXd& g = sample.gradients;
    VectorXd expected = VectorXd::Zero(g.rows());
    for (Index i = 0; i < g.cols(); ++i) {
      VectorXd p = g.col(i);
      for (Index j = 0; j < g.cols(); ++j)
        if (j != i && p.dot(g.col(j)) < 0) p -= p.dot(g.col(j)) / g.col(j).squaredNorm() * g.col(j);
      expected += p;
    }
    const VectorXd found = combine("pcgrad", sample, {{"order", "given"}}).direction;
    ASSERT_LE((found - expected).norm(), 1e-9 * largest_norm(sample)) << n;
  }
}

// One correction brings the cosine exactly to its target.
TEST(GradVac, BringsTheCosineToItsTarget) {
  Sampler sampler(28);
  for (int n = 0; n < kSets; ++n) {
    const Sample first = sampler.make(Kind::agreeing, 2), second = sampler.make(Kind::conflicting, 2);
    auto method = make("gradvac", {{"beta", "1"}});
    combine(*method, first);
    const double target = cosines_with(first.gradients, first.gradients.col(1))[0];
    const VectorXd a = second.gradients.col(0), b = second.gradients.col(1);
    if (a.normalized().dot(b.normalized()) >= target) continue;
    // d = p_a + p_b with p_a in the plane at the target cosine to b; both by the law of sines.
    const auto turned = [&](const VectorXd& x, const VectorXd& y) {
      const double cosine = x.normalized().dot(y.normalized());
      const double sine = std::sqrt(1 - cosine * cosine), target_sine = std::sqrt(1 - target * target);
      const VectorXd p = x + x.norm() * (target * sine - cosine * target_sine) / (y.norm() * target_sine) * y;
      EXPECT_NEAR(p.normalized().dot(y.normalized()), target, 1e-7);
      return p;
    };
    const Combination result = combine(*method, second, 1);
    const VectorXd expected = turned(a, b) + turned(b, a);
    ASSERT_LE((result.direction - expected).norm(), 1e-9 * expected.norm()) << n;
  }
}

// Every coordinate takes the sum of its positive or of its negative entries, as often as their share says.
TEST(GradDrop, DrawsSignsByTheirShare) {
  Sampler sampler(29);
  const Sample sample = sampler.make(Kind::random, 5);
  const VectorXd positive = sample.gradients.cwiseMax(0).rowwise().sum(),
                 negative = sample.gradients.cwiseMin(0).rowwise().sum();
  auto method = make("graddrop");
  VectorXd kept = VectorXd::Zero(12);
  for (int n = 0; n < kSets; ++n) {
    const VectorXd d = combine(*method, sample, n).direction;
    for (Index k = 0; k < d.size(); ++k) {
      const bool up = std::abs(d[k] - positive[k]) <= std::abs(d[k] - negative[k]);
      ASSERT_NEAR(d[k], up ? positive[k] : negative[k], 1e-12);
      kept[k] += up;
    }
  }
  const VectorXd share = positive.array() / (positive - negative).array();
  EXPECT_LT((kept / kSets - share).cwiseAbs().maxCoeff(), 0.025);
  const VectorXd sum = sample.gradients.rowwise().sum();
  EXPECT_LE((combine("graddrop", sample, {{"leak", "1"}}).direction - sum).norm(), 1e-12);
}

TEST(SamGs, EqualisesNormsThatDiffer) {
  Sampler sampler(30);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    const MatrixXd& g = sample.gradients;
    const VectorXd norms = g.colwise().norm();
    double sum = 0, pairs = 0;
    for (Index j = 0; j < norms.size(); ++j)
      for (Index i = 0; i < j; ++i)
        if (norms[i] * norms[j] > 0)
          sum += 2 * norms[i] * norms[j] / (norms[i] * norms[i] + norms[j] * norms[j]), pairs += 1;
    const double similarity = pairs > 0 ? sum / pairs : 1;
    const Combination result = combine("sam-gs", sample, {{"gamma", "0.7"}});
    VectorXd expected = norms.mean() * units(g).rowwise().sum();
    // First step: the corrected moments are the gradients, and (1 - s)^2 up to the small constant.
    if (similarity >= 0.7)
      expected = g.cwiseProduct(g.cwiseAbs()).rowwise().sum() / std::sqrt((1 - similarity) * (1 - similarity) + 1e-6);
    ASSERT_LE((result.direction - expected).norm(),
              1e-9 * expected.norm() + 1e-12 * largest_norm(sample) * largest_norm(sample))
        << n;
  }
}

TEST(DbMtl, BringsAllToTheLargestNorm) {
  Sampler sampler(31);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.next();
    MatrixXd scaled = sample.gradients * sample.losses.cwiseInverse().asDiagonal();
    const VectorXd expected = scaled.colwise().norm().maxCoeff() * units(scaled).rowwise().sum();
    const VectorXd found = combine("db-mtl", sample, {{"beta", "0"}, {"epsilon", "0"}}).direction;
    ASSERT_LE((found - expected).norm(), 1e-10 * scaled.colwise().norm().maxCoeff()) << n;
  }
}

TEST(GCond, ResolvesConflictsAndLeavesAgreementAlone) {
  Sampler sampler(32);
  for (int n = 0; n < kSets; ++n) {
    const Sample sample = sampler.make(static_cast<Kind>(n % kKinds), 2);
    const VectorXd a = sample.gradients.col(0), b = sample.gradients.col(1);
    const double cosine = units(sample.gradients).col(0).dot(units(sample.gradients).col(1));
    const Combination result = combine("gcond", sample);
    if (cosine >= 0) {
      ASSERT_LE((result.direction - a - b).norm(), 1e-12 * largest_norm(sample)) << n;
    } else if (cosine < -0.8 && cosine > -1 + 1e-9) {
      // The loser is projected, the winner stays: no history, so both scores are strengths, which are equal.
      const VectorXd loser = b - a.dot(b) / a.squaredNorm() * a;
      ASSERT_LE((result.direction - a - loser).norm(), 1e-9 * largest_norm(sample)) << n;
    }
  }
}

TEST(GCond, DrawsTasksFromSeedAndStep) {
  auto method = make("gcond", {{"tasks_per_step", "2"}}, 7);
  EXPECT_EQ(method->wanted(3, 5), method->wanted(3, 5));
  std::vector<int> count(5, 0);
  for (Index step = 0; step < 1000; ++step) {
    const auto tasks = method->wanted(step, 5);
    ASSERT_EQ(tasks.size(), 2u);
    for (const Index i : tasks) ++count[static_cast<size_t>(i)];
  }
  for (const int c : count) EXPECT_NEAR(c, 400, 60);
  EXPECT_TRUE(method->wanted(3, 2).empty());
}

TEST(Rgb, TurnsTowardsTheMeanDirection) {
  Sampler sampler(33);
  for (int n = 0; n < 1000; ++n) {
    const Sample sample = sampler.make(Kind::conflicting, 2 + n % 7);
    const Combination plain = combine("rgb", sample, {{"inner_steps_min", "0"}, {"inner_steps_max", "0"}});
    const Combination turned = combine("rgb", sample, {{"inner_steps_min", "20"}, {"inner_steps_max", "20"}});
    ASSERT_LE((plain.direction - units(sample.gradients).rowwise().mean()).norm(), 1e-12);
    // In the first step d is the mean direction itself: turning makes the mean longer.
    ASSERT_GE(turned.direction.dot(plain.direction), plain.direction.squaredNorm() * (1 - 1e-12)) << n;
  }
}

}  // namespace
}  // namespace torsor::combine_test
