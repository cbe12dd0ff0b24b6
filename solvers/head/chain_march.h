// Windows of time covered by a chain of patches (operators/patchwork.h), in one space dimension. Patches and the length of the
// window follow the hold-out residual: a patch that misses the tolerance is halved where the field bends more along x than
// along t, else the window is shortened; where the residual is far below the tolerance, neighbours are joined and windows
// grow. Data that do not fit together at the walls (incompatible_data.h) and initial layers of kinetic equations with walls
// have windows and patches that begin small.
#pragma once

#include "solvers/head/head_options.h"
#include "solvers/progress.h"

namespace torsor {

/// Throws NumericalError saying where in time, when no window length works.
HeadResult march_chain(const Problem& problem, const HeadOptions& options, Progress& progress);

}  // namespace torsor
