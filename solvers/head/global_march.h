// Windows that hold a single body, for any number of space dimensions. Bandwidth and number of features are chosen once, on
// the first window; a window whose hold-out residual misses the tolerance is halved.
#pragma once

#include "solvers/head/head_options.h"
#include "solvers/progress.h"

namespace torsor {

/// Throws NumericalError saying where in time, when no window length works.
HeadResult march_in_windows(const Problem& problem, const HeadOptions& options, Progress& progress);

/// Kinetic equations without walls: in one piece, or, for data out of equilibrium, with windows of their own for the initial
/// layer.
HeadResult march_with_relaxation(const Problem& problem, const HeadOptions& options, Progress& progress);

}  // namespace torsor
