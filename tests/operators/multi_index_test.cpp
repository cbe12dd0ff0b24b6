// Multi-indices and Leibniz' rule against derivatives of known products.
#include "physics/multi_index.h"

#include <gtest/gtest.h>

#include <cmath>

namespace torsor {
namespace {

// u = sin(2x + y), M = x^3 y^2: jets by hand.
double sine_jet(const MultiIndex& a, double x, double y) {
  return std::pow(2.0, a[0]) * std::sin(2 * x + y + total_order(a) * std::acos(-1.0) / 2);
}

double falling_power(double x, int power, int order) {
  double factor = 1;
  for (int i = 0; i < order; ++i) factor *= power - i;
  return order > power ? 0 : factor * std::pow(x, power - order);
}

double monomial_jet(const MultiIndex& a, double x, double y) {
  return falling_power(x, 3, a[0]) * falling_power(y, 2, a[1]);
}

template <class Jet>
Eigen::MatrixXd jets_at(const Jet& jet, const std::vector<MultiIndex>& indices,
                        const Eigen::MatrixXd& points) {
  Eigen::MatrixXd jets(points.rows(), static_cast<Index>(indices.size()));
  for (Index c = 0; c < jets.cols(); ++c)
    for (Index k = 0; k < points.rows(); ++k)
      jets(k, c) = jet(indices[static_cast<size_t>(c)], points(k, 0), points(k, 1));
  return jets;
}

const Eigen::MatrixXd& points() {
  static const Eigen::MatrixXd value{{0.3, -0.7}, {-1.1, 0.4}, {0.0, 1.0}};
  return value;
}

TEST(MultiIndex, LowerSetIsTheLexicographicBox) {
  const std::vector<MultiIndex> expected{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}, {2, 1}};
  EXPECT_EQ(lower_set({2, 1}), expected);
  EXPECT_EQ(lower_set({0, 0}), (std::vector<MultiIndex>{{0, 0}}));
}

TEST(MultiIndex, LowerClosureIsSortedWithoutRepeats) {
  const std::vector<MultiIndex> expected{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {2, 0}};
  EXPECT_EQ(lower_closure({{0, 2}, {2, 0}, {0, 1}}), expected);
  EXPECT_TRUE(lower_closure({}).empty());
}

TEST(MultiIndex, BinomialIsTheProductOverCoordinates) {
  EXPECT_EQ(binomial({4, 3}, {2, 1}), 18);
  EXPECT_EQ(binomial({4, 3}, {0, 0}), 1);
  EXPECT_EQ(binomial({4, 3}, {4, 3}), 1);
}

TEST(MultiIndex, FindIndexGivesThePlaceOrMinusOne) {
  const std::vector<MultiIndex> list{{0, 0}, {1, 0}};
  EXPECT_EQ(find_index(list, {1, 0}), 1);
  EXPECT_EQ(find_index(list, {0, 1}), -1);
}

TEST(MultiIndex, ProductJetsOfAMonomialWithItself) {
  // (x^3 y^2)^2 = x^6 y^4.
  const std::vector<MultiIndex> indices{{0, 0}, {2, 1}, {4, 0}, {1, 3}, {0, 4}};
  const auto closure = lower_closure(indices);
  const Eigen::MatrixXd factor = jets_at(monomial_jet, closure, points());
  const auto square = [](const MultiIndex& a, double x, double y) {
    return falling_power(x, 6, a[0]) * falling_power(y, 4, a[1]);
  };
  const Eigen::MatrixXd expected = jets_at(square, indices, points());
  EXPECT_LT((product_jets(indices, closure, factor, factor) - expected).cwiseAbs().maxCoeff(), 1e-12 * 400);
}

TEST(MultiIndex, MultipliedOperatorActsAsTheOperatorOnTheProduct) {
  const std::vector<MultiIndex> indices{{2, 0}, {0, 0}, {1, 1}, {0, 3}};
  const auto closure = lower_closure(indices);
  const Eigen::MatrixXd coefficients{{1, 2, 3, 4}, {0.5, -1, 2, 0}, {-3, 1, 0, 1}};
  const Eigen::MatrixXd multiplier = jets_at(monomial_jet, closure, points());
  const Eigen::MatrixXd field = jets_at(sine_jet, closure, points());
  const Eigen::MatrixXd on_field = multiply_operator(indices, coefficients, closure, multiplier);
  const Eigen::VectorXd direct =
      coefficients.cwiseProduct(product_jets(indices, closure, multiplier, field)).rowwise().sum();
  EXPECT_LT((on_field.cwiseProduct(field).rowwise().sum() - direct).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(MultiIndex, OperatorOnAConstantMultipleIsScaled) {
  const std::vector<MultiIndex> indices{{1, 0}, {0, 2}};
  const auto closure = lower_closure(indices);
  Eigen::MatrixXd constant = Eigen::MatrixXd::Zero(3, static_cast<Index>(closure.size()));
  constant.col(0).setConstant(2.5);
  const Eigen::MatrixXd coefficients = Eigen::MatrixXd::Random(3, 2);
  const Eigen::MatrixXd result = multiply_operator(indices, coefficients, closure, constant);
  for (size_t i = 0; i < closure.size(); ++i) {
    const Index c = find_index(indices, closure[i]);
    const Eigen::VectorXd expected =
        c < 0 ? Eigen::VectorXd::Zero(3) : Eigen::VectorXd(2.5 * coefficients.col(c));
    EXPECT_EQ(result.col(static_cast<Index>(i)), expected);
  }
}

}  // namespace
}  // namespace torsor
