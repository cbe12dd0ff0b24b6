#include "solvers/head/geometry_enrichment.h"

#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "physics/corners.h"
#include "physics/sampler.h"

namespace torsor {
namespace {

// Orders beyond these change nothing that the smooth features do not already carry.
constexpr int kCornerOrders = 4;
constexpr int kHoleOrders = 14;

void add_corners(const Problem& problem, std::vector<PolyanalyticTerm>& terms) {
  const Eigen::MatrixXd box = problem.domain->bounding_box();
  const double scale = 0.5 * (box.col(1) - box.col(0)).minCoeff();
  for (const auto& corner : plane_corners(*problem.domain, problem.pieces)) {
    const auto more = corner_terms(corner.place, corner.start, corner.opening, scale, kCornerOrders);
    terms.insert(terms.end(), more.begin(), more.end());
  }
}

/// The circle through points (N x 2): |p|^2 = 2 c . p + (r^2 - |c|^2), linear in c and the constant.
struct Circle {
  Eigen::Vector2d centre;
  double radius = 0, misfit = 0;
};

Circle fit_circle(const Eigen::MatrixXd& points) {
  Eigen::MatrixXd a(points.rows(), 3);
  a << 2 * points, Eigen::VectorXd::Ones(points.rows());
  const Eigen::Vector3d s = a.colPivHouseholderQr().solve(points.rowwise().squaredNorm());
  Circle circle;
  circle.centre = s.head<2>();
  circle.radius = std::sqrt(std::max(0.0, s[2] + circle.centre.squaredNorm()));
  circle.misfit = ((points.rowwise() - circle.centre.transpose()).rowwise().norm().array() - circle.radius)
                      .abs()
                      .maxCoeff();
  return circle;
}

void add_holes(const Problem& problem, std::vector<PolyanalyticTerm>& terms) {
  for (const auto& piece : problem.pieces) {
    if (piece.name.rfind("circle", 0) != 0) continue;
    const BoundarySample sample = piece.points(24, *make_sampler("sobol"), 0);
    const Circle circle = fit_circle(sample.points);
    const Eigen::Vector2d inward = circle.centre - sample.points.row(0).transpose();
    const bool hole = sample.normals.row(0).dot(inward) > 0;  // the outward normal points into it
    if (!hole || circle.misfit > 1e-9 * circle.radius) continue;
    const auto more = hole_terms(circle.centre, circle.radius, kHoleOrders);
    terms.insert(terms.end(), more.begin(), more.end());
  }
}

}  // namespace

std::shared_ptr<const Body> geometry_enrichment(const Problem& problem) {
  if (problem.dimension() != 2 || problem.time() >= 0 || problem.order() != 2) return nullptr;
  std::vector<PolyanalyticTerm> terms;
  const bool periodic = problem.coordinates[0].periodic || problem.coordinates[1].periodic;
  if (!periodic) add_corners(problem, terms);
  if (!problem.box) add_holes(problem, terms);
  if (terms.empty()) return nullptr;
  return std::make_shared<PolyanalyticFeatures>(std::move(terms), 2, std::array<Index, 2>{0, 1});
}

}  // namespace torsor
