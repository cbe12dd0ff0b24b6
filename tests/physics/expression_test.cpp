// Expressions: properties over random formulas (derivative, text, evaluation), precedence, every error.
#include "physics/expression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <random>

#include "physics/error.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

using U = UnaryFunction;
using B = BinaryFunction;

const std::vector<std::string> variables = {"x", "y", "u_xx"};

// Random formulas that are smooth and finite where x, y, u_xx are in [0.2, 1.2].
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::string text(int depth) {
    if (depth == 0) return leaf();
    const std::string a = text(depth - 1);
    const std::string b = text(depth - 1);
    switch (pick(14)) {
      case 0:
        return a + " + " + b;
      case 1:
        return a + "-(" + b + ")";
      case 2:
        return "(" + a + ")*(" + b + ")";
      case 3:
        return "(" + a + ")/(2+sin(" + b + "))";
      case 4:
        return "-(" + a + ")^" + std::to_string(pick(4));
      case 5:
        return "(2+cos(" + a + "))**(-tanh(" + b + "))";
      case 6:
        return "exp(-(" + a + ")^2)";
      case 7:
        return "log(3 + sin(" + a + "))*cosh(tanh(" + b + "))";
      case 8:
        return "where(x < 0.7, " + a + ", " + b + ")";
      case 9:
        return "sqrt(1+(" + a + ")^2)-sech(" + b + ")";
      case 10:
        return "atan2(" + a + ", 2+tanh(" + b + "))";
      case 11:
        return "atan(" + a + ") - asin(0.5*sin(" + b + ")) + acos(0.3*cos(" + a + "))";
      case 12:
        return "sinh(sin(" + a + "))*tan(0.5*cos(" + b + "))";
      default:
        return "+cos(" + a + ")*-" + leaf();
    }
  }

  double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }

 private:
  int pick(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }

  std::string leaf() {
    const std::vector<std::string> leaves = {"x", "y", "u_xx", "pi", "e", ".5", "2", "1e-1", "3.25"};
    return leaves[static_cast<size_t>(pick(static_cast<int>(leaves.size())))];
  }

  std::mt19937 random_;
};

// A third algebra, for derivatives by a complex step: exact to rounding, without differences.
struct ComplexAlgebra {
  using Value = std::complex<double>;
  Value constant(double value) const { return value; }

  Value unary(U function, const Value& a) const {
    switch (function) {
      case U::negate:
        return -a;
      case U::sin:
        return std::sin(a);
      case U::cos:
        return std::cos(a);
      case U::tan:
        return std::tan(a);
      case U::asin:
        return std::asin(a);
      case U::acos:
        return std::acos(a);
      case U::atan:
        return std::atan(a);
      case U::sinh:
        return std::sinh(a);
      case U::cosh:
        return std::cosh(a);
      case U::tanh:
        return std::tanh(a);
      case U::sech:
        return 1.0 / std::cosh(a);
      case U::exp:
        return std::exp(a);
      case U::log:
        return std::log(a);
      case U::sqrt:
        return std::sqrt(a);
      default:
        throw std::logic_error("not analytic");
    }
  }

  Value binary(B function, const Value& a, const Value& b) const {
    switch (function) {
      case B::add:
        return a + b;
      case B::subtract:
        return a - b;
      case B::multiply:
        return a * b;
      case B::divide:
        return a / b;
      case B::power:
        return std::pow(a, b);
      case B::atan2:
        return std::atan(a / b);  // where b > 0
      case B::less:
        return a.real() < b.real();
      default:
        throw std::logic_error("not analytic");
    }
  }

  Value where(const Value& c, const Value& a, const Value& b) const { return c.real() != 0 ? a : b; }
};

std::map<std::string, double> random_point(Generator& generator) {
  std::map<std::string, double> point;
  for (const auto& name : variables) point[name] = generator.uniform(0.2, 1.2);
  return point;
}

double complex_step(const Expression& f, std::map<std::string, double> point, const std::string& by) {
  const double h = 1e-100;
  const auto value = f.evaluate(ComplexAlgebra(), [&](const std::string& name) {
    return std::complex<double>(point.at(name), name == by ? h : 0);
  });
  return value.imag() / h;
}

double value_of(const std::string& text, const std::map<std::string, double>& values = {}) {
  return Expression::parse(text).evaluate(values);
}

