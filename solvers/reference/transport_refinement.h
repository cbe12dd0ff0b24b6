// Grid schemes of transport as reference solutions: run on twice as many cells again and again, until two runs agree to
// the tolerance or the next run would take the solver beyond its share of time, and kept as grid_solution.h.
//
// The estimate of the error is the largest of three numbers, each relative and in the L2 norm of x and t (a front that
// jumps, as at the first time behind inflow, moves by a part of a cell and never agrees point by point):
//
//   - the change of rho and j between the two finest runs, after TransportRun::compare_from, relative to the larger;
//   - the change of f at all times, relative to f;
//   - the distance of rho from the mean of f over the Problem's velocity nodes, which need not be the solver's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "solvers/reference/grid_solution.h"
#include "solvers/reference/references.h"
#include "solvers/reference/transport_form.h"

namespace torsor {

struct TransportRun {
  GridSolution solution;      ///< rho, j, and f at the Problem's velocity nodes; times from 0
  double compare_from = 0.0;  ///< time; before it no grid has the flux: 1/eps in an initial layer, t^-1/2 behind inflow
  double seconds = 0.0;
  long steps = 0;      ///< of time, or iterations
  std::string detail;  ///< e.g. "640 steps"
};

/// The nodes of each half range for a scheme: those of the Problem where its set is double Gauss, so that both solve
/// the same equations; else 16 or more, for f may jump at v = 0.
int scheme_half_range_nodes(const TransportForm& form);

/// Columns rho, j, f at the scheme's velocities as columns rho, j, f at the Problem's.
Eigen::MatrixXd at_problem_velocities(const TransportForm& form, const Eigen::VectorXd& rho,
                                      const Eigen::VectorXd& flux, const Eigen::MatrixXd& f,
                                      const Eigen::VectorXd& velocities);

/// Runs all with the same times. At most `most_cells`, or options.max_resolution where that is given. `name` starts the
/// NumericalError of a missed tolerance.
ReferenceSolution refine_transport(const std::string& name, const std::shared_ptr<const Problem>& problem,
                                   const ReferenceOptions& options, int most_cells,
                                   const std::function<TransportRun(const TransportForm& form, int cells)>& run);

}  // namespace torsor
