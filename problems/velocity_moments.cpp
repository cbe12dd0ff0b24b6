#include "problems/velocity_moments.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "physics/error.h"

namespace torsor {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;

/// Of the largest summand: sums below are zero but for rounding.
constexpr double kRounding = 1e-13;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string without_spaces(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
  return text;
}

Expression plus_times(const Expression& sum, double factor, const Expression& term) {
  return sum + Expression::number(factor) * term;
}

}  // namespace

VelocityUnknown parse_velocity_unknown(const std::string& text, const VelocityBasis& basis) {
  const size_t open = text.find('('), close = text.find(')');
  if (open == std::string::npos || close == std::string::npos || close < open)
    throw InputError("unknown '" + text + "': parentheses do not match");
  VelocityUnknown unknown;
  unknown.name = without_spaces(text.substr(0, open));
  if (without_spaces(text.substr(open + 1, close - open - 1)) != without_spaces(joined(basis.names)))
    throw InputError("unknown '" + text + "': the velocity is " + joined(basis.names));
  bool zero_mean = false, even = true, odd = true;
  std::istringstream words(text.substr(close + 1));
  for (std::string word; words >> word;) {
    if (word == "zero-mean") zero_mean = true;
    else if (word == "even") odd = false;
    else if (word == "odd") even = false;
    else throw InputError("unknown '" + text + "': " + unknown_name_message("word", word, {"zero-mean", "even", "odd"}));
  }
  for (int l = 0; l < static_cast<int>(basis.size()); ++l) {
    const bool is_even = basis.degrees[static_cast<size_t>(l)] % 2 == 0;
    if ((is_even ? even : odd) && !(zero_mean && l == 0)) unknown.moments.push_back(l);
  }
  if (unknown.moments.empty()) throw InputError("unknown '" + text + "': no moment is left on these velocities");
  return unknown;
}

// ---- splitting ------------------------------------------------------------------------------------------------------

/// coefficient(x) shape(v), times a jet of an unknown if `jet` names one.
struct VelocityMoments::Product {
  Expression coefficient = Expression::number(1);
  ArrayXd shape;           // at the nodes
  std::string jet;
  double scale = 0;        // of the summands that shape was added up from
  bool mixed = false;      // coefficient(x, v) does not split
};

struct VelocityMoments::Value {
  Expression whole;
  bool velocity = false;   // the velocity occurs
  bool others = false;     // other names occur
  bool jets = false;       // jets of unknowns of the velocity occur
  std::vector<Product> products;

  bool of_velocity_alone() const { return !others; }  // numbers included
  bool free_of_velocity() const { return !velocity && !jets; }
  bool mixed() const {
    return std::any_of(products.begin(), products.end(), [](const Product& p) { return p.mixed; });
  }
};

/// What Expression::evaluate needs to split a formula.
class VelocityMoments::Algebra {
 public:
  using Value = VelocityMoments::Value;
  explicit Algebra(const VelocityMoments& moments) : moments_(moments) {}

  Value constant(double number) const { return of_velocity(Expression::number(number), ArrayXd::Constant(size(), number)); }

  Value name(const std::string& name) const {
    const auto& names = moments_.basis_.names;
    const auto component = std::find(names.begin(), names.end(), name);
    if (component != names.end())
      return of_velocity(Expression::name(name), moments_.basis_.nodes.col(component - names.begin()).array(), true);
    Value value = unsplit(Expression::name(name), {});
    value.others = true;
    if (!moments_.unknown_jet(name)) return value;
    value.jets = true;
    value.products = {product(Expression::number(1), ArrayXd::Ones(size()), name)};
    return value;
  }

  Value unary(UnaryFunction function, const Value& a) const {
    const Expression whole = Expression::call(function, a.whole);
    if (function == UnaryFunction::negate) return scaled(whole, a, ArrayXd::Constant(size(), -1.0));
    if (a.of_velocity_alone())
      return of_velocity(whole, at_nodes(a).unaryExpr([&](double x) { return ScalarAlgebra().unary(function, x); }), a.velocity);
    return unsplit(whole, {&a});
  }

  Value binary(BinaryFunction function, const Value& a, const Value& b) const {
    const Expression whole = Expression::call(function, a.whole, b.whole);
    if (a.of_velocity_alone() && b.of_velocity_alone())
      return of_velocity(whole, at_nodes(a).binaryExpr(at_nodes(b), [&](double x, double y) { return ScalarAlgebra().binary(function, x, y); }),
                         a.velocity || b.velocity);
    switch (function) {
      case BinaryFunction::add: return sum(whole, a, b);
      case BinaryFunction::subtract: return sum(whole, a, unary(UnaryFunction::negate, b));
      case BinaryFunction::multiply: return times(whole, a, b);
      case BinaryFunction::divide: return over(whole, a, b);
      default: return unsplit(whole, {&a, &b});
    }
  }

  Value where(const Value& condition, const Value& then, const Value& otherwise) const {
    const Expression whole = Expression::where(condition.whole, then.whole, otherwise.whole);
    if (!condition.of_velocity_alone()) return unsplit(whole, {&condition, &then, &otherwise});
    const ArrayXd holds = (at_nodes(condition) != 0).cast<double>();
    return sum(whole, scaled(whole, then, holds), scaled(whole, otherwise, 1.0 - holds));
  }

