#include "physics/expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <unordered_set>

#include "physics/error.h"

namespace torsor {

using detail::ExpressionNode;
using detail::NodeKind;
using detail::NodePointer;
using U = UnaryFunction;
using B = BinaryFunction;

/// The way from nodes to expressions and back for the code of this file.
struct ExpressionAccess {
  static Expression wrap(NodePointer node) { return Expression(std::move(node)); }
  static const NodePointer& node(const Expression& expression) { return expression.node_; }
};

namespace {

Expression wrap(NodePointer node) {
  return ExpressionAccess::wrap(std::move(node));
}
const NodePointer& node_of(const Expression& expression) {
  return ExpressionAccess::node(expression);
}

// Recursion over a formula uses the stack, so that the depth of what users write is bounded.
constexpr int max_depth = 1000;
constexpr int max_nesting = 200;  // parentheses and signs: one of them takes several calls of the parser

// ---------------------------------------------------------------------------------------------------------
// Names of functions

struct UnaryEntry {
  U function;
  const char* name;
};
constexpr std::array<UnaryEntry, 19> unary_table{{{U::negate, "-"},
                                                  {U::sin, "sin"},
                                                  {U::cos, "cos"},
                                                  {U::tan, "tan"},
                                                  {U::asin, "asin"},
                                                  {U::acos, "acos"},
                                                  {U::atan, "atan"},
                                                  {U::sinh, "sinh"},
                                                  {U::cosh, "cosh"},
                                                  {U::tanh, "tanh"},
                                                  {U::sech, "sech"},
                                                  {U::exp, "exp"},
                                                  {U::log, "log"},
                                                  {U::sqrt, "sqrt"},
                                                  {U::abs, "abs"},
                                                  {U::sign, "sign"},
                                                  {U::step, "step"},
                                                  {U::erf, "erf"},
                                                  {U::erfc, "erfc"}}};

// Precedence of the text an operation prints; higher binds tighter.
enum Level { comparison_level = 1, sum_level, product_level, signed_level, power_level, primary_level };

struct BinaryEntry {
  B function;
  const char* name;
  Level level;  // primary_level: written as a call
};
constexpr std::array<BinaryEntry, 14> binary_table{{{B::add, "+", sum_level},
                                                    {B::subtract, "-", sum_level},
                                                    {B::multiply, "*", product_level},
                                                    {B::divide, "/", product_level},
                                                    {B::power, "^", power_level},
                                                    {B::atan2, "atan2", primary_level},
                                                    {B::min, "min", primary_level},
                                                    {B::max, "max", primary_level},
                                                    {B::less, "<", comparison_level},
                                                    {B::less_equal, "<=", comparison_level},
                                                    {B::greater, ">", comparison_level},
                                                    {B::greater_equal, ">=", comparison_level},
                                                    {B::equal, "==", comparison_level},
                                                    {B::not_equal, "!=", comparison_level}}};

struct Constant {
  const char* name;
  double value;
};
constexpr std::array<Constant, 2> constant_table{{{"pi", std::numbers::pi}, {"e", std::numbers::e}}};

const BinaryEntry& entry(B function) {
  return *std::find_if(binary_table.begin(), binary_table.end(),
                       [&](const auto& row) { return row.function == function; });
}

std::optional<U> unary_named(const std::string& name) {
  for (const auto& row : unary_table) {
    if (row.function != U::negate && name == row.name) return row.function;
  }
  return std::nullopt;
}

std::optional<B> binary_named(const std::string& name) {
  if (name == "pow") return B::power;
  for (const auto& row : binary_table) {
    if (row.level == primary_level && name == row.name) return row.function;
  }
  return std::nullopt;
}

std::optional<NodeKind> operator_named(const std::string& name) {
  if (name == "d") return NodeKind::derivative;
  if (name == "lap") return NodeKind::laplacian;
  if (name == "grad_dot") return NodeKind::gradient_product;
  if (name == "div") return NodeKind::divergence;
  if (name == "mean") return NodeKind::velocity_mean;
  return std::nullopt;
}

const char* operator_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::derivative:
      return "d";
    case NodeKind::laplacian:
      return "lap";
    case NodeKind::gradient_product:
      return "grad_dot";
    case NodeKind::velocity_mean:
      return "mean";
    default:
      return "div";
  }
}

bool is_operator(NodeKind kind) {
  return kind == NodeKind::derivative || kind == NodeKind::laplacian || kind == NodeKind::gradient_product ||
         kind == NodeKind::divergence || kind == NodeKind::velocity_mean;
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const auto& row : unary_table) {
    if (row.function != U::negate) names.push_back(row.name);
  }
  for (const auto& row : binary_table) {
    if (row.level == primary_level) names.push_back(row.name);
  }
  names.insert(names.end(), {"pow", "where", "d", "lap", "grad_dot", "div", "mean"});
  return names;
}

