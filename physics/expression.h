// Formulas as values: parsing, printing, exact derivatives and evaluation over any algebra.
//
//   equation   := comparison [ "=" comparison ]                        lhs = rhs means lhs - rhs
//   comparison := sum [ ("<" | "<=" | ">" | ">=" | "==" | "!=") sum ]  1 where true, 0 where false
//   sum        := product { ("+" | "-") product }
//   product    := signed { ("*" | "/") signed }
//   signed     := ("-" | "+") signed | power
//   power      := primary [ ("^" | "**") signed ]                      -x^2 = -(x^2), 2^3^2 = 2^(3^2)
//   primary    := number | name | name "(" comparison { "," comparison } ")" | "(" comparison ")"
//
// Numbers: 1, .5, 1e-4. Names: [A-Za-z_][A-Za-z0-9_]*. Constants: pi, e.
// Functions of one argument: see UnaryFunction; of two: atan2(y,x), pow(a,b), min, max; where(c,a,b) is a
// where c is not zero and b elsewhere. Operators, resolved by Expression::expand_operators:
//   d(f, x, y, ...)   total derivative of f by the coordinates x, y, ... one after the other
//   lap(f)            sum over the space coordinates of d(f, x_i, x_i)
//   grad_dot(f, g)    sum over the space coordinates of d(f, x_i) * d(g, x_i)
//   div(f_1, ...)     sum over the space coordinates of d(f_i, x_i), one argument for each of them
//   mean(f)           mean over the velocities of a kinetic equation (physics/velocity_basis.h)
//   mean(f, u, ...)   the same, f a formula of the velocity u: a second one beside the equation's own. Its components have any
//                     new names, which are known in f alone
#pragma once

#include <Eigen/Core>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace torsor {

/// sign(0) = 0; step(x) = 1 for x >= 0, else 0; sech(x) = 1 / cosh(x).
enum class UnaryFunction {
  negate,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  sech,
  exp,
  log,
  sqrt,
  abs,
  sign,
  step,
  erf,
  erfc,
};

/// atan2(y, x) takes y first; the six comparisons give 1 or 0.
enum class BinaryFunction {
  add,
  subtract,
  multiply,
  divide,
  power,
  atan2,
  min,
  max,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
};

/// The name a formula uses: "sin"; for operators their sign: "-", "+", "<=".
const char* function_name(UnaryFunction function);
const char* function_name(BinaryFunction function);

/// A free name of an expression and the 1-based column of its first use in the parsed text (0 when the name
/// was not parsed).
struct NameUse {
  std::string name;
  int position = 0;

  friend bool operator==(const NameUse&, const NameUse&) = default;
};

namespace detail {

struct ExpressionNode;
using NodePointer = std::shared_ptr<const ExpressionNode>;

enum class NodeKind {
  number,
  name,
  unary,
  binary,
  where,
  derivative,
  laplacian,
  gradient_product,
  divergence,
  velocity_mean
};

struct ExpressionNode {
  NodeKind kind = NodeKind::number;
  std::string name;       // of a name, or of a number that is written as one (pi, e)
  UnaryFunction unary{};  // with kind unary
  BinaryFunction binary{};
  std::vector<NodePointer> children;
  std::vector<std::string> coordinates;  // of a derivative
  int position = 0;                      // of a name: 1-based column of its first use
  int depth = 1;
  bool constant = false;       // no names and no operators below
  bool has_operators = false;  // d, lap, grad_dot, div or mean here or below
  double number = 0;           // the value, when constant
};

}  // namespace detail

/// An immutable formula; copies share their nodes. Built by `parse`, by `number`, `name` and the arithmetic
/// below. The arithmetic simplifies: it folds constants (finite ones) and applies 0+x = x, 0*x = 0, 1*x = x,
/// x/1 = x, x^1 = x, x^0 = 1, -(-x) = x, and collects constant factors in front; `parse` keeps what was
/// written.
class Expression {
 public:
  /// The number 0.
  Expression();

  /// Parses a formula. Throws InputError with the text, a caret under the wrong column, its 1-based position
  /// and what was expected there: wrong syntax, unknown functions (with the nearest known one), wrong
  /// numbers of arguments, numbers beyond double precision, more than 200 nested parentheses or signs, and
  /// sums, products and calls more than 1000 deep.
  static Expression parse(const std::string& text);

  /// Parses "lhs = rhs" as lhs - rhs ("lhs = 0" as lhs), or a plain formula. Throws InputError as `parse`
  /// does, for a second '=', and for '==' at the top, which would be a residual of zeros and ones.
  static Expression equation(const std::string& text);

