// Drifts of conserved quantities against integrals known in closed form.
#include "problems/conservation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"
#include "problems/builder.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

/// Advection on x in [0, 1], t in [0, 2] with this `range` of x, u conserved.
Problem problem_on(const std::string& range, const std::string& conserved = "u") {
  ProblemBuilder builder("conservation", {});
  builder.coordinates(range + "; t in [0, 2] time");
  builder.field("u");
  builder.derived("square", "u^2");
  builder.residual("pde", "u_t + u_x = 0");
  builder.initial("ic", "u = 0");
  builder.conserved(conserved);
  return builder.build();
}

std::vector<std::pair<std::string, double>> drifts_of(const Problem& problem,
                                                      const std::function<double(double x, double t)>& u) {
  return conservation_drifts(problem, [&](const Eigen::MatrixXd& points) -> Eigen::MatrixXd {
    Eigen::MatrixXd values(points.rows(), 1);
    for (Eigen::Index k = 0; k < points.rows(); ++k) values(k, 0) = u(points(k, 0), points(k, 1));
    return values;
  });
}

TEST(Conservation, WhatOnlyMovesDoesNotDrift) {
  const auto wave = [](double x, double t) { return 2 + std::sin(2 * M_PI * (x - t)); };
  for (const std::string quantity : {"u", "square"}) {
    const auto drifts = drifts_of(problem_on("x in [0, 1] periodic", quantity), wave);
    ASSERT_EQ(drifts.size(), 1U);
    EXPECT_EQ(drifts[0].first, quantity);
    EXPECT_LT(drifts[0].second, 1e-14);
  }
}

TEST(Conservation, DriftIsThatOfTheIntegral) {
  // I(t) = int (1 + t x^2) dx = 1 + t/3 on [0, 1], the largest at t = 2: drift (2/3)/(5/3).
  const auto grows = [](double x, double t) { return 1 + t * x * x; };
  EXPECT_NEAR(drifts_of(problem_on("x in [0, 1]"), grows)[0].second, 0.4, 1e-13);
  // In a layer of 1e-6 only: (1 - e^-oo), seen between the equal steps as well.
  const auto layer = [](double, double t) { return t > 0 && t < 1e-4 ? 3.0 : 2.0; };
  EXPECT_NEAR(drifts_of(problem_on("x in [0, 1] periodic"), layer)[0].second, 1.0 / 3, 1e-13);
}

TEST(Conservation, QuantitiesMustExist) {
  const std::string said = error_of([] { problem_on("x in [0, 1]", "rho"); });
  EXPECT_TRUE(says(said, "problem.conserved"));
  EXPECT_TRUE(says(said, "rho"));
  ProblemBuilder steady("steady", {});
  steady.coordinates("x in [0, 1]");
  steady.field("u");
  steady.residual("pde", "u_xx = 0");
  steady.boundary("bc", "u = 0");
  steady.conserved("u");
  EXPECT_TRUE(says(error_of([&] { steady.build(); }), "time"));
}

}  // namespace
}  // namespace torsor
