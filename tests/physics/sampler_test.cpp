// Samplers: published values, stratification, convergence of integrals, reproducibility, bad requests.
#include "physics/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "physics/error.h"
#include "physics/random.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

TEST(Random, SplitmixAndXoshiroGiveTheirPublishedOutputs) {
  std::uint64_t state = 1234567;
  EXPECT_EQ(splitmix64(state), 6457827717110365317ULL);
  EXPECT_EQ(splitmix64(state), 3203168211198807973ULL);
  Random random(std::array<std::uint64_t, 4>{1, 2, 3, 4});
  EXPECT_EQ(random.next(), 11520ULL);
  EXPECT_EQ(random.next(), 0ULL);
  EXPECT_EQ(random.next(), 1509978240ULL);
  EXPECT_EQ(random.next(), 1215971899390074240ULL);
}

TEST(Random, QuantileInvertsTheNormalDistribution) {
  for (double p = 1e-300; p < 0.5; p *= 1.7) {
    const double x = normal_quantile(p);
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
    EXPECT_NEAR((0.5 * std::erfc(-x / std::sqrt(2.0)) - p) / density, 0, 4e-15 * (1 + std::abs(x))) << p;
  }
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_NEAR(normal_quantile(0.975), 1.9599639845400542, 1e-15);
  EXPECT_EQ(normal_quantile(0.25), -normal_quantile(0.75));
  EXPECT_EQ(normal_quantile(0), -INFINITY);
  EXPECT_EQ(normal_quantile(1), INFINITY);
}

TEST(Random, PortableLogAgreesWithTheLibrary) {
  for (double x = 1e-300; x < 1e300; x *= 3.7) {
    EXPECT_NEAR(random_detail::portable_log(x), std::log(x), 4e-16 * (1 + std::abs(std::log(x))));
  }
}

TEST(Random, MomentsOfTheDraws) {
  Random random(3);
  const int n = 200000;
  double mean = 0, square = 0, fourth = 0, uniform = 0;
  std::array<int, 7> hits{};
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    mean += x / n;
    square += x * x / n;
    fourth += x * x * x * x / n;
    uniform += random.uniform(-1, 3) / n;
    ++hits[random.below(7)];
  }
  EXPECT_NEAR(mean, 0, 0.01);
  EXPECT_NEAR(square, 1, 0.015);
  EXPECT_NEAR(fourth, 3, 0.12);
  EXPECT_NEAR(uniform, 1, 0.015);
  for (const int count : hits) EXPECT_NEAR(count, n / 7.0, 5 * std::sqrt(n / 7.0));
}

TEST(Random, FixedBitsForASeed) {
  Random random(42);
  EXPECT_EQ(random.next(), 1546998764402558742ULL);
  Random a(42), b(42), c(43);
  EXPECT_EQ(a.normal(), b.normal());
  EXPECT_NE(a.normal(), c.normal());
  EXPECT_NE(stream_seed(1, 0), stream_seed(1, 1));
  EXPECT_NE(stream_seed(1, 0), stream_seed(0, 1));
}

TEST(Sobol, FirstPointsAreThePublishedOnes) {
  MatrixXd expected(8, 3);
  expected << 0, 0, 0, 0.5, 0.5, 0.5, 0.75, 0.25, 0.25, 0.25, 0.75, 0.75, 0.375, 0.375, 0.625, 0.875, 0.875,
      0.125, 0.625, 0.125, 0.875, 0.125, 0.625, 0.375;
  EXPECT_EQ(sobol_sequence(8, 3), expected);
}

TEST(Sobol, AllDimensionsAgreeWithTheReferenceProgram) {
  // Row 4093 of the 21-dimensional sequence by the program of Joe and Kuo (D6 numbers), times 4096.
  VectorXd expected(21);
  expected << 3073, 2831, 345, 2669, 779, 3395, 2865, 2625, 3857, 4081, 1309, 2341, 487, 3153, 1233, 683,
      3327, 3519, 259, 3159, 1949;
  EXPECT_EQ(sobol_sequence(4094, 21).row(4093).transpose() * 4096, expected);
}

TEST(Sobol, EveryDimensionIsStratifiedAlsoWhenShifted) {
  for (const MatrixXd& x : {sobol_sequence(64, 21), make_sampler("sobol")->points(64, 21, 5)}) {
    for (Index axis = 0; axis < x.cols(); ++axis) {
      std::set<int> cells;
      for (const double value : x.col(axis)) cells.insert(static_cast<int>(value * 64));
      EXPECT_EQ(cells.size(), 64U) << axis;
    }
  }
}

TEST(Sobol, LongerRequestBeginsWithTheShorterOne) {
  const auto sobol = make_sampler("sobol");
  EXPECT_EQ(sobol->points(100, 4, 9).topRows(60), sobol->points(60, 4, 9));
}

double integral_error(const Sampler& sampler, Index n, std::uint64_t seed) {
  // prod_j (1 + (x_j - 1/2)) has integral 1 over the cube.
  const MatrixXd x = sampler.points(n, 5, seed);
  return std::abs((x.array() + 0.5).rowwise().prod().mean() - 1);
}

