// What the tests of all bodies share: points, indices, and a body's jets by each of its ways.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "operators/body.h"
#include "physics/random.h"
#include "tests/error_checks.h"

namespace torsor {

inline Eigen::MatrixXd random_matrix(Index rows, Index columns, double low, double high, uint64_t seed) {
  Random random(seed);
  Eigen::MatrixXd matrix(rows, columns);
  for (Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = random.uniform(low, high);
  return matrix;
}

/// Every index of d coordinates that all bodies support: total order <= 2 and pure orders 3 and 4.
inline std::vector<MultiIndex> supported_indices(Index d) {
  std::vector<MultiIndex> indices;
  for (const auto& a : lower_set(MultiIndex(static_cast<size_t>(d), 2)))
    if (total_order(a) <= 2) indices.push_back(a);
  for (size_t i = 0; i < static_cast<size_t>(d); ++i)
    for (int order : {3, 4}) {
      indices.emplace_back(static_cast<size_t>(d), 0);
      indices.back()[i] = order;
    }
  return indices;
}

/// d^a phi_j at all points by add_rows: N x m.
inline Eigen::MatrixXd feature_jets(const Body& body, const Eigen::MatrixXd& points, const MultiIndex& a) {
  Eigen::MatrixXd rows = Eigen::MatrixXd::Zero(points.rows(), body.features());
  body.add_rows(points, {a}, Eigen::MatrixXd::Ones(points.rows(), 1), rows.data(), rows.rows());
  return rows;
}

/// The greatest absolute entry of a - b over the greatest of b (or over 1, if that is more).
inline double relative_difference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  if (a.rows() != b.rows() || a.cols() != b.cols()) return INFINITY;
  if (a.size() == 0) return 0;
  return (a - b).cwiseAbs().maxCoeff() / std::max(1.0, b.cwiseAbs().maxCoeff());
}

/// add_rows with random coefficients, field_jets and the single features' jets must be the same numbers.
inline void expect_rows_and_field_agree(const Body& body, const Eigen::MatrixXd& points,
                                        const std::vector<MultiIndex>& indices) {
  const Index n = points.rows(), m = body.features();
  const Eigen::MatrixXd coefficients = random_matrix(n, static_cast<Index>(indices.size()), -1, 1, 5);
  const Eigen::VectorXd w = random_matrix(m, 1, -1, 1, 6);
  const Eigen::MatrixXd field = body.field_jets(points, indices, w);
  Eigen::MatrixXd expected_rows = Eigen::MatrixXd::Constant(n, m, 0.5);
  for (size_t c = 0; c < indices.size(); ++c) {
    const Eigen::MatrixXd jets = feature_jets(body, points, indices[c]);
    EXPECT_LT(relative_difference(field.col(static_cast<Index>(c)), jets * w), 1e-12) << "index " << c;
    expected_rows += coefficients.col(static_cast<Index>(c)).asDiagonal() * jets;
  }
  Eigen::MatrixXd padded =
      Eigen::MatrixXd::Constant(n + 2, m, 0.5);  // rows are added, the leading dimension kept
  body.add_rows(points, indices, coefficients, padded.data(), n + 2);
  EXPECT_LT(relative_difference(padded.topRows(n), expected_rows), 1e-12);
  EXPECT_TRUE((padded.bottomRows(2).array() == 0.5).all());
}

/// Central differences of order 6 in coordinate i of every jet in the lower order: the error must fall like
/// h^6.
inline void expect_differences_converge(const Body& body, const Eigen::MatrixXd& points, const MultiIndex& a,
                                        Index i, double step) {
  MultiIndex lower = a;
  lower[static_cast<size_t>(i)] -= 1;
  const Eigen::MatrixXd exact = feature_jets(body, points, a);
  const double scale = std::max(1.0, exact.cwiseAbs().maxCoeff());
  const auto error = [&](double h) {
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(exact.rows(), exact.cols());
    constexpr double weights[] = {45.0 / 60, -9.0 / 60, 1.0 / 60};
    for (int k = 1; k <= 3; ++k)
      for (int sign : {-1, 1}) {
        Eigen::MatrixXd moved = points;
        moved.col(i).array() += sign * k * h;
        sum += sign * weights[k - 1] / h * feature_jets(body, moved, lower);
      }
    return (sum - exact).cwiseAbs().maxCoeff() / scale;
  };
  const double coarse = error(step), fine = error(step / 2);
  EXPECT_LT(fine, 1e-5);
  EXPECT_TRUE(fine < 1e-9 || coarse / fine > 40)
      << "errors " << coarse << " and " << fine << ", order below 6";
}

}  // namespace torsor
