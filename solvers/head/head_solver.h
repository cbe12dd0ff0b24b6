// The closed-form head of any problem: chooses between one piece and time windows, and between solving tasks together
// and one by one.
#pragma once

#include "solvers/head/head_options.h"
#include "solvers/progress.h"

namespace torsor {

/// Solves every task; one result for each. Steady tasks that share a linear operator (only data differ) share one
/// factorisation. Throws InputError for options that do not fit the problem, NumericalError when a solve fails.
std::vector<HeadResult> solve_heads(const std::vector<Problem>& tasks, const HeadOptions& options,
                                    Progress& progress);

/// Keeps the bodies of a solution (its windows, patches and inner weights) and solves the heads for other tasks over
/// the same coordinates; tasks that share a linear operator share the factorisations. One result for each task. Throws
/// InputError when coordinates or fields do not fit.
std::vector<HeadResult> adapt_heads(const std::vector<Problem>& tasks, const Solution& pretrained,
                                    const HeadOptions& options, Progress& progress);

/// The same features, with random ones beside them, in as many cells and windows of time as the tolerance asks for: a head
/// as solve_heads finds it, which has what training found to start from. In several windows the task may have more fields than
/// the solution (higher moments of a velocity with more nodes), which get the features of its last one. Throws InputError when
/// coordinates or fields do not fit or the solution has windows or cells of its own, NumericalError when a solve fails.
HeadResult join_head(const Problem& task, const Solution& pretrained, const HeadOptions& options, Progress& progress);

/// Throws InputError unless the task has the coordinates, ranges and number of fields of the solution, or `more_fields`.
void check_adaptable(const Problem& task, const Solution& pretrained, bool more_fields = false);

/// Adds the singular values of the head's system (on unit columns, at the solution) to the report. Left out where the
/// system is a chain of patches or has more than 1500 columns: they would cost more than the solution.
void add_singular_values(const Problem& task, const HeadOptions& options, HeadResult& result);

/// Whether the tasks are linear with equal coefficients on equal domains, so that only their data differ.
bool share_operator(const std::vector<const Problem*>& tasks);

}  // namespace torsor