  /// Throws std::invalid_argument when the value is not finite.
  static Expression number(double value);

  /// Throws std::invalid_argument unless the name fits [A-Za-z_][A-Za-z0-9_]* and is not reserved.
  static Expression name(const std::string& name);

  /// Constants (pi, e) and functions: names that a formula cannot use for anything else. The operators'
  /// names (d, lap, grad_dot, div, mean) are free: they are operators only in front of a parenthesis.
  static bool is_reserved(const std::string& name);

  /// The distinct free names in the order of their first use. Coordinates named in d(f, x) do not count.
  std::vector<NameUse> names() const;

  /// Canonical text with the fewest parentheses (a right operand that begins with '-' keeps them);
  /// parse(str()) == *this.
  std::string str() const;

  /// Zero by constant folding alone: no names and the value 0.
  bool is_zero() const { return is_constant() && node_->number == 0; }

  /// No free names and no operators.
  bool is_constant() const { return node_->constant; }

  /// Throws InputError naming the first free name when the expression is not constant.
  double constant_value() const;

  /// Whether d, lap, grad_dot, div or mean occur.
  bool has_operators() const { return node_->has_operators; }

  /// The total derivative D f = sum over the free names n of (df/dn) * of_name(n), simplified.
  /// abs, sign, step, min, max, where and comparisons: almost everywhere (jumps count nothing).
  /// Throws std::logic_error when operators are left: expand them first.
  Expression derivative(const std::function<Expression(const std::string& name)>& of_name) const;

  /// The derivative by `name`, all other names held constant. Throws as `derivative`.
  Expression partial(const std::string& name) const;

  /// Puts expressions in the place of names; names for which `of_name` returns nothing stay. What changes is
  /// simplified. The coordinates named in d(f, x) stay too.
  Expression substitute(
      const std::function<std::optional<Expression>(const std::string& name)>& of_name) const;

  /// Resolves d, lap, grad_dot, div and mean, innermost first: derivatives are total ones, where of_name(name, x) is the
  /// total derivative of the free name by the coordinate x (0; 1; or another name such as u_xx for u_x); means are made
  /// by `mean` (of the second velocity's components, if there is one). `space` are the coordinates that lap, grad_dot and div sum over. Throws InputError for d by something
  /// that is not among `coordinates`, for div with another number of arguments than `space` has, and for mean where
  /// `mean` is empty.
  Expression expand_operators(
      const std::vector<std::string>& coordinates, const std::vector<std::string>& space,
      const std::function<Expression(const std::string& name, const std::string& coordinate)>& of_name,
      const std::function<Expression(const Expression& argument, const std::vector<std::string>& components)>& mean = nullptr)
      const;

  /// Evaluates over an algebra, which has
  ///   using Value = ...;
  ///   Value constant(double) const;
  ///   Value unary(UnaryFunction, const Value&) const;
  ///   Value binary(BinaryFunction, const Value&, const Value&) const;
  ///   Value where(const Value& condition, const Value& then, const Value& otherwise) const;
  /// `lookup(name)` gives the value of a free name. Constant parts reach the algebra as one constant; nodes
  /// that are shared are evaluated once; powers with small constant integers reach it as multiplications
  /// (`integer_power`). Throws std::logic_error when operators are left, and what lookup throws.
  template <class Algebra, class Lookup>
  typename Algebra::Value evaluate(const Algebra& algebra, Lookup&& lookup) const;

  /// Evaluates in double precision. Throws InputError for a name that is not among the values.
  double evaluate(const std::map<std::string, double>& values) const;

  /// Equal structure; the columns of names do not count, and pi equals the number of its value.
  friend bool operator==(const Expression& a, const Expression& b);

  friend Expression operator-(const Expression& a);
  friend Expression operator+(const Expression& a, const Expression& b);
  friend Expression operator-(const Expression& a, const Expression& b);
  friend Expression operator*(const Expression& a, const Expression& b);
  friend Expression operator/(const Expression& a, const Expression& b);

  /// f(a), f(a, b) and where(c, a, b), simplified.
  static Expression call(UnaryFunction function, const Expression& a);
  static Expression call(BinaryFunction function, const Expression& a, const Expression& b);
  static Expression where(const Expression& condition, const Expression& then, const Expression& otherwise);

 private:
  friend struct ExpressionAccess;
  explicit Expression(detail::NodePointer node) : node_(std::move(node)) {}

  detail::NodePointer node_;
};

/// a^b, simplified.
Expression pow(const Expression& a, const Expression& b);