bool is_function(const std::string& name) {
  return name == "where" || unary_named(name) || binary_named(name);
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// ---------------------------------------------------------------------------------------------------------
// Nodes as written

double constant_of(const ExpressionNode& node) {
  const ScalarAlgebra algebra;
  const auto value = [&](size_t i) { return node.children[i]->number; };
  if (node.kind == NodeKind::unary) return algebra.unary(node.unary, value(0));
  if (node.kind == NodeKind::binary) return algebra.binary(node.binary, value(0), value(1));
  return algebra.where(value(0), value(1), value(2));
}

NodePointer finish(ExpressionNode node) {
  node.has_operators = is_operator(node.kind);
  node.constant = !node.has_operators;
  for (const auto& child : node.children) {
    node.constant = node.constant && child->constant;
    node.has_operators = node.has_operators || child->has_operators;
    node.depth = std::max(node.depth, child->depth + 1);
  }
  if (node.constant) node.number = constant_of(node);
  return std::make_shared<const ExpressionNode>(std::move(node));
}

NodePointer make_number(double value, const std::string& name = "") {
  ExpressionNode node;
  node.name = name;
  node.constant = true;
  node.number = value;
  return std::make_shared<const ExpressionNode>(std::move(node));
}

NodePointer make_name(const std::string& name, int position) {
  ExpressionNode node;
  node.kind = NodeKind::name;
  node.name = name;
  node.position = position;
  return std::make_shared<const ExpressionNode>(std::move(node));
}

NodePointer make_unary(U function, const NodePointer& a) {
  // A minus in front of a written number is part of it, so that "-2" has one form only.
  if (function == U::negate && a->kind == NodeKind::number && a->name.empty()) return make_number(-a->number);
  ExpressionNode node;
  node.kind = NodeKind::unary;
  node.unary = function;
  node.children = {a};
  return finish(std::move(node));
}

NodePointer make_binary(B function, const NodePointer& a, const NodePointer& b) {
  ExpressionNode node;
  node.kind = NodeKind::binary;
  node.binary = function;
  node.children = {a, b};
  return finish(std::move(node));
}

NodePointer make_node(NodeKind kind, std::vector<NodePointer> children,
                      std::vector<std::string> coordinates = {}) {
  ExpressionNode node;
  node.kind = kind;
  node.children = std::move(children);
  node.coordinates = std::move(coordinates);
  return finish(std::move(node));
}

bool same(const NodePointer& a, const NodePointer& b) {
  if (a == b) return true;
  if (a->kind != b->kind || a->children.size() != b->children.size()) return false;
  switch (a->kind) {
    case NodeKind::number:
      return a->number == b->number;
    case NodeKind::name:
      return a->name == b->name;
    default:
      return a->unary == b->unary && a->binary == b->binary && a->coordinates == b->coordinates &&
             std::equal(a->children.begin(), a->children.end(), b->children.begin(), same);
  }
}

// ---------------------------------------------------------------------------------------------------------
// Parsing

struct Token {
  enum class Kind { number, name, sign, end } kind = Kind::end;
  std::string text;
  double number = 0;
  size_t offset = 0;
};

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) { advance(); }

  NodePointer formula() {
    const NodePointer result = comparison();
    if (is_sign("=")) expected("an operator or the end ('=' stands in equations only; '==' compares)");
    end();
    return result;
  }

  NodePointer equation() {
    const NodePointer left = comparison();
    if (!is_sign("=")) {
      if (left->kind == NodeKind::binary && left->binary == B::equal) {
        fail(compared_at_, "expected a single '=': '==' compares, and gives 1 or 0");
      }
      end();
      return left;
    }
    advance();
    const NodePointer right = comparison();
    if (is_sign("=")) expected("the end: an equation has one '='");
    end();
    const bool zero = right->kind == NodeKind::number && right->number == 0;
    return zero ? left : bounded(make_binary(B::subtract, left, right), 0);
  }

 private:
  // Characters, not bytes, so that the caret stands right under text with letters beyond ASCII.
  int column(size_t offset) const {
    return 1 + static_cast<int>(
                   std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(offset),
                                 [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }

  [[noreturn]] void fail(size_t offset, const std::string& problem) const {
    std::string shown = text_;
    std::replace_if(shown.begin(), shown.end(), is_space, ' ');
    const int position = column(offset);
    throw InputError("error in expression at position " + std::to_string(position) + ": " + problem + "\n  " +
                     shown + "\n  " + std::string(static_cast<size_t>(position - 1), ' ') + "^");
  }

  [[noreturn]] void expected(const std::string& what) const {
    const bool end = token_.kind == Token::Kind::end;
    fail(token_.offset, "expected " + what + ", found " + (end ? "the end" : "'" + token_.text + "'"));
  }

  void end() const {
    if (token_.kind == Token::Kind::end) return;
    expected(is_sign(")") ? "the end: this parenthesis was not opened" : "an operator or the end");
  }

  NodePointer bounded(NodePointer node, size_t offset) const {
    if (node->depth > max_depth) fail(offset, "nested deeper than " + std::to_string(max_depth));
    return node;
  }

  void advance() {
    while (next_ < text_.size() && is_space(text_[next_])) ++next_;
    token_ = Token{Token::Kind::end, "", 0, next_};
    if (next_ == text_.size()) return;
    const char c = text_[next_];
    if (is_digit(c) || (c == '.' && next_ + 1 < text_.size() && is_digit(text_[next_ + 1])))
      return read_number();
    if (is_letter(c)) return read_name();
    read_sign();
  }

  void read_number() {
    const char* begin = text_.data() + next_;
    const auto [stop, error] = std::from_chars(begin, text_.data() + text_.size(), token_.number);
    if (error != std::errc()) fail(next_, "the number is beyond the range of double precision");
    take(Token::Kind::number, static_cast<size_t>(stop - begin));
  }

  void read_name() {
    size_t length = 1;
    while (next_ + length < text_.size() &&
           (is_letter(text_[next_ + length]) || is_digit(text_[next_ + length]))) {
      ++length;
    }
    take(Token::Kind::name, length);
  }

  void read_sign() {
    for (const char* sign :
         {"**", "<=", ">=", "==", "!=", "<", ">", "=", "+", "-", "*", "/", "^", "(", ")", ","}) {
      const std::string candidate = sign;
      if (text_.compare(next_, candidate.size(), candidate) == 0)
        return take(Token::Kind::sign, candidate.size());
    }
    size_t length = 1;
    while (next_ + length < text_.size() &&
           (static_cast<unsigned char>(text_[next_ + length]) & 0xC0) == 0x80) {
      ++length;
    }
    fail(next_, "unexpected character '" + text_.substr(next_, length) + "'");
  }

  void take(Token::Kind kind, size_t length) {
    token_.kind = kind;
    token_.text = text_.substr(next_, length);
    next_ += length;
  }

  bool is_sign(const char* sign) const { return token_.kind == Token::Kind::sign && token_.text == sign; }

  bool accept(const char* sign) {
    if (!is_sign(sign)) return false;
    advance();
    return true;
  }

  // The operation of the table on this level that the token writes.
  std::optional<B> operation(Level level) const {
    if (token_.kind != Token::Kind::sign) return std::nullopt;
    if (level == power_level && token_.text == "**") return B::power;
    for (const auto& row : binary_table) {
      if (row.level == level && token_.text == row.name) return row.function;
    }
    return std::nullopt;
  }

  NodePointer comparison() {
    NodePointer left = sum();
    const auto function = operation(comparison_level);
    if (!function) return left;
    const size_t offset = token_.offset;
    advance();
    const NodePointer right = sum();
    if (operation(comparison_level)) expected("an operator or the end: comparisons do not chain");
    compared_at_ = offset;
    return bounded(make_binary(*function, left, right), offset);
  }

  NodePointer sum() {
    NodePointer left = product();
    while (const auto function = operation(sum_level)) {
      const size_t offset = token_.offset;
      advance();
      left = bounded(make_binary(*function, left, product()), offset);
    }
    return left;
  }

  NodePointer product() {
    NodePointer left = signed_power();
    while (const auto function = operation(product_level)) {
      const size_t offset = token_.offset;
      advance();
      left = bounded(make_binary(*function, left, signed_power()), offset);
    }
    return left;
  }

  NodePointer signed_power() {
    const Nesting nesting(*this);
    const size_t offset = token_.offset;
    if (accept("-")) return bounded(make_unary(U::negate, signed_power()), offset);
    if (accept("+")) return signed_power();
    return power();
  }

  NodePointer power() {
    const NodePointer base = primary();
    if (!operation(power_level)) return base;
    const size_t offset = token_.offset;
    advance();
    return bounded(make_binary(B::power, base, signed_power()), offset);
  }

  NodePointer primary() {
    if (token_.kind == Token::Kind::number) {
      const double value = token_.number;
      advance();
      return make_number(value);
    }
    if (token_.kind == Token::Kind::name) return name_or_call();
    if (!accept("(")) expected("a number, a name or '('");
    const NodePointer inside = comparison();
    if (!accept(")")) expected("an operator or ')'");
    return inside;
  }

  NodePointer name_or_call() {
    const std::string name = token_.text;
    const size_t offset = token_.offset;
    advance();
    if (is_sign("(")) return bounded(call(name, offset), offset);
    if (is_function(name)) expected("'(' after the function '" + name + "'");
    for (const auto& constant : constant_table) {
      if (name == constant.name) return make_number(constant.value, name);
    }
    // One node for each name: a name is then looked up once in an evaluation.
    NodePointer& node = names_[name];
    if (!node) node = make_name(name, column(offset));
    return node;
  }

  NodePointer call(const std::string& name, size_t offset) {
    if (!is_function(name) && !operator_named(name)) {
      const std::string hint = "; did you mean '" + nearest_name(name, function_names()) + "'?";
      fail(offset, "unknown function '" + name + "'" + hint);
    }
    advance();
    if (name == "d") return call_with_names(NodeKind::derivative, "the name of a coordinate", 1, offset);
    if (name == "mean") return call_with_names(NodeKind::velocity_mean, "the name of a component of the velocity", 0, offset);
    const std::vector<NodePointer> arguments = call_arguments();
    const auto require = [&](size_t count) {
      if (arguments.size() != count) fail(offset, wrong_count(name, std::to_string(count), arguments.size()));
    };
    if (const auto function = unary_named(name)) {
      require(1);
      return make_unary(*function, arguments[0]);
    }
    if (const auto function = binary_named(name)) {
      require(2);
      return make_binary(*function, arguments[0], arguments[1]);
    }
    if (name == "where") {
      require(3);
      return make_node(NodeKind::where, arguments);
    }
    if (name == "div") {
      if (arguments.empty()) fail(offset, wrong_count(name, "at least 1", 0));
    } else {
      require(name == "lap" ? 1 : 2);
    }
    return make_node(*operator_named(name), arguments);
  }

  static std::string wrong_count(const std::string& name, const std::string& wanted, size_t given) {
    return "'" + name + "' takes " + wanted +
           (wanted == "1" || wanted == "at least 1" ? " argument" : " arguments") + ", " +
           std::to_string(given) + " given";
  }

  std::vector<NodePointer> call_arguments() {
    std::vector<NodePointer> arguments;
    if (accept(")")) return arguments;
    do {
      arguments.push_back(comparison());
    } while (accept(","));
    if (!accept(")")) expected("an operator, ',' or ')'");
    return arguments;
  }

  // d(f, x, ...) and mean(f, u, ...): a formula, then names.
  NodePointer call_with_names(NodeKind kind, const std::string& what, size_t fewest, size_t offset) {
    const auto require = [&](size_t given) {
      if (given < fewest + 1)
        fail(offset, wrong_count(operator_name(kind), fewest ? "at least 2" : "at least 1", given));
    };
    if (is_sign(")")) require(0);
    const NodePointer inside = comparison();
    if (is_sign(")")) require(1);
    std::vector<std::string> names;
    while (accept(",")) {
      if (token_.kind != Token::Kind::name) expected(what);
      names.push_back(token_.text);
      advance();
    }
    if (!accept(")")) expected(names.empty() ? "an operator, ',' or ')'" : "',' or ')'");
    return make_node(kind, {inside}, names);
  }

  // Counts the recursion of the parser itself: parentheses and signs nest without making nodes.
  struct Nesting {
    explicit Nesting(Parser& parser) : parser_(parser) {
      if (++parser_.nesting_ > max_nesting) {
        parser_.fail(parser_.token_.offset, "nested deeper than " + std::to_string(max_nesting));
      }
    }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    Parser& parser_;
  };

  const std::string& text_;
  size_t next_ = 0;
  Token token_;
  int nesting_ = 0;
  size_t compared_at_ = 0;  // offset of the comparison finished last, which encloses those before it
  std::unordered_map<std::string, NodePointer> names_;
};

// ---------------------------------------------------------------------------------------------------------
// Printing

struct Printed {
  std::string text;
  Level level = primary_level;
};

std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), result.ptr);
}

