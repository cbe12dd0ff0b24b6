#include "solvers/report/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>
#include <tuple>

#include "solvers/report/field_figures.h"
#include "solvers/report/plot.h"
#include "solvers/store/atomic_file.h"
#include "solvers/store/conflicts.h"
#include "solvers/store/markup.h"

namespace torsor {
namespace {

constexpr size_t kShownTasks = 6;

constexpr const char* kStyle = R"css(
  body { font: 15px/1.5 system-ui, sans-serif; color: #1b2430; background: #fff; max-width: 1180px;
         margin: 0 auto; padding: 24px; }
  h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; }
  h3 { font-size: 16px; margin: 28px 0 4px; } p { margin: 4px 0 10px; } .muted { color: #5a6675; }
  pre { background: #f4f6f8; border-radius: 6px; padding: 10px 14px; overflow-x: auto; white-space: pre-wrap;
        font: 13px/1.45 ui-monospace, monospace; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
  th, td { padding: 4px 11px 4px 0; text-align: right; white-space: nowrap; border-bottom: 1px solid #e4e8ec; }
  th { font-weight: 600; border-bottom: 1.5px solid #9aa5b1; vertical-align: bottom; }
  td.text, th.text { text-align: left; white-space: normal; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 0; font-size: 13.5px; }
  dt { color: #5a6675; } dd { margin: 0; overflow-wrap: anywhere; }
  .figures { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: flex-start; }
  svg { max-width: 100%; height: auto; break-inside: avoid; font: 12px system-ui, sans-serif; fill: #1b2430; }
  svg .title { font-size: 13px; font-weight: 600; }
  svg .frame { fill: none; stroke: #68737f; stroke-width: 1; }
  svg .grid { fill: none; stroke: #d3d9df; stroke-width: 1; }
  svg .curve { fill: none; stroke-width: 1.7; stroke-linejoin: round; }
  svg .dots { fill: none; stroke-linecap: round; stroke-opacity: 0.75; }
  svg .halo { paint-order: stroke; stroke: #fff; stroke-width: 3px; }
  details { margin-top: 10px; } summary { cursor: pointer; color: #5a6675; }
  @media print { body { max-width: none; padding: 0; } h2, h3 { break-after: avoid; } }
)css";

// ---- small parts -----------------------------------------------------------------------------------------

std::string cell(const std::string& text, const char* css_class = "") {
  const std::string attribute = *css_class ? std::string(" class=\"") + css_class + "\"" : "";
  return "<td" + attribute + ">" + escape_markup(text) + "</td>";
}

std::string cell(double value) {
  return cell(short_number(value));
}

std::string seconds_text(double seconds) {
  return seconds > 0 ? short_number(seconds) : "–";
}

std::string parameters_text(const TaskRecord& task) {
  std::string text;
  for (const auto& [name, value] : task.parameters)
    text += (text.empty() ? "" : ", ") + name + " = " + short_number(value);
  return text;
}

std::string section(const std::string& title, const std::string& content) {
  return content.empty() ? ""
                         : "<section>\n<h2>" + escape_markup(title) + "</h2>\n" + content + "</section>\n";
}

std::string figures(const std::string& content) {
  return content.empty() ? "" : "<div class=\"figures\">\n" + content + "</div>\n";
}

std::vector<double> count_from(double first, size_t n) {
  std::vector<double> numbers(n);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

// ---- provenance ------------------------------------------------------------------------------------------

std::string entry(const std::string& name, const std::string& value) {
  if (value.empty()) return "";
  return "<dt>" + escape_markup(name) + "</dt><dd>" + escape_markup(value) + "</dd>\n";
}

std::string provenance(const RunRecord& run) {
  std::string out = "<dl>\n" + entry("command", run.command) + entry("date", run.date) +
                    entry("torsor", run.version) + entry("git", run.git_hash) +
                    entry("LibTorch", run.libtorch) + entry("BLAS", run.blas) +
                    entry("precision", run.precision) + entry("threads", std::to_string(run.threads)) +
                    entry("seed", std::to_string(run.seed)) + "</dl>\n";
  if (!run.config_text.empty())
    out += "<details><summary>Config</summary><pre>" + escape_markup(run.config_text) + "</pre></details>\n";
  return out;
}

// ---- table of tasks --------------------------------------------------------------------------------------

std::string head_cells(const TaskRecord& task) {
  if (!task.head) return cell("–") + cell("–") + cell("–") + cell("–") + cell("–");
  const HeadRecord& head = *task.head;
  return cell(std::to_string(head.rows)) + cell(std::to_string(head.features)) +
         cell(std::to_string(head.rank)) + cell(head.condition) + cell(head.residual_holdout);
}

/// The rows of one task, one for each field; only the first says what belongs to the task.
std::string task_rows(const TaskRecord& task) {
  std::string out;
  const auto fields = errors_of(task);
  const size_t rows = std::max<size_t>(fields.size(), 1);
  for (size_t i = 0; i < rows; ++i) {
    const bool first = i == 0, has_field = i < fields.size();
    const ErrorRecord errors = has_field ? fields[i].second.value_or(ErrorRecord{}) : ErrorRecord{};
    out += "<tr>" + cell(first ? task.name : "", "text") + cell(first ? parameters_text(task) : "", "text") +
           cell(has_field ? fields[i].first : "–", "text") + cell(errors.rel_l2) + cell(errors.rel_l1) +
           cell(errors.max);
    out += first ? head_cells(task) + cell(seconds_text(task.seconds.head)) +
                       cell(seconds_text(task.seconds.reference))
                 : std::string("<td colspan=\"7\"></td>");
    out += "</tr>\n";
  }
  return out;
}

std::string task_table(const RunRecord& run) {
  if (run.tasks.empty()) return "<p class=\"muted\">The run holds no tasks.</p>\n";
  std::string out =
      "<div class=\"scroll\"><table>\n<thead><tr><th class=\"text\">task</th><th "
      "class=\"text\">parameters</th>"
      "<th class=\"text\">field</th><th>rel. L2<br>error</th><th>rel. "
      "L1<br>error</th><th>largest<br>error</th>"
      "<th>rows</th><th>features</th><th>rank</th><th>condition</th><th>hold-out<br>residual</th>"
      "<th>head<br>[s]</th><th>reference<br>[s]</th></tr></thead>\n<tbody>\n";
  for (const TaskRecord& task : run.tasks) out += task_rows(task);
  return out + "</tbody></table></div>\n";
}

/// The relative L2 error of the first field that has one; unknown without a reference.
double error_of(const TaskRecord& task) {
  for (const FieldRecord& field : task.fields)
    if (field.errors) return field.errors->rel_l2;
  return kUnknown;
}

std::string summary(const RunRecord& run) {
  std::vector<double> errors;
  for (const TaskRecord& task : run.tasks)
    if (std::isfinite(error_of(task))) errors.push_back(error_of(task));
  if (errors.size() < 2) return "";
  std::sort(errors.begin(), errors.end());
  return "<p>Relative L2 error over " + std::to_string(errors.size()) + " tasks: smallest " +
         short_number(errors.front()) + ", median " + short_number(errors[errors.size() / 2]) + ", largest " +
         short_number(errors.back()) + ".</p>\n";
}

// ---- errors over the tasks -------------------------------------------------------------------------------

/// What changes from task to task: values and name. The task's number when no single quantity does.
std::pair<std::vector<double>, std::string> varying_quantity(const RunRecord& run) {
  std::vector<std::pair<std::vector<double>, std::string>> candidates;
  for (size_t k = 0; k < run.tasks.front().parameters.size(); ++k) {
    std::vector<double> values;
    for (const TaskRecord& task : run.tasks)
      values.push_back(k < task.parameters.size() ? task.parameters[k].second : kUnknown);
    candidates.emplace_back(values, run.tasks.front().parameters[k].first);
  }
  std::vector<double> features;
  for (const TaskRecord& task : run.tasks)
    features.push_back(task.head ? static_cast<double>(task.head->features) : kUnknown);
  candidates.emplace_back(features, "features");
  std::erase_if(candidates, [](const auto& candidate) {
    const auto& values = candidate.first;
    return std::all_of(values.begin(), values.end(),
                       [&](double v) { return v == values.front() || !std::isfinite(v); });
  });
  if (candidates.size() == 1) return candidates.front();
  return {count_from(1, run.tasks.size()), "task"};
}

/// Positive throughout and over more than a factor of 20: better seen on a logarithmic axis.
bool spans_decades(std::vector<double> values) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return false;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *low > 0 && *high >= 20 * *low;
}

Curve in_order_of_x(Curve curve) {
  std::vector<std::pair<double, double>> points;
  for (size_t i = 0; i < curve.x.size(); ++i) points.emplace_back(curve.x[i], curve.y[i]);
  std::sort(points.begin(), points.end(), [](auto a, auto b) { return a.first < b.first; });
  for (size_t i = 0; i < points.size(); ++i) std::tie(curve.x[i], curve.y[i]) = points[i];
  return curve;
}

std::string errors_over_tasks(const RunRecord& run) {
  if (run.tasks.size() < 2) return "";
  const auto [quantity, name] = varying_quantity(run);
  Curve errors{"rel. L2 error", {}, {}, Curve::Style::marked},
      residuals{"hold-out residual", {}, {}, Curve::Style::marked};
  for (size_t i = 0; i < run.tasks.size(); ++i) {
    if (!std::isfinite(quantity[i])) continue;
    errors.x.push_back(quantity[i]);
    errors.y.push_back(error_of(run.tasks[i]));
    residuals.x.push_back(quantity[i]);
    residuals.y.push_back(run.tasks[i].head ? run.tasks[i].head->residual_holdout : kUnknown);
  }
  std::vector<Curve> curves;
  for (Curve* curve : {&errors, &residuals})
    if (std::any_of(curve->y.begin(), curve->y.end(), [](double y) { return std::isfinite(y); }))
      curves.push_back(in_order_of_x(*curve));
  if (curves.empty()) return "";
  return figures(svg(LinePlot{"Errors over the tasks", name, "", curves, spans_decades(quantity), true}));
}

// ---- training --------------------------------------------------------------------------------------------

std::string training(const RunRecord& run) {
  std::string out;
  for (const HistoryRecord& history : run.history) {
    const Curve curve{"", history.steps, history.values, Curve::Style::line};
    const bool log = spans_decades(history.values);
    out += svg(LinePlot{history.name, "step", history.name, {curve}, false, log});
  }
  return figures(out);
}

/// In how many percent of the logged steps two gradients were in conflict.
std::string conflict_table(const RunRecord& run) {
  const auto conflicts = conflicts_of(run);
  if (!conflicts) return "";
  const auto percent = [](double share) { return short_number(100 * share); };
  std::string out = "<p>Conflicts: percent of " + std::to_string(conflicts->steps) +
                    " logged steps in which the gradients of two had a negative product (mean cosine); " +
                    percent(conflicts->of_pairs()) + " over all pairs.</p>\n";
  out += "<div class=\"scroll\"><table>\n<tr><th></th>";
  const auto n = static_cast<Eigen::Index>(conflicts->gradients.size());
  for (const auto& name : conflicts->gradients) out += "<th>" + escape_markup(name) + "</th>";
  for (Eigen::Index i = 0; i < n; ++i) {
    out += "</tr>\n<tr>" + cell(conflicts->gradients[static_cast<size_t>(i)], "text");
    for (Eigen::Index j = 0; j < n; ++j)
      out += i == j ? cell("–")
                    : cell(percent(conflicts->share(i, j)) + " (" + short_number(conflicts->mean_cosine(i, j)) + ")");
  }
  return out + "</tr>\n</table></div>\n";
}

// ---- one task --------------------------------------------------------------------------------------------

std::string singular_values(const HeadRecord& head) {
  if (head.singular_values.size() < 2) return "";
  const double largest = *std::max_element(head.singular_values.begin(), head.singular_values.end());
  const std::vector<double> index = count_from(1, head.singular_values.size());
  std::vector<Curve> curves{{"singular values", index, head.singular_values, Curve::Style::line}};
  if (head.cut_off > 0)
    curves.push_back({"cut-off",
                      {index.front(), index.back()},
                      std::vector<double>(2, head.cut_off * largest),
                      Curve::Style::dashed});
  return svg(LinePlot{"Head: singular values", "number", "", curves, false, true});
}

std::string newton_residuals(const HeadRecord& head) {
  if (head.newton_residuals.size() < 2) return "";
  const Curve curve{"", count_from(0, head.newton_residuals.size()), head.newton_residuals,
                    Curve::Style::marked};
  return svg(LinePlot{"Head: Newton's method", "iteration", "residual", {curve}, false, true});
}

std::string head_text(const HeadRecord& head) {
  std::string text = "Head: " + std::to_string(head.rows) + " rows, " + std::to_string(head.features) +
                     " features, rank " + std::to_string(head.rank);
  if (head.windows > 1) text += ", " + std::to_string(head.windows) + " time windows";
  if (head.patches > 1) text += ", " + std::to_string(head.patches) + " patches";
  if (head.newton_iterations > 0)
    text += ", " + std::to_string(head.newton_iterations) + " Newton iterations";
  text += "; residual " + short_number(head.residual_fit) + " fitted, " +
          short_number(head.residual_holdout) + " held out.";
  if (!head.message.empty()) text += " " + head.message;
  return text;
}

std::string reference_text(const TaskRecord& task) {
  if (task.reference_name.empty()) return "No reference.";
  std::string text = "Reference: " + task.reference_name;
  if (std::isfinite(task.reference_error_estimate))
    text += ", its own relative error about " + short_number(task.reference_error_estimate);
  return text + ".";
}

std::string residual_text(const TaskRecord& task) {
  std::string text;
  for (const ResidualRecord& residual : task.residuals)
    text += (text.empty() ? "Residuals (rms, largest): " : "; ") + residual.term + " " +
            short_number(residual.rms) + ", " + short_number(residual.max);
  return text.empty() ? "" : text + ".";
}

std::string drift_text(const TaskRecord& task) {
  std::string text;
  for (const auto& [quantity, drift] : task.drifts)
    text += (text.empty() ? "Relative drift of integrals over space: " : "; ") + quantity + " " + short_number(drift);
  return text.empty() ? "" : text + ".";
}

std::string task_section(const TaskRecord& task) {
  std::string out = "<article>\n<h3>" + escape_markup(task.name) + "</h3>\n";
  for (const std::string& text : {parameters_text(task), reference_text(task),
                                  task.head ? head_text(*task.head) : std::string(), residual_text(task),
                                  drift_text(task)})
    if (!text.empty()) out += "<p class=\"muted\">" + escape_markup(text) + "</p>\n";
  std::string pictures = field_figures(task);
  if (task.head) pictures += singular_values(*task.head) + newton_residuals(*task.head);
  return out + figures(pictures) + "</article>\n";
}

/// The tasks with pictures, evenly from the smallest to the largest error; an unknown error counts as
/// largest.
std::vector<size_t> shown_tasks(const RunRecord& run) {
  std::vector<size_t> order(run.tasks.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (order.size() <= kShownTasks) return order;
  const auto key = [&](size_t i) {
    const double error = error_of(run.tasks[i]);
    return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
  };
  std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) { return key(i) < key(j); });
  std::vector<size_t> shown;
  for (size_t i = 0; i < kShownTasks; ++i) shown.push_back(order[i * (order.size() - 1) / (kShownTasks - 1)]);
  return shown;
}

std::string task_sections(const RunRecord& run) {
  const std::vector<size_t> shown = shown_tasks(run);
  std::string out;
  if (shown.size() < run.tasks.size())
    out = "<p>" + std::to_string(shown.size()) + " of " + std::to_string(run.tasks.size()) +
          " tasks, from the smallest to the largest error.</p>\n";
  for (const size_t i : shown) out += task_section(run.tasks[i]);
  return out;
}

}  // namespace

std::string report_html(const RunRecord& run) {
  check_record(run);
  const std::string title = escape_markup(run.problem.empty() ? "torsor" : run.problem);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      title + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" + title + "</h1>\n";
  if (!run.description.empty()) out += "<pre>" + escape_markup(run.description) + "</pre>\n";
  out += provenance(run);
  out += section("Tasks", summary(run) + task_table(run));
  out += section("Errors", errors_over_tasks(run));
  out += section("Training", conflict_table(run) + training(run));
  out += section("Fields", task_sections(run));
  return out + "</body>\n</html>\n";
}

void write_report(const RunRecord& run, const std::string& folder) {
  const std::string html = report_html(run);
  make_folder(folder);
  write_atomically((std::filesystem::path(folder) / "report.html").string(), html);
}

}  // namespace torsor
