#include "solvers/reference/etd_coefficients.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>

#include "physics/error.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
using Eigen::ArrayXXcd;
using Eigen::Index;
using Eigen::MatrixXcd;
using Factors = std::array<MatrixXcd, 6>;  // e, e2, q, f1, f2, f3
constexpr Complex kI{0.0, 1.0};

Factors factors(const MatrixXcd& a, double h) {
  const Index n = a.rows();
  const ArrayXXcd symbol = a.transpose().reshaped(1, n * n);
  const EtdCoefficients c = EtdSymbol(symbol).coefficients(h);
  const auto matrix = [n](const ArrayXXcd& row) {
    return MatrixXcd(row.reshaped(n, n).transpose().matrix());
  };
  return {matrix(c.e), matrix(c.e2), matrix(c.q), matrix(c.f1), matrix(c.f2), matrix(c.f3)};
}

// The same by phi_k(z) = sum_j z^j/(j + k)! in extended precision, for |z| up to about 10.
Factors by_series(const MatrixXcd& a, double h) {
  using Matrix = Eigen::Matrix<std::complex<long double>, Eigen::Dynamic, Eigen::Dynamic>;
  const auto phi = [](const Matrix& z, int k) {
    long double factorial = 1.0L;
    for (int i = 2; i <= k; ++i) factorial *= i;
    Matrix term = Matrix::Identity(z.rows(), z.cols()) / factorial, sum = term;
    for (int j = 1; j < 100; ++j) {
      term = (term * z / static_cast<long double>(j + k)).eval();
      sum += term;
    }
    return sum;
  };
  const Matrix z = (a * h).cast<std::complex<long double>>(), half = z / 2.0L;
  const Matrix p1 = phi(z, 1), p2 = phi(z, 2), p3 = phi(z, 3);
  const long double step = h;
  const std::array<Matrix, 6> exact{phi(z, 0),
                                    phi(half, 0),
                                    phi(half, 1) * (step / 2.0L),
                                    (p1 - 3.0L * p2 + 4.0L * p3) * step,
                                    (p2 - 2.0L * p3) * step,
                                    (4.0L * p3 - p2) * step};
  Factors result;
  for (size_t i = 0; i < exact.size(); ++i) result[i] = exact[i].cast<Complex>();
  return result;
}

// The largest distance relative to the largest entry of each factor of `b`.
double distance(const Factors& a, const Factors& b) {
  double largest = 0.0;
  for (size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, (a[i] - b[i]).cwiseAbs().maxCoeff() / b[i].cwiseAbs().maxCoeff());
  return largest;
}

MatrixXcd real_matrix(std::initializer_list<std::initializer_list<double>> rows) {
  return Eigen::MatrixXd(rows).cast<Complex>();
}

TEST(EtdCoefficients, ScalarsAgreeWithTheSeries) {
  for (double size : {0.0, 1e-12, 1e-3, 0.5, 0.95, 1.0, 1.3, 2.0, 6.0})
    for (int k = 0; k < 16; ++k) {
      const MatrixXcd z = MatrixXcd::Constant(1, 1, size * std::exp(kI * (0.4 * k)));
      EXPECT_LE(distance(factors(z, 0.5), by_series(z, 0.5)), 1e-13) << z;
    }
}

TEST(EtdCoefficients, RandomMatricesAgreeWithTheSeries) {
  std::srand(4);
  for (Index n : {2, 3, 5})
    for (double size : {1e-10, 1e-2, 1.0, 4.0})
      for (int k = 0; k < 10; ++k) {
        const MatrixXcd a = size * MatrixXcd::Random(n, n);
        EXPECT_LE(distance(factors(a, 0.7), by_series(a, 0.7)), 1e-12) << a;
      }
}

TEST(EtdCoefficients, DefectiveAndNearlyDefectiveMatrices) {
  for (double gap : {0.0, 1e-14, 1e-9, 1e-6, 1e-3, 0.1}) {
    const MatrixXcd shear = real_matrix({{-1.0, 3.0}, {0.0, -1.0 - gap}});
    const MatrixXcd chain = real_matrix({{0.3, 1.0, 0.0}, {0.0, 0.3 + gap, 2.0}, {0.0, 0.0, 0.3 - gap}});
    const MatrixXcd pair_apart = real_matrix({{-2.0, 1.0, 4.0}, {0.0, -2.0 + gap, 1.0}, {0.0, 0.0, 5.0}});
    // Not triangular: rounding splits the eigenvalue by sqrt(eps).
    const MatrixXcd basis = real_matrix({{1.0, 2.0, 0.5}, {-1.0, 1.0, 0.3}, {0.2, 0.1, 1.0}});
    for (const MatrixXcd& a : {shear, chain, pair_apart, MatrixXcd(basis * chain * basis.inverse()),
                               MatrixXcd(kI * shear), MatrixXcd(basis * pair_apart * basis.inverse())})
      EXPECT_LE(distance(factors(a, 0.8), by_series(a, 0.8)), 1e-11) << gap << "\n" << a;
  }
}