std::string error_of(const std::string& text, bool equation = false) {
  return torsor::error_of([&] { equation ? Expression::equation(text) : Expression::parse(text); });
}

void expect_error(const std::string& text, int position, const std::string& part, bool equation = false) {
  const std::string message = error_of(text, equation);
  EXPECT_NE(message.find("at position " + std::to_string(position) + ": "), std::string::npos) << message;
  EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_NE(message.find("\n  " + text + "\n  " + std::string(static_cast<size_t>(position - 1), ' ') + "^"),
            std::string::npos)
      << message;
}

TEST(Expression, TextRoundTripOnRandomFormulas) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    Generator generator(seed);
    const Expression f = Expression::parse(generator.text(3));
    EXPECT_EQ(Expression::parse(f.str()), f) << f.str();
    EXPECT_EQ(Expression::parse(f.str()).str(), f.str());
    const Expression slope = f.partial("x");
    EXPECT_EQ(Expression::parse(slope.str()), slope) << slope.str();
  }
}

TEST(Expression, DerivativeAgreesWithComplexStep) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    Generator generator(seed);
    const Expression f = Expression::parse(generator.text(3));
    const auto point = random_point(generator);
    for (const auto& by : variables) {
      const double expected = complex_step(f, point, by);
      EXPECT_NEAR(f.partial(by).evaluate(point), expected, 1e-11 * (1 + std::abs(expected)))
          << by << ": " << f.str();
    }
  }
}

TEST(Expression, SecondDerivativeAgreesWithComplexStep) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    Generator generator(seed);
    const Expression slope = Expression::parse(generator.text(2)).partial("x");
    const auto point = random_point(generator);
    const double expected = complex_step(slope, point, "y");
    EXPECT_NEAR(slope.partial("y").evaluate(point), expected, 1e-10 * (1 + std::abs(expected)))
        << slope.str();
  }
}

TEST(Expression, DerivativeOfFunctionsThatAreNotAnalytic) {
  const std::vector<std::string> formulas = {"erf(x)*erfc(x/2)",
                                             "abs(x - 1)*x",
                                             "abs(-x)",
                                             "min(x^2, 1 + y)",
                                             "max(x*y, 2)",
                                             "sign(x)*x^3",
                                             "step(x - 0.5)*x",
                                             "where(y>=1, x, y)",
                                             "atan2(x, -x*y)",
                                             "atan2(x, y)",
                                             "x^y",
                                             "pow(x, x)",
                                             "(x > y)*x"};
  for (const auto& formula : formulas) {
    const Expression f = Expression::parse(formula);
    const double h = 1e-6;
    for (const double x : {0.3, 0.8, 1.7}) {
      for (const double y : {0.4, 2.1}) {
        const double expected =
            (f.evaluate({{"x", x + h}, {"y", y}}) - f.evaluate({{"x", x - h}, {"y", y}})) / (2 * h);
        EXPECT_NEAR(f.partial("x").evaluate({{"x", x}, {"y", y}}), expected, 1e-8) << formula;
      }
    }
  }
}

TEST(Expression, ArraysAgreeWithScalars) {
  const int count = 5;
  for (unsigned seed = 0; seed < 200; ++seed) {
    Generator generator(seed);
    const Expression f = Expression::parse(generator.text(3));
    std::vector<std::map<std::string, double>> points;
    std::map<std::string, Eigen::ArrayXd> arrays;
    for (const auto& name : variables) arrays[name] = Eigen::ArrayXd(count);
    for (int i = 0; i < count; ++i) {
      points.push_back(random_point(generator));
      for (const auto& name : variables) arrays[name][i] = points.back()[name];
    }
    arrays["y"] = Eigen::ArrayXd::Constant(1, 0.75);  // broadcast
    const auto values = f.evaluate(ArrayAlgebra(), [&](const std::string& name) { return arrays.at(name); });
    for (int i = 0; i < count; ++i) {
      auto point = points[static_cast<size_t>(i)];
      point["y"] = 0.75;
      const double expected = f.evaluate(point);
      EXPECT_NEAR(values[values.size() == 1 ? 0 : i], expected, 1e-12 * (1 + std::abs(expected))) << f.str();
    }
  }
}

