// From solved tasks to the record of a run: fields on the output grid, reference, errors, residuals.
#pragma once

#include "solvers/cli/runtime.h"
#include "solvers/cli/task_setup.h"
#include "solvers/reference/references.h"
#include "solvers/store/run_record.h"

namespace torsor {

/// Where a problem's fields are sampled: a tensor grid in up to three coordinates (`grid` points along each; 0 chooses),
/// Sobol points above. Independent of the collocation points.
SampleSet output_samples(const Problem& problem, Index grid);

/// The record of a run without its tasks.
RunRecord new_run(const Config& config, const Problem& problem, const Runtime& runtime, const std::string& command);

/// A task's record: fields from `fields` (points N x d -> N x fields), and its errors if there is a reference.
TaskRecord task_record(const Task& task, const SampleSet& samples,
                       const std::function<Eigen::MatrixXd(const Eigen::MatrixXd&)>& fields,
                       const ReferenceSolution* reference);

/// Adds how well each term holds.
void add_residuals(TaskRecord& record, const Task& task, const Solution& solution, const Holdout& holdout);

/// The hold-out residual of a solution that no head solver made.
Holdout holdout_of(const Problem& problem, const Solution& solution, const HeadOptions& options);

/// Adds how the head was solved and how well each term holds.
void add_head(TaskRecord& record, const Task& task, const HeadResult& result);

/// The values of all fields of a solution at points: N x fields.
Eigen::MatrixXd field_values(const Problem& problem, const Solution& solution, const Eigen::MatrixXd& points);

/// The table that every command ends with, on standard output; and JSON to `json_path` unless it is empty.
void print_run(const RunRecord& run, const std::string& json_path);

}  // namespace torsor
