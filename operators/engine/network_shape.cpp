// Shapes of networks: see network_shape.h.
#include "operators/engine/network_shape.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

void require(bool condition, const std::string& key, Index value, const std::string& rule) {
  if (!condition) throw InputError("network: " + key + " = " + std::to_string(value) + " must be " + rule);
}

InputColumn along(Index d, Index i, InputColumn::Kind kind, double frequency, double centre) {
  InputColumn column{kind, Eigen::VectorXd::Zero(d), -frequency * centre};
  column.frequency[i] = frequency;
  return column;
}

}  // namespace

std::vector<InputColumn> raw_inputs(const Eigen::VectorXd& centre) {
  return periodic_inputs(centre, Eigen::VectorXd::Zero(centre.size()), 1);
}

std::vector<InputColumn> periodic_inputs(const Eigen::VectorXd& centre, const Eigen::VectorXd& period,
                                         Index harmonics) {
  const Index d = centre.size();
  require(period.size() == d, "entries of the period", period.size(),
          "those of the centre, " + std::to_string(d));
  require(harmonics >= 1, "harmonics", harmonics, ">= 1");
  std::vector<InputColumn> columns;
  for (Index i = 0; i < d; ++i) {
    if (!(period[i] > 0)) {
      columns.push_back(along(d, i, InputColumn::Kind::linear, 1, centre[i]));
      continue;
    }
    for (Index h = 1; h <= harmonics; ++h) {
      const double frequency = 2 * std::numbers::pi * static_cast<double>(h) / period[i];
      columns.push_back(along(d, i, InputColumn::Kind::cosine, frequency, centre[i]));
      columns.push_back(along(d, i, InputColumn::Kind::sine, frequency, centre[i]));
    }
  }
  return columns;
}

std::vector<InputColumn> fourier_inputs(const Eigen::MatrixXd& frequencies) {
  std::vector<InputColumn> columns;
  for (const auto& row : frequencies.rowwise()) {
    columns.push_back({InputColumn::Kind::cosine, row.transpose(), 0});
    columns.push_back({InputColumn::Kind::sine, row.transpose(), 0});
  }
  return columns;
}

Index NetworkShape::layer_inputs(Index l) const {
  if (l == 0) return static_cast<Index>(inputs.size()) + constants;
  if (l + 1 == layers() && skip == Skip::concatenate)
    return std::accumulate(widths.begin(), widths.end(), Index{0});
  return widths[static_cast<size_t>(l - 1)];
}

Index NetworkShape::layer_outputs(Index l) const {
  return l + 1 == layers() ? outputs : widths[static_cast<size_t>(l)];
}

Index NetworkShape::weight_offset(Index l) const {
  Index offset = 0;
  for (Index k = 0; k < l; ++k) offset += layer_outputs(k) * (layer_inputs(k) + 1);
  return offset;
}

void NetworkShape::check() const {
  require(coordinates >= 1 && coordinates <= kMaxCoordinates, "coordinates", coordinates, "1, 2, 3 or 4");
  require(!inputs.empty(), "inputs", 0, ">= 1");
  require(constants >= 0, "constants", constants, ">= 0");
  require(outputs >= 1, "outputs", outputs, ">= 1");
  require(!widths.empty(), "hidden layers", 0, ">= 1");
  for (const Index width : widths) {
    require(width >= 1 && width <= kMaxWidth, "width", width, "1 ... " + std::to_string(kMaxWidth));
    require(skip != Skip::residual || width == widths.front(), "width", width,
            std::to_string(widths.front()) + ", that of the first layer, with residual skips");
  }
  for (const auto& column : inputs) {
    require(column.frequency.size() == coordinates, "entries of an input's frequency",
            column.frequency.size(), std::to_string(coordinates) + ", one for each coordinate");
    if (!column.frequency.allFinite() || !std::isfinite(column.phase))
      throw InputError("network: the frequencies and phases of the inputs must be finite");
  }
}

}  // namespace torsor
