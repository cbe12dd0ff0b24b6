#include "solvers/report/raster.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace torsor {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Between which points of an axis a pixel lies: index of the lower one and the part of the way to the next.
struct Place {
  long index;
  double part;
};

/// The places of n pixel centres; the axis may fall or rise.
std::vector<Place> pixel_places(const Eigen::VectorXd& axis, Range range, long n) {
  const bool falling = axis[0] > axis[axis.size() - 1];
  Eigen::VectorXd rising = falling ? axis.reverse().eval() : axis;
  std::vector<Place> places;
  for (long i = 0; i < n; ++i) {
    const double x = range.low + range.length() * (static_cast<double>(i) + 0.5) / static_cast<double>(n);
    const long above = std::upper_bound(rising.begin(), rising.end(), x) - rising.begin();
    const long k = std::clamp(above - 1, 0L, std::max(rising.size() - 2, 0L));
    const double gap = k + 1 < rising.size() ? rising[k + 1] - rising[k] : 0;
    const double part = gap > 0 ? std::clamp((x - rising[k]) / gap, 0.0, 1.0) : 0;
    places.push_back(falling && gap > 0 ? Place{axis.size() - 2 - k, 1 - part} : Place{k, part});
  }
  return places;
}

double value_between(const Eigen::MatrixXd& values, Place x, Place y) {
  const long i = std::min(x.index + 1, values.rows() - 1), j = std::min(y.index + 1, values.cols() - 1);
  const double low = (1 - x.part) * values(x.index, y.index) + x.part * values(i, y.index);
  const double high = (1 - x.part) * values(x.index, j) + x.part * values(i, j);
  const double value = (1 - y.part) * low + y.part * high;
  if (std::isfinite(value)) return value;
  return values(x.part < 0.5 ? x.index : i, y.part < 0.5 ? y.index : j);
}

long pixel_of(double x, Range range, long n) {
  const double place = (x - range.low) / range.length() * static_cast<double>(n);
  return std::clamp(static_cast<long>(place), 0L, n - 1);
}

}  // namespace

Range range_of(const Eigen::VectorXd& values) {
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    range = {std::min(range.low, value), std::max(range.high, value)};
  }
  if (range.low > range.high) return {0, 1};
  if (range.length() > 1e-12 * std::max(std::abs(range.low), std::abs(range.high))) return range;
  const double margin = range.low == 0 ? 1 : 0.1 * std::abs(range.low);
  return {range.low - margin, range.high + margin};
}

Raster raster_from_grid(const Eigen::VectorXd& x, const Eigen::VectorXd& y, const Eigen::MatrixXd& values,
                        long width, long height) {
  Raster raster{Eigen::MatrixXd(height, width), range_of(x), range_of(y)};
  const std::vector<Place> columns = pixel_places(x, raster.x, width),
                           rows = pixel_places(y, raster.y, height);
  for (long i = 0; i < height; ++i)
    for (long j = 0; j < width; ++j)
      raster.values(height - 1 - i, j) =
          value_between(values, columns[static_cast<size_t>(j)], rows[static_cast<size_t>(i)]);
  return raster;
}

Raster raster_from_points(const Eigen::VectorXd& x, const Eigen::VectorXd& y, const Eigen::VectorXd& values,
                          long width, long height) {
  Raster raster{Eigen::MatrixXd::Constant(height, width, kNan), range_of(x), range_of(y)};
  const double pixels_per_point =
      static_cast<double>(width * height) / static_cast<double>(std::max(x.size(), 1L));
  const double radius = std::clamp(0.6 * std::sqrt(pixels_per_point), 1.0, 6.0);
  const long reach = static_cast<long>(radius);
  for (long n = 0; n < x.size(); ++n) {
    if (!std::isfinite(x[n]) || !std::isfinite(y[n]) || !std::isfinite(values[n])) continue;
    const long column = pixel_of(x[n], raster.x, width), row = height - 1 - pixel_of(y[n], raster.y, height);
    for (long i = std::max(row - reach, 0L); i <= std::min(row + reach, height - 1); ++i)
      for (long j = std::max(column - reach, 0L); j <= std::min(column + reach, width - 1); ++j)
        if (std::hypot(i - row, j - column) <= radius) raster.values(i, j) = values[n];
  }
  return raster;
}

}  // namespace torsor
