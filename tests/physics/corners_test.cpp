// Corners of plane domains: place, direction, opening.
#include "physics/corners.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

std::vector<Corner> corners_of(const std::string& text) {
  Eigen::MatrixXd box(2, 2);
  box << -1, 1, -1, 1;
  const DomainPtr domain = parse_domain(text, {"x", "y"}, box);
  return plane_corners(*domain, domain->boundary_pieces());
}

const Corner* at(const std::vector<Corner>& corners, double x, double y) {
  const auto found = std::find_if(corners.begin(), corners.end(), [&](const Corner& corner) {
    return (corner.place - Eigen::Vector2d(x, y)).norm() < 1e-9;
  });
  return found == corners.end() ? nullptr : &*found;
}

void expect_corner(const std::vector<Corner>& corners, double x, double y, double start, double opening) {
  const Corner* corner = at(corners, x, y);
  ASSERT_NE(corner, nullptr) << x << ", " << y;
  EXPECT_NEAR(std::remainder(corner->start - start, 2 * kPi), 0, 1e-8) << x << ", " << y;
  EXPECT_NEAR(corner->opening, opening, 1e-8) << x << ", " << y;
}

TEST(Corners, OfABox) {
  const auto corners = corners_of("box");
  EXPECT_EQ(corners.size(), 4U);
  expect_corner(corners, -1, -1, 0, kPi / 2);
  expect_corner(corners, 1, 1, kPi, kPi / 2);
}

TEST(Corners, OfAPolygonAndOfTheSameDomainCutOut) {
  for (const char* text : {"polygon(-1 -1, 0 -1, 0 0, 1 0, 1 1, -1 1)", "box minus box(0 2, -2 0)"}) {
    SCOPED_TRACE(text);
    const auto corners = corners_of(text);
    EXPECT_EQ(corners.size(), 6U);
    expect_corner(corners, 0, 0, 0, 1.5 * kPi);
    expect_corner(corners, 0, -1, kPi / 2, kPi / 2);
    expect_corner(corners, 1, 0, kPi / 2, kPi / 2);
  }
}

TEST(Corners, OfATriangle) {
  const auto corners = corners_of("polygon(0 0, 1 0, 0 0.5)");
  EXPECT_EQ(corners.size(), 3U);
  expect_corner(corners, 1, 0, kPi - std::atan(0.5), std::atan(0.5));
}

TEST(Corners, RoundBoundariesHaveNone) {
  EXPECT_TRUE(corners_of("disk(0, 0, 0.5)").empty());
  EXPECT_EQ(corners_of("box minus disk(0, 0, 0.5)").size(), 4U);
}

}  // namespace
}  // namespace torsor
