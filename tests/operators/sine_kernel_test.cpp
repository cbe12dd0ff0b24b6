// The sine kernels against the C library in long double, and row and jet kernels against their formulas.
#include "operators/sine_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "physics/random.h"

namespace torsor {
namespace {

using Eigen::Index;

constexpr Index kBlock = 128;  // of the kernels; lengths around it reach every path
const std::vector<Index> kLengths{
    0, 1, 2, 3, 7, 8, 9, kBlock - 1, kBlock, kBlock + 1, 2 * kBlock - 1, 3 * kBlock + 5};

double worst_error(const std::vector<double>& x) {
  std::vector<double> s(x.size()), c(x.size());
  sincos_kernel(static_cast<Index>(x.size()), x.data(), s.data(), c.data());
  long double worst = 0;
  for (size_t k = 0; k < x.size(); ++k) {
    const auto exact = static_cast<long double>(x[k]);
    worst = std::max({worst, std::abs(s[k] - std::sin(exact)), std::abs(c[k] - std::cos(exact))});
  }
  return static_cast<double>(worst);
}

constexpr double kTwoUlp = 2 * std::numeric_limits<double>::epsilon();

TEST(SineKernel, SineAndCosineAreGoodToTwoUlpOfOne) {
  Random random(1);
  for (const double range : {1.0, 10.0, 1e3, 1e4}) {
    std::vector<double> x(20001);
    for (auto& value : x) value = random.uniform(-range, range);
    EXPECT_LT(worst_error(x), kTwoUlp) << "range " << range;
  }
}

TEST(SineKernel, QuadrantBoundariesAndSpecialPoints) {
  std::vector<double> x{0.0, -0.0, 1e-300, -1e-20};
  for (int q = -6400; q <= 6400; ++q) {
    const double centre = q * (std::numbers::pi / 4);
    x.insert(x.end(), {std::nextafter(centre, -1e9), centre, std::nextafter(centre, 1e9)});
  }
  EXPECT_LT(worst_error(x), kTwoUlp);
}

TEST(SineKernel, NotANumberStaysNotANumber) {
  const double x[] = {std::numeric_limits<double>::quiet_NaN(), 1.0};
  double s[2], c[2];
  sincos_kernel(2, x, s, c);
  EXPECT_TRUE(std::isnan(s[0]) && std::isnan(c[0]));
  EXPECT_NEAR(s[1], std::sin(1.0), kTwoUlp);
}

TEST(SineKernel, SincosWritesExactlyNValues) {
  for (const Index n : kLengths) {
    const std::vector<double> x(static_cast<size_t>(n), 0.5);
    std::vector<double> s(static_cast<size_t>(n + 1), 7.0), c = s;
    sincos_kernel(n, x.data(), s.data(), c.data());
    EXPECT_EQ(s.back(), 7.0) << n;
    EXPECT_EQ(c.back(), 7.0) << n;
  }
}

/// A call with n points in d = 3 coordinates, 2 even and 1 odd columns, leading dimensions above n.
struct Call {
  explicit Call(Index n) : x(n + 3, 3), a(n + 5, 3) {
    Random random(static_cast<uint64_t>(n));
    for (auto* matrix : {&x, &a})
      for (Index i = 0; i < matrix->size(); ++i) matrix->data()[i] = random.uniform(-1, 1);
  }
  double phase(Index k) const { return b + w.dot(x.row(k)); }

  Eigen::MatrixXd x, a;
  Eigen::RowVector3d w{3.0, -20.0, 0.5}, m{2.0, -0.5, 1.5};
  double b = 0.7;
};

TEST(SineKernel, RowKernelIsItsFormulaForEveryLength) {
  for (const Index n : kLengths) {
    const Call call(n);
    Eigen::VectorXd out = Eigen::VectorXd::Constant(n + 1, 0.25);  // the kernel adds to what is there
    sine_row_kernel(n, 3, call.x.data(), n + 3, call.w.data(), call.b, 2, 1, call.m.data(), call.a.data(),
                    n + 5, out.data());
    for (Index k = 0; k < n; ++k) {
      const double even = call.m[0] * call.a(k, 0) + call.m[1] * call.a(k, 1), odd = call.m[2] * call.a(k, 2);
      const double expected = 0.25 + std::sin(call.phase(k)) * even + std::cos(call.phase(k)) * odd;
      EXPECT_NEAR(out[k], expected, 1e-13) << n << ", " << k;
    }
    EXPECT_EQ(out[n], 0.25);
  }
}

TEST(SineKernel, JetKernelIsItsFormulaForEveryLength) {
  for (const Index n : kLengths) {
    const Call call(n);
    Eigen::MatrixXd out = Eigen::MatrixXd::Constant(n + 1, 3, 0.25);
    sine_jet_kernel(n, 3, call.x.data(), n + 3, call.w.data(), call.b, 2, 1, call.m.data(), out.data(),
                    n + 1);
    for (Index k = 0; k < n; ++k)
      for (Index c = 0; c < 3; ++c) {
        const double wave = c < 2 ? std::sin(call.phase(k)) : std::cos(call.phase(k));
        EXPECT_NEAR(out(k, c), 0.25 + call.m[c] * wave, 1e-13) << n << ", " << k << ", " << c;
      }
    EXPECT_TRUE((out.row(n).array() == 0.25).all());
  }
}

TEST(SineKernel, NoColumnsAddNothing) {
  const Call call(5);
  Eigen::VectorXd out = Eigen::VectorXd::Constant(5, 3.0);
  sine_row_kernel(5, 3, call.x.data(), 8, call.w.data(), call.b, 0, 0, nullptr, nullptr, 5, out.data());
  EXPECT_TRUE((out.array() == 3.0).all());
}

}  // namespace
}  // namespace torsor
