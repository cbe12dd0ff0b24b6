#include "solvers/reference/tensor_gmres.h"

#include <gtest/gtest.h>

#include <cmath>

#include "solvers/reference/chebyshev.h"

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kDegree = 24;

TensorDerivatives derivatives() {
  TensorDerivatives d;
  d.x[0] = d.y[0] = MatrixXd::Identity(kDegree + 1, kDegree + 1);
  d.x[1] = chebyshev_differentiation(kDegree, 0.0, 1.0);
  d.y[1] = chebyshev_differentiation(kDegree, -1.0, 2.0);
  d.x[2] = d.x[1] * d.x[1];
  d.y[2] = d.y[1] * d.y[1];
  return d;
}

// -(1 + x/2) u_xx + u_xy/3 - 2 u_yy + y u_x + c u inside, 2 u on the sides; and the residual for a given u.
struct System {
  MatrixXd partials;
  VectorXd u, r;
};

System system_of(const TensorDerivatives& d, double c) {
  const Index n = kDegree + 1;
  const VectorXd x = chebyshev_nodes(kDegree, 0.0, 1.0), y = chebyshev_nodes(kDegree, -1.0, 2.0);
  MatrixXd u(n, n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) u(i, j) = std::exp(x(i)) * std::sin(2.0 * y(j)) + x(i);
  const MatrixXd ux = d.x[1] * u, uxx = d.x[2] * u, uxy = ux * d.y[1].transpose(),
                 uyy = u * d.y[2].transpose();
  System s{MatrixXd::Zero(n * n, 6), VectorXd(n * n), VectorXd(n * n)};
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) {
      const Index k = i * n + j;
      s.u(k) = u(i, j);
      if (i == 0 || j == 0 || i == kDegree || j == kDegree) {
        s.partials(k, 0) = 2.0;
        s.r(k) = 2.0 * u(i, j);
        continue;
      }
      s.partials.row(k) << c, y(j), 0.0, -1.0 - 0.5 * x(i), 1.0 / 3.0, -2.0;
      s.r(k) =
          c * u(i, j) + y(j) * ux(i, j) - (1.0 + 0.5 * x(i)) * uxx(i, j) + uxy(i, j) / 3.0 - 2.0 * uyy(i, j);
    }
  return s;
}

TEST(TensorGmres, SolvesWithVariableCoefficients) {
  const TensorDerivatives d = derivatives();
  for (double c : {0.0, 3.0, -40.0}) {
    const System s = system_of(d, c);
    ASSERT_TRUE(TensorGmres::applies(d, s.partials));
    const auto u = TensorGmres(d, s.partials).solve(s.r);
    ASSERT_TRUE(u.has_value()) << c;
    EXPECT_LE((*u - s.u).cwiseAbs().maxCoeff(), 1e-11) << c;
  }
}

TEST(TensorGmres, LeavesOtherSystemsToElimination) {
  const TensorDerivatives d = derivatives();
  System s = system_of(d, 0.0);
  s.partials(0, 1) = 1.0;  // a derivative on a side
  EXPECT_FALSE(TensorGmres::applies(d, s.partials));
  s = system_of(d, 0.0);
  s.partials.col(5) *= -1.0;  // not elliptic
  EXPECT_FALSE(TensorGmres::applies(d, s.partials));
  // Convection that the mean coefficients know nothing of: no answer rather than a wrong one.
  s = system_of(d, 0.0);
  for (Index k = 0; k < s.u.size(); ++k)
    if (s.partials(k, 3) != 0.0) s.partials(k, 2) = 1e5 * std::sin(static_cast<double>(k));
  const auto u = TensorGmres(d, s.partials).solve(s.r);
  EXPECT_FALSE(u.has_value());
}

}  // namespace
}  // namespace torsor
