#include "solvers/train/inner_head.h"

#include <algorithm>
#include <cmath>

#include "operators/network_body.h"
#include "physics/error.h"
#include "solvers/dense/triangular_solve.h"

namespace torsor {
namespace {

constexpr int kIterations = 10;
constexpr double kConverged = 1e-8;  // relative change of the head

/// The unknowns of one solve: one head for each field, or one shared by all tasks.
class InnerHead {
 public:
  InnerHead(const std::vector<Problem>& tasks, const TaskNetwork& network, const std::vector<PointSet>& sets,
            const Eigen::VectorXd& factors)
      : tasks_(tasks), network_(network), sets_(sets), factors_(factors) {}

  /// The heads of these tasks, which share `outputs`: the same network outputs.
  void solve(const std::vector<Index>& tasks, Eigen::VectorXd& parameters) const {
    for (int iteration = 0; iteration < kIterations; ++iteration) {
      const double change = iterate(tasks, parameters);
      if (change < kConverged) return;
    }
  }

 private:
  /// Of one output.
  Index features() const { return network_.shape().layer_inputs(network_.shape().layers() - 1) + 1; }

  /// One linearisation; the relative change of the heads.
  double iterate(const std::vector<Index>& tasks, Eigen::VectorXd& parameters) const {
    const Index columns = features() * network_.fields() * network_.mode_count();
    StreamedQr qr(static_cast<int>(columns), 1);
    for (const Index t : tasks) {
      const Solution now = network_.solution(tasks_[static_cast<size_t>(t)], t, parameters, false);
      for (size_t s = 0; s < sets_.size(); ++s)
        if (sets_[s].task == t && factors_[static_cast<Index>(s)] != 0)
          absorb(sets_[s], factors_[static_cast<Index>(s)], now, qr);
    }
    TriangularOptions options;
    options.max_growth = 1e12;
    const TriangularSolution solved = solve_triangular(qr, options);
    const Eigen::Map<const Eigen::VectorXd> heads(solved.w.column(0), columns);
    return replace(tasks.front(), heads, parameters);
  }

  void absorb(const PointSet& set, double factor, const Solution& now, StreamedQr& qr) const {
    const Problem& problem = tasks_[static_cast<size_t>(set.task)];
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    const Eigen::MatrixXd jets = now.jets(set.points, term.jets);
    const LinearizedTerm linear = linearize(problem, term, set.points, set.normals, jets);
    const Index n = set.points.rows();
    Eigen::VectorXd scale = Eigen::VectorXd::Constant(n, std::sqrt(factor / static_cast<double>(n)));
    if (set.weights.size() > 0) scale.array() *= set.weights.array().sqrt();
    Eigen::MatrixXd rows = Eigen::MatrixXd::Zero(n, qr.columns() + 1);
    const Eigen::MatrixXd coefficients = scale.asDiagonal() * linear.coefficients;
    const Ansatz& ansatz = *now.windows()[0].ansatz;
    ansatz.add_rows(0, set.points, term.jets, coefficients, rows.data(), nullptr, rows.rows());
    const Eigen::MatrixXd of_head = jets - ansatz.lift_jets(set.points, term.jets);
    rows.rightCols(1) = coefficients.cwiseProduct(of_head).rowwise().sum() - scale.cwiseProduct(linear.residual);
    qr.absorb(rows.data(), static_cast<int>(n), static_cast<int>(n), rows.col(qr.columns()).data(), static_cast<int>(n));
  }

  double replace(Index task, const Eigen::VectorXd& heads, Eigen::VectorXd& parameters) const {
    const NetworkShape& shape = network_.shape();
    const Index last = shape.layers() - 1, inputs = shape.layer_inputs(last);
    double change = 0, size = 0;
    const auto put = [&](double& place, double value) {
      change += (value - place) * (value - place);
      size += value * value;
      place = value;
    };
    // Outputs of one task follow each other as the columns of its head do: field by field, mode by mode.
    for (Index k = 0; k < network_.fields() * network_.mode_count(); ++k) {
      const Index o = network_.output(task, 0) + k;
      for (Index j = 0; j < inputs; ++j) put(parameters[shape.weight_offset(last) + o * inputs + j], heads[k * features() + j]);
      put(parameters[shape.bias_offset(last) + o], heads[k * features() + inputs]);
    }
    return std::sqrt(change / std::max(size, 1e-300));
  }

  const std::vector<Problem>& tasks_;
  const TaskNetwork& network_;
  const std::vector<PointSet>& sets_;
  const Eigen::VectorXd& factors_;
};

}  // namespace

void solve_inner_heads(const std::vector<Problem>& tasks, const TaskNetwork& network, const std::vector<PointSet>& sets,
                       const Eigen::VectorXd& factors, Eigen::VectorXd& parameters) {
  const InnerHead head(tasks, network, sets, factors);
  std::vector<Index> all;
  for (Index t = 0; t < network.tasks(); ++t) {
    all.push_back(t);
    if (network.own_heads()) head.solve({t}, parameters);
  }
  if (!network.own_heads()) head.solve(all, parameters);
}

}  // namespace torsor
