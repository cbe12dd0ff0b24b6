// Scalar maps on evenly spaced pixels, from grids and from scattered points.
#pragma once

#include <Eigen/Core>

namespace torsor {

/// The extent of a map or an axis.
struct Range {
  double low = 0;
  double high = 1;
  double length() const { return high - low; }
};

/// The finite values' extent; widened when it is a single value, {0, 1} when there is none.
Range range_of(const Eigen::VectorXd& values);

/// A map of `height` x `width` pixels: row 0 is at the top, where y is largest. NaN where nothing is known.
struct Raster {
  Eigen::MatrixXd values;
  Range x, y;
};

/// Values (nx, ny) on the grid x (nx) by y (ny), bilinear between the points; next to NaN the nearest value.
Raster raster_from_grid(const Eigen::VectorXd& x, const Eigen::VectorXd& y, const Eigen::MatrixXd& values,
                        long width, long height);

/// Values (N) at scattered points, each a disc of a size that lets N of them cover the map.
Raster raster_from_points(const Eigen::VectorXd& x, const Eigen::VectorXd& y, const Eigen::VectorXd& values,
                          long width, long height);

}  // namespace torsor
