// What the tests of references share.
#pragma once

#include <string>

#include "solvers/reference/references.h"
#include "tests/error_checks.h"

namespace torsor {

/// Why a solver refuses a problem; "no error" when it solves it.
inline std::string refusal(const Problem& problem, const std::string& solver) {
  return error_of([&] { solve_reference(problem, {solver, 1e-9, 0, true}); });
}

}  // namespace torsor