TEST(Expression, ArraysKnowEveryFunction) {
  const Expression f = Expression::parse(
      "sin(x)+cos(x)+tan(x)+asin(x)+acos(x)+atan(x)+sinh(x)+cosh(x)+tanh(x)+sech(x)+exp(x)+log(x)+sqrt(x)+"
      "abs(-x)"
      "+sign(x)+step(x-.5)+erf(x)+erfc(x)+atan2(x,y)+x^y+min(x,y)+max(x,y)+(x<y)+(x<=y)+(x>y)+(x>=y)+(x==y)+("
      "x!=y)"
      "+where(x<y,x,1)-x/y");
  const Eigen::ArrayXd x = Eigen::ArrayXd::LinSpaced(9, 0.1, 0.9);
  const auto values = f.evaluate(ArrayAlgebra(), [&](const std::string& name) -> Eigen::ArrayXd {
    return name == "x" ? x : Eigen::ArrayXd::Constant(1, 0.5);
  });
  ASSERT_EQ(values.size(), 9);
  for (int i = 0; i < 9; ++i) EXPECT_NEAR(values[i], f.evaluate({{"x", x[i]}, {"y", 0.5}}), 1e-13);
}

TEST(Expression, ArraysOfOtherSizesDoNotFit) {
  const auto lookup = [](const std::string& name) -> Eigen::ArrayXd {
    return Eigen::ArrayXd::Zero(name == "x" ? 3 : name == "none" ? 0 : 2);
  };
  EXPECT_THROW(Expression::parse("x + y").evaluate(ArrayAlgebra(), lookup), std::invalid_argument);
  EXPECT_THROW(Expression::parse("where(x, 1, y)").evaluate(ArrayAlgebra(), lookup), std::invalid_argument);
  EXPECT_EQ(Expression::parse("where(1 + none, none, 2)").evaluate(ArrayAlgebra(), lookup).size(), 0);
}

TEST(Expression, EvaluatesAsCppDoes) {
  const double x = 0.37;
  const double y = 1.9;
  const std::map<std::string, double> at = {{"x", x}, {"y", y}};
  EXPECT_EQ(value_of("x+y*x-y/x", at), x + y * x - y / x);
  EXPECT_EQ(value_of("sin(x)*exp(-y)+sqrt(x)", at), std::sin(x) * std::exp(-y) + std::sqrt(x));
  EXPECT_EQ(value_of("pow(x, y)", at), std::pow(x, y));
  EXPECT_EQ(value_of("atan2(y, x)", at), std::atan2(y, x));
  EXPECT_EQ(value_of("min(x,y)+10*max(x,y)", at), x + 10 * y);
  EXPECT_EQ(value_of("sech(x)", at), 1 / std::cosh(x));
  EXPECT_EQ(value_of("erf(x)+erfc(y)", at), std::erf(x) + std::erfc(y));
  EXPECT_EQ(value_of("sign(-x)+sign(0)+sign(y)", at), 0);
}

TEST(Expression, Precedence) {
  EXPECT_EQ(value_of("2+3*4"), 14);
  EXPECT_EQ(value_of("2-3-4"), -5);
  EXPECT_EQ(value_of("12/3/2*5"), 10);
  EXPECT_EQ(value_of("-2^2"), -4);
  EXPECT_EQ(value_of("(-2)^2"), 4);
  EXPECT_EQ(value_of("2^3^2"), 512);
  EXPECT_EQ(value_of("2**3**2"), 512);
  EXPECT_EQ(value_of("2^-1"), 0.5);
  EXPECT_EQ(value_of("2^-2^0"), 0.5);
  EXPECT_EQ(value_of("2*-3"), -6);
  EXPECT_EQ(value_of("2--3"), 5);
  EXPECT_EQ(value_of("-3*2"), -6);
  EXPECT_EQ(value_of("1+2 < 4"), 1);
  EXPECT_EQ(value_of("(1<2)+(2<=2)+(3>2)+(3>=4)+(1==1)+(1!=1)"), 4);
  EXPECT_EQ(value_of("1e-4"), 1e-4);
  EXPECT_EQ(value_of(".5+1.+2.5E+1"), 26.5);
  EXPECT_EQ(value_of("0.01/pi"), 0.01 / std::numbers::pi);
  EXPECT_EQ(value_of("e"), std::numbers::e);
  EXPECT_EQ(value_of("step(0)+step(-1)+step(2)"), 2);
  EXPECT_EQ(value_of("where(1<2, 3, 4)"), 3);
}

