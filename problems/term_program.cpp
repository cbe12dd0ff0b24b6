#include "problems/term_program.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <stdexcept>
#include <tuple>

#include "physics/error.h"

namespace torsor {

/// Records what an evaluation does instead of doing it; equal operations become one.
class TermProgram::Recorder {
 public:
  using Value = int;

  explicit Recorder(std::vector<Register>& registers) : registers_(registers) {}

  Value constant(double value) const {
    Register entry;
    entry.values = Eigen::ArrayXd::Constant(1, value);
    return add({0, 0, 0, 0, 0, value}, std::move(entry));
  }
  Value unary(UnaryFunction function, Value a) const {
    return operation(Kind::unary, static_cast<int>(function), {a, -1, -1}, [&](Register& r) { r.unary = function; });
  }
  Value binary(BinaryFunction function, Value a, Value b) const {
    return operation(Kind::binary, static_cast<int>(function), {a, b, -1}, [&](Register& r) { r.binary = function; });
  }
  Value where(Value condition, Value then, Value otherwise) const {
    return operation(Kind::where, 0, {condition, then, otherwise}, [](Register&) {});
  }

  Value data(const Eigen::VectorXd& values) const {
    Register entry;
    entry.kind = Kind::data;
    entry.values = values;
    registers_.push_back(std::move(entry));
    return last();
  }
  Value jet(Index column) const {
    Register entry;
    entry.kind = Kind::jet;
    entry.fixed = false;
    entry.jet = column;
    registers_.push_back(std::move(entry));
    return last();
  }

 private:
  using Key = std::tuple<int, int, int, int, int, double>;

  template <class Fill>
  Value operation(Kind kind, int function, std::array<int, 3> operands, const Fill& fill) const {
    Register entry;
    entry.kind = kind;
    entry.operands = operands;
    for (const int operand : operands)
      entry.fixed = entry.fixed && (operand < 0 || registers_[static_cast<size_t>(operand)].fixed);
    fill(entry);
    return add({static_cast<int>(kind), function, operands[0], operands[1], operands[2], 0}, std::move(entry));
  }
  Value add(const Key& key, Register entry) const {
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    registers_.push_back(std::move(entry));
    return known_[key] = last();
  }
  Value last() const { return static_cast<Value>(registers_.size()) - 1; }

  std::vector<Register>& registers_;
  mutable std::map<Key, Value> known_;
};

TermProgram::TermProgram(const Problem& problem, const Term& term, const Eigen::MatrixXd& points,
                         const Eigen::MatrixXd& normals)
    : points_(points.rows()) {
  if (!term.formula) throw InputError("term '" + term.name + "' is not given by a formula");
  const Recorder recorder(registers_);
  std::map<std::string, int> names;
  for (Index i = 0; i < problem.dimension(); ++i) {
    const std::string& coordinate = problem.coordinates[static_cast<size_t>(i)].name;
    names[coordinate] = recorder.data(points.col(i));
    if (normals.size() > 0) names["n_" + coordinate] = recorder.data(normals.col(i));
  }
  for (const auto& [name, values] : term.data) names[name] = recorder.data(values(points));
  for (size_t c = 0; c < term.jets.size(); ++c) names[problem.jet_text(term.jets[c])] = recorder.jet(static_cast<Index>(c));
  const auto lookup = [&](const std::string& name) {
    const auto found = names.find(name);
    if (found == names.end()) throw std::logic_error("a residual asks for '" + name + "', which it did not declare");
    return found->second;
  };
  residual_ = term.formula->evaluate(recorder, lookup);
  for (const auto& jet : term.jets)
    coefficients_.push_back(term.formula->partial(problem.jet_text(jet)).evaluate(recorder, lookup));
  for (auto& entry : registers_)
    if (entry.fixed && entry.values.size() == 0)
      entry.values = compute(entry, [&](int r) -> const Eigen::ArrayXd& { return registers_[static_cast<size_t>(r)].values; });
  check_finite(problem, term, points);
  // Fixed registers that only other fixed ones read have served.
  std::vector<bool> read(registers_.size(), false);
  const auto mark = [&](int r) {
    if (r >= 0) read[static_cast<size_t>(r)] = true;
  };
  mark(residual_);
  for (const int r : coefficients_) mark(r);
  for (const auto& entry : registers_)
    if (!entry.fixed)
      for (const int r : entry.operands) mark(r);
  for (size_t r = 0; r < registers_.size(); ++r)
    if (registers_[r].fixed && !read[r]) registers_[r].values.resize(0);
}

Eigen::ArrayXd TermProgram::compute(const Register& entry, const std::function<const Eigen::ArrayXd&(int)>& of) {
  const ArrayAlgebra algebra;
  switch (entry.kind) {
    case Kind::unary: return algebra.unary(entry.unary, of(entry.operands[0]));
    case Kind::binary: return algebra.binary(entry.binary, of(entry.operands[0]), of(entry.operands[1]));
    case Kind::where: return algebra.where(of(entry.operands[0]), of(entry.operands[1]), of(entry.operands[2]));
    default: throw std::logic_error("a register without an operation was computed");
  }
}

void TermProgram::check_finite(const Problem& problem, const Term& term, const Eigen::MatrixXd& points) const {
  // Branches that `where` does not take may be anything.
  const auto check = [&](int r) {
    const Register& entry = registers_[static_cast<size_t>(r)];
    if (!entry.fixed || entry.values.allFinite()) return;
    for (Index k = 0; k < entry.values.size(); ++k)
      if (!std::isfinite(entry.values[k]))
        throw NumericalError("term '" + term.name + "' (" + term.text + "): not finite at " +
                             point_text(problem, points.row(std::min(k, points.rows() - 1))));
  };
  check(residual_);
  for (const int r : coefficients_) check(r);
  for (const auto& entry : registers_)
    if (!entry.fixed && entry.kind != Kind::where)
      for (const int r : entry.operands)
        if (r >= 0) check(r);
}

void TermProgram::evaluate(Index first, const Eigen::Ref<const Eigen::MatrixXd>& jets,
                           Eigen::Ref<Eigen::VectorXd> residual, Eigen::MatrixXd* coefficients) const {
  const Index count = jets.rows();
  std::vector<Eigen::ArrayXd> values(registers_.size());
  const auto of = [&](int r) -> const Eigen::ArrayXd& {
    Eigen::ArrayXd& own = values[static_cast<size_t>(r)];
    const Register& entry = registers_[static_cast<size_t>(r)];
    if (own.size() > 0 || !entry.fixed) return own;
    if (entry.values.size() == 1) return own = entry.values;
    return own = entry.values.segment(first, count);
  };
  for (size_t r = 0; r < registers_.size(); ++r) {
    const Register& entry = registers_[r];
    if (entry.fixed) continue;
    if (entry.kind == Kind::jet)
      values[r] = jets.col(entry.jet).array();
    else
      values[r] = compute(entry, of);
  }
  const auto column = [&](int r) -> Eigen::VectorXd {
    const Eigen::ArrayXd& own = of(r);
    if (own.size() == count) return own.matrix();
    return Eigen::VectorXd::Constant(count, own[0]);
  };
  residual = column(residual_);
  if (!coefficients) return;
  coefficients->resize(count, static_cast<Index>(coefficients_.size()));
  for (size_t c = 0; c < coefficients_.size(); ++c) coefficients->col(static_cast<Index>(c)) = column(coefficients_[c]);
}

}  // namespace torsor