Printed print(const NodePointer& node);

std::string operand(const NodePointer& node, Level least, bool is_right) {
  const Printed printed = print(node);
  const bool bare = printed.level >= least && !(is_right && printed.text[0] == '-');
  return bare ? printed.text : "(" + printed.text + ")";
}

std::string call_text(const std::string& name, const ExpressionNode& node) {
  std::string text = name + "(";
  for (size_t i = 0; i < node.children.size(); ++i) text += (i ? ", " : "") + print(node.children[i]).text;
  for (const auto& coordinate : node.coordinates) text += ", " + coordinate;
  return text + ")";
}

Printed print_binary(const ExpressionNode& node) {
  const auto& [function, name, level] = entry(node.binary);
  if (level == primary_level) return {call_text(name, node), primary_level};
  const bool power = level == power_level;
  const Level left = power ? primary_level : level == comparison_level ? sum_level : level;
  const Level right = power ? power_level : static_cast<Level>(level + 1);
  const std::string space = level <= sum_level ? " " : "";
  return {
      operand(node.children[0], left, false) + space + name + space + operand(node.children[1], right, true),
      level};
}

Printed print(const NodePointer& node) {
  switch (node->kind) {
    case NodeKind::number:
      if (!node->name.empty()) return {node->name, primary_level};
      return {number_text(node->number), std::signbit(node->number) ? signed_level : primary_level};
    case NodeKind::name:
      return {node->name, primary_level};
    case NodeKind::unary:
      if (node->unary == U::negate)
        return {"-" + operand(node->children[0], power_level, true), signed_level};
      return {call_text(function_name(node->unary), *node), primary_level};
    case NodeKind::binary:
      return print_binary(*node);
    case NodeKind::where:
      return {call_text("where", *node), primary_level};
    default:
      return {call_text(operator_name(node->kind), *node), primary_level};
  }
}