TEST(Expression, CanonicalText) {
  const auto text = [](const std::string& formula) { return Expression::parse(formula).str(); };
  EXPECT_EQ(text("((a))+((b*c))"), "a + b*c");
  EXPECT_EQ(text("a-(b-c)"), "a - (b - c)");
  EXPECT_EQ(text("(a-b)-c"), "a - b - c");
  EXPECT_EQ(text("a/(b/c)"), "a/(b/c)");
  EXPECT_EQ(text("(a^b)^c"), "(a^b)^c");
  EXPECT_EQ(text("a**(b**c)"), "a^b^c");
  EXPECT_EQ(text("-(x^2)"), "-x^2");
  EXPECT_EQ(text("(-x)^2"), "(-x)^2");
  EXPECT_EQ(text("(-2)^2"), "(-2)^2");
  EXPECT_EQ(text("x^-2"), "x^(-2)");
  EXPECT_EQ(text("-2*x"), "-2*x");
  EXPECT_EQ(text("x*-y"), "x*(-y)");
  EXPECT_EQ(text("-(a+b)"), "-(a + b)");
  EXPECT_EQ(text("- - a"), "-(-a)");
  EXPECT_EQ(text("(a<b)+1"), "(a < b) + 1");
  EXPECT_EQ(text("pow(a,2)"), "a^2");
  EXPECT_EQ(text("where(a<b,  2*pi,max(a , e))"), "where(a < b, 2*pi, max(a, e))");
  EXPECT_EQ(text("d( u^2 , x,x)+lap(u)+grad_dot(u,v)+div(u,v)"),
            "d(u^2, x, x) + lap(u) + grad_dot(u, v) + div(u, v)");
}

TEST(Expression, EquationIsLeftMinusRight) {
  EXPECT_EQ(Expression::equation("u_t = nu*u_xx"), Expression::parse("u_t - nu*u_xx"));
  EXPECT_EQ(Expression::equation("u_t - u = 0"), Expression::parse("u_t - u"));
  EXPECT_EQ(Expression::equation("u_t + u"), Expression::parse("u_t + u"));
  EXPECT_EQ(Expression::equation("a <= b"), Expression::parse("a <= b"));
}

TEST(Expression, Names) {
  const auto names = Expression::parse("u_t + u*u_x - (0.01/pi)*d(u_x, x)*e").names();
  const std::vector<NameUse> expected = {{"u_t", 1}, {"u", 7}, {"u_x", 9}};
  EXPECT_EQ(names, expected);
  EXPECT_TRUE(Expression::parse("2*pi").names().empty());
}

TEST(Expression, SimplifiesDerivatives) {
  const auto slope = [](const std::string& text) { return Expression::parse(text).partial("x").str(); };
  EXPECT_EQ(slope("3*x^2"), "6*x");
  EXPECT_EQ(slope("x^3"), "3*x^2");
  EXPECT_EQ(slope("x^n"), "n*x^(n - 1)");
  EXPECT_EQ(slope("2*x + y"), "2");
  EXPECT_EQ(slope("-x*y"), "-y");
  EXPECT_EQ(slope("3*y*x^2/2"), "3*(y*x)");
  EXPECT_EQ(slope("sin(y)"), "0");
  EXPECT_EQ(slope("exp(-x)"), "-exp(-x)");
  EXPECT_EQ(slope("x/y"), "1/y");
  EXPECT_EQ(slope("where(x<0, y, 2*y)"), "0");
  EXPECT_EQ(slope("where(x<0, x, 1)"), "where(x < 0, 1, 0)");
  EXPECT_TRUE(Expression::parse("y*(x - x) + sign(x) + (x < y)").partial("y").partial("y").is_zero());
  EXPECT_TRUE(Expression::parse("u_t - 2*u_xx + 3").partial("u_t").partial("u_xx").is_zero());
  EXPECT_EQ(Expression::parse("u_t - 2*u_xx + 3").partial("u_xx").constant_value(), -2);
}

TEST(Expression, TotalDerivativeByTheChainRule) {
  const auto by_x = [](const std::string& name) {
    if (name == "x") return Expression::number(1);
    if (name == "t" || name == "nu") return Expression();
    return Expression::name(name == "u" ? "u_x" : "u_xx");
  };
  EXPECT_EQ(Expression::parse("u^2/2").derivative(by_x).str(), "u*u_x");
  EXPECT_EQ(Expression::parse("nu*u_x + x*t").derivative(by_x).str(), "nu*u_xx + t");
}

