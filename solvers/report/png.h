// A PNG image of a scalar map, encoded in memory.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace torsor {

using Rgb = std::array<std::uint8_t, 3>;

/// The viridis colour map, perceptually uniform; t is clamped to [0, 1].
Rgb viridis(double t);

/// "#rrggbb"
std::string hex_colour(Rgb colour);

/// The bytes of a PNG. Entry (i, j) of `levels` is the pixel in row i from the top: the viridis colour of a
/// level in [0, 1], transparent for NaN.
std::string encode_png(const Eigen::MatrixXd& levels);

std::string base64(std::string_view bytes);

}  // namespace torsor
