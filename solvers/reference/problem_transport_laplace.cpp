// Problems for the Laplace transform of transport in a slab (transport_laplace.h): one space coordinate, inflow that is
// constant in time, sigma_S, sigma_A and the source constant.
//
// The velocities are the Problem's. The estimate is the largest of
//
//   - the difference between contours of 32 and 40 nodes at 600 points, of rho, j and f, in the L2 norm relative to
//     each: rounding, but for the share of times with fronts at the walls, up to about 35 mean free times eps^2/sigma;
//   - the misfit of the Fourier extension of the initial data.
//
// A problem with an estimate above 3e-4 is left to other solvers.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "physics/error.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_form.h"
#include "solvers/reference/transport_laplace.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kWorthwhile = 3e-4;  // estimate: what the schemes of problem_transport_march.cpp reach
constexpr int kContour = 40, kCoarseContour = 32;
constexpr int kWaves = 128;
constexpr Index kCompared = 600;     // points of two contours
constexpr double kRounding = 1e-12;  // of the inverse transform

LaplaceSlab slab_of(const Problem& problem, const TransportForm& form) {
  LaplaceSlab slab{form.constant_slab(), {}};
  if (form.initial_moments(probe_points(problem)(Eigen::all, problem.space())).cwiseAbs().maxCoeff() > 0.0)
    slab.initial_moments = [form](const VectorXd& x) { return form.initial_moments(x); };
  return slab;
}

// Of rho, j and f.
double contour_change(const TransportForm& form, const TransportLaplace& coarse, const TransportLaplace& fine) {
  const MatrixXd points = comparison_points(form, kCompared, false), values = fine.moments(points);
  const MatrixXd change = coarse.moments(points) - values;
  return std::max({relative_change(change.col(0), values.col(0)), relative_change(change.col(1), values.col(1)),
                   relative_change(change, values)});
}

struct Solved {
  std::shared_ptr<const TransportLaplace> solution;
  double error;
};

Solved solved_for(const Problem& problem, const TransportForm& form, int waves) {
  const LaplaceSlab slab = slab_of(problem, form);
  const auto fine = std::make_shared<const TransportLaplace>(form.velocities(), slab, kContour, waves);
  const TransportLaplace coarse(form.velocities(), slab, kCoarseContour, waves);
  return {fine, std::max({kRounding, contour_change(form, coarse, *fine), fine->initial_misfit()})};
}

std::string obstacle(const Problem& problem) {
  if (const std::string reason = TransportForm::obstacle_in_slab(problem); !reason.empty()) return reason;
  const TransportForm form(std::make_shared<const Problem>(problem));
  if (!has_mirror_images(form.velocities())) return "the velocities are not symmetric";
  if (const std::string reason = form.obstacle_to_constant_slab(); !reason.empty()) return reason;
  const double error = solved_for(problem, form, kWaves).error;
  if (error > kWorthwhile)
    return "its estimate of the error is " + scientific(error) +
           ", above 3e-4: initial data that are not smooth, or few (" +
           scientific(form.duration() * form.constant_slab().scattering / (form.eps() * form.eps())) + ") mean free times";
  return {};
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const TransportForm form(problem);
  const int waves = options.max_resolution > 0 ? std::max(4, options.max_resolution) : kWaves;
  const auto [solved, error] = solved_for(*problem, form, waves);
  ReferenceSolution solution;
  solution.error_estimate = error;
  if (options.require_convergence && !(solution.error_estimate <= options.tolerance))
    throw NumericalError("transport-laplace: a relative error of " + scientific(solution.error_estimate) +
                         ", of which " + scientific(solved->initial_misfit()) + " is of the initial data, tolerance " +
                         scientific(options.tolerance));
  solution.evaluate = [problem, form, solved = solved](const MatrixXd& at) {
    MatrixXd columns = space_time_columns(*problem, at);
    columns.col(1) = (columns.col(1).array() - form.start()).max(0.0);
    return form.fields_of_moments(solved->moments(columns));
  };
  solution.detail = "contour of 40 nodes, " + std::to_string(solved->waves()) + " waves of the initial data";
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace

ReferenceAdapter transport_laplace_adapter() { return {"transport-laplace", obstacle, solve}; }

}  // namespace torsor
