#include "solvers/head/incompatible_data.h"

#include <Eigen/LU>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "problems/residual.h"
#include "solvers/head/collocation.h"

namespace torsor {
namespace {

constexpr double kFits = 1e-9;  // of the largest part of a boundary term

bool holds_values_only(const Term& term) {
  return std::all_of(term.jets.begin(), term.jets.end(), [](const FieldJet& jet) { return total_order(jet.orders) == 0; });
}

/// The fields at points of the initial face, N x fields, from the initial terms for their values, linearised about zero.
Eigen::MatrixXd initial_values(const Problem& problem, const Eigen::MatrixXd& points) {
  const auto fields = static_cast<Index>(problem.fields.size());
  std::vector<LinearizedTerm> rows;
  std::vector<const Term*> terms;
  for (const auto& term : problem.terms) {
    if (term.place != Place::initial || !holds_values_only(term)) continue;
    const Eigen::MatrixXd zero = Eigen::MatrixXd::Zero(points.rows(), static_cast<Index>(term.jets.size()));
    rows.push_back(linearize(problem, term, points, {}, zero));
    terms.push_back(&term);
  }
  Eigen::MatrixXd values(points.rows(), fields);
  for (Index k = 0; k < points.rows(); ++k) {
    Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(static_cast<Index>(rows.size()), fields);
    Eigen::VectorXd right(matrix.rows());
    for (size_t r = 0; r < rows.size(); ++r) {
      for (size_t c = 0; c < terms[r]->jets.size(); ++c)
        matrix(static_cast<Index>(r), terms[r]->jets[c].field) += rows[r].coefficients(k, static_cast<Index>(c));
      right[static_cast<Index>(r)] = -rows[r].residual[k];
    }
    const Eigen::VectorXd scale = matrix.rowwise().norm().cwiseMax(1e-300).cwiseInverse();
    const Eigen::MatrixXd scaled = scale.asDiagonal() * matrix;
    const Eigen::VectorXd solution = scaled.completeOrthogonalDecomposition().solve(scale.cwiseProduct(right));
    values.row(k) = solution.transpose();
  }
  return values;
}

Eigen::MatrixXd jets_of(const Term& term, const Eigen::MatrixXd& values) {
  Eigen::MatrixXd jets(values.rows(), static_cast<Index>(term.jets.size()));
  for (size_t c = 0; c < term.jets.size(); ++c) jets.col(static_cast<Index>(c)) = values.col(term.jets[c].field);
  return jets;
}

Eigen::MatrixXd at_start(const Problem& problem, Eigen::MatrixXd points) {
  points.col(problem.time()).setConstant(problem.coordinates[static_cast<size_t>(problem.time())].low);
  return points;
}

/// What the initial data leave in a boundary term.
Eigen::VectorXd misfit(const Problem& problem, const Term& term, const TermPoints& set) {
  const Eigen::MatrixXd points = at_start(problem, set.points);
  return evaluate_residual(problem, term, points, set.normals, jets_of(term, initial_values(problem, points)));
}

/// The size of what a boundary term balances.
double scale_of(const Problem& problem, const Term& term, const TermPoints& set, const Eigen::VectorXd& sizes) {
  const auto linear = linearize(problem, term, set.points, set.normals,
                                Eigen::MatrixXd::Zero(set.points.rows(), static_cast<Index>(term.jets.size())));
  double scale = linear.residual.cwiseAbs().maxCoeff();
  for (size_t c = 0; c < term.jets.size(); ++c)
    scale += linear.coefficients.col(static_cast<Index>(c)).cwiseAbs().maxCoeff() * sizes[term.jets[c].field];
  return scale;
}

double falling_factorial(int k, int i) {
  double product = 1;
  for (int j = 0; j < i; ++j) product *= k - j;
  return product;
}

double horner(const Eigen::VectorXd& coefficients, double s) {
  double value = 0;
  for (Index k = coefficients.size(); k-- > 0;) value = value * s + coefficients[k];
  return value;
}

}  // namespace

Eigen::VectorXd sizes_of_initial_data(const Problem& problem, const std::vector<TermPoints>& sets) {
  for (const auto& set : sets)
    if (problem.terms[static_cast<size_t>(set.term)].place == Place::initial)
      return initial_values(problem, set.points).colwise().norm() / std::sqrt(static_cast<double>(set.points.rows()));
  return Eigen::VectorXd::Zero(static_cast<Index>(problem.fields.size()));
}

Eigen::VectorXd ramp_polynomial(int moments) {
  constexpr int kAtStart = 3, kAtEnd = 4;  // values and derivatives
  const int n = kAtStart + kAtEnd + moments;
  Eigen::MatrixXd conditions(n, n);
  for (int k = 0; k < n; ++k) {
    for (int i = 0; i < kAtStart; ++i) conditions(i, k) = i == k ? falling_factorial(k, i) : 0;
    for (int i = 0; i < kAtEnd; ++i) conditions(kAtStart + i, k) = falling_factorial(k, i);
    for (int j = 0; j < moments; ++j) conditions(kAtStart + kAtEnd + j, k) = 1.0 / (k + j + 1);
  }
  return conditions.fullPivLu().solve(Eigen::VectorXd::Unit(n, 0));
}

IncompatibleData::IncompatibleData(const Problem& problem) : problem_(problem) {
  start_ = problem.coordinates[static_cast<size_t>(problem.time())].low;
  const auto sets = collocation_points(problem, whole_domain(problem), 16, {});
  const Eigen::VectorXd sizes = sizes_of_initial_data(problem, sets);
  for (const auto& set : sets) {
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    if (term.place != Place::boundary || !holds_values_only(term)) continue;
    const Eigen::VectorXd jump = misfit(problem, term, set).cwiseAbs();
    if (jump.maxCoeff() <= kFits * scale_of(problem, term, set, sizes)) continue;
    jumps_.push_back(set.term);
    for (Index k = 0; k < jump.size(); ++k) {
      if (jump[k] <= 0.5 * jump.maxCoeff()) continue;
      places_.conservativeResize(places_.rows() + 1, problem.dimension());
      places_.bottomRows(1) = set.points.row(k);
      places_(places_.rows() - 1, problem.time()) = start_;
    }
  }
}

Problem IncompatibleData::with_ramp(double ramp, int moments) const {
  Problem result = problem_;
  const Index t = problem_.time();
  const Eigen::VectorXd q = ramp_polynomial(moments);
  for (const Index k : jumps_) {
    Term& term = result.terms[static_cast<size_t>(k)];
    const auto factor = [start = start_, t, ramp, q](const Eigen::MatrixXd& points) -> Eigen::VectorXd {
      return points.col(t).unaryExpr([&](double now) { return now < start + ramp ? horner(q, (now - start) / ramp) : 0; });
    };
    const auto values = [problem = problem_, plain = term](const Eigen::MatrixXd& points) -> Eigen::MatrixXd {
      return jets_of(plain, initial_values(problem, at_start(problem, points)));
    };
    term = remembering_term(problem_, term, start_, factor, values);
  }
  return result;
}

}  // namespace torsor
