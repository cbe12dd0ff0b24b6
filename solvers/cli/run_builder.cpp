#include "solvers/cli/run_builder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "physics/norms.h"
#include "physics/sampler.h"
#include "problems/conservation.h"
#include "problems/quantities.h"
#include "solvers/cli/version.h"
#include "solvers/store/atomic_file.h"
#include "solvers/store/run_json.h"

namespace torsor {
namespace {

constexpr Index kCloudPoints = 8192;  // where a tensor grid would be too large

std::vector<FieldJet> value_jets(const Problem& problem) {
  std::vector<FieldJet> jets;
  for (Index f = 0; f < static_cast<Index>(problem.fields.size()); ++f)
    jets.push_back({f, MultiIndex(static_cast<size_t>(problem.dimension()), 0)});
  return jets;
}

Eigen::MatrixXd all_points(const SampleSet& samples) {
  Eigen::MatrixXd points(samples.size(), samples.dimension());
  for (long i = 0; i < samples.dimension(); ++i) points.col(i) = samples.coordinate(i);
  return points;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string description_of(const Problem& problem) {
  std::string text = problem.title;
  for (const auto& term : problem.terms) text += "\n" + term.name + ": " + term.text;
  return text;
}

/// Values at the samples inside the domain, NaN in holes.
Eigen::MatrixXd masked(const SampleSet& samples, Index columns,
                       const std::function<Eigen::MatrixXd(const Eigen::MatrixXd&)>& values) {
  const Eigen::MatrixXd points = all_points(samples);
  if (samples.inside.empty()) return values(points);
  std::vector<Index> rows;
  for (size_t k = 0; k < samples.inside.size(); ++k)
    if (samples.inside[k]) rows.push_back(static_cast<Index>(k));
  Eigen::MatrixXd all = Eigen::MatrixXd::Constant(points.rows(), columns, kUnknown);
  all(rows, Eigen::all) = values(points(rows, Eigen::all));
  return all;
}

std::string short_number(double value) {
  if (std::isnan(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.2e", value);
  return text;
}

}  // namespace

SampleSet output_samples(const Problem& problem, Index grid) {
  SampleSet samples;
  const Index d = problem.dimension();
  const auto names = coordinate_names(problem.coordinates);
  if (problem.time() >= 0) samples.time = names[static_cast<size_t>(problem.time())];
  if (d > 3) {
    samples.points = make_sampler("sobol")->points(kCloudPoints, d, 4711);
    for (Index i = 0; i < d; ++i) {
      const auto& c = problem.coordinates[static_cast<size_t>(i)];
      samples.points.col(i) = (c.low + (c.high - c.low) * samples.points.col(i).array()).matrix();
      samples.point_units.push_back(c.unit);
    }
    samples.point_names = names;
    return samples;
  }
  const Index in_plane = problem.velocity ? 65 : 129;  // with values for every velocity
  const Index n = grid > 0 ? grid : d == 1 ? 1001 : d == 2 ? in_plane : 41;
  for (const auto& c : problem.coordinates)
    samples.axes.push_back({c.name, c.unit, Eigen::VectorXd::LinSpaced(n, c.low, c.high)});
  if (problem.box) return samples;
  const auto space = problem.space();
  const Eigen::MatrixXd points = all_points(samples);
  // Points on the boundary to rounding are kept: the fields are defined there.
  const Eigen::VectorXd distance = problem.domain->signed_distance(points(Eigen::all, space));
  for (Index k = 0; k < points.rows(); ++k) samples.inside.push_back(distance[k] <= 1e-12);
  return samples;
}

RunRecord new_run(const Config& config, const Problem& problem, const Runtime& runtime, const std::string& command) {
  RunRecord run;
  run.problem = problem.name;
  run.description = description_of(problem);
  run.config_text = config.text();
  run.command = command;
  run.version = torsor_version();
  run.git_hash = torsor_git_hash();
  run.date = utc_now();
  run.libtorch = runtime.libtorch;
  run.blas = runtime.blas;
  run.precision = runtime.precision;
  run.threads = runtime.threads;
  run.seed = static_cast<unsigned long long>(config.integer("problem.seed"));
  return run;
}

Eigen::MatrixXd field_values(const Problem& problem, const Solution& solution, const Eigen::MatrixXd& points) {
  return solution.jets(points, value_jets(problem));
}

namespace {

/// Prediction, reference and errors; means over the velocities are taken with the roots of the weights.
template <class Record>
void fill(Record& field, const Quantity& quantity, const Eigen::MatrixXd& prediction, const Eigen::MatrixXd* truth,
          const Eigen::VectorXd& weights) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto flat = [](const RowMajor& values) -> Eigen::VectorXd {
    return Eigen::Map<const Eigen::VectorXd>(values.data(), values.size());
  };
  field.name = quantity.name;
  field.unit = quantity.unit;
  field.prediction = flat(prediction);
  if (!truth) return;
  field.reference = flat(*truth);
  field.error = field.prediction - field.reference;
  const ErrorNorms plain = error_norms(field.prediction, field.reference);
  const Eigen::VectorXd roots = weights.cwiseSqrt();
  const ErrorNorms l2 = error_norms(flat(prediction * roots.asDiagonal()), flat(*truth * roots.asDiagonal()));
  const ErrorNorms l1 = error_norms(flat(prediction * weights.asDiagonal()), flat(*truth * weights.asDiagonal()));
  field.errors = ErrorRecord{l2.relative_l2, l1.relative_l1, plain.max_absolute, plain.relative_max};
}

}  // namespace

TaskRecord task_record(const Task& task, const SampleSet& samples,
                       const std::function<Eigen::MatrixXd(const Eigen::MatrixXd&)>& fields,
                       const ReferenceSolution* reference) {
  const Problem& problem = task.problem;
  TaskRecord record;
  record.name = task.name;
  record.seed = task.input.seed;
  for (const auto& parameter : problem.parameters) record.parameters.emplace_back(parameter.name, parameter.value);
  record.sample = samples;
  const auto n_fields = static_cast<Index>(problem.fields.size());
  const Eigen::MatrixXd points = all_points(samples);
  const Eigen::MatrixXd values = masked(samples, n_fields, fields);
  const Eigen::MatrixXd truth = reference ? masked(samples, n_fields, reference->evaluate) : Eigen::MatrixXd();
  for (const auto& quantity : quantities(problem)) {
    const Eigen::MatrixXd prediction = quantity.of(points, values);
    const Eigen::MatrixXd true_values = reference ? quantity.of(points, truth) : Eigen::MatrixXd();
    const Eigen::MatrixXd* known = reference ? &true_values : nullptr;
    if (!quantity.of_velocity) {
      fill(record.fields.emplace_back(), quantity, prediction, known, Eigen::VectorXd::Ones(1));
      continue;
    }
    auto& field = record.velocity_fields.emplace_back();
    field.components = problem.velocity->names;
    field.nodes = problem.velocity->nodes;
    field.weights = problem.velocity->weights;
    fill(field, quantity, prediction, known, field.weights);
  }
  record.drifts = conservation_drifts(problem, fields);
  if (reference) {
    record.reference_name = reference->name;
    record.reference_error_estimate = reference->error_estimate;
    record.seconds.reference = reference->seconds;
  }
  return record;
}

void add_residuals(TaskRecord& record, const Task& task, const Solution& solution, const Holdout& holdout) {
  const Problem& problem = task.problem;
  for (const auto& term : problem.terms) {
    ResidualRecord residual;
    residual.term = term.name;
    for (const auto& known : holdout.terms) {
      if (known.term != static_cast<Index>(&term - problem.terms.data())) continue;
      residual.rms = known.rms;
      residual.max = known.max;
    }
    if (term.place == Place::interior && !problem.velocity) {  // of many moments the norms are enough
      residual.values = masked(record.sample, 1, [&](const Eigen::MatrixXd& x) -> Eigen::MatrixXd {
        return evaluate_residual(problem, term, x, {}, solution.jets(x, term.jets));
      });
    }
    record.residuals.push_back(std::move(residual));
  }
}

Holdout holdout_of(const Problem& problem, const Solution& solution, const HeadOptions& options) {
  constexpr Index kFeatures = 400;  // as many points as a head of this size is held against
  const auto axes = whole_domain(problem);
  CollocationOptions collocation = options.collocation;
  collocation.seed = options.seed;
  return evaluate_holdout(problem, holdout_points(problem, axes, kFeatures, collocation),
                          [&](const Eigen::MatrixXd& x, const std::vector<FieldJet>& jets) { return solution.jets(x, jets); });
}

void add_head(TaskRecord& record, const Task& task, const HeadResult& result) {
  const Problem& problem = task.problem;
  HeadRecord head;
  head.rows = result.newton.head.rows;
  head.features = result.newton.head.columns;
  head.rank = result.newton.head.rank;
  head.condition = result.newton.head.condition;
  head.cut_off = result.newton.head.cut_off;
  head.residual_fit = result.newton.head.residual;
  head.residual_holdout = result.holdout;
  head.boundary_weight = result.boundary_weight;
  for (Index i = 0; i < result.bandwidth.size(); ++i)
    head.bandwidth.emplace_back(problem.coordinates[static_cast<size_t>(i)].name, result.bandwidth[i]);
  head.singular_values = result.newton.head.singular_values;
  head.windows = static_cast<long>(result.solutions.front().windows().size());
  head.patches = result.patches;
  head.newton_iterations = result.newton.iterations;
  if (!result.newton.linear) head.newton_residuals = result.newton.residuals;
  head.message = result.newton.head.method + (result.reached_tolerance ? "" : "; tolerance not reached");
  if (result.kept_pretrained) head.message = "the network's own head kept: solved again neither loss nor hold-out residual is much smaller";
  if (result.null_space > 0)
    head.message += "; the operator is singular here (null space of dimension " + std::to_string(result.null_space) +
                    "): solution of least L2 norm";
  if (head.features > head.rows) head.message += "; more features than rows: minimum-norm solution";
  record.head = std::move(head);
  add_residuals(record, task, result.solutions.front(), result.holdouts.front());
}

void print_run(const RunRecord& run, const std::string& json_path) {
  std::printf("%s\n%-24s %-8s %10s %10s %10s %7s %7s %6s %9s %10s %8s %9s\n", run.problem.c_str(), "task", "field",
              "rel L2", "rel L1", "max", "rows", "feat.", "rank", "cond.", "hold-out", "head s", "ref. s");
  for (const auto& task : run.tasks)
    for (const auto& [field, errors] : errors_of(task)) {
      const ErrorRecord e = errors.value_or(ErrorRecord{});
      const HeadRecord no_head;
      const HeadRecord& h = task.head ? *task.head : no_head;
      std::printf("%-24s %-8s %10s %10s %10s %7ld %7ld %6ld %9s %10s %8.2f %9.2f\n", task.name.c_str(),
                  field.c_str(), short_number(e.rel_l2).c_str(), short_number(e.rel_l1).c_str(),
                  short_number(e.max).c_str(), h.rows, h.features, h.rank, short_number(h.condition).c_str(),
                  short_number(h.residual_holdout).c_str(), task.seconds.head, task.seconds.reference);
    }
  for (const auto& task : run.tasks)
    if (task.head && !task.head->message.empty())
      std::printf("%s: %s%s\n", task.name.c_str(), task.head->message.c_str(),
                  task.reference_name.empty() ? "" : (", reference: " + task.reference_name).c_str());
  for (const auto& task : run.tasks)
    for (const auto& [quantity, drift] : task.drifts)
      std::printf("%s: the integral of %s drifts by %s\n", task.name.c_str(), quantity.c_str(),
                  short_number(drift).c_str());
  if (!json_path.empty()) write_atomically(json_path, run_json(run));
}

}  // namespace torsor