TEST(Expression, SharedPartsAreEvaluatedOnce) {
  struct CountingAlgebra : ScalarAlgebra {
    int* calls;
    explicit CountingAlgebra(int* counter) : calls(counter) {}
    double unary(U function, double a) const { return ++*calls, ScalarAlgebra::unary(function, a); }
  };
  Expression f = Expression::call(U::sin, Expression::name("x"));
  for (int i = 0; i < 60; ++i) f = f + f;  // a tree of 2^60 leaves
  int calls = 0;
  int lookups = 0;
  const auto one = [&](const std::string&) { return ++lookups, 1.0; };
  EXPECT_DOUBLE_EQ(f.evaluate(CountingAlgebra(&calls), one), std::ldexp(std::sin(1.0), 60));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(lookups, 1);
  EXPECT_DOUBLE_EQ(f.partial("x").evaluate({{"x", 1.0}}), std::ldexp(std::cos(1.0), 60));
  EXPECT_EQ(f.names().size(), 1u);
  lookups = 0;
  Expression::parse("x + x*x + sin(x)").evaluate(ScalarAlgebra(), one);
  EXPECT_EQ(lookups, 1) << "a parsed name is one node";
}

TEST(Expression, SmallIntegerPowersAreProducts) {
  struct NoPower : ScalarAlgebra {
    double binary(B function, double a, double b) const {
      if (function == B::power) throw std::logic_error("a power");
      return ScalarAlgebra::binary(function, a, b);
    }
  };
  const auto half = [](const std::string&) { return -0.5; };
  for (int n = -8; n <= 8; ++n) {
    const Expression f = Expression::parse("x^(" + std::to_string(n) + ")");
    EXPECT_EQ(f.evaluate(NoPower(), half), std::pow(-0.5, n));
  }
  EXPECT_THROW(Expression::parse("x^9").evaluate(NoPower(), half), std::logic_error);
  EXPECT_THROW(Expression::parse("x^0.5").evaluate(NoPower(), half), std::logic_error);
  EXPECT_EQ(Expression::parse("x^3").partial("x").evaluate({{"x", 0.0}}), 0);
  const double third = 1.0 / 3;
  EXPECT_EQ(value_of("x^3", {{"x", third}}), third * third * third);
  EXPECT_EQ(small_integer_exponent(8), 8);
  EXPECT_EQ(small_integer_exponent(-3), -3);
  EXPECT_FALSE(small_integer_exponent(9));
  EXPECT_FALSE(small_integer_exponent(0.5));
  EXPECT_FALSE(small_integer_exponent(std::nan("")));
}

TEST(Expression, Substitute) {
  const auto rule = [](const std::string& name) -> std::optional<Expression> {
    if (name == "a") return Expression();
    if (name == "x") return Expression::name("y");
    if (name == "y") return Expression::parse("z + 1");
    return std::nullopt;
  };
  EXPECT_EQ(Expression::parse("a*q + x").substitute(rule).str(), "y") << "simplified, and not put in twice";
  EXPECT_EQ(Expression::parse("y^2 + b").substitute(rule).str(), "(z + 1)^2 + b");
  EXPECT_EQ(Expression::parse("d(x*b, x)").substitute(rule).str(), "d(y*b, x)");
}

