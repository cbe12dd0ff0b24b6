#include "solvers/head/uniqueness.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <set>

namespace torsor {
namespace {

Eigen::MatrixXd coefficients_at(const Problem& problem, const TermPoints& set) {
  const Term& term = problem.terms[static_cast<size_t>(set.term)];
  const Eigen::MatrixXd zero = Eigen::MatrixXd::Zero(set.points.rows(), static_cast<Index>(term.jets.size()));
  return linearize(problem, term, set.points, set.normals, zero).coefficients;
}

// s of the docstring: +1, -1, or 0 where the condition fails.
int sign_at(const std::vector<FieldJet>& jets, const Eigen::Ref<const Eigen::VectorXd>& coefficients, Index d) {
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(d, d);
  double c = 0;
  for (size_t j = 0; j < jets.size(); ++j) {
    const double value = coefficients[static_cast<Index>(j)];
    const int order = total_order(jets[j].orders);
    if (order == 0) c = value;
    if (order > 2 && value != 0) return 0;
    if (order != 2) continue;
    std::vector<Index> along;
    for (Index i = 0; i < d; ++i)
      along.insert(along.end(), static_cast<size_t>(jets[j].orders[static_cast<size_t>(i)]), i);
    a(along[0], along[1]) += 0.5 * value;
    a(along[1], along[0]) += 0.5 * value;
  }
  const Eigen::VectorXd eigenvalues = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(a, Eigen::EigenvaluesOnly).eigenvalues();
  const double negligible = 1e-12 * eigenvalues.cwiseAbs().maxCoeff();
  if (eigenvalues.minCoeff() > negligible && c <= 0) return 1;
  if (eigenvalues.maxCoeff() < -negligible && c >= 0) return -1;
  return 0;
}

bool is_elliptic_with_sign(const Problem& problem, const TermPoints& interior) {
  const Term& term = problem.terms[static_cast<size_t>(interior.term)];
  const Eigen::MatrixXd coefficients = coefficients_at(problem, interior);
  const int sign = sign_at(term.jets, coefficients.row(0).transpose(), problem.dimension());
  for (Index k = 1; k < coefficients.rows() && sign != 0; ++k)
    if (sign_at(term.jets, coefficients.row(k).transpose(), problem.dimension()) != sign) return false;
  return sign != 0;
}

bool is_dirichlet(const Problem& problem, const TermPoints& boundary) {
  const Term& term = problem.terms[static_cast<size_t>(boundary.term)];
  const Eigen::MatrixXd coefficients = coefficients_at(problem, boundary);
  bool value = false;
  for (size_t j = 0; j < term.jets.size(); ++j) {
    const auto column = coefficients.col(static_cast<Index>(j)).cwiseAbs();
    if (total_order(term.jets[j].orders) == 0) value = column.minCoeff() > 0;
    else if (column.maxCoeff() > 0) return false;
  }
  return value;
}

}  // namespace

bool has_maximum_principle(const Problem& problem, const std::vector<TermPoints>& points) {
  if (problem.fields.size() != 1 || problem.time() >= 0 || problem.pieces.empty()) return false;
  std::set<std::string> covered;
  Index equations = 0;
  for (const auto& set : points) {
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    if (term.place == Place::interior) {
      if (++equations > 1 || !is_elliptic_with_sign(problem, set)) return false;
    } else {
      if (!is_dirichlet(problem, set)) return false;
      for (const auto& piece : problem.pieces_of(term)) covered.insert(piece);
    }
  }
  return equations == 1 && covered.size() == problem.pieces.size();
}

}  // namespace torsor
