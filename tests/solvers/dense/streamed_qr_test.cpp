// Streamed QR against Householder QR of the whole matrix.
#include "solvers/dense/streamed_qr.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string>

#include "physics/error.h"
#include "tests/solvers/dense/dense_test_tools.h"

namespace torsor {
namespace {

using testing::Matrix;
using testing::projected;
using testing::random_matrix;
using testing::triangle;

/// R^T R = A^T A, R^T c = A^T b, ||c||^2 + ||d||^2 = ||b||^2: together they fix R up to signs.
void expect_factor(const StreamedQr& qr, const Matrix& a, const Matrix& b, double tolerance = 1e-12) {
  const Matrix r = triangle(qr), c = projected(qr);
  const double size = a.norm();
  EXPECT_EQ(Matrix(r.triangularView<Eigen::StrictlyLower>()).norm(), 0.0);
  EXPECT_LT((r.transpose() * r - a.transpose() * a).norm(), tolerance * size * size);
  EXPECT_LE((r.transpose() * c - a.transpose() * b).norm(), tolerance * size * b.norm());
  for (int s = 0; s < b.cols(); ++s) {
    EXPECT_NEAR(std::hypot(c.col(s).norm(), qr.discarded_norm(s)), b.col(s).norm(), tolerance * b.norm());
  }
  EXPECT_EQ(qr.rows(), a.rows());
  EXPECT_EQ(qr.filled(), std::min(a.rows(), a.cols()));
}

TEST(StreamedQr, AnyBlockSizeGivesTheSameFactor) {
  for (int n : {1, 7, 8, 50, 130}) {
    const Matrix a = random_matrix(400, n, 1), b = random_matrix(400, 3, 2);
    for (int block : {1, 2, 5, 8, 13, 64, 127, 400}) expect_factor(testing::stream(a, b, block), a, b);
  }
}

TEST(StreamedQr, FewerRowsThanColumns) {
  for (int m : {1, 5, 63, 64, 65, 149}) {
    const Matrix a = random_matrix(m, 150, 3), b = random_matrix(m, 2, 4);
    for (int block : {1, 17, 200}) expect_factor(testing::stream(a, b, block), a, b);
  }
}

TEST(StreamedQr, NoRightSides) {
  const Matrix a = random_matrix(90, 40, 5), b(90, 0);
  expect_factor(testing::stream(a, b, 32), a, b);
}

TEST(StreamedQr, LeadingDimensionAndAdjacentRightSides) {
  const Matrix a = random_matrix(300, 60, 6), b = random_matrix(300, 4, 7);
  StreamedQr qr(60, 4);
  for (int first = 0; first < 300; first += 100) {
    Matrix both = Matrix::Constant(111, 64, std::numeric_limits<double>::quiet_NaN());
    both.topRows(100) << a.middleRows(first, 100), b.middleRows(first, 100);
    qr.absorb(both.data(), 111, 100, both.data() + 111 * 60, 111);
    EXPECT_TRUE(both.bottomRows(11).array().isNaN().all());
  }
  expect_factor(qr, a, b);
}

TEST(StreamedQr, MergeJoinsRows) {
  const Matrix b = random_matrix(500, 2, 9);
  const Matrix a = random_matrix(500, 110, 8);
  for (int split : {0, 1, 60, 250, 390, 499, 500}) {
    StreamedQr first = testing::stream(a.topRows(split), b.topRows(split), 70);
    StreamedQr second = testing::stream(a.bottomRows(500 - split), b.bottomRows(500 - split), 70);
    first.merge(second);
    expect_factor(first, a, b);
    EXPECT_EQ(second.rows(), 0);
    EXPECT_EQ(triangle(second).norm(), 0.0);
  }
}

TEST(StreamedQr, DriverAgreesAndRepeatsItsBits) {
  const Matrix a = random_matrix(1001, 120, 10), b = random_matrix(1001, 2, 11);
  for (int threads : {1, 2, 3, 7}) {
    StreamOptions options;
    options.block_rows = 90;
    options.threads = threads;
    const StreamedQr first = factor_streamed(12, 120, 2, testing::rows_of(a, b, 90), options);
    const StreamedQr second = factor_streamed(12, 120, 2, testing::rows_of(a, b, 90), options);
    expect_factor(first, a, b);
    EXPECT_EQ(std::memcmp(first.r(), second.r(), sizeof(double) * 120 * 120), 0);
    EXPECT_EQ(std::memcmp(first.c(), second.c(), sizeof(double) * 120 * 2), 0);
    EXPECT_EQ(first.discarded_norm(1), second.discarded_norm(1));
  }
}

TEST(StreamedQr, ZeroColumnsStayZero) {
  Matrix a = random_matrix(200, 30, 12);
  for (int j : {0, 8, 9, 29}) a.col(j).setZero();
  const Matrix b = random_matrix(200, 1, 13);
  const StreamedQr qr = testing::stream(a, b, 50);
  expect_factor(qr, a, b);
  for (int j : {0, 8, 9, 29}) EXPECT_EQ(triangle(qr).col(j).norm(), 0.0);
}

TEST(StreamedQr, ScaledColumnsGiveScaledTriangle) {
  // Householder reflectors do not see powers of two on columns, however extreme.
  const Matrix a = random_matrix(300, 40, 14), b = random_matrix(300, 1, 15);
  const Matrix plain = triangle(testing::stream(a, b, 100));
  Matrix graded = a;
  std::vector<int> exponent(40);
  for (int j = 0; j < 40; ++j) {
    exponent[static_cast<size_t>(j)] = static_cast<int>(std::lround(997.0 * std::sin(2.0 * j)));
    for (int i = 0; i < 300; ++i) graded(i, j) = std::ldexp(a(i, j), exponent[static_cast<size_t>(j)]);
  }
  Matrix r = triangle(testing::stream(graded, b, 100));
  for (int j = 0; j < 40; ++j) {
    for (int i = 0; i < 40; ++i) r(i, j) = std::ldexp(r(i, j), -exponent[static_cast<size_t>(j)]);
  }
  EXPECT_LT((r - plain).norm(), 1e-12 * plain.norm());
}

TEST(StreamedQr, TinyRowsUnderLargeOnes) {
  Matrix a = random_matrix(200, 20, 16);
  a.bottomRows(100) *= 1e-250;
  const Matrix b = random_matrix(200, 1, 17);
  expect_factor(testing::stream(a, b, 25), a, b);
}

TEST(StreamedQr, NamesTheEntryThatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Matrix a = random_matrix(50, 10, 18), b = random_matrix(50, 1, 19);
  a(33, 7) = nan;
  a(2, 9) = std::numeric_limits<double>::infinity();
  StreamedQr qr(10, 1);
  try {
    qr.absorb(a.data(), 50, 50, b.data(), 50);
    FAIL();
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("row 33, column 7"), std::string::npos) << error.what();
  }
  EXPECT_EQ(qr.rows(), 0);
  StreamOptions options;
  options.block_rows = 10;
  try {
    factor_streamed(5, 10, 1, testing::rows_of(a, b, 10), options);
    FAIL();
  } catch (const NumericalError& error) {
    const std::string text = error.what();
    EXPECT_TRUE(text.find("block 3: matrix: row 3, column 7") != std::string::npos ||
                text.find("block 0: matrix: row 2, column 9") != std::string::npos)
        << text;
  }
  a = random_matrix(50, 10, 18);
  b(4, 0) = nan;
  EXPECT_THROW(qr.absorb(a.data(), 50, 50, b.data(), 50), NumericalError);
}

TEST(StreamedQr, RidgeIsAppendedOnUnitColumns) {
  const Matrix a = random_matrix(80, 25, 20), b = random_matrix(80, 1, 21);
  StreamedQr qr = testing::stream(a, b, 33);
  absorb_ridge(qr, 0.25);
  const Matrix r = triangle(qr);
  const Matrix squared = a.colwise().squaredNorm().asDiagonal();
  EXPECT_LT((r.transpose() * r - a.transpose() * a - 0.25 * squared).norm(), 1e-11);
  EXPECT_THROW(absorb_ridge(qr, -1.0), InputError);
}

TEST(StreamedQr, RejectsBadShapes) {
  EXPECT_THROW(StreamedQr(0, 1), InputError);
  EXPECT_THROW(StreamedQr(3, -1), InputError);
  StreamedQr qr(3, 1), other(4, 1);
  std::vector<double> a(12), b(4);
  EXPECT_THROW(qr.absorb(a.data(), 3, 4, b.data(), 4), InputError);
  EXPECT_THROW(qr.absorb(a.data(), 4, -1, b.data(), 4), InputError);
  EXPECT_THROW(qr.merge(other), InputError);
  EXPECT_THROW(factor_streamed(1, 3, 1, [](int, const RowBlock& buffer) { return buffer.capacity + 1; }),
               InputError);
}

}  // namespace
}  // namespace torsor
