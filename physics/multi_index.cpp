#include "physics/multi_index.h"

#include <algorithm>
#include <set>

namespace torsor {
namespace {

bool not_above(const MultiIndex& b, const MultiIndex& a) {
  for (size_t i = 0; i < a.size(); ++i)
    if (b[i] > a[i]) return false;
  return true;
}

double choose(int n, int k) {
  double value = 1;
  for (int i = 1; i <= k; ++i) value = value * (n - k + i) / i;
  return value;
}

}  // namespace

std::vector<MultiIndex> lower_set(const MultiIndex& a) {
  std::vector<MultiIndex> result{MultiIndex(a.size(), 0)};
  for (size_t i = 0; i < a.size(); ++i) {
    const size_t count = result.size();
    for (int order = 1; order <= a[i]; ++order)
      for (size_t k = 0; k < count; ++k) {
        result.push_back(result[k]);
        result.back()[i] = order;
      }
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<MultiIndex> lower_closure(const std::vector<MultiIndex>& indices) {
  std::set<MultiIndex> closure;
  for (const auto& a : indices)
    for (auto& b : lower_set(a)) closure.insert(b);
  return {closure.begin(), closure.end()};
}

double binomial(const MultiIndex& a, const MultiIndex& b) {
  double value = 1;
  for (size_t i = 0; i < a.size(); ++i) value *= choose(a[i], b[i]);
  return value;
}

Index find_index(const std::vector<MultiIndex>& list, const MultiIndex& a) {
  const auto found = std::find(list.begin(), list.end(), a);
  return found == list.end() ? -1 : found - list.begin();
}

namespace {

/// Calls visit(c, b, i, factor) for every pair b <= a = indices[c], with a - b = closure[i] and factor binom(a, b).
template <class Visit>
void for_each_leibniz_term(const std::vector<MultiIndex>& indices, const std::vector<MultiIndex>& closure,
                           const Visit& visit) {
  for (size_t c = 0; c < indices.size(); ++c)
    for (size_t b = 0; b < closure.size(); ++b) {
      if (!not_above(closure[b], indices[c])) continue;
      MultiIndex rest = indices[c];
      for (size_t i = 0; i < rest.size(); ++i) rest[i] -= closure[b][i];
      visit(static_cast<Index>(c), static_cast<Index>(b), find_index(closure, rest), binomial(indices[c], closure[b]));
    }
}

}  // namespace

Eigen::MatrixXd multiply_operator(const std::vector<MultiIndex>& indices, const Eigen::MatrixXd& coefficients,
                                  const std::vector<MultiIndex>& closure, const Eigen::MatrixXd& multiplier_jets) {
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(coefficients.rows(), static_cast<Index>(closure.size()));
  for_each_leibniz_term(indices, closure, [&](Index c, Index b, Index rest, double factor) {
    result.col(b).array() += factor * coefficients.col(c).array() * multiplier_jets.col(rest).array();
  });
  return result;
}

Eigen::MatrixXd product_jets(const std::vector<MultiIndex>& indices, const std::vector<MultiIndex>& closure,
                             const Eigen::MatrixXd& multiplier_jets, const Eigen::MatrixXd& field_jets) {
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(field_jets.rows(), static_cast<Index>(indices.size()));
  for_each_leibniz_term(indices, closure, [&](Index c, Index b, Index rest, double factor) {
    result.col(c).array() += factor * multiplier_jets.col(rest).array() * field_jets.col(b).array();
  });
  return result;
}

}  // namespace torsor
