#include "solvers/store/run_file.h"

#include <filesystem>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>

#include "physics/error.h"
#include "solvers/store/atomic_file.h"
#include "solvers/store/run_xdmf.h"

namespace torsor {
namespace {

using Pairs = std::vector<std::pair<std::string, double>>;

template <class Records, class Name>
std::vector<std::string> links_of(const Records& records, Name name) {
  std::vector<std::string> names;
  for (const auto& record : records) names.push_back(record.*name);
  return link_names(names);
}

// ---- writing ---------------------------------------------------------------------------------------------

void write_pairs(Hdf5Group group, const Pairs& pairs) {
  for (const auto& [name, value] : pairs) group.set(name, value);
}

void write_provenance(Hdf5Group& root, const RunRecord& run) {
  root.set("problem", run.problem);
  root.set("description", run.description);
  root.set("config_text", run.config_text);
  root.set("command", run.command);
  root.set("version", run.version);
  root.set("git_hash", run.git_hash);
  root.set("date", run.date);
  root.set("libtorch", run.libtorch);
  root.set("blas", run.blas);
  root.set("precision", run.precision);
  root.set("threads", run.threads);
  root.set("seed", run.seed);
}

void write_history(Hdf5Group group, const std::vector<HistoryRecord>& history) {
  const std::vector<std::string> links = links_of(history, &HistoryRecord::name);
  for (size_t i = 0; i < history.size(); ++i) {
    Hdf5Group curve = group.create_group(links[i]);
    curve.set("name", history[i].name);
    Hdf5Dataset step = curve.write("step", history[i].steps);
    step.make_scale("step");
    curve.write("value", history[i].values).attach_scale(0, step, "step");
  }
}

/// The dimensions of the fields of a task: name and scale of each.
using Scales = std::vector<std::pair<std::string, Hdf5Dataset>>;

Scales write_axes(Hdf5Group& group, const SampleSet& sample) {
  Scales scales;
  for (const Axis& axis : sample.axes) {
    Hdf5Dataset scale = group.write(axis.name, axis.values.data(), {axis.values.size()});
    scale.make_scale(axis.name);
    scale.set("units", axis.unit);
    scales.emplace_back(axis.name, std::move(scale));
  }
  return scales;
}

Scales write_points(Hdf5Group& group, const SampleSet& sample) {
  std::vector<std::int64_t> index(static_cast<size_t>(sample.size()));
  std::iota(index.begin(), index.end(), 0);
  Hdf5Dataset point = group.write("point", index.data(), {sample.size()});
  point.make_scale("point");
  for (long k = 0; k < sample.dimension(); ++k) {
    Hdf5Dataset column = group.write(sample.name(k), sample.points.col(k).data(), {sample.size()});
    column.set("units", sample.unit(k));
    column.attach_scale(0, point, "point");
  }
  Scales scales;
  scales.emplace_back("point", std::move(point));
  return scales;
}

/// Datasets that all have the dimensions of the sample set.
class FieldWriter {
 public:
  FieldWriter(const SampleSet& sample, const Scales& scales) : shape_(sample.shape()), scales_(scales) {
    if (sample.is_grid()) return;
    for (long k = 0; k < sample.dimension(); ++k) coordinates_ += (k ? " " : "") + sample.name(k);
  }

  void write(Hdf5Group& group, const std::string& name, const Eigen::VectorXd& values,
             const std::string& unit) const {
    if (values.size() > 0) create(group, name, values, unit, shape_);
  }

  /// With the scale of the velocity nodes as one more dimension, the fastest.
  void write(Hdf5Group& group, const std::string& name, const Eigen::VectorXd& values, const std::string& unit,
             const Hdf5Dataset& nodes, long n) const {
    if (values.size() == 0) return;
    std::vector<long> shape = shape_;
    shape.push_back(n);
    create(group, name, values, unit, shape).attach_scale(static_cast<int>(scales_.size()), nodes, "velocity");
  }

  void write_mask(Hdf5Group& group, const std::vector<bool>& inside) const {
    const std::vector<std::int8_t> mask(inside.begin(), inside.end());
    Hdf5Dataset dataset = group.write("inside", mask.data(), shape_);
    attach(dataset);
  }

 private:
  Hdf5Dataset create(Hdf5Group& group, const std::string& name, const Eigen::VectorXd& values, const std::string& unit,
                     const std::vector<long>& shape) const {
    Hdf5Dataset dataset = group.write(name, values.data(), shape);
    dataset.set("units", unit);
    // CF conventions: which variables locate the points.
    if (!coordinates_.empty()) dataset.set("coordinates", coordinates_);
    attach(dataset);
    return dataset;
  }

