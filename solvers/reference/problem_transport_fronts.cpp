// Problems for transport in a slab with its fronts split off (transport_fronts.h): one space coordinate, inflow that is
// constant in time, sigma_S, sigma_A and the source constant, initial data that do not depend on x.
//
// The velocities are the Problem's. Cells are doubled until two solutions agree to the tolerance or the next would take
// too long, and the finer is kept. The estimate is their difference at 600 points, the largest of those of rho, j and f
// in the L2 norm relative to each: of third order, so that the finer is several times better.
//
// Time steps are shorter than a mean free time and than a crossing of the slab: 1e4 of each are followed at most. From
// some hundred mean free times on problem_transport_laplace.cpp is better and comes first.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "physics/error.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_form.h"
#include "solvers/reference/transport_fronts.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kMost = 1e4;      // mean free times, crossings
constexpr double kSeconds = 10.0;  // of all solutions
constexpr int kFirstCells = 128, kMostCells = 2048;
constexpr int kMostSnapshots = 256;
constexpr Index kMostStored = Index{1} << 25;  // numbers kept of one solution
constexpr Index kCompared = 600;  // points of two solutions
constexpr int kPlaces = 64;       // cells at whose ends and centres initial data must be the same

VectorXd places(const TransportForm& form) { return cell_places(form.space_axis(), kPlaces); }

std::string length_obstacle(const TransportForm& form, double removal) {
  const double times = form.duration() * removal / (form.eps() * form.eps());
  if (times > kMost) return "there are " + scientific(times) + " mean free times, 1e4 at most are followed";
  const double crossings = form.duration() / (form.eps() * (form.space_axis().high - form.space_axis().low));
  return crossings <= kMost ? "" : "particles cross the slab " + scientific(crossings) + " times, 1e4 at most";
}

std::string obstacle(const Problem& problem) {
  if (const std::string reason = TransportForm::obstacle_in_slab(problem); !reason.empty()) return reason;
  const TransportForm form(std::make_shared<const Problem>(problem));
  if (const std::string reason = form.obstacle_to_constant_slab(); !reason.empty()) return reason;
  const MatrixXd initial = form.initial(places(form));
  if ((initial.rowwise() - initial.row(0)).cwiseAbs().maxCoeff() > 1e-13 * initial.cwiseAbs().maxCoeff())
    return "the initial data must not depend on x";
  const TransportSlab slab = form.constant_slab();
  return length_obstacle(form, slab.scattering + slab.eps * slab.eps * slab.absorption);
}

FrontsSlab slab_of(const TransportForm& form) {
  return {form.constant_slab(), form.initial(places(form).head(1)).row(0).transpose()};
}

using Solution = std::shared_ptr<const TransportFronts>;

MatrixXd moments(const TransportForm& form, const TransportFronts& solution, const MatrixXd& points) {
  const VelocityBasis& basis = form.velocities();
  return solution.evaluate(points) * basis.weights.asDiagonal() * basis.polynomials;
}

// Of rho, j and f.
double change_between(const MatrixXd& coarse, const MatrixXd& fine) {
  const MatrixXd change = coarse - fine;
  return std::max({relative_change(change.col(0), fine.col(0)), relative_change(change.col(1), fine.col(1)),
                   relative_change(change, fine)});
}

struct Refined {
  Solution solution;
  int cells = 0;
  double error = 1.0;
};

int most_cells(const TransportForm& form, const ReferenceOptions& options) {
  if (options.max_resolution > 0) return std::max(16, options.max_resolution);
  const Index stored = kMostStored / (kMostSnapshots * form.velocities().size());
  return static_cast<int>(std::clamp<Index>(stored, 2 * kFirstCells, kMostCells));
}

Refined refine(const TransportForm& form, const ReferenceOptions& options) {
  const FrontsSlab slab = slab_of(form);
  const MatrixXd points = comparison_points(form, kCompared, false);
  const auto solved = [&](int cells) {
    const FrontsOptions resolution{form.duration(), cells, std::clamp(cells, 4, kMostSnapshots)};
    return std::make_shared<const TransportFronts>(form.velocities(), slab, resolution);
  };
  const auto begin = std::chrono::steady_clock::now();
  const int most = most_cells(form, options);
  Refined refined{nullptr, std::min(kFirstCells, most / 2)};
  refined.solution = solved(refined.cells);
  MatrixXd values = moments(form, *refined.solution, points);
  double spent = 0.0, last = 0.0;
  do {
    refined.cells *= 2;
    refined.solution = solved(refined.cells);
    const MatrixXd finer = moments(form, *refined.solution, points);
    refined.error = change_between(values, finer);
    values = finer;
    last = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() - spent;
    spent += last;
  } while (refined.error > options.tolerance && 2 * refined.cells <= most && spent + 4.0 * last <= kSeconds);
  return refined;
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const TransportForm form(problem);
  const Refined refined = refine(form, options);
  if (options.require_convergence && !(refined.error <= options.tolerance))
    throw NumericalError("transport-fronts: " + std::to_string(refined.cells) + " cells leave a relative change of " +
                         scientific(refined.error) + ", tolerance " + scientific(options.tolerance));
  ReferenceSolution solution;
  solution.error_estimate = refined.error;
  solution.evaluate = [problem, form, solved = refined.solution](const MatrixXd& at) {
    MatrixXd columns = space_time_columns(*problem, at);
    columns.col(1) = (columns.col(1).array() - form.start()).max(0.0);
    return form.fields_of_moments(moments(form, *solved, columns));
  };
  solution.detail = std::to_string(refined.cells) + " cells, " + std::to_string(refined.solution->steps()) + " steps";
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace

ReferenceAdapter transport_fronts_adapter() { return {"transport-fronts", obstacle, solve}; }

}  // namespace torsor