// ---------------------------------------------------------------------------------------------------------
// Simplifying arithmetic

bool is_value(const Expression& a, double value) {
  return node_of(a)->constant && node_of(a)->number == value;
}

bool is_negated(const Expression& a) {
  return node_of(a)->kind == NodeKind::unary && node_of(a)->unary == U::negate;
}

Expression child(const Expression& a, size_t i) {
  return wrap(node_of(a)->children[i]);
}

// A number times something that varies.
bool is_scaled(const Expression& a) {
  return node_of(a)->kind == NodeKind::binary && node_of(a)->binary == B::multiply &&
         child(a, 0).is_constant() && !a.is_constant();
}

// A constant becomes one number, unless it is not finite: then the formula shows where that comes from.
Expression folded(NodePointer node) {
  if (node->constant && node->kind != NodeKind::number && std::isfinite(node->number)) {
    return wrap(make_number(node->number));
  }
  return wrap(std::move(node));
}

Expression square(const Expression& a) {
  return pow(a, Expression::number(2));
}

// ---------------------------------------------------------------------------------------------------------
// Derivatives

class Differentiation {
 public:
  explicit Differentiation(const std::function<Expression(const std::string&)>& of_name)
      : of_name_(of_name) {}

  Expression operator()(const NodePointer& node) {
    if (node->constant) return Expression();
    const auto found = known_.find(node.get());
    if (found != known_.end()) return found->second;
    return known_.emplace(node.get(), compute(node)).first->second;
  }

