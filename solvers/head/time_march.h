// Time windows (block marching) for evolution problems: the head is solved on one window after the other, each taking its
// initial data from the end of the one before.
#pragma once

#include "solvers/head/head_options.h"
#include "solvers/progress.h"

namespace torsor {

/// Solves one task. Throws NumericalError saying where in time, when no window length works.
HeadResult solve_time_march(const Problem& problem, const HeadOptions& options, Progress& progress);

}  // namespace torsor
