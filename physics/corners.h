// Corners of plane domains: where two straight pieces of the boundary meet.
#pragma once

#include "physics/domain.h"

namespace torsor {

/// Close to `place` the domain is the sector between the directions start and start + opening (radians, from the
/// first axis), 0 < opening < 2 pi, opening != pi.
struct Corner {
  Eigen::Vector2d place;
  double start = 0, opening = 0;
};

/// The corners of a domain in the plane with these pieces; angles to about 1e-9.
std::vector<Corner> plane_corners(const Domain& domain, const std::vector<BoundaryPiece>& pieces);

}  // namespace torsor