 private:
  Expression compute(const NodePointer& node) {
    switch (node->kind) {
      case NodeKind::name:
        return of_name_(node->name);
      case NodeKind::unary: {
        const Expression inner = (*this)(node->children[0]);
        return inner.is_zero() ? inner : unary(wrap(node), wrap(node->children[0])) * inner;
      }
      case NodeKind::binary:
        return binary(wrap(node), wrap(node->children[0]), wrap(node->children[1]));
      case NodeKind::where:
        return Expression::where(wrap(node->children[0]), (*this)(node->children[1]),
                                 (*this)(node->children[2]));
      default:
        throw std::logic_error("an expression with operators has no derivative: expand them first");
    }
  }

  // df/da of f = function(a).
  static Expression unary(const Expression& f, const Expression& a) {
    const Expression one = Expression::number(1);
    const auto call = [&](U function) { return Expression::call(function, a); };
    switch (node_of(f)->unary) {
      case U::negate:
        return -one;
      case U::sin:
        return call(U::cos);
      case U::cos:
        return -call(U::sin);
      case U::tan:
        return one + square(f);
      case U::asin:
        return one / Expression::call(U::sqrt, one - square(a));
      case U::acos:
        return -(one / Expression::call(U::sqrt, one - square(a)));
      case U::atan:
        return one / (one + square(a));
      case U::sinh:
        return call(U::cosh);
      case U::cosh:
        return call(U::sinh);
      case U::tanh:
        return one - square(f);
      case U::sech:
        return -(f * call(U::tanh));
      case U::exp:
        return f;
      case U::log:
        return one / a;
      case U::sqrt:
        return Expression::number(0.5) / f;
      case U::abs:
        return call(U::sign);
      case U::erf:
        return gauss(a);
      case U::erfc:
        return -gauss(a);
      case U::sign:
      case U::step:
        return Expression();
    }
    throw std::logic_error("derivative of an unknown function");
  }

  static Expression gauss(const Expression& a) {
    return Expression::number(2 * std::numbers::inv_sqrtpi) * Expression::call(U::exp, -square(a));
  }

  Expression binary(const Expression& f, const Expression& a, const Expression& b) {
    const B function = node_of(f)->binary;
    if (entry(function).level == comparison_level) return Expression();
    const Expression da = (*this)(node_of(a));
    const Expression db = (*this)(node_of(b));
    switch (function) {
      case B::add:
        return da + db;
      case B::subtract:
        return da - db;
      case B::multiply:
        return da * b + a * db;
      case B::divide:
        return db.is_zero() ? da / b : (da - f * db) / b;
      case B::power:
        return power(f, a, b, da, db);
      case B::atan2:
        return (b * da - a * db) / (square(a) + square(b));
      case B::min:
        return Expression::where(Expression::call(B::less_equal, a, b), da, db);
      default:  // max
        return Expression::where(Expression::call(B::greater_equal, a, b), da, db);
    }
  }

  // a^b: b a^(b-1) a' + a^b log(a) b', without the logarithm where the exponent does not vary.
  static Expression power(const Expression& f, const Expression& a, const Expression& b, const Expression& da,
                          const Expression& db) {
    const Expression one = Expression::number(1);
    const Expression of_base = da.is_zero() ? da : b * pow(a, b - one) * da;
    if (db.is_zero()) return of_base;
    return of_base + f * Expression::call(U::log, a) * db;
  }

  const std::function<Expression(const std::string&)>& of_name_;
  std::unordered_map<const ExpressionNode*, Expression> known_;
};

// ---------------------------------------------------------------------------------------------------------
// Rewriting: children first, then the node; what does not change is kept, not copied

class Rewriting {
 public:
  using Rule = std::function<std::optional<Expression>(const NodePointer& rebuilt)>;

  explicit Rewriting(Rule rule) : rule_(std::move(rule)) {}

  Expression operator()(const NodePointer& node) {
    const auto found = known_.find(node.get());
    if (found != known_.end()) return found->second;
    Expression rebuilt = with_new_children(node);
    // Functions only change with their arguments; what they simplify to is not to be rewritten again.
    const bool ruled = node->children.empty() || is_operator(node->kind);
    if (ruled) rebuilt = rule_(node_of(rebuilt)).value_or(rebuilt);
    return known_.emplace(node.get(), rebuilt).first->second;
  }

 private:
  Expression with_new_children(const NodePointer& node) {
    std::vector<Expression> children;
    bool changed = false;
    for (const auto& old : node->children) {
      children.push_back((*this)(old));
      changed = changed || node_of(children.back()) != old;
    }
    return changed ? rebuild(*node, children) : wrap(node);
  }

  static Expression rebuild(const ExpressionNode& node, const std::vector<Expression>& children) {
    switch (node.kind) {
      case NodeKind::unary:
        return Expression::call(node.unary, children[0]);
      case NodeKind::binary:
        return Expression::call(node.binary, children[0], children[1]);
      case NodeKind::where:
        return Expression::where(children[0], children[1], children[2]);
      default: {
        std::vector<NodePointer> nodes;
        for (const auto& expression : children) nodes.push_back(node_of(expression));
        return wrap(make_node(node.kind, nodes, node.coordinates));
      }
    }
  }

  Rule rule_;
  std::unordered_map<const ExpressionNode*, Expression> known_;
};

