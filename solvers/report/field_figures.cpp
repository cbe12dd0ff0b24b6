#include "solvers/report/field_figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "solvers/report/plot.h"

namespace torsor {
namespace {

constexpr long kPixels = 180;       // of a map, along its longer side
constexpr size_t kMostDots = 2000;  // of a scatter plot

/// The part of a sample set that is drawn, and how.
struct View {
  enum class Kind { nothing, curve, map, cloud_map };
  Kind kind = Kind::nothing;
  std::vector<long> shown;  // coordinates along the axes of the picture
  std::string fixed;        // the others: "t = 0.5, z = 1"
  bool whole = true;        // nothing is left out
};

std::vector<long> varying_coordinates(const SampleSet& sample) {
  std::vector<long> varying;
  for (long k = 0; k < sample.dimension(); ++k)
    if (!sample.is_grid() || sample.axes[static_cast<size_t>(k)].values.size() > 1) varying.push_back(k);
  return varying;
}

/// Two coordinates for a slice: in space when it has two.
std::vector<long> slice_coordinates(const SampleSet& sample, const std::vector<long>& varying) {
  std::vector<long> order = varying;
  std::stable_partition(order.begin(), order.end(), [&](long k) { return sample.name(k) != sample.time; });
  order.resize(2);
  std::sort(order.begin(), order.end());
  return order;
}

std::string fixed_coordinates(const SampleSet& sample, const std::vector<long>& varying,
                              const std::vector<long>& shown) {
  std::string text;
  for (const long k : varying) {
    if (std::find(shown.begin(), shown.end(), k) != shown.end()) continue;
    const Eigen::VectorXd& values = sample.axes[static_cast<size_t>(k)].values;
    text += (text.empty() ? "" : ", ") + sample.name(k) + " = " + short_number(values[values.size() / 2]);
  }
  return text;
}

View view_of(const SampleSet& sample) {
  const std::vector<long> varying = varying_coordinates(sample);
  View view;
  view.whole = varying.size() <= 2;
  if (sample.size() == 0 || varying.empty()) return view;
  if (varying.size() == 1) {
    view.kind = View::Kind::curve;
    view.shown = varying;
  } else if (sample.is_grid()) {
    view.kind = View::Kind::map;
    view.shown = view.whole ? varying : slice_coordinates(sample, varying);
    view.fixed = fixed_coordinates(sample, varying, view.shown);
  } else if (varying.size() == 2) {
    view.kind = View::Kind::cloud_map;
    view.shown = varying;
  }
  return view;
}

Eigen::VectorXd without_holes(const SampleSet& sample, Eigen::VectorXd values) {
  for (size_t i = 0; i < sample.inside.size() && values.size() > 0; ++i)
    if (!sample.inside[i]) values[static_cast<long>(i)] = kUnknown;
  return values;
}

// ---- maps ------------------------------------------------------------------------------------------------

/// Values (na, nb) over the two shown axes, the others at their middle.
Eigen::MatrixXd slice(const SampleSet& sample, const View& view, const Eigen::VectorXd& values) {
  long base = 0;
  std::vector<long> strides(sample.axes.size());
  long stride = 1;
  for (long k = sample.dimension() - 1; k >= 0; --k) {
    const long length = sample.axes[static_cast<size_t>(k)].values.size();
    strides[static_cast<size_t>(k)] = stride;
    const bool shown = std::find(view.shown.begin(), view.shown.end(), k) != view.shown.end();
    if (!shown) base += stride * (length / 2);
    stride *= length;
  }
  const auto a = static_cast<size_t>(view.shown[0]), b = static_cast<size_t>(view.shown[1]);
  Eigen::MatrixXd part(sample.axes[a].values.size(), sample.axes[b].values.size());
  for (long i = 0; i < part.rows(); ++i)
    for (long j = 0; j < part.cols(); ++j) part(i, j) = values[base + i * strides[a] + j * strides[b]];
  return part;
}

/// Height over width: true to scale for two lengths of the same unit, else a standard format.
double aspect_of(const SampleSet& sample, const View& view, Range x, Range y) {
  const long a = view.shown[0], b = view.shown[1];
  const bool comparable =
      sample.unit(a) == sample.unit(b) && sample.name(a) != sample.time && sample.name(b) != sample.time;
  const double ratio = y.length() / x.length();
  return comparable && ratio > 0.4 && ratio < 2.0 ? ratio : 0.85;
}

std::string map(const SampleSet& sample, const View& view, const Eigen::VectorXd& values,
                const std::string& title, bool log, std::optional<Range> colours = {}) {
  const long a = view.shown[0], b = view.shown[1];
  const bool grid = view.kind == View::Kind::map;
  const Eigen::VectorXd x = grid ? sample.axes[static_cast<size_t>(a)].values : sample.coordinate(a);
  const Eigen::VectorXd y = grid ? sample.axes[static_cast<size_t>(b)].values : sample.coordinate(b);
  MapPlot plot;
  plot.title = title + (view.fixed.empty() ? "" : ", at " + view.fixed);
  plot.x_label = with_unit(sample.name(a), sample.unit(a));
  plot.y_label = with_unit(sample.name(b), sample.unit(b));
  plot.log = log;
  plot.colours = colours;
  plot.aspect = aspect_of(sample, view, range_of(x), range_of(y));
  const long width = plot.aspect > 1 ? std::lround(kPixels / plot.aspect) : kPixels;
  const long height = plot.aspect > 1 ? kPixels : std::lround(kPixels * plot.aspect);
  plot.raster = grid ? raster_from_grid(x, y, slice(sample, view, values), width, height)
                     : raster_from_points(x, y, values, width, height);
  return svg(plot);
}

std::string maps_of_field(const SampleSet& sample, const View& view, const FieldRecord& field) {
  const std::string name = with_unit(field.name, field.unit);
  const Eigen::VectorXd prediction = without_holes(sample, field.prediction);
  const Eigen::VectorXd reference = without_holes(sample, field.reference);
  Eigen::VectorXd both(prediction.size() + reference.size());
  both << prediction, reference;
  const Range colours = range_of(both);  // the same for the two, so that they can be compared
  std::string out = map(sample, view, prediction, name, false, colours);
  if (reference.size() > 0) out += map(sample, view, reference, name + ", reference", false, colours);
  if (field.error.size() > 0)
    out += map(sample, view, without_holes(sample, field.error.cwiseAbs()), "|error| of " + name, true);
  return out;
}

// ---- curves ----------------------------------------------------------------------------------------------

/// A curve over the only coordinate, in its order.
Curve curve_of(const SampleSet& sample, const View& view, const Eigen::VectorXd& values,
               const std::string& name, Curve::Style style) {
  const Eigen::VectorXd x = sample.coordinate(view.shown[0]);
  std::vector<long> order(static_cast<size_t>(x.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](long i, long j) { return x[i] < x[j]; });
  Curve curve{name, {}, {}, style};
  for (const long i : order) {
    curve.x.push_back(x[i]);
    curve.y.push_back(values[i]);
  }
  return curve;
}

std::string curve_plot(const SampleSet& sample, const View& view, const std::string& title,
                       const std::string& label, std::vector<Curve> curves, bool log) {
  const long k = view.shown[0];
  return svg(
      LinePlot{title, with_unit(sample.name(k), sample.unit(k)), label, std::move(curves), false, log});
}

std::string curves_of_field(const SampleSet& sample, const View& view, const FieldRecord& field) {
  const std::string label = with_unit(field.name, field.unit);
  std::vector<Curve> curves{
      curve_of(sample, view, without_holes(sample, field.prediction), "prediction", Curve::Style::line)};
  if (field.reference.size() > 0)
    curves.push_back(
        curve_of(sample, view, without_holes(sample, field.reference), "reference", Curve::Style::dashed));
  std::string out = curve_plot(sample, view, label, label, std::move(curves), false);
  if (field.error.size() > 0) {
    const Eigen::VectorXd error = without_holes(sample, field.error.cwiseAbs());
    out += curve_plot(sample, view, "|error| of " + label, "|error|",
                      {curve_of(sample, view, error, "", Curve::Style::line)}, true);
  }
  return out;
}

std::string scatter(const FieldRecord& field) {
  Curve dots{"", {}, {}, Curve::Style::dots};
  const auto count = static_cast<size_t>(field.prediction.size());
  const size_t stride = std::max<size_t>(1, (count + kMostDots - 1) / kMostDots);
  for (size_t i = 0; i < count; i += stride) {
    dots.x.push_back(field.reference[static_cast<long>(i)]);
    dots.y.push_back(field.prediction[static_cast<long>(i)]);
  }
  LinePlot plot{with_unit(field.name, field.unit) + " at the samples", "reference", "prediction", {dots}};
  plot.diagonal = true;
  return svg(plot);
}

// ---- by dimension ----------------------------------------------------------------------------------------

std::string figures_of_field(const SampleSet& sample, const View& view, const FieldRecord& field) {
  std::string out;
  if (view.kind == View::Kind::curve) out = curves_of_field(sample, view, field);
  if (view.kind == View::Kind::map || view.kind == View::Kind::cloud_map)
    out = maps_of_field(sample, view, field);
  if (!view.whole && field.reference.size() > 0) out += scatter(field);
  return out;
}

std::string figure_of_residual(const SampleSet& sample, const View& view, const ResidualRecord& residual) {
  if (residual.values.size() == 0) return "";
  const std::string title = "|residual| of " + residual.term;
  const Eigen::VectorXd values = without_holes(sample, residual.values.cwiseAbs());
  if (view.kind == View::Kind::curve)
    return curve_plot(sample, view, title, "|residual|",
                      {curve_of(sample, view, values, "", Curve::Style::line)}, true);
  if (view.kind == View::Kind::nothing) return "";
  return map(sample, view, values, title, true);
}

}  // namespace

std::string with_unit(const std::string& name, const std::string& unit) {
  return unit.empty() ? name : name + " [" + unit + "]";
}

std::string field_figures(const TaskRecord& task) {
  const View view = view_of(task.sample);
  std::string out;
  for (const FieldRecord& field : task.fields) out += figures_of_field(task.sample, view, field);
  for (const ResidualRecord& residual : task.residuals)
    out += figure_of_residual(task.sample, view, residual);
  return out;
}

}  // namespace torsor
