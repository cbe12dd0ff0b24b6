#include "solvers/store/run_xdmf.h"

#include <algorithm>
#include <cstdio>

#include "solvers/store/hdf5_file.h"
#include "solvers/store/markup.h"

namespace torsor {
namespace {

/// The axis that becomes time; -1 when there is none or nothing else would remain.
long time_axis(const SampleSet& sample) {
  if (!sample.is_grid() || sample.dimension() < 2) return -1;
  for (long k = 0; k < sample.dimension(); ++k)
    if (sample.name(k) == sample.time) return k;
  return -1;
}

/// The sample set at one moment.
SampleSet without_time(const SampleSet& sample) {
  SampleSet space = sample;
  const long time = time_axis(sample);
  if (time >= 0) space.axes.erase(space.axes.begin() + time);
  return space;
}

std::string joined(const std::vector<long>& numbers) {
  std::string text;
  for (const long n : numbers) text += (text.empty() ? "" : " ") + std::to_string(n);
  return text;
}

std::string number_text(double value) {
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.17g", value);
  return digits;
}

std::string line(int level, const std::string& text) {
  return std::string(2 * static_cast<size_t>(level), ' ') + text + '\n';
}

/// Writes the grids of one task.
class TaskWriter {
 public:
  TaskWriter(const TaskRecord& task, std::string group, std::string geometry)
      : task_(task),
        sample_(task.sample),
        space_(without_time(task.sample)),
        time_(time_axis(task.sample)),
        group_(std::move(group)),
        geometry_(std::move(geometry)) {}

  std::string text() const {
    std::string out;
    if (space_.dimension() > 3)
      out += line(2, "<!-- the points show the first three of " + std::to_string(space_.dimension()) +
                         " coordinates -->");
    return out + (time_ < 0 ? grid(2, -1) : moments());
  }

 private:
  std::string name() const { return "\"" + escape_markup(task_.name) + "\""; }

  std::string moments() const {
    std::string out =
        line(2, "<Grid Name=" + name() + " GridType=\"Collection\" CollectionType=\"Temporal\">");
    const Eigen::VectorXd& times = sample_.axes[static_cast<size_t>(time_)].values;
    for (long i = 0; i < times.size(); ++i) out += grid(3, i);
    return out + line(2, "</Grid>");
  }

  /// The mesh and its fields, at time index `moment` or (-1) as a whole.
  std::string grid(int level, long moment) const {
    std::string out = line(level, "<Grid Name=" + name() + " GridType=\"Uniform\">");
    if (moment >= 0) {
      const double t = sample_.axes[static_cast<size_t>(time_)].values[moment];
      out += line(level + 1, "<Time Value=\"" + number_text(t) + "\"/>");
    }
    out += mesh(level + 1);
    const std::vector<std::string> fields = field_links();
    for (size_t i = 0; i < fields.size(); ++i) out += field(level + 1, task_.fields[i], fields[i], moment);
    const std::vector<std::string> terms = residual_links();
    for (size_t i = 0; i < terms.size(); ++i)
      if (task_.residuals[i].values.size() > 0)
        out += attribute(level + 1, "residual " + task_.residuals[i].term, "residual/" + terms[i] + "/values",
                         moment);
    return out + line(level, "</Grid>");
  }

  std::string mesh(int level) const {
    const std::string count = std::to_string(space_.size());
    std::string topology =
        "<Topology TopologyType=\"Polyvertex\" NumberOfElements=\"" + count + "\" NodesPerElement=\"1\"/>";
    if (space_.is_grid() && space_.dimension() <= 3) {
      std::vector<long> lengths = space_.shape();
      lengths.insert(lengths.begin(), 3 - lengths.size(), 1);
      topology = "<Topology TopologyType=\"3DSMesh\" Dimensions=\"" + joined(lengths) + "\"/>";
    }
    return line(level, topology) + line(level, "<Geometry GeometryType=\"XYZ\">") +
           data_item(level + 1, geometry_, count + " 3") + line(level, "</Geometry>");
  }

