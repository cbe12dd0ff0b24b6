// A body: feature functions phi_1 ... phi_m of the coordinates, whose linear combination is a field,
//
//   u(x) = sum_j w_j phi_j(x).
//
// The head w is found by least squares (solvers/head) or trained.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <string>
#include <vector>

#include "physics/multi_index.h"

namespace torsor {

class Body {
 public:
  virtual ~Body() = default;

  /// Number of coordinates d.
  virtual Index dimension() const = 0;
  /// Number of features m.
  virtual Index features() const = 0;
  /// Name of the kind, as in the configuration.
  virtual std::string kind() const = 0;

  /// Whether training found the features, which are then of any size and steep in places; random ones are alike.
  virtual bool is_trained() const { return false; }
  /// The same features for other constant inputs (the parameters of another task). Throws InputError for another number of
  /// them, and for a body without such inputs.
  virtual std::shared_ptr<const Body> with_constants(const Eigen::VectorXd& constants) const;

  /// Rows of a linear differential operator: with x_k the rows of `points` (N x d),
  ///   out(k, j) += sum_c coefficients(k, c) d^{indices[c]} phi_j(x_k),     coefficients N x indices.size(),
  /// out column-major, N x m with leading dimension `ld`. Thread-safe.
  virtual void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                        const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const = 0;

  /// Jets of the field with head `w` (m): N x indices.size(), column c = d^{indices[c]} u. Thread-safe.
  virtual Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                                     const std::vector<MultiIndex>& indices,
                                     const Eigen::Ref<const Eigen::VectorXd>& w) const;
};

}  // namespace torsor
