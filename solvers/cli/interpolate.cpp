#include "solvers/cli/interpolate.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr long kStencil = 6;

struct Stencil {
  long first = 0, count = 0;
  std::array<double, kStencil> weight{};
  bool inside = false;
};

// Lagrange weights on the nearest `kStencil` grid points of an increasing axis.
Stencil stencil_at(const Eigen::VectorXd& axis, double x) {
  Stencil stencil;
  const long n = axis.size();
  stencil.count = std::min(kStencil, n);
  const double slack = 1e-12 * (axis[n - 1] - axis[0]);
  stencil.inside = x >= axis[0] - slack && x <= axis[n - 1] + slack;
  const long above = std::lower_bound(axis.data(), axis.data() + n, x) - axis.data();
  stencil.first = std::clamp(above - stencil.count / 2, 0L, n - stencil.count);
  for (long i = 0; i < stencil.count; ++i) {
    double weight = 1;
    for (long j = 0; j < stencil.count; ++j)
      if (j != i) weight *= (x - axis[stencil.first + j]) / (axis[stencil.first + i] - axis[stencil.first + j]);
    stencil.weight[static_cast<size_t>(i)] = weight;
  }
  return stencil;
}

double value_at(const SampleSet& from, const Eigen::VectorXd& values, const std::vector<Stencil>& stencils) {
  const size_t d = stencils.size();
  std::vector<long> offset(d, 0);
  double sum = 0;
  while (true) {
    double weight = 1;
    long index = 0;
    for (size_t i = 0; i < d; ++i) {
      weight *= stencils[i].weight[static_cast<size_t>(offset[i])];
      index = index * from.axes[i].values.size() + stencils[i].first + offset[i];
    }
    if (weight != 0) sum += weight * values[index];
    size_t i = d;
    while (i > 0 && ++offset[i - 1] == stencils[i - 1].count) offset[--i] = 0;
    if (i == 0) return sum;
  }
}

}  // namespace

Eigen::VectorXd interpolate(const SampleSet& from, const Eigen::VectorXd& values, const SampleSet& to) {
  if (!from.is_grid()) throw InputError("the second run is not sampled on a grid, so its fields cannot be interpolated");
  bool same = from.dimension() == to.dimension();
  for (long i = 0; same && i < from.dimension(); ++i) same = from.name(i) == to.name(i);
  if (!same) throw InputError("the runs have different coordinates");
  std::vector<Eigen::VectorXd> coordinates;
  for (long i = 0; i < to.dimension(); ++i) coordinates.push_back(to.coordinate(i));
  Eigen::VectorXd result(to.size());
  std::vector<Stencil> stencils(coordinates.size());
  for (long k = 0; k < to.size(); ++k) {
    bool inside = true;
    for (size_t i = 0; i < coordinates.size(); ++i) {
      stencils[i] = stencil_at(from.axes[i].values, coordinates[i][k]);
      inside = inside && stencils[i].inside;
    }
    result[k] = inside ? value_at(from, values, stencils) : kUnknown;
  }
  return result;
}

}  // namespace torsor
