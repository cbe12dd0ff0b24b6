// How the gradients of a training agree: of every two, in what share of the logged steps their product was negative.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>
#include <vector>

#include "solvers/store/run_record.h"

namespace torsor {

struct Conflicts {
  std::vector<std::string> gradients;  ///< what each is of: a task, a stratum of tasks, a term
  long steps = 0;                      ///< how many of the logged steps had several gradients
  Eigen::MatrixXd share;               ///< of these steps in which cos(g_i, g_j) < 0; symmetric, diagonal 0
  Eigen::MatrixXd mean_cosine;         ///< symmetric, diagonal 1
  /// Mean of `share` over the pairs.
  double of_pairs() const;
};

/// From the curves cosine.I.J of the history; nothing where there are none.
std::optional<Conflicts> conflicts_of(const RunRecord& run);

}  // namespace torsor