TEST(EtdCoefficients, RotationsAreComplexScalars) {
  // [[0, -a], [a, 0]] acts on (u, v) as i a on u + i v.
  for (double a : {0.0, 1e-9, 1e-3, 1.0, 30.0, 2e3, 1e5, 1e7}) {
    const Factors scalar = factors(MatrixXcd::Constant(1, 1, kI * a), 0.1);
    Factors expected;
    for (size_t i = 0; i < expected.size(); ++i) {
      const Complex f = scalar[i](0, 0);
      expected[i] = real_matrix({{f.real(), -f.imag()}, {f.imag(), f.real()}});
    }
    EXPECT_LE(distance(factors(real_matrix({{0.0, -a}, {a, 0.0}}), 0.1), expected), 1e-15 * a + 1e-14) << a;
  }
}

TEST(EtdCoefficients, DiagonalMatricesAreAsAccurateAsScalars) {
  // Entries of very different size: an error relative to the norm would spoil the small ones.
  const std::array<double, 3> diagonal{-1e9, -1e-3, 0.0};
  const Factors f =
      factors(real_matrix({{diagonal[0], 0, 0}, {0, diagonal[1], 0}, {0, 0, diagonal[2]}}), 0.2);
  for (Index k = 0; k < 3; ++k) {
    const Factors scalar = factors(MatrixXcd::Constant(1, 1, diagonal[static_cast<size_t>(k)]), 0.2);
    for (size_t i = 0; i < f.size(); ++i)
      EXPECT_LE(std::abs(f[i](k, k) - scalar[i](0, 0)), 1e-15 * std::abs(scalar[i](0, 0))) << i;
  }
}

TEST(EtdCoefficients, WavesOfAnyLength) {
  // u_t = v, v_t = -w^2 u: badly scaled, not ill conditioned.
  const double h = 0.3;
  for (double w : {1e-3, 1.0, 1e2, 1e4}) {
    const MatrixXcd e = factors(real_matrix({{0.0, 1.0}, {-w * w, 0.0}}), h)[0];
    const double c = std::cos(w * h), s = std::sin(w * h), rounding = 1e-15 * (10.0 + w * h);
    EXPECT_NEAR(e(0, 0).real(), c, rounding) << w;
    EXPECT_NEAR(e(0, 1).real() * w, s, rounding) << w;
    EXPECT_NEAR(e(1, 0).real() / w, -s, rounding) << w;
    EXPECT_NEAR(e(1, 1).real(), c, rounding) << w;
  }
}

TEST(EtdCoefficients, StiffDefectiveDecay) {
  // exp(z) vanishes: q = -h z^-1, f1 = h (-4 - z) z^-3, ...
  const MatrixXcd a = real_matrix({{-1e5, 7e4}, {0.0, -1e5}}), z = 0.1 * a, inverse = z.inverse();
  const MatrixXcd one = MatrixXcd::Identity(2, 2), cube = inverse * inverse * inverse;
  const Factors f = factors(a, 0.1);
  EXPECT_EQ(f[0].norm(), 0.0);
  const std::array<MatrixXcd, 4> expected{-0.1 * inverse, 0.1 * (-4.0 * one - z) * cube,
                                          0.1 * (2.0 * one + z) * cube,
                                          0.1 * (-4.0 * one - 3.0 * z - z * z) * cube};
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_LE((f[i + 2] - expected[i]).norm(), 1e-12 * expected[i].norm()) << i;
}

TEST(EtdCoefficients, Refusals) {
  EXPECT_THROW(EtdSymbol(ArrayXXcd::Zero(4, 3)), InputError);
  EXPECT_THROW(EtdSymbol(ArrayXXcd::Zero(4, 0)), InputError);
  // sqrt(eps) |z| is far beyond a circle on which exp can be averaged.
  EXPECT_THROW(factors(real_matrix({{0.0, 1e10}, {-1e10, 2e10}}), 1.0), NumericalError);
}

}  // namespace
}  // namespace torsor
