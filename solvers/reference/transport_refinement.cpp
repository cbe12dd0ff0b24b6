#include "solvers/reference/transport_refinement.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "physics/error.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/velocity_interpolation.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int kFirstCells = 64;
constexpr double kSeconds = 20.0;  // of all runs

struct Refined {
  TransportForm form;
  TransportRun finest;
  int cells;
  double estimate;
};

// The places of a run at its time k, as points (x, t).
MatrixXd points_at(const GridSolution& solution, size_t k) {
  MatrixXd points(solution.x().size(), 2);
  points << solution.x(), VectorXd::Constant(solution.x().size(), solution.times()[k]);
  return points;
}

// The part of the time interval that belongs to time k; 1 for a steady solution.
double share_of_time(const std::vector<double>& times, size_t k) {
  if (times.size() == 1) return 1.0;
  return 0.5 * (times[std::min(k + 1, times.size() - 1)] - times[k == 0 ? 0 : k - 1]);
}

double ratio(double squared_change, double squared) {
  return squared > 0.0 ? std::sqrt(squared_change / squared) : 0.0;
}

double change_between(const TransportRun& coarse, const TransportRun& fine) {
  const std::vector<double>& times = coarse.solution.times();
  Eigen::Array2d moments = Eigen::Array2d::Zero(), moments_change = moments;
  double f = 0.0, f_change = 0.0;
  for (size_t k = 0; k < times.size(); ++k) {
    const MatrixXd& values = coarse.solution.at_time(k);
    const MatrixXd change = fine.solution.evaluate(points_at(coarse.solution, k)) - values;
    const double share = share_of_time(times, k);
    const Index n = values.cols() - 2;
    f += share * values.rightCols(n).squaredNorm();
    f_change += share * change.rightCols(n).squaredNorm();
    if (times[k] < coarse.compare_from) continue;
    moments += share * values.leftCols(2).colwise().squaredNorm().transpose().array();
    moments_change += share * change.leftCols(2).colwise().squaredNorm().transpose().array();
  }
  return std::max(ratio(f_change, f), ratio(moments_change.maxCoeff(), moments.maxCoeff()));
}

double velocity_misfit(const TransportForm& form, const GridSolution& solution) {
  double misfit = 0.0, density = 0.0;
  for (size_t k = 0; k < solution.times().size(); ++k) {
    const MatrixXd& values = solution.at_time(k);
    const double share = share_of_time(solution.times(), k);
    misfit += share * (values.rightCols(values.cols() - 2) * form.velocities().weights - values.col(0)).squaredNorm();
    density += share * values.col(0).squaredNorm();
  }
  return ratio(misfit, density);
}

}  // namespace

int scheme_half_range_nodes(const TransportForm& form) {
  const int own = form.double_gauss_nodes();
  return own >= 2 ? own : std::max(16, static_cast<int>(form.velocities().size() + 1) / 2);
}

MatrixXd at_problem_velocities(const TransportForm& form, const VectorXd& rho, const VectorXd& flux, const MatrixXd& f,
                               const VectorXd& velocities) {
  const MatrixXd between = half_range_interpolation(velocities, form.velocities().nodes.col(0));
  MatrixXd values(rho.size(), 2 + between.rows());
  values << rho, flux, f * between.transpose();
  return values;
}

ReferenceSolution refine_transport(const std::string& name, const std::shared_ptr<const Problem>& problem,
                                   const ReferenceOptions& options, int most_cells,
                                   const std::function<TransportRun(const TransportForm& form, int cells)>& run) {
  const auto begin = std::chrono::steady_clock::now();
  const TransportForm form(problem);
  const int most = options.max_resolution > 0 ? std::max(8, options.max_resolution) : most_cells;
  int cells = std::min(kFirstCells, most / 2);
  TransportRun coarse = run(form, cells), fine = coarse;
  double spent = coarse.seconds, change = 0.0;
  while (true) {
    cells *= 2;
    fine = run(form, cells);
    spent += fine.seconds;
    change = change_between(coarse, fine);
    // Diffusion's step is of the square of the cell, free flight's of the cell; a steady solution has none.
    const double growth =
        std::clamp(2.0 * static_cast<double>(fine.steps) / static_cast<double>(coarse.steps), 2.0, 8.0);
    if (change <= options.tolerance || 2 * cells > most || spent + growth * fine.seconds > kSeconds) break;
    coarse = std::move(fine);
  }
  const double estimate = std::max(change, velocity_misfit(form, fine.solution));
  if (options.require_convergence && !(estimate <= options.tolerance))
    throw NumericalError(name + ": " + std::to_string(cells) + " cells leave a relative change of " +
                         scientific(estimate) + ", tolerance " + scientific(options.tolerance));
  const auto result = std::make_shared<const Refined>(Refined{form, std::move(fine), cells, estimate});
  ReferenceSolution solution;
  solution.evaluate = [problem, result](const MatrixXd& points) {
    MatrixXd columns = MatrixXd::Zero(points.rows(), 2);
    if (problem->time() >= 0)
      columns = space_time_columns(*problem, points);
    else if (points.cols() == 1)
      columns.col(0) = points;
    else
      throw InputError("the reference solution takes points with 1 column, not " + std::to_string(points.cols()));
    columns.col(1).array() -= result->form.start();
    return result->form.fields(result->finest.solution.evaluate(columns));
  };
  solution.error_estimate = estimate;
  solution.detail = std::to_string(cells) + " cells, " + result->finest.detail;
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace torsor