double mean_error(const std::string& name, Index n) {
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= 64; ++seed) sum += integral_error(*make_sampler(name), n, seed);
  return sum / 64;
}

TEST(Samplers, IntegralErrorsDecayAsTheTheorySays) {
  const double sobol = mean_error("sobol", 256) / mean_error("sobol", 16384);
  const double uniform = mean_error("uniform", 256) / mean_error("uniform", 16384);
  EXPECT_GT(sobol, 30);    // 64 for 1/N
  EXPECT_LT(uniform, 20);  // 8 for 1/sqrt(N)
  EXPECT_GT(uniform, 3);
  EXPECT_LT(mean_error("sobol", 4096), mean_error("uniform", 4096) / 10);
  EXPECT_LT(mean_error("latin", 4096), mean_error("uniform", 4096) / 2);
}

TEST(Latin, OnePointInEverySliceOfEveryAxis) {
  for (const Index n : {1, 7, 100}) {
    const MatrixXd x = make_sampler("latin")->points(n, 6, 11);
    for (Index axis = 0; axis < 6; ++axis) {
      std::set<Index> slices;
      for (const double value : x.col(axis))
        slices.insert(static_cast<Index>(value * static_cast<double>(n)));
      EXPECT_EQ(static_cast<Index>(slices.size()), n);
    }
  }
}

TEST(Samplers, SameSeedSameBitsInsideTheCube) {
  for (const std::string& name : sampler_names()) {
    const auto sampler = make_sampler(name);
    EXPECT_EQ(sampler->name(), name);
    const MatrixXd x = sampler->points(81, 4, 7);
    EXPECT_EQ(x, sampler->points(81, 4, 7)) << name;
    EXPECT_EQ(x.rows(), 81);
    EXPECT_GE(x.minCoeff(), 0) << name;
    EXPECT_LE(x.maxCoeff(), 1) << name;
    if (name.rfind("grid", 0) != 0) {
      EXPECT_NE(x, sampler->points(81, 4, 8)) << name;
      EXPECT_LT(x.maxCoeff(), 1) << name;
    }
  }
}

TEST(Samplers, BitsAreFixed) {
  EXPECT_EQ(make_sampler("uniform")->points(3, 2, 1)(2, 1), 0x1.260918937fedp-3);
  EXPECT_EQ(make_sampler("latin")->points(3, 2, 1)(2, 1), 0x1.08d33d0827192p-1);
  EXPECT_EQ(make_sampler("sobol")->points(3, 2, 1)(2, 1), 0x1.8a76ab2c8e6c9p-1);
}

TEST(Grid, CellCentresAndEnds) {
  MatrixXd centres(4, 2), ends(4, 2);
  centres << 0.25, 0.25, 0.25, 0.75, 0.75, 0.25, 0.75, 0.75;
  ends << 0, 0, 0, 1, 1, 0, 1, 1;
  EXPECT_EQ(make_sampler("grid")->points(4, 2, 0), centres);
  EXPECT_EQ(make_sampler("grid-ends")->points(4, 2, 0), ends);
  EXPECT_EQ(make_sampler("grid-ends")->points(1, 1, 0)(0, 0), 0.5);
}

TEST(Grid, CountsFollowTheSides) {
  using Counts = std::vector<Index>;
  EXPECT_EQ(grid_counts(100, Eigen::Vector2d(1, 1)), (Counts{10, 10}));
  EXPECT_EQ(grid_counts(1000, Eigen::Vector3d(2, 2, 2)), (Counts{10, 10, 10}));
  EXPECT_EQ(grid_counts(400, Eigen::Vector2d(4, 1)), (Counts{40, 10}));
  EXPECT_EQ(grid_counts(50, Eigen::Vector2d(1, 1e-6)), (Counts{50, 1}));
  EXPECT_EQ(grid_counts(7, VectorXd::Ones(1)), (Counts{7}));
  for (Index n = 1; n < 5000; n += 37) {
    for (Index d = 1; d <= 8; ++d) {
      Index total = 1;
      for (const Index count : grid_counts(n, VectorXd::LinSpaced(d, 1, 3))) total *= count;
      EXPECT_LE(std::abs(static_cast<double>(total - n)), 0.5 * static_cast<double>(n) + 1) << n << " " << d;
    }
  }
}

TEST(Samplers, BadRequestsNameTheValueAndTheRule) {
  for (const std::string& name : sampler_names()) {
    const auto sampler = make_sampler(name);
    EXPECT_EQ(error_of([&] { sampler->points(0, 2, 1); }), "number of points is 0; it must be at least 1");
    EXPECT_EQ(error_of([&] { sampler->points(5, -1, 1); }),
              "dimension of the points is -1; it must be at least 1");
  }
  EXPECT_NE(error_of([] { make_sampler("sobl"); }).find("unknown sampler 'sobl'; did you mean 'sobol'?"),
            std::string::npos);
  EXPECT_NE(error_of([] { sobol_sequence(4, 22); }).find("22; it must be at most 21"), std::string::npos);
  EXPECT_THROW(grid_counts(4, Eigen::Vector2d(1, 0)), InputError);
  EXPECT_THROW(grid_counts(4, Eigen::Vector2d(1, NAN)), InputError);
}

}  // namespace
}  // namespace torsor
