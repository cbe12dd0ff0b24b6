// One ansatz for the whole domain (space-time included), grown until the hold-out residual is small: bandwidths are
// searched with few features, where a solve costs milliseconds, then the number of features doubles from level to level,
// each level starting Newton from the one before. Label-free throughout.
#pragma once

#include "solvers/head/head_options.h"
#include "solvers/progress.h"

namespace torsor {

/// Solves the tasks, which share domain and terms; several only if linear with equal operators.
/// `start`: where Newton's method begins; empty: at zero, or where that fails at fields that meet the boundary data.
/// Throws NumericalError when no level can be solved.
HeadResult solve_global_head(const std::vector<const Problem*>& tasks, const HeadOptions& options, Progress& progress,
                             const FieldFunction& start = {});

/// The ansatz of every field on the partition `axes`, bodies drawn from the options' seed.
std::shared_ptr<const Ansatz> make_ansatz(const Problem& problem, const HeadOptions& options,
                                          const std::vector<PartitionAxis>& axes, Index chain_coordinate,
                                          Index features, const std::vector<Eigen::VectorXd>& bandwidth_of_cell);

/// The constraint u = lift + factor * (...) from formulas of the coordinates.
HardConstraint formula_constraint(const std::vector<std::string>& coordinates, const Expression& factor,
                                  const Expression& lift);

}  // namespace torsor
