// Formulas of kinetic equations in moments, against sums over the velocity nodes.
#include "problems/velocity_moments.h"

#include <gtest/gtest.h>

#include "physics/error.h"
#include "physics/random.h"

namespace torsor {
namespace {

VelocityBasis gauss(int n) { return make_velocity_basis({"v"}, "gauss", {n}); }

VelocityMoments moments_of(const VelocityBasis& basis, const std::vector<std::string>& unknowns) {
  std::vector<VelocityUnknown> parsed;
  for (const auto& text : unknowns) parsed.push_back(parse_velocity_unknown(text, basis));
  return VelocityMoments(basis, parsed, {"x", "t"});
}

/// Random values for every name that the moments of g and the formulas use.
std::map<std::string, double> random_values(int n) {
  std::map<std::string, double> values{{"x", 0.3}, {"t", 0.7}, {"rho", 1.2}, {"rho_x", -0.4}};
  Random random(5);
  for (int l = 0; l < n; ++l)
    for (const char* jet : {"", "_x", "_t", "_xt"}) values["g" + std::to_string(l) + jet] = random.uniform(-1, 1);
  return values;
}

// <p_l E> by the definition: E at each node, with g(v_j) put together from its moments.
double moment_by_nodes(const VelocityMoments& moments, const Expression& formula, Eigen::Index l,
                       const std::map<std::string, double>& values) {
  const VelocityBasis& basis = moments.basis();
  double sum = 0;
  for (Eigen::Index j = 0; j < basis.size(); ++j)
    sum += basis.weights[j] * basis.polynomials(j, l) * moments.at_node(formula, j).evaluate(values);
  return sum;
}

TEST(VelocityMoments, AreThoseOfTheValuesAtTheNodes) {
  const int n = 6;
  const auto values = random_values(n);
  for (const char* unknown : {"g(v)", "g(v) zero-mean", "g(v) even", "g(v) odd", "g(v) even zero-mean"}) {
    const VelocityMoments moments = moments_of(gauss(n), {unknown});
    for (const char* text :
         {"g_t + v*g_x", "v*rho_x + 0.1*g", "(1 + x*v)^2*g_x/(2 + t)", "exp(-v^2/2)*sin(x) + g*v^3", "exp(x*v)*g",
          "g^2 + v*g*g_x", "where(v > 0, g, rho)", "where(v > 0, x, v*t)*g_xt", "sin(g)", "x/(1 + v^2) - g/(x + v^2)"}) {
      const Expression formula = Expression::parse(text);
      const auto found = moments.moments(formula);
      ASSERT_EQ(found.size(), static_cast<size_t>(n));
      for (Eigen::Index l = 0; l < n; ++l)
        EXPECT_NEAR(found[static_cast<size_t>(l)].evaluate(values), moment_by_nodes(moments, formula, l, values), 1e-13)
            << unknown << ": " << text << ", l = " << l;
      EXPECT_NEAR(moments.mean(formula).evaluate(values), moment_by_nodes(moments, formula, 0, values), 1e-13) << text;
    }
  }
}

TEST(VelocityMoments, LinearTransportCouplesNeighbours) {
  const VelocityMoments moments = moments_of(gauss(20), {"g(v) zero-mean"});
  const auto found = moments.moments(Expression::parse("0.01*g_t + 0.1*v*g_x + v*rho_x + g"));
  for (size_t l = 0; l < found.size(); ++l)
    for (const auto& use : found[l].names()) {
      if (use.name[0] != 'g') continue;
      const int m = std::stoi(use.name.substr(1));
      EXPECT_LE(std::abs(m - static_cast<int>(l)), 1) << found[l].str();
    }
}

TEST(VelocityMoments, WhatCancelsIsZero) {
  const VelocityMoments moments = moments_of(gauss(8), {"g(v) zero-mean"});
  const Expression f0 = Expression::parse("(1 + cos(x))*exp(-v^2)");
  EXPECT_TRUE(moments.moments(f0 - moments.mean(f0))[0].is_zero());
  const Expression streaming = Expression::parse("v*g_x");
  EXPECT_TRUE(moments.moments(streaming - moments.mean(streaming))[0].is_zero());
  EXPECT_TRUE(moments.mean(Expression::parse("g")).is_zero());
}

TEST(VelocityMoments, LinearMapGivesTheValuesAtTheNodes) {
  const VelocityMoments moments = moments_of(gauss(5), {"g(v) zero-mean"});
  const std::vector<std::string> fields{"rho", "g1", "g2", "g3", "g4"};
  const Expression f = Expression::parse("rho + 0.1*g*v");
  const Eigen::MatrixXd map = moments.linear_map(f, fields);
  const auto values = random_values(5);
  Eigen::VectorXd u(5);
  for (Eigen::Index i = 0; i < 5; ++i) u[i] = values.at(fields[static_cast<size_t>(i)]);
  for (Eigen::Index j = 0; j < 5; ++j) EXPECT_NEAR((map * u)[j], moments.at_node(f, j).evaluate(values), 1e-13);
  for (const char* text : {"g^2", "x*g", "g_x", "1 + g", "rho*g"})
    EXPECT_THROW(moments.linear_map(Expression::parse(text), fields), InputError) << text;
}

TEST(VelocityMoments, UnknownsAreRead) {
  const VelocityBasis basis = gauss(6);
  EXPECT_EQ(parse_velocity_unknown("g(v)", basis).moments, (std::vector<int>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(parse_velocity_unknown("r( v ) even zero-mean", basis).moments, (std::vector<int>{2, 4}));
  EXPECT_EQ(parse_velocity_unknown("j(v) odd", basis).moments, (std::vector<int>{1, 3, 5}));
  for (const char* text : {"g(w)", "g(v) zeromean", "g(v", "g(v) even odd"})
    EXPECT_THROW(parse_velocity_unknown(text, basis), InputError) << text;
}

}  // namespace
}  // namespace torsor