class OperatorExpansion {
 public:
  OperatorExpansion(const std::vector<std::string>& coordinates, const std::vector<std::string>& space,
                    const std::function<Expression(const std::string&, const std::string&)>& of_name,
                    const std::function<Expression(const Expression&, const std::vector<std::string>&)>& mean)
      : coordinates_(coordinates), space_(space), of_name_(of_name), mean_(mean) {}

  std::optional<Expression> operator()(const NodePointer& node) const {
    if (!is_operator(node->kind)) return std::nullopt;
    const auto argument = [&](size_t i) { return wrap(node->children[i]); };
    if (node->kind == NodeKind::derivative) return derivative(node);
    if (node->kind == NodeKind::velocity_mean) return mean(node);
    if (node->kind == NodeKind::divergence) check_divergence(node);
    Expression sum;
    for (size_t i = 0; i < space_.size(); ++i) {
      const std::string& x = space_[i];
      if (node->kind == NodeKind::laplacian) sum = sum + total(total(argument(0), x), x);
      if (node->kind == NodeKind::gradient_product) sum = sum + total(argument(0), x) * total(argument(1), x);
      if (node->kind == NodeKind::divergence) sum = sum + total(argument(i), x);
    }
    return sum;
  }

 private:
  Expression total(const Expression& f, const std::string& coordinate) const {
    return f.derivative([&](const std::string& name) { return of_name_(name, coordinate); });
  }

  Expression derivative(const NodePointer& node) const {
    Expression result = wrap(node->children[0]);
    for (const auto& coordinate : node->coordinates) {
      if (std::find(coordinates_.begin(), coordinates_.end(), coordinate) == coordinates_.end()) {
        throw InputError(unknown_name_message("coordinate", coordinate, coordinates_) + " (in " +
                         print(node).text + ")");
      }
      result = total(result, coordinate);
    }
    return result;
  }

  Expression mean(const NodePointer& node) const {
    if (!mean_) throw InputError("'mean' is the mean over velocities, of which there are none, in " + print(node).text);
    return mean_(wrap(node->children[0]), node->coordinates);
  }

  void check_divergence(const NodePointer& node) const {
    if (node->children.size() == space_.size()) return;
    throw InputError("'div' takes one argument for each space coordinate: " + std::to_string(space_.size()) +
                     " wanted, " + std::to_string(node->children.size()) + " given in " + print(node).text);
  }

  const std::vector<std::string>& coordinates_;
  const std::vector<std::string>& space_;
  const std::function<Expression(const std::string&, const std::string&)>& of_name_;
  const std::function<Expression(const Expression&, const std::vector<std::string>&)>& mean_;
};

void collect_names(const NodePointer& node, std::unordered_set<const ExpressionNode*>& seen,
                   std::unordered_set<std::string>& found, std::vector<NameUse>& names) {
  if (node->constant || !seen.insert(node.get()).second) return;
  if (node->kind == NodeKind::name && found.insert(node->name).second)
    names.push_back({node->name, node->position});
  // A mean's own velocity is known inside of it only.
  const auto bound = node->kind == NodeKind::velocity_mean ? node->coordinates : std::vector<std::string>{};
  if (bound.empty()) {
    for (const auto& next : node->children) collect_names(next, seen, found, names);
    return;
  }
  std::unordered_set<const ExpressionNode*> seen_inside;
  std::unordered_set<std::string> found_inside;
  std::vector<NameUse> inside;
  collect_names(node->children[0], seen_inside, found_inside, inside);
  for (const auto& use : inside)
    if (std::find(bound.begin(), bound.end(), use.name) == bound.end() && found.insert(use.name).second) names.push_back(use);
}

// Splits the rest of a jet's name into coordinates, `order` counting them; longer coordinates first.
bool split_coordinates(const std::string& rest, const std::vector<std::string>& coordinates,
                       const std::vector<size_t>& longest_first, std::vector<int>& order) {
  if (rest.empty()) return true;
  for (const size_t i : longest_first) {
    const std::string& coordinate = coordinates[i];
    if (coordinate.empty() || !rest.starts_with(coordinate)) continue;
    ++order[i];
    if (split_coordinates(rest.substr(coordinate.size()), coordinates, longest_first, order)) return true;
    --order[i];
  }
  return false;
}

std::vector<size_t> longest_first(const std::vector<std::string>& words) {
  std::vector<size_t> order(words.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return words[a].size() > words[b].size(); });
  return order;
}

