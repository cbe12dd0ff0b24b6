// Cubic interpolation on a uniform axis of at least four nodes.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>

namespace torsor {

/// The four nodes first, first + 1, ... around a point and their weights in the cubic polynomial through them.
struct CubicStencil {
  Eigen::Index first = 0;
  std::array<double, 4> weights{};
};

/// At x of the axis low, low + h, ..., n >= 4 nodes; beyond its ends the last polynomial goes on.
inline CubicStencil cubic_stencil(double low, double h, Eigen::Index n, double x) {
  const double position = (x - low) / h;
  const auto first = std::clamp<Eigen::Index>(static_cast<Eigen::Index>(std::floor(position)) - 1, 0, n - 4);
  const double s = position - static_cast<double>(first);
  return {first,
          {-(s - 1) * (s - 2) * (s - 3) / 6, s * (s - 2) * (s - 3) / 2, -s * (s - 1) * (s - 3) / 2,
           s * (s - 1) * (s - 2) / 6}};
}

}  // namespace torsor
