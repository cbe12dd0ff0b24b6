#include "solvers/head/null_space.h"

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <utility>

#include "physics/random.h"
#include "problems/residual.h"
#include "solvers/head/ansatz.h"

namespace torsor {
namespace {

FieldJet value_of(const Problem& problem, Index field) {
  return {field, MultiIndex(static_cast<size_t>(problem.dimension()), 0)};
}

using Data = std::function<Eigen::VectorXd(const Eigen::MatrixXd&)>;

Eigen::VectorXd no_data(const Eigen::MatrixXd& points) { return Eigen::VectorXd::Zero(points.rows()); }

// White noise contains every mode: with this scale, a part of size one in each mode of rms one.
Data noise(uint64_t seed) {
  return [seed](const Eigen::MatrixXd& points) {
    Random random(seed);
    Eigen::VectorXd values(points.rows());
    for (auto& value : values) value = random.normal();
    return Eigen::VectorXd(std::sqrt(static_cast<double>(points.rows())) * values);
  };
}

Problem with_values(Problem problem, const std::function<Data(Index field)>& data) {
  const auto fields = static_cast<Index>(problem.fields.size());
  for (Index f = 0; f < fields; ++f)
    problem.terms.push_back(given_value_term(problem, "pull " + problem.fields[static_cast<size_t>(f)].name,
                                             Place::interior, value_of(problem, f), data(f)));
  return problem;
}

Problem homogeneous(Problem problem) {
  for (auto& term : problem.terms) term = homogeneous_term(problem, term);
  return problem;
}

struct Quadrature {
  Eigen::MatrixXd points;   // N x d
  Eigen::VectorXd weights;  // N, sum 1
};

// Golub and Welsch, "Calculation of Gauss quadrature rules", Math. Comp. 23 (1969): nodes in (-1, 1), weights of sum 1.
std::pair<Eigen::VectorXd, Eigen::VectorXd> gauss_legendre(Index n) {
  Eigen::VectorXd off_diagonal(n - 1);
  for (Index k = 1; k < n; ++k) {
    const auto m = static_cast<double>(k);
    off_diagonal[k - 1] = m / std::sqrt(4 * m * m - 1);
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(Eigen::VectorXd::Zero(n), off_diagonal);
  return {solver.eigenvalues(), solver.eigenvectors().row(0).cwiseAbs2().transpose()};
}

Quadrature tensor_quadrature(const std::vector<PartitionAxis>& axes, const Eigen::VectorXd& resolution) {
  // A product of two fields of bandwidth B needs about B nodes, and some more to converge.
  const double most = axes.size() <= 2 ? 200 : 24;
  Quadrature rule{Eigen::MatrixXd(1, 0), Eigen::VectorXd::Ones(1)};
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto [nodes, weights] = gauss_legendre(static_cast<Index>(std::min(most, 16 + resolution[static_cast<Index>(i)])));
    const double low = axes[i].edges().front(), high = axes[i].edges().back();
    const Index before = rule.points.rows(), n = nodes.size();
    Quadrature next{Eigen::MatrixXd(before * n, static_cast<Index>(i) + 1), Eigen::VectorXd(before * n)};
    for (Index k = 0; k < before; ++k)
      for (Index j = 0; j < n; ++j) {
        next.points.row(k * n + j) << rule.points.row(k), 0.5 * (low + high + (high - low) * nodes[j]);
        next.weights[k * n + j] = rule.weights[k] * weights[j];
      }
    rule = std::move(next);
  }
  return rule;
}

Quadrature quadrature(const Problem& problem, const std::vector<PartitionAxis>& axes, const Eigen::VectorXd& resolution) {
  if (problem.box && problem.dimension() <= 3) return tensor_quadrature(axes, resolution);
  CollocationOptions options;
  options.sampler = "sobol";
  options.interior = 8192;
  const auto sets = collocation_points(problem, axes, options.interior, options);
  const Eigen::MatrixXd& inside = interior_of(problem, sets);
  const Index n = inside.rows();
  return {inside, Eigen::VectorXd::Constant(n, 1 / static_cast<double>(n))};
}

// Fields of heads at the nodes times the roots of the weights, all fields of a head in one column.
Eigen::MatrixXd weighted_fields(const Problem& problem, const Ansatz& ansatz, const Quadrature& rule,
                                const Eigen::MatrixXd& heads) {
  const Index n = rule.points.rows(), fields = ansatz.fields();
  std::vector<FieldJet> values;
  for (Index f = 0; f < fields; ++f) values.push_back(value_of(problem, f));
  Eigen::MatrixXd result(n * fields, heads.cols());
  for (Index j = 0; j < heads.cols(); ++j) {
    const Eigen::MatrixXd at_nodes = ansatz.jets(rule.points, values, heads.col(j));
    for (Index f = 0; f < fields; ++f)
      result.col(j).segment(f * n, n) = at_nodes.col(f).cwiseProduct(rule.weights.cwiseSqrt());
  }
  return result;
}

}  // namespace

PulledTasks pull_tasks(const std::vector<const Problem*>& tasks, const std::vector<PartitionAxis>& axes, Index features,
                       const CollocationOptions& collocation, std::vector<TermPoints> points, double epsilon,
                       uint64_t seed) {
  const Problem& problem = *tasks.front();
  PulledTasks result{{}, std::move(points)};
  for (const auto* task : tasks) result.problems.push_back(with_values(*task, [](Index) { return no_data; }));
  const Problem zero = homogeneous(problem);
  for (Index i = 0; i < kPulls; ++i)
    result.problems.push_back(with_values(zero, [&](Index field) {
      return noise(stream_seed(seed, static_cast<uint64_t>(i * static_cast<Index>(problem.fields.size()) + field)));
    }));
  CollocationOptions uniform = collocation;
  uniform.sampler = "grid";
  const Eigen::MatrixXd interior = interior_of(problem, collocation_points(problem, axes, features, uniform));
  for (size_t f = 0; f < problem.fields.size(); ++f)
    result.points.push_back({static_cast<Index>(problem.terms.size() + f), interior, {}, epsilon, false});
  return result;
}

NullSpace remove_null_space(const Problem& problem, const std::vector<PartitionAxis>& axes, const Ansatz& ansatz,
                            const Eigen::VectorXd& resolution, double epsilon, Eigen::MatrixXd& heads) {
  const Index tasks = heads.cols() - kPulls;
  const Eigen::MatrixXd pulls = heads.rightCols(kPulls);
  heads.conservativeResize(Eigen::NoChange, tasks);
  const Quadrature rule = quadrature(problem, axes, resolution);
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(weighted_fields(problem, ansatz, rule, pulls),
                                              Eigen::ComputeThinU | Eigen::ComputeThinV);
  // Each pull leaves about epsilon^2 / (epsilon^2 + s^2) in a mode with singular value s. Where that is not small, the
  // equations do not determine the mode at the accuracy epsilon. The part of null modes that the features miss, or that
  // rounding disturbs, lowers it; it then still is well above that of determined modes, whose s is 1e-6 or more.
  const double size = std::sqrt(static_cast<double>(kPulls));
  const double undetermined = 0.2 * size, determined = std::min(1.0, std::pow(epsilon / 4e-6, 2)) * size;
  const auto& values = svd.singularValues();
  NullSpace found;
  while (found.dimension < kPulls && values[found.dimension] > undetermined) ++found.dimension;
  // Null modes are far above all others, which fall off without a gap.
  constexpr double kGap = 50;
  for (Index i = found.dimension; i + 1 < kPulls && values[i] > determined; ++i)
    found.unresolved = found.unresolved || values[i] > kGap * values[i + 1];
  if (found.dimension == 0) return found;
  const Eigen::MatrixXd modes = svd.matrixU().leftCols(found.dimension);
  const Eigen::MatrixXd of_heads = pulls * svd.matrixV().leftCols(found.dimension) *
                                   svd.singularValues().head(found.dimension).cwiseInverse().asDiagonal();
  heads -= of_heads * (modes.transpose() * weighted_fields(problem, ansatz, rule, heads));
  return found;
}

}  // namespace torsor
