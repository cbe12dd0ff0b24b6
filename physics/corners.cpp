#include "physics/corners.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

/// { x : normal . x = offset }.
struct Line {
  Eigen::RowVector2d normal;
  double offset;
};

std::optional<Line> straight_line(const BoundaryPiece& piece) {
  const BoundarySample sample = piece.map(Eigen::Vector3d(0, 0.37, 1));
  if ((sample.normals.rowwise() - sample.normals.row(0)).cwiseAbs().maxCoeff() > 1e-12) return std::nullopt;
  return Line{sample.normals.row(0), sample.normals.row(0).dot(sample.points.row(0))};
}

Eigen::MatrixXd on_circle(const Eigen::Vector2d& centre, double radius, const Eigen::ArrayXd& angles) {
  Eigen::MatrixXd points(angles.size(), 2);
  points << centre[0] + radius * angles.cos(), centre[1] + radius * angles.sin();
  return points;
}

/// The angle between `outside` and `inside` at which the circle enters the domain.
double entry(const Domain& domain, const Eigen::Vector2d& centre, double radius, double outside, double inside) {
  for (int step = 0; step < 40; ++step) {
    const double middle = 0.5 * (outside + inside);
    const bool in = domain.contains(on_circle(centre, radius, Eigen::ArrayXd::Constant(1, middle)))[0];
    (in ? inside : outside) = middle;
  }
  return inside;
}

/// The sector that the domain fills around a point of its boundary, if it is one.
std::optional<Corner> sector(const Domain& domain, const Eigen::Vector2d& place, double radius) {
  constexpr Eigen::Index kAngles = 96;
  const Eigen::ArrayXd angles = (Eigen::ArrayXd::LinSpaced(kAngles, 0, kAngles - 1) + 0.417) * (2 * kPi / kAngles);
  const Mask inside = domain.contains(on_circle(place, radius, angles));
  Eigen::Index first = -1, entries = 0;
  for (Eigen::Index i = 0; i < kAngles; ++i)
    if (inside[i] && !inside[(i + kAngles - 1) % kAngles]) {
      first = i;
      ++entries;
    }
  if (entries != 1) return std::nullopt;
  Eigen::Index count = 1;
  while (inside[(first + count) % kAngles]) ++count;
  const double step = 2 * kPi / kAngles, last = angles[first] + static_cast<double>(count - 1) * step;
  const double start = entry(domain, place, radius, angles[first] - step, angles[first]);
  const double end = entry(domain, place, radius, last + step, last);
  if (std::abs(end - start - kPi) < 1e-6) return std::nullopt;
  return Corner{place, start, end - start};
}

}  // namespace

std::vector<Corner> plane_corners(const Domain& domain, const std::vector<BoundaryPiece>& pieces) {
  const Eigen::MatrixXd box = domain.bounding_box();
  const double size = (box.col(1) - box.col(0)).norm();
  std::vector<Line> lines;
  for (const auto& piece : pieces)
    if (const auto line = straight_line(piece)) lines.push_back(*line);
  std::vector<Corner> corners;
  for (size_t i = 0; i < lines.size(); ++i)
    for (size_t j = i + 1; j < lines.size(); ++j) {
      Eigen::Matrix2d normals;
      normals << lines[i].normal, lines[j].normal;
      if (std::abs(normals.determinant()) < 1e-9) continue;
      const Eigen::Vector2d place = normals.inverse() * Eigen::Vector2d(lines[i].offset, lines[j].offset);
      if (std::abs(domain.signed_distance(place.transpose())[0]) > 1e-9 * size) continue;
      const bool known = std::any_of(corners.begin(), corners.end(), [&](const Corner& corner) {
        return (corner.place - place).norm() < 1e-9 * size;
      });
      if (known) continue;
      if (const auto corner = sector(domain, place, 1e-3 * size)) corners.push_back(*corner);
    }
  return corners;
}

}  // namespace torsor
