// Time windows (block marching) for evolution problems: the head is solved on one window after the other, each taking
// its initial data from the end of the one before.
//
// In one space dimension a window is covered by a chain of patches (operators/patchwork.h), and both the patches and
// the length of the window follow the hold-out residual: a patch that misses the tolerance is halved where the field
// bends more along x than along t, else the window is shortened; where the residual is far below the tolerance,
// neighbours are joined and windows grow. In more space dimensions the window holds a single body, whose bandwidth and
// number of features are chosen once, on the first window. So do kinetic equations, which have many fields; an initial
// layer of theirs has windows of its own.
#pragma once

#include "solvers/head/head_options.h"
#include "solvers/progress.h"

namespace torsor {

/// Solves one task. Throws NumericalError saying where in time, when no window length works.
HeadResult solve_time_march(const Problem& problem, const HeadOptions& options, Progress& progress);

/// How fast each field relaxes: the largest b/a of terms a u_t + b u + ..., u the field, linearised about zero; 0 without.
Eigen::VectorXd relaxation_rates(const Problem& problem);

/// The fastest of them.
double relaxation_rate(const Problem& problem);

/// The problem on the window [start, end] of time, with initial data from `before` (null: the problem's own).
Problem window_problem(const Problem& problem, double start, double end, const std::shared_ptr<const Window>& before);

/// The state at the end of a window, constant in time: where Newton begins on the next one.
FieldFunction frozen_start(const std::shared_ptr<const Window>& before, Index time);

}  // namespace torsor
