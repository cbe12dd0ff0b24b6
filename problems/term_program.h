// A term's residual and its derivatives by the jets as a short list of array operations, recorded once from the term's
// formula: what training evaluates in every step, block by block and from several threads. What depends on the points
// alone (data, coefficients) is computed once. The values are those of linearize() (problem.h).
#pragma once

#include <array>

#include "problems/problem.h"

namespace torsor {

class TermProgram {
 public:
  /// For points (N x d) with normals (N x d on boundaries, else empty). Throws InputError for a term that has no formula,
  /// NumericalError naming the point where what depends on the points alone is not finite.
  TermProgram(const Problem& problem, const Term& term, const Eigen::MatrixXd& points, const Eigen::MatrixXd& normals);

  /// The residual r (count) and its derivatives by the jets (count x term.jets.size()) at points first ... first +
  /// count - 1, from the jets there (count x term.jets.size()). Without `coefficients` they are left out. Thread-safe.
  void evaluate(Index first, const Eigen::Ref<const Eigen::MatrixXd>& jets, Eigen::Ref<Eigen::VectorXd> residual,
                Eigen::MatrixXd* coefficients) const;

  Index points() const { return points_; }

 private:
  enum class Kind { constant, data, jet, unary, binary, where };
  struct Register {
    Kind kind = Kind::constant;
    bool fixed = true;          ///< depends on the points alone
    UnaryFunction unary{};
    BinaryFunction binary{};
    std::array<int, 3> operands{-1, -1, -1};
    Index jet = 0;              ///< of kind jet: the column
    Eigen::ArrayXd values;      ///< of fixed registers: one, or one for each point
  };
  class Recorder;

  static Eigen::ArrayXd compute(const Register& entry, const std::function<const Eigen::ArrayXd&(int)>& of);
  void check_finite(const Problem& problem, const Term& term, const Eigen::MatrixXd& points) const;

  Index points_ = 0;
  std::vector<Register> registers_;
  int residual_ = 0;
  std::vector<int> coefficients_;
};

}  // namespace torsor
