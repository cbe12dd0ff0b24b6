// Jets of an exponential: against the derivatives of the formula, and the reverse pass against finite differences.
#include "physics/exponential_jets.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/expression.h"

namespace torsor {
namespace {

const std::vector<MultiIndex>& closure() {
  static const std::vector<MultiIndex> indices = lower_closure({{3, 1}, {1, 2}, {0, 4}});
  return indices;
}

Expression derivative(Expression formula, const MultiIndex& orders) {
  for (int k = 0; k < orders[0]; ++k) formula = formula.partial("x");
  for (int k = 0; k < orders[1]; ++k) formula = formula.partial("t");
  return formula;
}

/// At three points.
Eigen::ArrayXXd jets_of(const std::string& text) {
  const Expression formula = Expression::parse(text);
  Eigen::ArrayXXd jets(3, static_cast<Index>(closure().size()));
  for (Index k = 0; k < jets.rows(); ++k)
    for (Index c = 0; c < jets.cols(); ++c) {
      const double x = 0.3 * static_cast<double>(k), t = 1 - 0.7 * static_cast<double>(k);
      jets(k, c) = derivative(formula, closure()[static_cast<size_t>(c)])
                       .substitute([&](const std::string& name) { return Expression::number(name == "x" ? x : t); })
                       .constant_value();
    }
  return jets;
}

TEST(ExponentialJets, AreTheDerivativesOfTheFormula) {
  const std::string n = "sin(2*x)*t + 0.3*x*t^2 - cos(t - x)";
  const Eigen::ArrayXXd exact = jets_of("exp(" + n + ")"), e = ExponentialJets(closure()).of(jets_of(n));
  EXPECT_GT(exact.abs().maxCoeff(), 1);
  EXPECT_LT((e - exact).abs().maxCoeff(), 1e-12 * exact.abs().maxCoeff());
}

TEST(ExponentialJets, TheReversePassIsThatOfFiniteDifferences) {
  const ExponentialJets jets(closure());
  const Eigen::ArrayXXd n = jets_of("sin(2*x)*t + 0.3*x*t^2"), weights = jets_of("cos(x - 2*t) + 0.5");
  const Eigen::ArrayXXd by_n = jets.adjoint(n, jets.of(n), weights);
  constexpr double h = 1e-6;
  for (Index c = 0; c < n.cols(); ++c) {
    Eigen::ArrayXXd low = n, high = n;
    low.col(c) -= h;
    high.col(c) += h;
    const Eigen::ArrayXd difference = ((jets.of(high) - jets.of(low)) * weights).rowwise().sum() / (2 * h);
    EXPECT_LT((by_n.col(c) - difference).abs().maxCoeff(), 1e-6 * (1 + by_n.abs().maxCoeff())) << c;
  }
}

}  // namespace
}  // namespace torsor