/// The integer n when `exponent` is one with |n| <= 8: such powers are taken by multiplication, so that
/// u^3 is u*u*u, exact and differentiable at 0.
std::optional<int> small_integer_exponent(double exponent);

/// base^n by multiplications; n < 0 gives 1 / base^|n| and n = 0 the constant 1.
template <class Algebra>
typename Algebra::Value integer_power(const Algebra& algebra, const typename Algebra::Value& base, int n) {
  if (n < 0) {
    return algebra.binary(BinaryFunction::divide, algebra.constant(1), integer_power(algebra, base, -n));
  }
  if (n == 0) return algebra.constant(1);
  if (n == 1) return base;
  const auto half = integer_power(algebra, base, n / 2);
  const auto square = algebra.binary(BinaryFunction::multiply, half, half);
  return n % 2 == 0 ? square : algebra.binary(BinaryFunction::multiply, square, base);
}

/// Doubles.
struct ScalarAlgebra {
  using Value = double;
  double constant(double value) const { return value; }
  double unary(UnaryFunction function, double a) const;
  double binary(BinaryFunction function, double a, double b) const;
  double where(double condition, double then, double otherwise) const {
    return condition != 0 ? then : otherwise;
  }
};

/// Arrays, entry by entry; arrays of size 1 (constants) broadcast. Throws std::invalid_argument for other
/// sizes that differ.
struct ArrayAlgebra {
  using Value = Eigen::ArrayXd;
  Value constant(double value) const { return Value::Constant(1, value); }
  Value unary(UnaryFunction function, const Value& a) const;
  Value binary(BinaryFunction function, const Value& a, const Value& b) const;
  Value where(const Value& condition, const Value& then, const Value& otherwise) const;
};

/// A partial derivative of a field: field u with coordinates {x, t} and orders {2, 1} is u_xxt.
struct JetName {
  std::string field;
  std::vector<int> order_per_coordinate;

  friend bool operator==(const JetName&, const JetName&) = default;
};

/// Reads "u", "u_xxt", "u_x1x1": a field, then "_" and coordinates in any order. The longest field that fits
/// wins (so field "u_x" before the derivative of u); longer coordinates are tried first. Nothing when the
/// name does not fit.
std::optional<JetName> parse_jet_name(const std::string& name, const std::vector<std::string>& fields,
                                      const std::vector<std::string>& coordinates);

/// The canonical name, coordinates in declared order: "u_xxt", or "u" when all orders are 0. Throws
/// std::invalid_argument when the sizes differ or an order is negative.
std::string jet_name(const std::string& field, const std::vector<int>& order_per_coordinate,
                     const std::vector<std::string>& coordinates);

namespace detail {

template <class Algebra, class Lookup>
class Evaluation {
 public:
  using Value = typename Algebra::Value;

  Evaluation(const Algebra& algebra, Lookup& lookup) : algebra_(algebra), lookup_(lookup) {}

  Value operator()(const NodePointer& node) {
    // A node with one owner has one parent, so its value is asked for once and need not be kept.
    if (node.use_count() == 1) return compute(*node);
    const auto found = values_.find(node.get());
    if (found != values_.end()) return found->second;
    return values_.emplace(node.get(), compute(*node)).first->second;
  }

 private:
  Value compute(const ExpressionNode& node) {
    if (node.constant) return algebra_.constant(node.number);
    const auto& child = node.children;
    switch (node.kind) {
      case NodeKind::name:
        return lookup_(node.name);
      case NodeKind::unary:
        return algebra_.unary(node.unary, (*this)(child[0]));
      case NodeKind::binary:
        return binary(node);
      case NodeKind::where: {
        const Value condition = (*this)(child[0]);
        const Value then = (*this)(child[1]);
        return algebra_.where(condition, then, (*this)(child[2]));
      }
      default:
        throw std::logic_error("an expression with operators cannot be evaluated: expand them first");
    }
  }

  Value binary(const ExpressionNode& node) {
    const Value a = (*this)(node.children[0]);
    const ExpressionNode& right = *node.children[1];
    if (node.binary == BinaryFunction::power && right.constant) {
      if (const auto n = small_integer_exponent(right.number)) return integer_power(algebra_, a, *n);
    }
    return algebra_.binary(node.binary, a, (*this)(node.children[1]));
  }

  const Algebra& algebra_;
  Lookup& lookup_;
  std::unordered_map<const ExpressionNode*, Value> values_;
};

}  // namespace detail

template <class Algebra, class Lookup>
typename Algebra::Value Expression::evaluate(const Algebra& algebra, Lookup&& lookup) const {
  return detail::Evaluation<Algebra, Lookup>(algebra, lookup)(node_);
}

}  // namespace torsor
