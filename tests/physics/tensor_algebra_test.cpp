// Formulas over tensors: the same values as over doubles, derivatives by autograd, conversions.
#include "physics/tensor/tensor_algebra.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace torsor {
namespace {

const char* const kFormulas[] = {"-x + 2*y - x*y/3",
                                 "sin(x) + cos(y) + tan(x/2)",
                                 "asin(x/2) + acos(y/2) + atan(x*y)",
                                 "sinh(x)*cosh(y)",
                                 "tanh(x) + sech(y)",
                                 "exp(x) + log(y + 3) + sqrt(y + 2)",
                                 "abs(x - y)",
                                 "sign(x) + step(y)",
                                 "erf(x) + erfc(y)",
                                 "x^2 + x^3 - y^-2",
                                 "(y + 3)^x + 2^y",
                                 "pow(y + 2, 1.5)",
                                 "atan2(x, y)",
                                 "min(x, y) + 2*max(x, y)",
                                 "where(x < y, x, y^2) + where(x >= y, 1, 0)",
                                 "(x == y) + (x != y) + (x <= y) + 2*(x > y)",
                                 "pi*x + e",
                                 "3"};

struct Point {
  double x, y;
};
const Point kPoints[] = {{0.3, 0.7}, {-0.4, 0.2}, {0.9, -0.8}, {-0.6, -0.5}, {0.25, 0.25}};

torch::Tensor column(double Point::*member, bool differentiable) {
  std::vector<double> values;
  for (const auto& point : kPoints) values.push_back(point.*member);
  return torch::tensor(values, torch::kFloat64).requires_grad_(differentiable);
}

torch::Tensor evaluate(const Expression& formula, const torch::Tensor& x, const torch::Tensor& y) {
  return formula.evaluate(TensorAlgebra{}, [&](const std::string& name) { return name == "x" ? x : y; });
}

TEST(TensorAlgebraTest, ValuesAreThoseOfDoubles) {
  for (const char* text : kFormulas) {
    SCOPED_TRACE(text);
    const Expression formula = Expression::parse(text);
    const auto values = evaluate(formula, column(&Point::x, false), column(&Point::y, false)).expand({5});
    EXPECT_EQ(values.scalar_type(), torch::kFloat64);
    for (int k = 0; k < 5; ++k) {
      const double expected = formula.evaluate({{"x", kPoints[k].x}, {"y", kPoints[k].y}});
      EXPECT_NEAR(values[k].item<double>(), expected, 1e-14 * std::max(1.0, std::abs(expected)));
    }
  }
}

TEST(TensorAlgebraTest, GradientsAreTheExactDerivatives) {
  for (const char* text : kFormulas) {
    SCOPED_TRACE(text);
    const Expression formula = Expression::parse(text);
    const auto x = column(&Point::x, true), y = column(&Point::y, true);
    const auto values = evaluate(formula, x, y).expand({5});
    if (!values.requires_grad()) continue;
    const auto gradients = torch::autograd::grad({values.sum()}, {x, y}, {}, false, false, true);
    for (int k = 0; k < 4; ++k)  // at the last point, x = y, kinks have no derivative
      for (const size_t i : {0U, 1U}) {
        const double expected =
            formula.partial(i == 0 ? "x" : "y").evaluate({{"x", kPoints[k].x}, {"y", kPoints[k].y}});
        const double value = gradients[i].defined() ? gradients[i][k].item<double>() : 0;
        EXPECT_NEAR(value, expected, 1e-13 * std::max(1.0, std::abs(expected))) << "point " << k;
      }
  }
}

TEST(TensorAlgebraTest, PowersHaveFiniteGradientsAtZero) {
  const auto x = torch::zeros({2}, torch::TensorOptions(torch::kFloat64)).requires_grad_(true);
  const auto values = evaluate(Expression::parse("x^3 + x^2 + 4*x^1 + x^0"), x, x);
  const auto gradients = torch::autograd::grad({values.sum()}, {x});
  EXPECT_EQ(gradients[0][1].item<double>(), 4);
}

TEST(TensorAlgebraTest, MatricesComeBackUnchanged) {
  Eigen::MatrixXd matrix(3, 2);
  matrix << 1, 2, 3, 4, 5, 6;
  const auto tensor = to_tensor(matrix);
  EXPECT_EQ(tensor.sizes(), (torch::IntArrayRef{3, 2}));
  EXPECT_EQ(tensor[2][0].item<double>(), 5);
  EXPECT_EQ(to_matrix(tensor), matrix);
  EXPECT_EQ(to_matrix(tensor.t().contiguous()), matrix.transpose());
  EXPECT_EQ(to_matrix(tensor.t()), matrix.transpose());
  EXPECT_EQ(to_matrix(tensor.select(1, 1)), matrix.col(1));
  EXPECT_EQ(to_matrix(to_tensor(matrix.middleRows(1, 2))), matrix.middleRows(1, 2));
  matrix(0, 0) = 9;  // a copy
  EXPECT_EQ(tensor[0][0].item<double>(), 1);
}

}  // namespace
}  // namespace torsor
