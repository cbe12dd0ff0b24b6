#include "solvers/reference/grid_solution.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "physics/error.h"

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr int kPoints = 4;  // of a stencil

// The weights of the polynomial through `places` at `at`.
void lagrange(const double* places, int size, double at, double* weights) {
  for (int i = 0; i < size; ++i) {
    weights[i] = 1.0;
    for (int k = 0; k < size; ++k)
      if (k != i) weights[i] *= (at - places[k]) / (places[i] - places[k]);
  }
}

}  // namespace

GridSolution::GridSolution(Eigen::VectorXd x, double period, std::vector<double> times, std::vector<MatrixXd> values)
    : x_(std::move(x)), period_(period), times_(std::move(times)), values_(std::move(values)) {
  if (x_.size() < kPoints) throw InputError("GridSolution: four nodes are needed");
  if (times_.empty() || times_.size() != values_.size()) throw InputError("GridSolution: each time needs its values");
  for (const MatrixXd& now : values_)
    if (now.rows() != x_.size() || now.cols() != values_.front().cols())
      throw InputError("GridSolution: the values of a time have another shape");
}

GridSolution::Stencil GridSolution::in_space(double x) const {
  const Index n = x_.size();
  const double place = (x - x_(0)) / (x_(1) - x_(0));
  Stencil stencil;
  double places[kPoints];
  Index first = static_cast<Index>(std::floor(place)) - 1;
  stencil.size = kPoints;
  if (period_ == 0.0) {
    const bool beyond = place < 0.0 || place > static_cast<double>(n - 1);
    stencil.size = beyond ? 2 : kPoints;
    first = std::clamp<Index>(beyond ? first + 1 : first, 0, n - stencil.size);
  }
  for (int i = 0; i < stencil.size; ++i) {
    places[i] = static_cast<double>(first + i);
    stencil.index[i] = ((first + i) % n + n) % n;
  }
  lagrange(places, stencil.size, place, stencil.weight);
  return stencil;
}

GridSolution::Stencil GridSolution::in_time(double t) const {
  const auto n = static_cast<Index>(times_.size());
  const Index after = std::upper_bound(times_.begin(), times_.end(), t) - times_.begin();
  Stencil stencil;
  stencil.size = static_cast<int>(std::min<Index>(kPoints, n));
  const Index first = std::clamp<Index>(after - 2, 0, n - stencil.size);
  for (int i = 0; i < stencil.size; ++i) stencil.index[i] = first + i;
  lagrange(times_.data() + first, stencil.size, t, stencil.weight);
  return stencil;
}

MatrixXd GridSolution::evaluate(const MatrixXd& points) const {
  if (points.cols() != 2) throw InputError("GridSolution: points (x, t) have two columns");
  MatrixXd result = MatrixXd::Zero(points.rows(), values_.front().cols());
  for (Index i = 0; i < points.rows(); ++i) {
    const Stencil space = in_space(points(i, 0)), time = in_time(points(i, 1));
    for (int k = 0; k < time.size; ++k)
      for (int s = 0; s < space.size; ++s)
        result.row(i) +=
            time.weight[k] * space.weight[s] * values_[static_cast<std::size_t>(time.index[k])].row(space.index[s]);
  }
  return result;
}

}  // namespace torsor