 private:
  Index size() const { return moments_.basis_.size(); }

  static Product product(const Expression& coefficient, const ArrayXd& shape, const std::string& jet = "") {
    return {coefficient, shape, jet, shape.abs().maxCoeff(), false};
  }

  Value of_velocity(const Expression& whole, const ArrayXd& shape, bool velocity = false) const {
    Value value;
    value.whole = whole;
    value.velocity = velocity;
    value.products = {product(Expression::number(1), shape)};
    return value;
  }

  static ArrayXd at_nodes(const Value& a) {
    ArrayXd values = a.products.front().shape;
    for (size_t i = 1; i < a.products.size(); ++i) values += a.products[i].shape;
    return values;
  }

  /// A function of these values that is no sum of products, unless the velocity does not occur at all.
  Value unsplit(const Expression& whole, const std::vector<const Value*>& of) const {
    Value value = flags(whole, of);
    value.products = {product(whole, ArrayXd::Ones(size()))};
    value.products.front().mixed = !value.free_of_velocity();
    return value;
  }

  static Value flags(const Expression& whole, const std::vector<const Value*>& of) {
    Value value;
    value.whole = whole;
    for (const Value* part : of) {
      value.velocity |= part->velocity;
      value.others |= part->others;
      value.jets |= part->jets;
    }
    return value;
  }

  static Value scaled(const Expression& whole, const Value& a, const ArrayXd& factor) {
    Value value = a;
    value.whole = whole;
    for (auto& product : value.products) product.shape *= factor;
    return value;
  }

  static Value sum(const Expression& whole, const Value& a, const Value& b) {
    Value value = flags(whole, {&a, &b});
    value.products = a.products;
    value.products.insert(value.products.end(), b.products.begin(), b.products.end());
    return value;
  }

  Value times(const Expression& whole, const Value& a, const Value& b) const {
    constexpr size_t kMany = 256;
    if ((a.jets && b.jets) || a.mixed() || b.mixed() || a.products.size() * b.products.size() > kMany)
      return unsplit(whole, {&a, &b});
    if (a.free_of_velocity() && b.free_of_velocity() && !a.of_velocity_alone() && !b.of_velocity_alone())
      return unsplit(whole, {&a, &b});
    Value value = flags(whole, {&a, &b});
    for (const auto& p : a.products)
      for (const auto& q : b.products)
        value.products.push_back({p.coefficient * q.coefficient, p.shape * q.shape, p.jet + q.jet, p.scale * q.scale, false});
    return value;
  }

  Value over(const Expression& whole, const Value& a, const Value& b) const {
    if (a.mixed() || !(b.of_velocity_alone() || b.free_of_velocity())) return unsplit(whole, {&a, &b});
    Value value = flags(whole, {&a, &b});
    for (Product p : a.products) {
      if (b.of_velocity_alone()) {
        p.shape /= at_nodes(b);
        p.scale = p.shape.abs().maxCoeff();
      } else {
        p.coefficient = p.coefficient / b.whole;
      }
      value.products.push_back(std::move(p));
    }
    return value;
  }

  const VelocityMoments& moments_;
};

VelocityMoments::VelocityMoments(VelocityBasis basis, std::vector<VelocityUnknown> unknowns,
                                 std::vector<std::string> coordinates)
    : basis_(std::move(basis)), unknowns_(std::move(unknowns)), coordinates_(std::move(coordinates)) {
  for (const auto& unknown : unknowns_) unknown_names_.push_back(unknown.name);
}

/// The summands, those with equal coefficient and jet put together.
std::vector<VelocityMoments::Product> VelocityMoments::split(const Expression& formula) const {
  const Algebra algebra(*this);
  const Value value = formula.evaluate(algebra, [&](const std::string& name) { return algebra.name(name); });
  std::vector<Product> products;
  for (const auto& p : value.products) {
    const auto known = std::find_if(products.begin(), products.end(), [&](const Product& q) {
      return q.jet == p.jet && q.mixed == p.mixed && q.coefficient == p.coefficient;
    });
    if (known == products.end()) {
      products.push_back(p);
    } else {
      known->shape += p.shape;
      known->scale = std::max(known->scale, p.scale);
    }
  }
  return products;
}

// ---- moments --------------------------------------------------------------------------------------------------------

std::optional<JetName> VelocityMoments::unknown_jet(const std::string& name) const {
  return parse_jet_name(name, unknown_names_, coordinates_);
}

const VelocityUnknown& VelocityMoments::unknown(const std::string& name) const {
  return unknowns_[static_cast<size_t>(std::find(unknown_names_.begin(), unknown_names_.end(), name) - unknown_names_.begin())];
}

std::string VelocityMoments::moment_jet(const JetName& jet, int l) const {
  return jet_name(unknown(jet.field).moment_name(l), jet.order_per_coordinate, coordinates_);
}

