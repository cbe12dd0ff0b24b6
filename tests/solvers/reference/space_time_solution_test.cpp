#include "solvers/reference/space_time_solution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// Two fields x^3 t^2 and x - t on [0, 1] x [0, 2], in two unequal pieces: polynomials, hence exact.
SpaceTimeSolution polynomial_solution() {
  SpaceTimeSolution s;
  s.basis = {0.0, 1.0, false, 6, 0.0, 0.0};
  s.n_fields = 2;
  const VectorXd x = s.basis.nodes();
  for (const auto& [start, end] : {std::pair{0.0, 0.3}, std::pair{0.3, 2.0}}) {
    TimePiece piece{start, end, MatrixXd(12, 4)};
    const VectorXd t = chebyshev_nodes(3, start, end);
    for (int k = 0; k < 4; ++k) {
      piece.values.col(k).head(6) = x.array().cube() * t(k) * t(k);
      piece.values.col(k).tail(6) = x.array() - t(k);
    }
    s.pieces.push_back(piece);
  }
  return s;
}

TEST(SpaceTimeSolution, EvaluatesScatteredPointsAndDerivatives) {
  const SpaceTimeSolution s = polynomial_solution();
  const MatrixXd points = 0.5 * (MatrixXd::Random(3000, 2).array() + 1.0) *
                          Eigen::RowVector2d(1.0, 2.0).array().replicate(3000, 1);
  const MatrixXd u = s.evaluate(points), du = s.evaluate(points, 1);
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const double x = points(i, 0), t = points(i, 1);
    ASSERT_NEAR(u(i, 0), x * x * x * t * t, 1e-13);
    ASSERT_NEAR(u(i, 1), x - t, 1e-13);
    ASSERT_NEAR(du(i, 0), 3.0 * x * x * t * t, 1e-12);
    ASSERT_NEAR(du(i, 1), 1.0, 1e-12);
  }
}

TEST(SpaceTimeSolution, NodalValuesAtPieceEndsAndOutside) {
  const SpaceTimeSolution s = polynomial_solution();
  for (double t : {0.0, 0.3, 2.0}) EXPECT_NEAR(s.nodal(t)(5, 1), 1.0 - t, 1e-14);
  EXPECT_THROW(s.nodal(2.1), InputError);
  EXPECT_THROW(s.nodal(NAN), InputError);
  EXPECT_THROW(s.evaluate(MatrixXd::Zero(1, 3)), InputError);
  EXPECT_THROW(SpaceTimeSolution().nodal(0.0), InputError);
}

TEST(SpaceTimeSolution, RelativeChange) {
  const SpaceTimeSolution s = polynomial_solution();
  SpaceTimeSolution moved = s;
  for (TimePiece& piece : moved.pieces) piece.values.array() += 0.05;
  EXPECT_NEAR(relative_change(s, s), 0.0, 1e-15);
  EXPECT_NEAR(relative_change(moved, s), 0.05 / 5.0, 1e-12);  // max |u| = 4
}

}  // namespace
}  // namespace torsor
