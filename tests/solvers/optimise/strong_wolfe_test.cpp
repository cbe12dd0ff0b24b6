// The Wolfe conditions on sampled functions of one variable.
#include "solvers/optimise/strong_wolfe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace torsor {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void expect_wolfe(const LineFunction& p, double first, const WolfeOptions& options, const char* what) {
  const LinePoint start = p(0);
  const WolfeResult result = search_wolfe(p, start, first, options);
  ASSERT_TRUE(result.end == WolfeEnd::strong || result.end == WolfeEnd::approximate) << what << ": " << result.reason;
  const LinePoint point = p(result.point.step);
  EXPECT_EQ(point.value, result.point.value);
  EXPECT_EQ(point.slope, result.point.slope);
  EXPECT_LE(std::abs(point.slope), options.curvature * std::abs(start.slope)) << what;
  if (result.end == WolfeEnd::strong) {
    EXPECT_LE(point.value, start.value + options.decrease * point.step * start.slope) << what;
  } else {
    EXPECT_LE(point.value, start.value + options.rounding * std::abs(start.value)) << what;
  }
}

TEST(StrongWolfe, HoldsOnSampledFunctions) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int sample = 0; sample < 2000; ++sample) {
    const double a = std::pow(10, 6 * uniform(random) - 3), w = 10 * uniform(random), h = uniform(random);
    const double first = std::pow(10, 8 * uniform(random) - 4);
    const WolfeOptions options{.curvature = sample % 2 ? 0.9 : 0.1, .rounding = sample % 3 ? 1e-6 : 0,
                               .max_evaluations = 60};
    // A bowl with waves; bounded below, falling at zero.
    expect_wolfe([&](double t) {
      const double u = a * t;
      return LinePoint{t, (u - 1) * (u - 1) + h * std::cos(w * u), a * (2 * (u - 1) - h * w * std::sin(w * u))};
    }, first, options, "waves");
    // Flat tail.
    expect_wolfe([&](double t) {
      const double u = a * t, e = std::exp(-u);
      return LinePoint{t, e + 0.01 * u, a * (0.01 - e)};
    }, first, options, "exponential");
  }
}

// log has no value beyond a wall, and its minimum lies before it.
TEST(StrongWolfe, StepsBackFromValuesThatAreNotFinite) {
  for (double wall : {1e-6, 0.1, 1.0, 50.0})
    for (double outside : {kInfinity, -kInfinity, std::nan("")})
      expect_wolfe([&](double t) {
        const double u = t / wall;
        if (u >= 1) return LinePoint{t, outside, outside};
        return LinePoint{t, -u - 0.1 * std::log(1 - u), (-1 + 0.1 / (1 - u)) / wall};
      }, 100, {}, "wall");
}

TEST(StrongWolfe, SlopesDecideWithinRounding) {
  // Rounding hides the decrease of 1e-20 (t - 1)^2.
  const LineFunction p = [](double t) { return LinePoint{t, t > 0 ? 1 + 3e-16 : 1, 2e-20 * (t - 1)}; };
  const WolfeResult result = search_wolfe(p, p(0), 1.5, {.curvature = 0.1});
  EXPECT_EQ(result.end, WolfeEnd::approximate);
  EXPECT_NEAR(result.point.step, 1, 0.1);
  EXPECT_EQ(search_wolfe(p, p(0), 1.5, {.curvature = 0.1, .rounding = 0}).end, WolfeEnd::failed);
}

TEST(StrongWolfe, SaysWhyItStopped) {
  const LineFunction up = [](double t) { return LinePoint{t, t, 1}; };
  EXPECT_NE(search_wolfe(up, up(0), 1).reason.find("not a direction of descent"), std::string::npos);
  const LineFunction unbounded = [](double t) { return LinePoint{t, -t, -1}; };
  const WolfeResult result = search_wolfe(unbounded, unbounded(0), 1);
  EXPECT_EQ(result.end, WolfeEnd::decrease);
  EXPECT_NE(result.reason.find("30 evaluations"), std::string::npos);
  const LineFunction nowhere = [](double t) { return LinePoint{t, t > 0 ? kInfinity : 0, -1}; };
  EXPECT_EQ(search_wolfe(nowhere, nowhere(0), 1).end, WolfeEnd::failed);
  EXPECT_EQ(search_wolfe(up, {0, std::nan(""), -1}, 1).end, WolfeEnd::failed);
}

}  // namespace
}  // namespace torsor
