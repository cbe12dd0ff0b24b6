#include "solvers/store/run_json.h"

#include "solvers/store/conflicts.h"
#include "solvers/store/json_writer.h"

namespace torsor {
namespace {

void write_pairs(JsonWriter& json, const std::vector<std::pair<std::string, double>>& pairs) {
  json.begin_object();
  for (const auto& [name, value] : pairs) json.member(name, value);
  json.end();
}

void write_errors(JsonWriter& json, const TaskRecord& task) {
  json.begin_object();
  for (const auto& [name, errors] : errors_of(task)) {
    if (!errors) continue;
    json.key(name);
    json.begin_object();
    json.member("rel_l2", errors->rel_l2);
    json.member("rel_l1", errors->rel_l1);
    json.member("max", errors->max);
    json.member("rel_max", errors->rel_max);
    json.end();
  }
  json.end();
}

void write_residuals(JsonWriter& json, const TaskRecord& task) {
  json.begin_object();
  for (const ResidualRecord& residual : task.residuals) {
    json.key(residual.term);
    json.begin_object();
    json.member("rms", residual.rms);
    json.member("max", residual.max);
    json.end();
  }
  json.end();
}

void write_head(JsonWriter& json, const std::optional<HeadRecord>& head) {
  if (!head) return json.value(kUnknown);
  json.begin_object();
  json.member("rows", head->rows);
  json.member("features", head->features);
  json.member("rank", head->rank);
  json.member("condition", head->condition);
  json.member("cut_off", head->cut_off);
  json.member("residual_fit", head->residual_fit);
  json.member("residual_holdout", head->residual_holdout);
  json.member("boundary_weight", head->boundary_weight);
  json.key("bandwidth");
  write_pairs(json, head->bandwidth);
  json.member("windows", head->windows);
  json.member("patches", head->patches);
  json.member("newton_iterations", head->newton_iterations);
  json.member("newton_residuals", head->newton_residuals);
  json.member("message", head->message);
  json.end();
}

void write_seconds(JsonWriter& json, const Seconds& seconds) {
  json.begin_object();
  json.member("train", seconds.train);
  json.member("head", seconds.head);
  json.member("reference", seconds.reference);
  json.member("total", seconds.total);
  json.end();
}

void write_reference(JsonWriter& json, const TaskRecord& task) {
  if (task.reference_name.empty()) return json.value(kUnknown);
  json.begin_object();
  json.member("name", task.reference_name);
  json.member("error_estimate", task.reference_error_estimate);
  json.end();
}

void write_matrix(JsonWriter& json, const Eigen::MatrixXd& matrix) {
  json.begin_array();
  for (const auto& row : matrix.rowwise()) json.value(std::vector<double>(row.begin(), row.end()));
  json.end();
}

void write_conflicts(JsonWriter& json, const Conflicts& conflicts) {
  json.begin_object();
  json.member("gradients", conflicts.gradients);
  json.member("steps", conflicts.steps);
  json.key("share");
  write_matrix(json, conflicts.share);
  json.key("mean_cosine");
  write_matrix(json, conflicts.mean_cosine);
  json.end();
}

/// The members of a task that the run does not have as well.
void write_task_members(JsonWriter& json, const TaskRecord& task) {
  json.member("name", task.name);
  json.key("task");
  write_pairs(json, task.parameters);
  json.key("errors");
  write_errors(json, task);
  json.key("conservation");
  write_pairs(json, task.drifts);
  json.key("residuals");
  write_residuals(json, task);
  json.key("seconds");
  write_seconds(json, task.seconds);
  json.key("head");
  write_head(json, task.head);
  json.key("reference");
  write_reference(json, task);
}

}  // namespace

std::string run_json(const RunRecord& run) {
  const bool single = run.tasks.size() == 1;
  JsonWriter json;
  json.begin_object();
  json.member("problem", run.problem);
  json.member("version", run.version);
  json.member("git_hash", run.git_hash);
  json.member("date", run.date);
  json.member("precision", run.precision);
  json.member("threads", run.threads);
  json.member("seed", single ? run.tasks.front().seed : run.seed);
  if (single) write_task_members(json, run.tasks.front());
  json.key("tasks");
  json.begin_array();
  for (const TaskRecord& task : run.tasks) {
    json.begin_object();
    json.member("problem", run.problem);
    write_task_members(json, task);
    json.member("seed", task.seed);
    json.member("threads", run.threads);
    json.end();
  }
  json.end();
  if (const auto conflicts = conflicts_of(run)) {
    json.key("conflicts");
    write_conflicts(json, *conflicts);
  }
  json.end();
  return json.text() + '\n';
}

}  // namespace torsor