  std::string field(int level, const FieldRecord& field, const std::string& link, long moment) const {
    std::string out = attribute(level, field.name, "field/" + link + "/prediction", moment);
    if (field.reference.size() > 0)
      out += attribute(level, field.name + " reference", "field/" + link + "/reference", moment);
    if (field.error.size() > 0)
      out += attribute(level, field.name + " error", "field/" + link + "/error", moment);
    return out;
  }

  std::string attribute(int level, const std::string& label, const std::string& path, long moment) const {
    const std::string whole = joined(sample_.shape());
    return line(level, "<Attribute Name=\"" + escape_markup(label) +
                           "\" AttributeType=\"Scalar\" Center=\"Node\">") +
           (moment < 0 ? data_item(level + 1, group_ + "/" + path, whole)
                       : slab(level + 1, group_ + "/" + path, whole, moment)) +
           line(level, "</Attribute>");
  }

  std::string data_item(int level, const std::string& path, const std::string& dimensions) const {
    return line(level, "<DataItem Dimensions=\"" + dimensions +
                           "\" NumberType=\"Float\" Precision=\"8\" Format=\"HDF\">" + escape_markup(path) +
                           "</DataItem>");
  }

  /// The values at one moment, cut out of the dataset of all.
  std::string slab(int level, const std::string& path, const std::string& whole, long moment) const {
    const size_t rank = sample_.axes.size();
    std::vector<long> start(rank, 0), count = sample_.shape();
    start[static_cast<size_t>(time_)] = moment;
    count[static_cast<size_t>(time_)] = 1;
    return line(level, "<DataItem ItemType=\"HyperSlab\" Dimensions=\"" + joined(count) + "\">") +
           line(level + 1, "<DataItem Dimensions=\"3 " + std::to_string(rank) +
                               "\" NumberType=\"Int\" Format=\"XML\">" + joined(start) + "  " +
                               joined(std::vector<long>(rank, 1)) + "  " + joined(count) + "</DataItem>") +
           data_item(level + 1, path, whole) + line(level, "</DataItem>");
  }

  std::vector<std::string> field_links() const {
    std::vector<std::string> names;
    for (const FieldRecord& field : task_.fields) names.push_back(field.name);
    return link_names(names);
  }

  std::vector<std::string> residual_links() const {
    std::vector<std::string> names;
    for (const ResidualRecord& residual : task_.residuals) names.push_back(residual.term);
    return link_names(names);
  }

  const TaskRecord& task_;
  const SampleSet& sample_;
  SampleSet space_;
  long time_;
  std::string group_;     // "run.h5:/task/NAME"
  std::string geometry_;  // "run.h5:/task/NAME/geometry"
};

}  // namespace

PointMatrix display_geometry(const SampleSet& sample) {
  const SampleSet space = without_time(sample);
  PointMatrix points = PointMatrix::Zero(space.size(), 3);
  for (long k = 0; k < std::min(space.dimension(), 3L); ++k) points.col(k) = space.coordinate(k);
  return points;
}

size_t geometry_owner(const RunRecord& run, size_t i) {
  for (size_t j = 0; j < i; ++j)
    if (run.tasks[j].sample == run.tasks[i].sample) return j;
  return i;
}

std::string run_xdmf(const RunRecord& run, const std::string& h5_name) {
  std::vector<std::string> names;
  for (const TaskRecord& task : run.tasks) names.push_back(task.name);
  const std::vector<std::string> links = link_names(names);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Xdmf Version=\"3.0\">\n  <Domain Name=\"" +
                    escape_markup(run.problem) + "\">\n";
  for (size_t i = 0; i < run.tasks.size(); ++i) {
    if (run.tasks[i].fields.empty()) continue;
    const std::string base = h5_name + ":/task/";
    const std::string geometry = base + links[geometry_owner(run, i)] + "/geometry";
    out += TaskWriter(run.tasks[i], base + links[i], geometry).text();
  }
  return out + "  </Domain>\n</Xdmf>\n";
}

}  // namespace torsor
