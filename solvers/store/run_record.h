// The plain data of one run: what was asked, where it was sampled, what came out and how it was solved.
// The numerics fill it; run_file stores it, run_json and the report show it.
#pragma once

#include <Eigen/Core>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace torsor {

/// "Not known" for every number of a record: stored as NaN, null in JSON, a dash in the report.
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// One axis of a tensor grid: strictly monotone coordinate values.
struct Axis {
  std::string name;
  std::string unit;  // empty: without dimension
  Eigen::VectorXd values;
};

/// Where the fields of a task are sampled: a tensor grid when `axes` is not empty, else a cloud of points.
struct SampleSet {
  std::vector<Axis> axes;                // the first axis varies slowest
  Eigen::MatrixXd points;                // (N, d), only without axes
  std::vector<std::string> point_names;  // d names of the columns of `points`
  std::vector<std::string> point_units;  // d units, or empty
  std::vector<bool> inside;              // (N) false in holes, where fields are NaN; empty: all inside
  std::string time;                      // the coordinate that is time; empty: none

  bool is_grid() const { return !axes.empty(); }
  long size() const;                         // N, the number of samples
  long dimension() const;                    // d, the number of coordinates
  std::string name(long k) const;            // of coordinate k
  std::string unit(long k) const;            // of coordinate k
  std::vector<long> shape() const;           // of a field: axis lengths, or {N}
  Eigen::VectorXd coordinate(long k) const;  // (N) coordinate k of every sample, in storage order
};

bool operator==(const SampleSet& a, const SampleSet& b);

/// Differences between a field and its reference over the sample set.
struct ErrorRecord {
  double rel_l2 = kUnknown;   // ||u - r||_2 / ||r||_2
  double rel_l1 = kUnknown;   // ||u - r||_1 / ||r||_1
  double max = kUnknown;      // max |u - r|, in the unit of the field
  double rel_max = kUnknown;  // max |u - r| / max |r|
};

/// One unknown function on the sample set, in the order of SampleSet::shape, NaN in holes.
struct FieldRecord {
  std::string name;
  std::string unit;
  Eigen::VectorXd prediction;  // (N)
  Eigen::VectorXd reference;   // (N) or empty
  Eigen::VectorXd error;       // (N) prediction - reference, or empty
  std::optional<ErrorRecord> errors;
};

/// A quantity that depends on the velocity too: values at sample i and node j are number i n + j of the vectors.
struct VelocityFieldRecord : FieldRecord {
  std::vector<std::string> components;  // names of the velocity's components
  Eigen::MatrixXd nodes;                // (n, components)
  Eigen::VectorXd weights;              // (n) of the quadrature; errors are means over the velocities with them
};

/// How well one term of the problem holds.
struct ResidualRecord {
  std::string term;
  double rms = kUnknown;
  double max = kUnknown;
  Eigen::VectorXd values;  // (N) on the sample set, or empty (boundary and initial terms)
};

/// The least-squares solve of a task's head.
struct HeadRecord {
  long rows = 0;
  long features = 0;
  long rank = 0;
  double condition = kUnknown;         // of the scaled system
  double cut_off = kUnknown;           // relative, below which singular values were dropped
  double residual_fit = kUnknown;      // rms over the rows that were fitted
  double residual_holdout = kUnknown;  // rms over rows that were not
  double boundary_weight = kUnknown;
  std::vector<std::pair<std::string, double>> bandwidth;  // of the features, per coordinate
  std::vector<double> singular_values;                    // of the scaled system, decreasing
  long windows = 1;                                       // in time
  long patches = 1;                                       // in space
  long newton_iterations = 0;
  std::vector<double> newton_residuals;  // before the first and after each iteration
  std::string message;                   // how the solve ended, in words
};

/// Wall-clock seconds.
struct Seconds {
  double train = 0;
  double head = 0;
  double reference = 0;
  double total = 0;
};

/// One instance of the problem.
struct TaskRecord {
  std::string name;  // unique in the run
  std::vector<std::pair<std::string, double>> parameters;
  unsigned long long seed = 0;
  SampleSet sample;
  std::vector<FieldRecord> fields;
  std::vector<VelocityFieldRecord> velocity_fields;
  std::vector<ResidualRecord> residuals;
  std::vector<std::pair<std::string, double>> drifts;  // relative, of conserved quantities (problems/conservation.h)
  std::optional<HeadRecord> head;  // empty when no head was solved (a reference alone)
  Seconds seconds;
  std::string reference_name;                  // empty: no reference
  double reference_error_estimate = kUnknown;  // relative
};

/// Name and errors (nothing without a reference) of every field of the task, those of the velocity last.
std::vector<std::pair<std::string, std::optional<ErrorRecord>>> errors_of(const TaskRecord& task);

/// One curve of the training: a loss, a learning rate, a measure of conflict.
struct HistoryRecord {
  std::string name;
  std::vector<double> steps;
  std::vector<double> values;  // as many as steps
};

/// One call of the program.
struct RunRecord {
  std::string problem;
  std::string description;  // the equation in text
  std::string config_text;
  std::string command;
  std::string version;
  std::string git_hash;
  std::string date;  // ISO 8601, UTC
  std::string libtorch;
  std::string blas;
  std::string precision;
  int threads = 1;
  unsigned long long seed = 0;
  std::vector<HistoryRecord> history;
  std::vector<std::string> gradients;  // what gradient 0, 1, ... of the history is of; empty where nothing was trained
  std::vector<TaskRecord> tasks;
};

/// Throws std::invalid_argument, naming task and part, when sizes disagree or names are empty or repeated.
void check_record(const RunRecord& run);

}  // namespace torsor
