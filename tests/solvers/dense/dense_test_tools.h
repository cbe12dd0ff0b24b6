// Random systems and reference solutions for the tests of solvers/dense.
#pragma once

#include <Eigen/Dense>
#include <random>

#include "solvers/dense/streamed_qr.h"

namespace torsor::testing {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

inline Matrix random_matrix(int rows, int columns, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  Matrix a(rows, columns);
  for (int j = 0; j < columns; ++j) {
    for (int i = 0; i < rows; ++i) a(i, j) = normal(generator);
  }
  return a;
}

/// Folds A and B in blocks of `block` rows into one accumulator.
inline StreamedQr stream(const Matrix& a, const Matrix& b, int block) {
  StreamedQr qr(static_cast<int>(a.cols()), static_cast<int>(b.cols()));
  for (int first = 0; first < a.rows(); first += block) {
    const int k = std::min(block, static_cast<int>(a.rows()) - first);
    Matrix rows = a.middleRows(first, k), right = b.middleRows(first, k);
    qr.absorb(rows.data(), k, k, right.data(), k);
  }
  return qr;
}

inline RowProducer rows_of(const Matrix& a, const Matrix& b, int block) {
  return [&a, &b, block](int index, const RowBlock& buffer) {
    const int first = index * block, k = std::min(block, static_cast<int>(a.rows()) - first);
    for (int j = 0; j < a.cols(); ++j) {
      for (int i = 0; i < k; ++i) buffer.a[i + static_cast<ptrdiff_t>(j) * buffer.ld] = a(first + i, j);
    }
    for (int j = 0; j < b.cols(); ++j) {
      for (int i = 0; i < k; ++i) buffer.b[i + static_cast<ptrdiff_t>(j) * buffer.ld] = b(first + i, j);
    }
    return k;
  };
}

inline Matrix triangle(const StreamedQr& qr) {
  return Eigen::Map<const Matrix>(qr.r(), qr.columns(), qr.columns());
}

inline Matrix projected(const StreamedQr& qr) {
  return Eigen::Map<const Matrix>(qr.c(), qr.columns(), qr.right_sides());
}

/// Least squares of minimum norm by Eigen, on columns scaled to unit norm.
inline Matrix reference_solution(const Matrix& a, const Matrix& b, double threshold = 1e-12) {
  Vector scale(a.cols());
  for (int j = 0; j < a.cols(); ++j) {
    const double norm = a.col(j).stableNorm();
    scale(j) = norm > 0.0 ? norm : 1.0;
  }
  const Matrix unit = a * scale.cwiseInverse().asDiagonal();
  Eigen::CompleteOrthogonalDecomposition<Matrix> cod;
  cod.setThreshold(threshold);
  cod.compute(unit);
  return scale.cwiseInverse().asDiagonal() * cod.solve(b);
}

inline Matrix as_eigen(const DenseMatrix& m) {
  return Eigen::Map<const Matrix>(m.data.data(), m.rows, m.columns);
}

}  // namespace torsor::testing
