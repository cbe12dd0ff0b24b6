// What a user can say about the closed-form head, and what comes out.
#pragma once

#include "operators/body_factory.h"
#include "problems/problem.h"
#include "solvers/head/holdout.h"
#include "solvers/head/solution.h"

namespace torsor {

struct HeadOptions {
  BodyOptions body;
  /// Features of each field in each cell. 0: grown until the hold-out residual reaches the tolerance.
  Index features = 0;
  /// Most features the automatic choice goes to. 0: by dimension (its cost grows with the cube).
  Index max_features = 0;
  /// Radians per unit of each coordinate (d values, or one for all). Empty: chosen by the hold-out residual.
  Eigen::VectorXd bandwidth;
  /// Weight of boundary and initial rows against interior rows. 0: chosen by the hold-out residual.
  double boundary_weight = 0;
  /// Cells of the partition of unity along each coordinate (d values). Empty: one, or refined by the hold-out
  /// residual where an evolution problem is solved in windows.
  std::vector<Index> patches;
  /// Add the singular features that corners and holes of the domain ask for (geometry_enrichment.h).
  bool enrich = true;
  /// Half of the features decay in time with this rate (operators/decaying_body.h). 0: none.
  double decay_rate = 0;
  /// Time windows of equal length. 0: automatic, as many as the tolerance asks for; 1: one.
  Index windows = 0;
  /// Wanted relative hold-out residual. 0: in one piece 1e-12 for linear and 3e-9 for nonlinear problems (1e-9 and 1e-6
  /// in three and more dimensions),
  /// in windows 1e-8 and 1e-5 (the error is usually a hundredth of it).
  double tolerance = 0;
  /// Of earlier time windows (holdout.h).
  EquationScales least_scales;
  /// How fast each field forgets what it takes over from an earlier time window (forget_rows). Empty: never.
  Eigen::VectorXd relaxation_rates;
  CollocationOptions collocation;
  NewtonOptions newton;
  /// Hard constraint on each field: distance factor and lift, both formulas of the coordinates.
  struct Constraint {
    Expression factor, lift;
  };
  using Constraints = std::map<std::string, Constraint>;
  Constraints constraints;
  /// Features that every cell has beside its own: of each field the first body of this ansatz (of fields that it has not, that of
  /// its last), with the ansatz' hard constraints in the place of those above. Null: none.
  std::shared_ptr<const Ansatz> joined;
  /// The pretrained heads are those of the tasks, by a network of their parameters: a head that is solved again replaces one
  /// only where its loss is much smaller (kMuchSmaller in head_solver.cpp).
  bool keep_better = false;
  uint64_t seed = 0;
};

/// One try of the automatic choice.
struct HeadTrial {
  Index features = 0;
  Eigen::VectorXd bandwidth;
  double boundary_weight = 1;
  double holdout = 0;
  double seconds = 0;
};

struct HeadResult {
  std::vector<Solution> solutions;   ///< one for each task
  std::vector<Holdout> holdouts;     ///< one for each task; of the last window where there are several
  double holdout = 0;                ///< worst over tasks and windows
  NewtonReport newton;               ///< of the final solve; of the hardest window where there are several
  Eigen::VectorXd bandwidth;
  double boundary_weight = 1;
  Index features = 0;                ///< of one field in one cell
  Index patches = 1;                 ///< most in one window
  std::vector<HeadTrial> trials;     ///< everything that was tried, in order
  bool reached_tolerance = false;
  /// The pretrained head was better than one that is solved (HeadOptions::keep_better).
  bool kept_pretrained = false;
  /// Dimension of the space of fields that the equations map to zero (a resonance, a constant that can be added): the
  /// data do not fix the solution, and the one of least L2 norm was taken. 0: the solution is unique.
  Index null_space = 0;
};

}  // namespace torsor