template <class Function>
Eigen::ArrayXd broadcast(const Eigen::ArrayXd& a, const Eigen::ArrayXd& b, Function function) {
  if (a.size() == b.size()) return function(a, b);
  if (a.size() == 1) return function(Eigen::ArrayXd::Constant(b.size(), a[0]), b);
  if (b.size() == 1) return function(a, Eigen::ArrayXd::Constant(a.size(), b[0]));
  throw std::invalid_argument("arrays of sizes " + std::to_string(a.size()) + " and " +
                              std::to_string(b.size()) + " do not fit together");
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------

const char* function_name(UnaryFunction function) {
  return std::find_if(unary_table.begin(), unary_table.end(),
                      [&](const auto& row) { return row.function == function; })
      ->name;
}

const char* function_name(BinaryFunction function) {
  return entry(function).name;
}

Expression::Expression() : node_(make_number(0)) {}

Expression Expression::parse(const std::string& text) {
  return Expression(Parser(text).formula());
}

Expression Expression::equation(const std::string& text) {
  return Expression(Parser(text).equation());
}

Expression Expression::number(double value) {
  if (!std::isfinite(value)) throw std::invalid_argument("an expression's number must be finite");
  return Expression(make_number(value));
}

Expression Expression::name(const std::string& name) {
  const bool fits = !name.empty() && is_letter(name[0]) &&
                    std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
  if (!fits || is_reserved(name))
    throw std::invalid_argument("'" + name + "' cannot be a name in an expression");
  return Expression(make_name(name, 0));
}

bool Expression::is_reserved(const std::string& name) {
  return is_function(name) || std::any_of(constant_table.begin(), constant_table.end(),
                                          [&](const auto& constant) { return name == constant.name; });
}

std::vector<NameUse> Expression::names() const {
  std::unordered_set<const ExpressionNode*> seen;
  std::unordered_set<std::string> found;
  std::vector<NameUse> result;
  collect_names(node_, seen, found, result);
  return result;
}

std::string Expression::str() const {
  return print(node_).text;
}

double Expression::constant_value() const {
  if (is_constant()) return node_->number;
  const auto free = names();
  const std::string reason = free.empty() ? "it has operators" : "it uses the name '" + free[0].name + "'";
  throw InputError("the expression '" + str() + "' is not a constant: " + reason);
}

Expression Expression::derivative(const std::function<Expression(const std::string&)>& of_name) const {
  return Differentiation(of_name)(node_);
}

Expression Expression::partial(const std::string& name) const {
  return derivative([&](const std::string& other) { return number(other == name ? 1 : 0); });
}

Expression Expression::substitute(
    const std::function<std::optional<Expression>(const std::string&)>& of_name) const {
  return Rewriting([&](const NodePointer& node) {
    return node->kind == NodeKind::name ? of_name(node->name) : std::nullopt;
  })(node_);
}

Expression Expression::expand_operators(
    const std::vector<std::string>& coordinates, const std::vector<std::string>& space,
    const std::function<Expression(const std::string&, const std::string&)>& of_name,
    const std::function<Expression(const Expression&, const std::vector<std::string>&)>& mean) const {
  if (!has_operators()) return *this;
  return Rewriting(OperatorExpansion(coordinates, space, of_name, mean))(node_);
}

double Expression::evaluate(const std::map<std::string, double>& values) const {
  return evaluate(ScalarAlgebra(), [&](const std::string& name) {
    const auto found = values.find(name);
    if (found != values.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [key, value] : values) known.push_back(key);
    throw InputError(unknown_name_message("name", name, known) + " (in " + str() + ")");
  });
}

bool operator==(const Expression& a, const Expression& b) {
  return same(a.node_, b.node_);
}

Expression operator-(const Expression& a) {
  return is_negated(a) ? child(a, 0) : folded(make_unary(U::negate, a.node_));
}

Expression operator+(const Expression& a, const Expression& b) {
  if (is_value(a, 0)) return b;
  if (is_value(b, 0)) return a;
  if (is_negated(b)) return a - child(b, 0);
  return folded(make_binary(B::add, a.node_, b.node_));
}

Expression operator-(const Expression& a, const Expression& b) {
  if (is_value(a, 0)) return -b;
  if (is_value(b, 0)) return a;
  if (is_negated(b)) return a + child(b, 0);
  return folded(make_binary(B::subtract, a.node_, b.node_));
}

Expression operator*(const Expression& a, const Expression& b) {
  if (b.is_constant() && !a.is_constant()) return b * a;
  if (is_value(a, 0) || is_value(b, 0)) return Expression();
  if (is_value(a, 1)) return b;
  if (is_value(a, -1)) return -b;
  if (a.is_constant() && is_scaled(b)) return (a * child(b, 0)) * child(b, 1);
  if (is_scaled(b)) return child(b, 0) * (a * child(b, 1));
  if (is_scaled(a)) return child(a, 0) * (child(a, 1) * b);
  return folded(make_binary(B::multiply, a.node_, b.node_));
}

Expression operator/(const Expression& a, const Expression& b) {
  if (is_value(a, 0) && !is_value(b, 0)) return Expression();
  if (is_value(b, 1)) return a;
  if (b.is_constant() && is_scaled(a)) return (child(a, 0) / b) * child(a, 1);
  return folded(make_binary(B::divide, a.node_, b.node_));
}

Expression pow(const Expression& a, const Expression& b) {
  if (is_value(b, 0) || is_value(a, 1)) return Expression::number(1);
  if (is_value(b, 1)) return a;
  return folded(make_binary(B::power, node_of(a), node_of(b)));
}

Expression Expression::call(UnaryFunction function, const Expression& a) {
  return function == U::negate ? -a : folded(make_unary(function, a.node_));
}

Expression Expression::call(BinaryFunction function, const Expression& a, const Expression& b) {
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
      return pow(a, b);
    default:
      return folded(make_binary(function, a.node_, b.node_));
  }
}

Expression Expression::where(const Expression& condition, const Expression& then,
                             const Expression& otherwise) {
  if (condition.is_constant()) return condition.is_zero() ? otherwise : then;
  const bool same_value =
      then.is_constant() && otherwise.is_constant() && then.node_->number == otherwise.node_->number;
  if (then.node_ == otherwise.node_ || same_value) return then;
  return folded(make_node(NodeKind::where, {condition.node_, then.node_, otherwise.node_}));
}