TEST(Expression, ExpandsOperators) {
  const std::vector<std::string> coordinates = {"x", "y", "t"};
  const auto of_name = [&](const std::string& name, const std::string& by) {
    if (name == by) return Expression::number(1);
    const auto jet = parse_jet_name(name, {"u", "v"}, coordinates);
    if (!jet) return Expression();
    auto orders = jet->order_per_coordinate;
    ++orders[static_cast<size_t>(by[0] == 't' ? 2 : by[0] - 'x')];
    return Expression::name(jet_name(jet->field, orders, coordinates));
  };
  const auto expand = [&](const std::string& text) {
    return Expression::parse(text).expand_operators(coordinates, {"x", "y"}, of_name).str();
  };
  EXPECT_EQ(expand("d(u, x)"), "u_x");
  EXPECT_EQ(expand("d(u, t, x, x)"), "u_xxt");
  EXPECT_EQ(expand("d(u_y, x)"), "u_xy");
  EXPECT_EQ(expand("u_t - k*lap(u)"), "u_t - k*(u_xx + u_yy)");
  EXPECT_EQ(expand("grad_dot(u, v)"), "u_x*v_x + u_y*v_y");
  EXPECT_EQ(expand("div(x*u, v)"), "u + x*u_x + v_y");
  EXPECT_EQ(expand("lap(lap(u))"), "u_xxxx + u_xxyy + (u_xxyy + u_yyyy)");
  EXPECT_EQ(expand("d(k, x)*u + d(d(u, x), y)"), "u_xy");
  EXPECT_EQ(expand("div(k*d(u,x), k*d(u,y))"), "k*u_xx + k*u_yy");
  EXPECT_EQ(expand("u + 1"), "u + 1");
  EXPECT_FALSE(Expression::parse("u + 1").has_operators());
  EXPECT_TRUE(Expression::parse("1 + 2*d(1, x)").has_operators());
  EXPECT_FALSE(Expression::parse("1 + 2*d(1, x)").is_constant());
  const auto message = [&](const std::string& text) { return torsor::error_of([&] { expand(text); }); };
  EXPECT_NE(message("d(u, z)").find("unknown coordinate 'z'"), std::string::npos);
  EXPECT_NE(message("div(u)").find("2 wanted, 1 given"), std::string::npos);
  EXPECT_THROW(Expression::parse("d(u, x)").partial("u"), std::logic_error);
  EXPECT_THROW(value_of("lap(u)", {{"u", 1}}), std::logic_error);
}

TEST(Expression, ErrorsShowThePosition) {
  expect_error("", 1, "expected a number, a name or '(', found the end");
  expect_error("1 +", 4, "expected a number, a name or '('");
  expect_error("sin(x + )", 9, "found ')'");
  expect_error("(x + 1", 7, "expected an operator or ')', found the end");
  expect_error("x + 1)", 6, "was not opened");
  expect_error("2x", 2, "expected an operator or the end, found 'x'");
  expect_error("1.2.3", 4, "found '.3'");
  expect_error("a b", 3, "found 'b'");
  expect_error("a * / b", 5, "found '/'");
  expect_error("a $ b", 3, "unexpected character '$'");
  expect_error("a & b", 3, "unexpected character '&'");
  expect_error("\u00b5 + 1", 1, "unexpected character '\u00b5'");
  expect_error("a ! b", 3, "unexpected character '!'");
  expect_error("a < b < c", 7, "do not chain");
  expect_error("a = b", 3, "'=' stands in equations only");
  expect_error("1e999", 1, "beyond the range");
  expect_error("sin + 1", 5, "expected '(' after the function 'sin'");
  expect_error("max(a; b)", 6, "unexpected character ';'");
  expect_error("max(a b)", 7, "expected an operator, ',' or ')'");
  expect_error("sin(x", 6, "found the end");
}

TEST(Expression, ErrorsOfCalls) {
  expect_error("1 + snh(x)", 5, "unknown function 'snh'; did you mean 'sin");
  expect_error("2*sqr(x)", 3, "did you mean 'sqrt'");
  expect_error("sin(x, y)", 1, "'sin' takes 1 argument, 2 given");
  expect_error("1 + sin()", 5, "'sin' takes 1 argument, 0 given");
  expect_error("atan2(x)", 1, "'atan2' takes 2 arguments, 1 given");
  expect_error("where(x, 1)", 1, "'where' takes 3 arguments, 2 given");
  expect_error("lap(u, x)", 1, "'lap' takes 1 argument, 2 given");
  expect_error("grad_dot(u)", 1, "'grad_dot' takes 2 arguments");
  expect_error("div()", 1, "'div' takes at least 1 argument, 0 given");
  expect_error("d()", 1, "'d' takes at least 2 arguments, 0 given");
  expect_error("1 + d(u)", 5, "'d' takes at least 2 arguments, 1 given");
  expect_error("d(u, 2)", 6, "expected the name of a coordinate, found '2'");
  expect_error("d(u, x+1)", 7, "expected ',' or ')'");
  expect_error("d(u x)", 5, "expected an operator, ',' or ')'");
}

TEST(Expression, ErrorsOfEquations) {
  expect_error("a = b = c", 7, "an equation has one '='", true);
  expect_error("= b", 1, "found '='", true);
  expect_error("a =", 4, "found the end", true);
  expect_error("u_t == u_xx", 5, "expected a single '='", true);
  expect_error("(a = b)", 4, "expected an operator or ')', found '='", true);
}

