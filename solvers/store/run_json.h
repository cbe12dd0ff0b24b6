// The figures of a run as JSON, for --json.
#pragma once

#include <string>

#include "solvers/store/run_record.h"

namespace torsor {

/// Pretty JSON, a line break at the end. Top level: `problem`, `version`, `git_hash`, `date`, `precision`,
/// `threads`, `seed`, `tasks`. A task: `problem`, `name`, `task` (its parameters), `errors` (per field:
/// rel_l2, rel_l1, max, rel_max), `residuals` (per term: rms, max), `seconds` (train, head, reference,
/// total), `head` (rows, features, rank, condition, cut_off, residual_fit, residual_holdout, ...),
/// `reference`, `seed`, `threads`. With exactly one task its members stand at the top level too. Unknown
/// numbers are null, and so is a head that was not solved.
std::string run_json(const RunRecord& run);

}  // namespace torsor
