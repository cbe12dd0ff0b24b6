#include "solvers/combine/harmonised_cone.h"

#include <algorithm>
#include <bitset>
#include <cmath>
#include <utility>
#include <vector>

#include "solvers/combine/gram.h"
#include "solvers/combine/nonnegative_qp.h"

namespace torsor {
namespace {

// A constraint of a ray with sum l = 1 counts as active within this.
constexpr double kZero = 1e-12;
// Unit rays are one where their cosine is one within what their products can tell: this plus the rounding error of a
// product of combinations, divided by their norms.
constexpr double kSameCosine = 1e-13;
constexpr double kProductError = 4e-15;
// Norms of combinations below this are rounding errors of their Gram matrix.
constexpr double kNoNorm = 1e-7;

constexpr size_t kMaxTasks = 64;
using Active = std::bitset<2 * kMaxTasks>;

struct Ray {
  Eigen::VectorXd l;  // sum l = 1
  Active active;      // constraints that hold with equality: l_i in bit i, row j of C in bit m + j
};

void set_bounds(Ray& ray) {
  const Index m = ray.l.size();
  for (Index i = 0; i < m; ++i) {
    if (ray.l[i] > kZero) continue;
    ray.l[i] = 0;
    ray.active.set(static_cast<size_t>(i));
  }
}

// Two rays share a two-dimensional face if no third one is active wherever both are.
bool adjacent(const std::vector<Ray>& rays, size_t a, size_t b, size_t dimension) {
  const Active common = rays[a].active & rays[b].active;
  if (common.count() + 2 < dimension) return false;
  for (size_t c = 0; c < rays.size(); ++c)
    if (c != a && c != b && (rays[c].active & common) == common) return false;
  return true;
}

// The ray where the edge from a (inside) to b (outside) meets the plane.
Ray meet(const Ray& a, const Ray& b, double value_a, double value_b, size_t plane) {
  Ray ray;
  ray.l = value_a * b.l - value_b * a.l;
  ray.l /= ray.l.sum();
  ray.active = a.active & b.active;
  ray.active.set(plane);
  set_bounds(ray);
  return ray;
}

// The rays of the cone cut with {l : row . l >= 0}.
std::vector<Ray> cut(std::vector<Ray> rays, const Eigen::VectorXd& row, size_t plane) {
  std::vector<double> value(rays.size());
  for (size_t k = 0; k < rays.size(); ++k) {
    value[k] = row.dot(rays[k].l);
    if (std::abs(value[k]) > kZero) continue;
    value[k] = 0;
    rays[k].active.set(plane);
  }
  std::vector<Ray> result;
  for (size_t a = 0; a < rays.size(); ++a)
    for (size_t b = 0; value[a] > 0 && b < rays.size(); ++b)
      if (value[b] < 0 && adjacent(rays, a, b, static_cast<size_t>(row.size())))
        result.push_back(meet(rays[a], rays[b], value[a], value[b], plane));
  for (size_t k = 0; k < rays.size(); ++k)
    if (value[k] >= 0) result.push_back(std::move(rays[k]));
  return result;
}

std::vector<Ray> orthant(Index m) {
  std::vector<Ray> rays(static_cast<size_t>(m));
  for (Index i = 0; i < m; ++i) {
    Ray& ray = rays[static_cast<size_t>(i)];
    ray.l = Eigen::VectorXd::Unit(m, i);
    set_bounds(ray);
  }
  return rays;
}

// Unit combinations, each once. The longest go first: where several rays are equal, they are the most accurate.
Eigen::MatrixXd distinct_units(const std::vector<Ray>& rays, const Eigen::MatrixXd& cosines) {
  std::vector<std::pair<double, const Ray*>> sorted;
  for (const Ray& ray : rays)
    if (const double norm = combined_norm(cosines, ray.l); norm >= kNoNorm) sorted.push_back({norm, &ray});
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first > b.first; });

  const Index m = cosines.rows(), all = static_cast<Index>(sorted.size());
  Eigen::MatrixXd units(m, all), products(m, all);  // products: C times the units
  Eigen::VectorXd errors(all);                      // of products with a unit of norm one
  Index count = 0;
  for (const auto& [norm, ray] : sorted) {
    const Eigen::VectorXd unit = ray->l / norm;
    const auto gap = 1 - (products.leftCols(count).transpose() * unit).array();
    if ((gap < kSameCosine + errors.head(count).array() / norm).any()) continue;
    units.col(count) = unit;
    products.col(count) = cosines * unit;
    errors[count++] = kProductError / norm;
  }
  return units.leftCols(count);
}

// Weights / |combination|; zero where there is none.
Eigen::VectorXd normalised(const Eigen::VectorXd& weights, const Eigen::MatrixXd& cosines) {
  const double norm = combined_norm(cosines, weights);
  if (norm < kNoNorm * weights.cwiseAbs().maxCoeff() || norm == 0) return Eigen::VectorXd::Zero(weights.size());
  return weights / norm;
}

}  // namespace

Eigen::MatrixXd harmonised_rays(const Eigen::MatrixXd& cosines) {
  const Index m = cosines.rows();
  if (m > static_cast<Index>(kMaxTasks)) return Eigen::MatrixXd(m, 0);
  std::vector<Ray> rays = orthant(m);
  for (Index j = 0; j < m && !rays.empty(); ++j) {
    rays = cut(std::move(rays), cosines.col(j), static_cast<size_t>(m + j));
    if (static_cast<Index>(rays.size()) > kMaxRays) return Eigen::MatrixXd(m, 0);
  }
  return distinct_units(rays, cosines);
}

Eigen::VectorXd anchor_weights(const Eigen::MatrixXd& cosines) {
  const Eigen::MatrixXd rays = harmonised_rays(cosines);
  if (rays.cols() > 0) {
    const Eigen::VectorXd weights = normalised(rays.rowwise().sum(), cosines);
    if (weights.any() && (cosines * weights).minCoeff() >= -kZero) return weights;
  }
  return normalised(least_norm_weights(cosines), cosines);
}

}  // namespace torsor