TEST(Expression, DepthIsBounded) {
  const auto nested = [](size_t n) { return std::string(n, '(') + "x" + std::string(n, ')'); };
  const auto sum = [](int n) {
    std::string text = "x";
    for (int i = 1; i < n; ++i) text += "+x";
    return text;
  };
  EXPECT_EQ(value_of(nested(150), {{"x", 2}}), 2);
  EXPECT_NE(error_of(nested(100000)).find("nested deeper"), std::string::npos);
  EXPECT_NE(error_of(std::string(100000, '-') + "x").find("nested deeper"), std::string::npos);
  EXPECT_EQ(value_of(sum(900), {{"x", 1}}), 900);
  EXPECT_NE(error_of(sum(100000)).find("nested deeper"), std::string::npos);
}

TEST(Expression, ConstantsAndNames) {
  EXPECT_TRUE(Expression::parse("0.01/pi").is_constant());
  EXPECT_DOUBLE_EQ(Expression::parse("0.01/pi").constant_value(), 0.01 / std::numbers::pi);
  EXPECT_FALSE(Expression::parse("0.01/nu").is_constant());
  EXPECT_THROW(Expression::parse("0.01/nu").constant_value(), InputError);
  EXPECT_THROW(value_of("x + z", {{"x", 1.0}}), InputError);
  EXPECT_THROW(Expression::number(INFINITY), std::invalid_argument);
  EXPECT_THROW(Expression::name("2x"), std::invalid_argument);
  EXPECT_THROW(Expression::name(""), std::invalid_argument);
  EXPECT_THROW(Expression::name("pi"), std::invalid_argument);
  EXPECT_TRUE(Expression::is_reserved("e"));
  EXPECT_TRUE(Expression::is_reserved("max"));
  EXPECT_FALSE(Expression::is_reserved("d"));
  EXPECT_EQ(value_of("d + 1", {{"d", 2.0}}), 3);
  EXPECT_EQ(Expression().str(), "0");
  EXPECT_EQ((Expression::number(1) / Expression()).str(), "1/0") << "what is not finite stays visible";
}

TEST(JetName, ReadsFieldAndOrders) {
  const std::vector<std::string> xt = {"x", "t"};
  EXPECT_EQ(parse_jet_name("u_xxt", {"u"}, xt), (JetName{"u", {2, 1}}));
  EXPECT_EQ(parse_jet_name("u_xtx", {"u"}, xt), (JetName{"u", {2, 1}}));
  EXPECT_EQ(parse_jet_name("u", {"u"}, xt), (JetName{"u", {0, 0}}));
  EXPECT_EQ(parse_jet_name("u_x1x1", {"u"}, {"x1", "x2"}), (JetName{"u", {2, 0}}));
  EXPECT_EQ(parse_jet_name("u_xx1x", {"u"}, {"x", "x1"}), (JetName{"u", {2, 1}}));
  EXPECT_EQ(parse_jet_name("u_xxy", {"u"}, {"xx", "x", "xy"}), (JetName{"u", {0, 1, 1}})) << "backtracks";
  EXPECT_EQ(parse_jet_name("u_x", {"u", "u_x"}, xt), (JetName{"u_x", {0, 0}})) << "the longest field wins";
  EXPECT_EQ(parse_jet_name("u_x_t", {"u", "u_x"}, xt), (JetName{"u_x", {0, 1}}));
  for (const std::string name : {"v", "u_", "u_y", "u_xy", "ux", "", "u__x", "u_x_"}) {
    EXPECT_FALSE(parse_jet_name(name, {"u"}, xt)) << name;
  }
}

TEST(JetName, WritesTheCanonicalName) {
  EXPECT_EQ(jet_name("u", {2, 1}, {"x", "t"}), "u_xxt");
  EXPECT_EQ(jet_name("u", {0, 0}, {"x", "t"}), "u");
  EXPECT_EQ(jet_name("u", {0, 2}, {"x1", "x2"}), "u_x2x2");
  EXPECT_THROW(jet_name("u", {1}, {"x", "t"}), std::invalid_argument);
  EXPECT_THROW(jet_name("u", {-1, 0}, {"x", "t"}), std::invalid_argument);
}

}  // namespace
}  // namespace torsor