  void attach(Hdf5Dataset& dataset) const {
    for (size_t k = 0; k < scales_.size(); ++k)
      dataset.attach_scale(static_cast<int>(k), scales_[k].second, scales_[k].first);
  }

  std::vector<long> shape_;
  const Scales& scales_;
  std::string coordinates_;
};

Hdf5Group write_field_head(Hdf5Group& group, const std::string& link, const FieldRecord& field) {
  Hdf5Group place = group.create_group(link);
  place.set("name", field.name);
  place.set("unit", field.unit);
  if (field.errors) {
    place.set("rel_l2", field.errors->rel_l2);
    place.set("rel_l1", field.errors->rel_l1);
    place.set("max", field.errors->max);
    place.set("rel_max", field.errors->rel_max);
  }
  return place;
}

// Beside the values: the quadrature weights, which are the scale of the velocity's dimension, and the components of the
// nodes.
void write_velocity_fields(Hdf5Group group, const TaskRecord& task, const FieldWriter& writer) {
  const std::vector<std::string> links = links_of(task.velocity_fields, &VelocityFieldRecord::name);
  for (size_t i = 0; i < task.velocity_fields.size(); ++i) {
    const VelocityFieldRecord& field = task.velocity_fields[i];
    Hdf5Group place = write_field_head(group, links[i], field);
    const auto n = static_cast<long>(field.nodes.rows());
    Hdf5Dataset weights = place.write("weight", field.weights.data(), {n});
    weights.make_scale("velocity");
    for (size_t c = 0; c < field.components.size(); ++c)
      place.write(field.components[c], field.nodes.col(static_cast<long>(c)).data(), {n}).attach_scale(0, weights, "velocity");
    std::string components;
    for (const auto& name : field.components) components += (components.empty() ? "" : " ") + name;
    place.set("components", components);
    writer.write(place, "prediction", field.prediction, field.unit, weights, n);
    writer.write(place, "reference", field.reference, field.unit, weights, n);
    writer.write(place, "error", field.error, field.unit, weights, n);
  }
}

void write_fields(Hdf5Group group, const TaskRecord& task, const FieldWriter& writer) {
  const std::vector<std::string> links = links_of(task.fields, &FieldRecord::name);
  for (size_t i = 0; i < task.fields.size(); ++i) {
    const FieldRecord& field = task.fields[i];
    Hdf5Group place = write_field_head(group, links[i], field);
    writer.write(place, "prediction", field.prediction, field.unit);
    writer.write(place, "reference", field.reference, field.unit);
    writer.write(place, "error", field.error, field.unit);
  }
}

void write_residuals(Hdf5Group group, const TaskRecord& task, const FieldWriter& writer) {
  const std::vector<std::string> links = links_of(task.residuals, &ResidualRecord::term);
  for (size_t i = 0; i < task.residuals.size(); ++i) {
    const ResidualRecord& residual = task.residuals[i];
    Hdf5Group place = group.create_group(links[i]);
    place.set("term", residual.term);
    place.set("rms", residual.rms);
    place.set("max", residual.max);
    writer.write(place, "values", residual.values, "");
  }
}

void write_head(Hdf5Group group, const HeadRecord& head) {
  group.set("rows", head.rows);
  group.set("features", head.features);
  group.set("rank", head.rank);
  group.set("condition", head.condition);
  group.set("cut_off", head.cut_off);
  group.set("residual_fit", head.residual_fit);
  group.set("residual_holdout", head.residual_holdout);
  group.set("boundary_weight", head.boundary_weight);
  group.set("windows", head.windows);
  group.set("patches", head.patches);
  group.set("newton_iterations", head.newton_iterations);
  group.set("message", head.message);
  write_pairs(group.create_group("bandwidth"), head.bandwidth);
  group.write("singular_values", head.singular_values);
  group.write("newton_residuals", head.newton_residuals);
}

void write_seconds(Hdf5Group group, const Seconds& seconds) {
  group.set("train", seconds.train);
  group.set("head", seconds.head);
  group.set("reference", seconds.reference);
  group.set("total", seconds.total);
}

void write_sample(Hdf5Group& group, const SampleSet& sample, bool owns_geometry) {
  std::vector<std::string> names;
  for (long k = 0; k < sample.dimension(); ++k) names.push_back(sample.name(k));
  group.set("grid", sample.is_grid());
  group.set("time", sample.time);
  group.write("coordinate_names", names);
  if (!owns_geometry) return;
  const PointMatrix geometry = display_geometry(sample);
  group.write("geometry", geometry.data(), {geometry.rows(), 3});
}

void check_coordinate_names(const TaskRecord& task) {
  static const std::set<std::string> taken{"parameters", "conservation", "seconds", "inside", "geometry",        "field",
                                           "residual",   "head",    "point",  "coordinate_names"};
  for (long k = 0; k < task.sample.dimension(); ++k)
    if (taken.count(task.sample.name(k)))
      throw std::invalid_argument("run record, task '" + task.name + "': a coordinate cannot be named '" +
                                  task.sample.name(k) + "'");
}

void write_task(Hdf5Group group, const TaskRecord& task, bool owns_geometry) {
  check_coordinate_names(task);
  group.set("name", task.name);
  group.set("seed", task.seed);
  group.set("reference_name", task.reference_name);
  group.set("reference_error_estimate", task.reference_error_estimate);
  write_pairs(group.create_group("parameters"), task.parameters);
  if (!task.drifts.empty()) write_pairs(group.create_group("conservation"), task.drifts);
  write_seconds(group.create_group("seconds"), task.seconds);
  if (task.head) write_head(group.create_group("head"), *task.head);
  const SampleSet& sample = task.sample;
  const Scales scales = sample.is_grid() ? write_axes(group, sample) : write_points(group, sample);
  write_sample(group, sample, owns_geometry);
  const FieldWriter writer(sample, scales);
  if (!sample.inside.empty()) writer.write_mask(group, sample.inside);
  write_fields(group.create_group("field"), task, writer);
  if (!task.velocity_fields.empty()) write_velocity_fields(group.create_group("velocity_field"), task, writer);
  write_residuals(group.create_group("residual"), task, writer);
}

// ---- reading ---------------------------------------------------------------------------------------------

Pairs read_pairs(const Hdf5Group& group) {
  Pairs pairs;
  for (const std::string& name : group.attributes()) pairs.emplace_back(name, group.number(name));
  return pairs;
}

Eigen::VectorXd read_vector(const Hdf5Group& group, const std::string& name) {
  const Array<double> array = group.read<double>(name);
  return Eigen::Map<const Eigen::VectorXd>(array.values.data(), static_cast<long>(array.values.size()));
}

Eigen::VectorXd read_vector_if_there(const Hdf5Group& group, const std::string& name) {
  return group.has(name) ? read_vector(group, name) : Eigen::VectorXd();
}

RunRecord read_provenance(const Hdf5Group& root) {
  RunRecord run;
  run.problem = root.text("problem");
  run.description = root.text("description");
  run.config_text = root.text("config_text");
  run.command = root.text("command");
  run.version = root.text("version");
  run.git_hash = root.text("git_hash");
  run.date = root.text("date");
  run.libtorch = root.text("libtorch");
  run.blas = root.text("blas");
  run.precision = root.text("precision");
  run.threads = static_cast<int>(root.integer("threads"));
  run.seed = root.unsigned_integer("seed");
  return run;
}

HistoryRecord read_curve(const Hdf5Group& group) {
  return {group.text("name"), group.read<double>("step").values, group.read<double>("value").values};
}

SampleSet read_sample(const Hdf5Group& group) {
  SampleSet sample;
  sample.time = group.text("time");
  const std::vector<std::string> names = group.read<std::string>("coordinate_names").values;
  const bool grid = group.integer("grid") != 0;
  for (const std::string& name : names) {
    const Eigen::VectorXd values = read_vector(group, name);
    const std::string unit = group.dataset(name).text("units");
    if (grid) {
      sample.axes.push_back({name, unit, values});
      continue;
    }
    const long column = sample.points.cols();
    if (column > 0 && values.size() != sample.points.rows())
      throw InputError(group.place() + ": the coordinates have different lengths");
    sample.points.conservativeResize(values.size(), column + 1);
    sample.points.col(column) = values;
    sample.point_names.push_back(name);
    sample.point_units.push_back(unit);
  }
  if (group.has("inside"))
    for (const std::int8_t inside : group.read<std::int8_t>("inside").values)
      sample.inside.push_back(inside != 0);
  return sample;
}

void read_field(const Hdf5Group& group, FieldRecord& field) {
  field.name = group.text("name");
  field.unit = group.text("unit");
  field.prediction = read_vector(group, "prediction");
  field.reference = read_vector_if_there(group, "reference");
  field.error = read_vector_if_there(group, "error");
  if (group.has_attribute("rel_l2"))
    field.errors = {group.number("rel_l2"), group.number("rel_l1"), group.number("max"),
                    group.number("rel_max")};
}

VelocityFieldRecord read_velocity_field(const Hdf5Group& group) {
  VelocityFieldRecord field;
  read_field(group, field);
  field.weights = read_vector(group, "weight");
  std::istringstream components(group.text("components"));
  for (std::string name; components >> name;) field.components.push_back(name);
  field.nodes.resize(field.weights.size(), static_cast<long>(field.components.size()));
  for (size_t c = 0; c < field.components.size(); ++c)
    field.nodes.col(static_cast<long>(c)) = read_vector(group, field.components[c]);
  return field;
}

ResidualRecord read_residual(const Hdf5Group& group) {
  return {group.text("term"), group.number("rms"), group.number("max"),
          read_vector_if_there(group, "values")};
}

HeadRecord read_head(const Hdf5Group& group) {
  HeadRecord head;
  head.rows = group.integer("rows");
  head.features = group.integer("features");
  head.rank = group.integer("rank");
  head.condition = group.number("condition");
  head.cut_off = group.number("cut_off");
  head.residual_fit = group.number("residual_fit");
  head.residual_holdout = group.number("residual_holdout");
  head.boundary_weight = group.number("boundary_weight");
  head.windows = group.integer("windows");
  head.patches = group.integer("patches");
  head.newton_iterations = group.integer("newton_iterations");
  head.message = group.text("message");
  head.bandwidth = read_pairs(group.group("bandwidth"));
  head.singular_values = group.read<double>("singular_values").values;
  head.newton_residuals = group.read<double>("newton_residuals").values;
  return head;
}

Seconds read_seconds(const Hdf5Group& group) {
  return {group.number("train"), group.number("head"), group.number("reference"), group.number("total")};
}

TaskRecord read_task(const Hdf5Group& group) {
  TaskRecord task;
  task.name = group.text("name");
  task.seed = group.unsigned_integer("seed");
  task.reference_name = group.text("reference_name");
  task.reference_error_estimate = group.number("reference_error_estimate");
  task.parameters = read_pairs(group.group("parameters"));
  if (group.has("conservation")) task.drifts = read_pairs(group.group("conservation"));
  task.seconds = read_seconds(group.group("seconds"));
  if (group.has("head")) task.head = read_head(group.group("head"));
  task.sample = read_sample(group);
  const Hdf5Group fields = group.group("field");
  for (const std::string& name : fields.groups()) read_field(fields.group(name), task.fields.emplace_back());
  if (group.has("velocity_field"))
    for (const Hdf5Group of_velocity = group.group("velocity_field"); const std::string& name : of_velocity.groups())
      task.velocity_fields.push_back(read_velocity_field(of_velocity.group(name)));
  const Hdf5Group residuals = group.group("residual");
  for (const std::string& name : residuals.groups())
    task.residuals.push_back(read_residual(residuals.group(name)));
  return task;
}

}  // namespace

void write_run(const RunRecord& run, const std::string& folder) {
  check_record(run);
  make_folder(folder);
  Hdf5File file = Hdf5File::create((std::filesystem::path(folder) / "run.h5").string(), kRunFileType);
  Hdf5Group root = file.root();
  write_provenance(root, run);
  write_history(root.create_group("history"), run.history);
  if (!run.gradients.empty()) root.write("gradients", run.gradients);
  Hdf5Group tasks = root.create_group("task");
  const std::vector<std::string> links = links_of(run.tasks, &TaskRecord::name);
  for (size_t i = 0; i < run.tasks.size(); ++i)
    write_task(tasks.create_group(links[i]), run.tasks[i], geometry_owner(run, i) == i);
  file.save();
  write_atomically((std::filesystem::path(folder) / "run.xdmf").string(), run_xdmf(run, "run.h5"));
}

RunRecord read_run(const std::string& path) {
  const bool folder = std::filesystem::is_directory(path);
  const std::string name = folder ? (std::filesystem::path(path) / "run.h5").string() : path;
  const Hdf5File file = Hdf5File::open(name, kRunFileType);
  const Hdf5Group root = file.root();
  RunRecord run = read_provenance(root);
  const Hdf5Group history = root.group("history");
  for (const std::string& curve : history.groups()) run.history.push_back(read_curve(history.group(curve)));
  if (root.has("gradients")) run.gradients = root.read<std::string>("gradients").values;
  const Hdf5Group tasks = root.group("task");
  for (const std::string& task : tasks.groups()) run.tasks.push_back(read_task(tasks.group(task)));
  try {
    check_record(run);
  } catch (const std::invalid_argument& error) {
    throw InputError("'" + name + "' contradicts itself: " + error.what());
  }
  return run;
}

}  // namespace torsor
