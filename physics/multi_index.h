// Multi-indices of partial derivatives and Leibniz' rule.
//
//   d^a u = d^|a| u / (dx_1^a_1 ... dx_d^a_d),     d^a (M u) = sum_{b <= a} binom(a, b) d^{a-b} M  d^b u.
#pragma once

#include <Eigen/Core>
#include <numeric>
#include <vector>

namespace torsor {

using Eigen::Index;

/// Orders of differentiation, one for each coordinate; all zero means the value itself.
using MultiIndex = std::vector<int>;

inline int total_order(const MultiIndex& a) { return std::accumulate(a.begin(), a.end(), 0); }

/// Every multi-index b <= a (componentwise), a itself included, in lexicographic order.
std::vector<MultiIndex> lower_set(const MultiIndex& a);

/// The union of the lower sets of all given indices: what the product rule needs. Sorted, without repeats.
std::vector<MultiIndex> lower_closure(const std::vector<MultiIndex>& indices);

/// binom(a, b) = prod_i binom(a_i, b_i), for b <= a.
double binomial(const MultiIndex& a, const MultiIndex& b);

/// Position of `a` in `list`; -1 when absent.
Index find_index(const std::vector<MultiIndex>& list, const MultiIndex& a);

/// Coefficients of the operator u -> L(M u) as an operator on u (the transpose of Leibniz' rule).
/// L = sum_c coefficients(:, c) d^{indices[c]}; `multiplier_jets(k, i)` holds d^{closure[i]} M at point k;
/// `closure` is a lower_closure of `indices`. Result: one column for each index of `closure`.
Eigen::MatrixXd multiply_operator(const std::vector<MultiIndex>& indices, const Eigen::MatrixXd& coefficients,
                                  const std::vector<MultiIndex>& closure, const Eigen::MatrixXd& multiplier_jets);

/// Jets of a product: column c = d^{indices[c]} (M u) from the jets of M and of u over the same `closure`, which must
/// be a lower_closure of `indices`.
Eigen::MatrixXd product_jets(const std::vector<MultiIndex>& indices, const std::vector<MultiIndex>& closure,
                             const Eigen::MatrixXd& multiplier_jets, const Eigen::MatrixXd& field_jets);

}  // namespace torsor
