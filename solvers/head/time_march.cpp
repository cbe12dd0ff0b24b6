#include "solvers/head/time_march.h"

#include "solvers/head/chain_march.h"
#include "solvers/head/global_march.h"

namespace torsor {

HeadResult solve_time_march(const Problem& problem, const HeadOptions& options, Progress& progress) {
  const bool without_walls = problem.velocity && problem.pieces.empty();
  if (problem.space().size() == 1 && problem.box && !without_walls) return march_chain(problem, options, progress);
  if (problem.velocity && options.windows == 0) return march_with_relaxation(problem, options, progress);
  return march_in_windows(problem, options, progress);
}

}  // namespace torsor