// ---------------------------------------------------------------------------------------------------------
// Algebras

std::optional<int> small_integer_exponent(double exponent) {
  if (std::abs(exponent) > 8 || exponent != std::floor(exponent)) return std::nullopt;
  return static_cast<int>(exponent);
}

double ScalarAlgebra::unary(UnaryFunction function, double a) const {
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
      return 1 / std::cosh(a);
    case U::exp:
      return std::exp(a);
    case U::log:
      return std::log(a);
    case U::sqrt:
      return std::sqrt(a);
    case U::abs:
      return std::abs(a);
    case U::sign:
      return a > 0 ? 1 : a < 0 ? -1 : a;
    case U::step:
      return a >= 0 ? 1 : 0;
    case U::erf:
      return std::erf(a);
    case U::erfc:
      return std::erfc(a);
  }
  throw std::logic_error("unknown function of one argument");
}

double ScalarAlgebra::binary(BinaryFunction function, double a, double b) const {
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
      if (const auto n = small_integer_exponent(b)) return integer_power(*this, a, *n);
      return std::pow(a, b);
    case B::atan2:
      return std::atan2(a, b);
    case B::min:
      return std::min(a, b);
    case B::max:
      return std::max(a, b);
    case B::less:
      return a < b;
    case B::less_equal:
      return a <= b;
    case B::greater:
      return a > b;
    case B::greater_equal:
      return a >= b;
    case B::equal:
      return a == b;
    case B::not_equal:
      return a != b;
  }
  throw std::logic_error("unknown function of two arguments");
}

Eigen::ArrayXd ArrayAlgebra::unary(UnaryFunction function, const Eigen::ArrayXd& a) const {
  switch (function) {
    case U::negate:
      return -a;
    case U::sin:
      return a.sin();
    case U::cos:
      return a.cos();
    case U::exp:
      return a.exp();
    case U::log:
      return a.log();
    case U::sqrt:
      return a.sqrt();
    case U::abs:
      return a.abs();
    default:
      return a.unaryExpr([function](double x) { return ScalarAlgebra().unary(function, x); });
  }
}

Eigen::ArrayXd ArrayAlgebra::binary(BinaryFunction function, const Eigen::ArrayXd& a,
                                    const Eigen::ArrayXd& b) const {
  switch (function) {
    case B::add:
      return broadcast(a, b, [](const auto& x, const auto& y) { return x + y; });
    case B::subtract:
      return broadcast(a, b, [](const auto& x, const auto& y) { return x - y; });
    case B::multiply:
      return broadcast(a, b, [](const auto& x, const auto& y) { return x * y; });
    case B::divide:
      return broadcast(a, b, [](const auto& x, const auto& y) { return x / y; });
    default:
      return broadcast(a, b, [function](const auto& x, const auto& y) {
        return x.binaryExpr(
            y, [function](double p, double q) { return ScalarAlgebra().binary(function, p, q); });
      });
  }
}

Eigen::ArrayXd ArrayAlgebra::where(const Eigen::ArrayXd& condition, const Eigen::ArrayXd& then,
                                   const Eigen::ArrayXd& otherwise) const {
  const Eigen::Index size = condition.size() != 1 ? condition.size()
                            : then.size() != 1    ? then.size()
                                                  : otherwise.size();
  const auto stretched = [&](const Eigen::ArrayXd& a) -> Eigen::ArrayXd {
    if (a.size() != size && a.size() != 1) {
      throw std::invalid_argument("arrays of sizes " + std::to_string(a.size()) + " and " +
                                  std::to_string(size) + " do not fit together");
    }
    return a.size() == size ? a : Eigen::ArrayXd::Constant(size, a[0]);
  };
  return (stretched(condition) != 0).select(stretched(then), stretched(otherwise));
}

// ---------------------------------------------------------------------------------------------------------
// Jets

std::optional<JetName> parse_jet_name(const std::string& name, const std::vector<std::string>& fields,
                                      const std::vector<std::string>& coordinates) {
  const std::vector<size_t> coordinate_order = longest_first(coordinates);
  for (const size_t i : longest_first(fields)) {
    JetName jet{fields[i], std::vector<int>(coordinates.size(), 0)};
    if (name == fields[i]) return jet;
    if (!name.starts_with(fields[i] + "_") || name.size() == fields[i].size() + 1) continue;
    const std::string rest = name.substr(fields[i].size() + 1);
    if (split_coordinates(rest, coordinates, coordinate_order, jet.order_per_coordinate)) return jet;
  }
  return std::nullopt;
}

std::string jet_name(const std::string& field, const std::vector<int>& order_per_coordinate,
                     const std::vector<std::string>& coordinates) {
  if (order_per_coordinate.size() != coordinates.size()) {
    throw std::invalid_argument("a derivative of " + field + " needs one order for each coordinate");
  }
  std::string suffix;
  for (size_t i = 0; i < coordinates.size(); ++i) {
    if (order_per_coordinate[i] < 0)
      throw std::invalid_argument("a derivative of " + field + " has a negative order");
    for (int k = 0; k < order_per_coordinate[i]; ++k) suffix += coordinates[i];
  }
  return suffix.empty() ? field : field + "_" + suffix;
}

}  // namespace torsor
