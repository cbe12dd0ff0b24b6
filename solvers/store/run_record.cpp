#include "solvers/store/run_record.h"

#include <set>
#include <stdexcept>

namespace torsor {
namespace {

void require(bool condition, const std::string& place, const std::string& rule) {
  if (!condition) throw std::invalid_argument("run record, " + place + ": " + rule);
}

void check_sample(const SampleSet& sample, const std::string& place) {
  std::set<std::string> names;
  require(sample.dimension() > 0, place, "the sample set has no coordinates");
  for (long k = 0; k < sample.dimension(); ++k) {
    require(sample.is_grid() || k < static_cast<long>(sample.point_names.size()), place,
            "every column of the points needs a name");
    const std::string name = sample.name(k);
    require(!name.empty() && name.find('/') == std::string::npos, place,
            "coordinate name '" + name + "' must not be empty or contain '/'");
    require(names.insert(name).second, place, "coordinate '" + name + "' appears twice");
  }
  require(sample.inside.empty() || static_cast<long>(sample.inside.size()) == sample.size(), place,
          "the mask 'inside' must be empty or have one entry for each sample");
  require(sample.point_units.empty() || sample.point_units.size() == sample.point_names.size(), place,
          "point_units must be empty or have one entry for each coordinate");
  require(sample.time.empty() || names.count(sample.time), place,
          "time coordinate '" + sample.time + "' is not among the coordinates");
}

void check_values(const Eigen::VectorXd& values, long size, bool may_be_empty, const std::string& place) {
  require(values.size() == size || (may_be_empty && values.size() == 0), place,
          std::to_string(values.size()) + " values on " + std::to_string(size) + " samples");
}

void check_task(const TaskRecord& task) {
  const std::string place = "task '" + task.name + "'";
  const long size = task.sample.size();
  if (!task.fields.empty()) check_sample(task.sample, place);
  std::set<std::string> names;
  for (const FieldRecord& field : task.fields) {
    const std::string field_place = place + ", field '" + field.name + "'";
    require(!field.name.empty() && names.insert(field.name).second, field_place,
            "names must not be empty or repeated");
    check_values(field.prediction, size, false, field_place + ", prediction");
    check_values(field.reference, size, true, field_place + ", reference");
    check_values(field.error, size, true, field_place + ", error");
  }
  for (const VelocityFieldRecord& field : task.velocity_fields) {
    const std::string field_place = place + ", field '" + field.name + "'";
    require(!field.name.empty() && names.insert(field.name).second, field_place, "names must not be empty or repeated");
    require(field.nodes.rows() > 0 && field.nodes.rows() == field.weights.size() &&
                field.nodes.cols() == static_cast<long>(field.components.size()),
            field_place, "velocity nodes, weights and components do not fit");
    check_values(field.prediction, size * field.nodes.rows(), false, field_place + ", prediction");
    check_values(field.reference, size * field.nodes.rows(), true, field_place + ", reference");
    check_values(field.error, size * field.nodes.rows(), true, field_place + ", error");
  }
  names.clear();
  for (const ResidualRecord& residual : task.residuals) {
    const std::string residual_place = place + ", residual '" + residual.term + "'";
    require(!residual.term.empty() && names.insert(residual.term).second, residual_place,
            "names must not be empty or repeated");
    check_values(residual.values, size, true, residual_place);
  }
}

}  // namespace

std::vector<std::pair<std::string, std::optional<ErrorRecord>>> errors_of(const TaskRecord& task) {
  std::vector<std::pair<std::string, std::optional<ErrorRecord>>> errors;
  for (const FieldRecord& field : task.fields) errors.emplace_back(field.name, field.errors);
  for (const FieldRecord& field : task.velocity_fields) errors.emplace_back(field.name, field.errors);
  return errors;
}

long SampleSet::size() const {
  if (!is_grid()) return points.rows();
  long n = 1;
  for (const Axis& axis : axes) n *= axis.values.size();
  return n;
}

long SampleSet::dimension() const {
  return is_grid() ? static_cast<long>(axes.size()) : points.cols();
}

std::string SampleSet::name(long k) const {
  const auto i = static_cast<size_t>(k);
  return is_grid() ? axes.at(i).name : point_names.at(i);
}

std::string SampleSet::unit(long k) const {
  const auto i = static_cast<size_t>(k);
  if (is_grid()) return axes.at(i).unit;
  return point_units.empty() ? std::string() : point_units.at(i);
}

std::vector<long> SampleSet::shape() const {
  if (!is_grid()) return {size()};
  std::vector<long> lengths;
  for (const Axis& axis : axes) lengths.push_back(axis.values.size());
  return lengths;
}

Eigen::VectorXd SampleSet::coordinate(long k) const {
  if (!is_grid()) return points.col(k);
  const Eigen::VectorXd& values = axes.at(static_cast<size_t>(k)).values;
  long stride = 1;
  for (size_t i = static_cast<size_t>(k) + 1; i < axes.size(); ++i) stride *= axes[i].values.size();
  Eigen::VectorXd all(size());
  for (long i = 0; i < all.size(); ++i) all[i] = values[(i / stride) % values.size()];
  return all;
}

bool operator==(const SampleSet& a, const SampleSet& b) {
  if (a.axes.size() != b.axes.size() || a.size() != b.size() || a.dimension() != b.dimension()) return false;
  if (a.inside != b.inside || a.time != b.time) return false;
  for (long k = 0; k < a.dimension(); ++k) {
    if (a.name(k) != b.name(k) || a.unit(k) != b.unit(k)) return false;
    if (a.is_grid() && a.axes[static_cast<size_t>(k)].values != b.axes[static_cast<size_t>(k)].values)
      return false;
  }
  return a.is_grid() || a.points == b.points;
}

void check_record(const RunRecord& run) {
  std::set<std::string> names;
  for (const TaskRecord& task : run.tasks) {
    require(!task.name.empty() && names.insert(task.name).second, "task '" + task.name + "'",
            "names must not be empty or repeated");
    check_task(task);
  }
  for (const HistoryRecord& curve : run.history)
    require(!curve.name.empty() && curve.steps.size() == curve.values.size(), "history '" + curve.name + "'",
            "needs a name and as many values as steps");
}

}  // namespace torsor
