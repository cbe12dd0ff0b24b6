// Formulas of kinetic equations in moments. An unknown f(x, v) of the velocity is
//
//   f(x, v_j) = sum_l f_l(x) p_l(v_j),     f_l = <p_l f>,
//
// with the orthonormal polynomials of physics/velocity_basis.h: its moments f_l are fields of the coordinates alone. Mass
// and parity are built in by leaving moments out: an unknown of zero mean has no f_0, an even one no odd moments. A formula
// E(x, v) = 0 becomes the moments <p_l E> = 0. Linear transport couples each moment to its neighbours only.
//
// To find moments a formula is split into products c(x) s(v) or c(x) s(v) f, f a jet of an unknown; what does not split
// (nonlinear in f, or x and v in one function) is summed over the nodes. Both are exact on the nodes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "physics/expression.h"
#include "physics/velocity_basis.h"

namespace torsor {

/// An unknown that depends on the velocity.
struct VelocityUnknown {
  std::string name;
  std::vector<int> moments;  ///< the l it has
  /// "g3": the field of moment l = 3 of g.
  std::string moment_name(int l) const { return name + std::to_string(l); }
};

/// Reads "g(v) zero-mean even": the unknown's name and its moments. Throws InputError: other velocities than the basis
/// has, unknown words.
VelocityUnknown parse_velocity_unknown(const std::string& text, const VelocityBasis& basis);

class VelocityMoments {
 public:
  /// The names of jets of the unknowns are read with these coordinates.
  VelocityMoments(VelocityBasis basis, std::vector<VelocityUnknown> unknowns, std::vector<std::string> coordinates);

  const VelocityBasis& basis() const { return basis_; }

  /// Whether the velocity or an unknown of it occurs.
  bool depends(const Expression& formula) const;

  /// <p_l E> for all l, in the moments' names. Moments that vanish but for rounding are 0.
  std::vector<Expression> moments(const Expression& formula) const;

  /// <E>.
  Expression mean(const Expression& formula) const;

  /// The mean of a formula of a second velocity with these components: sum_j w_j E(x, v, u_j), u_j the nodes. Throws
  /// InputError for another number of components.
  Expression mean_over(const std::vector<std::string>& components, const Expression& formula) const;

  /// E(x, v_j).
  Expression at_node(const Expression& formula, Eigen::Index j) const;

  /// The matrix A of E(v_j) = sum_f A(j, f) fields[f]. Throws InputError when E is not linear in the fields' values
  /// with constant coefficients.
  Eigen::MatrixXd linear_map(const Expression& formula, const std::vector<std::string>& fields) const;

 private:
  struct Product;
  struct Value;
  class Algebra;
  std::vector<Product> split(const Expression& formula) const;
  std::optional<JetName> unknown_jet(const std::string& name) const;
  const VelocityUnknown& unknown(const std::string& name) const;
  std::string moment_jet(const JetName& jet, int l) const;
  Expression moment(const std::vector<Product>& products, Eigen::Index l) const;

  VelocityBasis basis_;
  std::vector<VelocityUnknown> unknowns_;
  std::vector<std::string> unknown_names_, coordinates_;
};

}  // namespace torsor
