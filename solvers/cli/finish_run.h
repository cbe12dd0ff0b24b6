// What every command that solves tasks does before and after: checks, references, errors, files, tables.
#pragma once

#include <optional>

#include "solvers/cli/runtime.h"
#include "solvers/cli/solution_store.h"
#include "solvers/cli/task_setup.h"
#include "solvers/store/run_record.h"

namespace torsor {

/// Says on standard error what the program runs on, and warns of a slow BLAS.
void state(const Runtime& runtime);

/// What would otherwise be found wrong only after the solve. Throws InputError.
void check_before_solving(const Config& config, const Problem& problem);

/// The reference of a task; nothing when none is wanted or none applies.
std::optional<ReferenceSolution> reference_of(const Task& task, const ReferenceOptions& options);

/// What solving or training left.
struct Outcome {
  std::vector<Solution> solutions;                            ///< one for each task
  std::vector<HeadResult> heads;                              ///< one for each task, or none where no head was solved
  std::vector<std::optional<ReferenceSolution>> references;   ///< one for each task; empty: still to be computed
  double train_seconds = 0, head_seconds = 0;                 ///< of all tasks together
  double boundary_weight = 0;  ///< of the heads; 0: none was solved
  std::vector<HistoryRecord> history;
  std::vector<std::string> gradients;  ///< what each gradient of the history is of
  std::vector<ParameterInput> inputs;  ///< of a network that takes parameters
  bool trained_heads = false;          ///< whether the solutions have the network's own heads
};

/// References, errors, run.h5, run.xdmf, report.html, model.h5, and the table on standard output.
void finish_run(const Config& config, const std::vector<Task>& tasks, Outcome outcome, const HeadOptions& options,
                const Runtime& runtime, const std::string& command, const std::string& json_path);

/// Writes run.h5, run.xdmf and, unless output.report says no, report.html.
void write_outputs(const RunRecord& run, const Config& config, const std::string& folder);

std::vector<Problem> problems_of(const std::vector<Task>& tasks);

}  // namespace torsor
