// Problems for steady transport in a rectangle by finite elements of the even parity (even_parity.h), on meshes of
// 16, 32, ... cells until two agree to the tolerance or the next would take too long. Between the nodes bicubic
// polynomials. The estimate is the largest change, in the L2 norm, of rho, of the flux and of f between the last two
// meshes.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "physics/error.h"
#include "solvers/reference/cubic_stencil.h"
#include "solvers/reference/even_parity.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_form.h"
#include "solvers/reference/transport_modes.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

constexpr int kFirstCells = 16, kMostCells = 192;
constexpr double kSeconds = 20.0;  // of all meshes

std::string obstacle(const Problem& problem) {
  if (problem.time() >= 0) return "it has time";
  if (problem.space().size() != 2) return "two space coordinates are needed";
  if (const std::string reason = TransportForm::obstacle(problem); !reason.empty()) return reason;
  const TransportForm form(std::make_shared<const Problem>(problem));
  if (form.space_axis(0).periodic || form.space_axis(1).periodic) return "a space coordinate is periodic";
  if (!has_mirror_images(form.velocities())) return "the velocities are not symmetric";
  const MatrixXd medium = form.medium(probe_points(problem));
  return (medium.col(0) + medium.col(1)).minCoeff() > 0.0 ? "" : "sigma_S + sigma_A must be positive everywhere";
}

PlaneTransportProblem plane_problem(const std::shared_ptr<const Problem>& problem, const TransportForm& form) {
  PlaneTransportProblem plane;
  plane.x_low = form.space_axis(0).low;
  plane.x_high = form.space_axis(0).high;
  plane.y_low = form.space_axis(1).low;
  plane.y_high = form.space_axis(1).high;
  plane.eps = form.eps();
  plane.velocities = form.velocities();
  plane.medium = [form](const MatrixXd& points) { return form.medium(points); };
  plane.inflow = [form, sides = box_sides(*problem)](PlaneSide side, const MatrixXd& points) {
    return form.inflow(sides[static_cast<size_t>(side)], points);  // box_sides has the same order
  };
  return plane;
}

// The moments of f on a mesh.
struct MeshMoments {
  VectorXd x, y;
  MatrixXd moments;  // nodes x velocities
  int iterations = 0;
  double seconds = 0.0;

  MatrixXd at(const MatrixXd& points) const {
    MatrixXd values = MatrixXd::Zero(points.rows(), moments.cols());
    for (Index i = 0; i < points.rows(); ++i) {
      const CubicStencil cx = cubic_stencil(x(0), x(1) - x(0), x.size(), points(i, 0)),
                         cy = cubic_stencil(y(0), y(1) - y(0), y.size(), points(i, 1));
      for (Index k = 0; k < 4; ++k)
        for (Index c = 0; c < 4; ++c)
          values.row(i) += cx.weights[static_cast<size_t>(c)] * cy.weights[static_cast<size_t>(k)] *
                           moments.row(cx.first + c + (cy.first + k) * x.size());
    }
    return values;
  }
};

MeshMoments run(const std::shared_ptr<const Problem>& problem, const TransportForm& form, int cells) {
  const PlaneTransportProblem plane = plane_problem(problem, form);
  const double width = plane.x_high - plane.x_low, height = plane.y_high - plane.y_low;
  const double longer = std::max(width, height);
  EvenParityOptions options;
  options.cells_x = std::max(4, static_cast<int>(std::lround(cells * width / longer)));
  options.cells_y = std::max(4, static_cast<int>(std::lround(cells * height / longer)));
  const PlaneTransportSolution solved = solve_even_parity(plane, options);
  const VelocityBasis& v = plane.velocities;
  MeshMoments result{solved.x, solved.y, {}, solved.iterations(), solved.seconds};
  const MatrixXd deviation = plane.eps * solved.odd + plane.eps * plane.eps * solved.even;
  result.moments = deviation * v.weights.asDiagonal() * v.polynomials;
  result.moments.col(0) = solved.rho;
  return result;
}

// Of rho, of the moments of the flux (l = 1, 2) and of f, whose mean square is the sum of its squared moments.
double change_between(const MeshMoments& coarse, const MeshMoments& fine) {
  MatrixXd points(coarse.moments.rows(), 2);
  for (Index i = 0; i < points.rows(); ++i)
    points.row(i) << coarse.x(i % coarse.x.size()), coarse.y(i / coarse.x.size());
  const MatrixXd change = fine.at(points) - coarse.moments;
  return std::max({relative_change(change.col(0), coarse.moments.col(0)),
                   relative_change(change.middleCols(1, 2), coarse.moments.middleCols(1, 2)),
                   relative_change(change, coarse.moments)});
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const TransportForm form(problem);
  const int most = options.max_resolution > 0 ? std::max(8, options.max_resolution) : kMostCells;
  int cells = std::min(kFirstCells, most / 2);
  auto fine = std::make_shared<MeshMoments>(run(problem, form, cells));
  double change = 0.0, spent = fine->seconds;
  do {
    cells *= 2;
    auto finer = std::make_shared<MeshMoments>(run(problem, form, cells));
    change = change_between(*fine, *finer);
    fine = std::move(finer);
    spent += fine->seconds;
  } while (change > options.tolerance && 2 * cells <= most && spent + 8.0 * fine->seconds <= kSeconds);
  if (options.require_convergence && !(change <= options.tolerance))
    throw NumericalError("even-parity: " + std::to_string(cells) + " cells leave a relative change of " +
                         scientific(change) + ", tolerance " + scientific(options.tolerance));
  ReferenceSolution solution;
  solution.error_estimate = change;
  solution.evaluate = [form, fine](const MatrixXd& points) {
    if (points.cols() != 2)
      throw InputError("the reference solution takes points with 2 columns, not " + std::to_string(points.cols()));
    return form.fields_of_moments(fine->at(points));
  };
  solution.detail = std::to_string(cells) + " cells, " + std::to_string(fine->iterations) + " iterations";
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace

ReferenceAdapter even_parity_adapter() { return {"even-parity", obstacle, solve}; }

}  // namespace torsor