bool VelocityMoments::depends(const Expression& formula) const {
  const auto uses = formula.names();
  return std::any_of(uses.begin(), uses.end(), [&](const NameUse& use) {
    return std::find(basis_.names.begin(), basis_.names.end(), use.name) != basis_.names.end() || unknown_jet(use.name);
  });
}

namespace {

/// A sum of numbers times terms in which equal terms meet, and cancel.
class Sum {
 public:
  void add(double factor, const Expression& term) {
    const auto known = std::find_if(parts_.begin(), parts_.end(), [&](const Part& part) { return part.term == term; });
    if (known == parts_.end()) {
      parts_.push_back({term, factor, std::abs(factor)});
    } else {
      known->factor += factor;
      known->scale = std::max(known->scale, std::abs(factor));
    }
  }
  Expression expression() const {
    Expression sum;
    for (const auto& part : parts_)
      if (std::abs(part.factor) > kRounding * part.scale) sum = plus_times(sum, part.factor, part.term);
    return sum;
  }

 private:
  struct Part {
    Expression term;
    double factor, scale;
  };
  std::vector<Part> parts_;
};

}  // namespace

Expression VelocityMoments::moment(const std::vector<Product>& products, Index l) const {
  const ArrayXd weighted = basis_.weights.array() * basis_.polynomials.col(l).array();
  Sum sum;
  for (const auto& p : products) {
    const ArrayXd shape = weighted * p.shape;
    const double negligible = kRounding * p.scale;
    if (p.mixed) {
      for (Index j = 0; j < basis_.size(); ++j) sum.add(shape[j], at_node(p.coefficient, j));
    } else if (p.jet.empty()) {
      if (std::abs(shape.sum()) > negligible) sum.add(shape.sum(), p.coefficient);
    } else {
      const JetName jet = *unknown_jet(p.jet);
      for (const int m : unknown(jet.field).moments) {
        const double factor = (shape * basis_.polynomials.col(m).array()).sum();
        if (std::abs(factor) > negligible) sum.add(factor, p.coefficient * Expression::name(moment_jet(jet, m)));
      }
    }
  }
  return sum.expression();
}

std::vector<Expression> VelocityMoments::moments(const Expression& formula) const {
  const auto products = split(formula);
  std::vector<Expression> all;
  for (Index l = 0; l < basis_.size(); ++l) all.push_back(moment(products, l));
  return all;
}

Expression VelocityMoments::mean(const Expression& formula) const {
  return depends(formula) ? moment(split(formula), 0) : formula;
}

Expression VelocityMoments::mean_over(const std::vector<std::string>& components, const Expression& formula) const {
  if (components.size() != basis_.names.size())
    throw InputError("mean over a second velocity of " + std::to_string(components.size()) + " components; the velocity has " +
                     std::to_string(basis_.names.size()));
  Expression sum;
  for (Index j = 0; j < basis_.size(); ++j)
    sum = plus_times(sum, basis_.weights[j], formula.substitute([&](const std::string& name) -> std::optional<Expression> {
      const auto component = std::find(components.begin(), components.end(), name);
      if (component == components.end()) return std::nullopt;
      return Expression::number(basis_.nodes(j, component - components.begin()));
    }));
  return sum;
}

Expression VelocityMoments::at_node(const Expression& formula, Index j) const {
  return formula.substitute([&](const std::string& name) -> std::optional<Expression> {
    const auto component = std::find(basis_.names.begin(), basis_.names.end(), name);
    if (component != basis_.names.end()) return Expression::number(basis_.nodes(j, component - basis_.names.begin()));
    const auto jet = unknown_jet(name);
    if (!jet) return std::nullopt;
    Expression sum;
    for (const int m : unknown(jet->field).moments)
      sum = plus_times(sum, basis_.polynomials(j, m), Expression::name(moment_jet(*jet, m)));
    return sum;
  });
}

Eigen::MatrixXd VelocityMoments::linear_map(const Expression& formula, const std::vector<std::string>& fields) const {
  const auto column = [&](const std::string& name) {
    const auto found = std::find(fields.begin(), fields.end(), name);
    if (found == fields.end()) throw InputError("'" + name + "' is not the value of an unknown");
    return found - fields.begin();
  };
  Eigen::MatrixXd map = Eigen::MatrixXd::Zero(basis_.size(), static_cast<Index>(fields.size()));
  for (const auto& p : split(formula)) {
    const auto uses = p.coefficient.names();
    const bool bare = p.jet.empty() ? uses.size() == 1 && p.coefficient == Expression::name(uses.front().name) : uses.empty();
    if (p.mixed || !bare)
      throw InputError("it is not linear in the unknowns with constant coefficients: " + p.coefficient.str());
    if (p.jet.empty()) {
      map.col(column(uses.front().name)) += p.shape.matrix();
      continue;
    }
    const JetName jet = *unknown_jet(p.jet);
    for (const int m : unknown(jet.field).moments)
      map.col(column(moment_jet(jet, m))) += (p.coefficient.constant_value() * p.shape * basis_.polynomials.col(m).array()).matrix();
  }
  return map;
}

}  // namespace torsor
