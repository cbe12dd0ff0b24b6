#include "solvers/reference/transport_fronts.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "physics/error.h"
#include "solvers/reference/cubic_stencil.h"

namespace torsor {
namespace {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::Matrix3d;
using Eigen::MatrixXd;
using Eigen::RowVector3d;
using Eigen::RowVectorXd;
using Eigen::Vector3d;
using Eigen::VectorXd;

constexpr int kPowers = 2;           // of eta in the fronts
constexpr int kTerms = kPowers + 2;  // coefficients of polynomials in tau
constexpr double kGone = 45.0;       // exp(-45) of a front is nothing
constexpr double kInterior = 8.0;    // share of the cells of even width, to the logarithms of those of the layers
constexpr double kCourant = 0.9;     // steps in crossings of the smallest cell

void require(bool satisfied, const std::string& rule) {
  if (!satisfied) throw InputError("transport-fronts: " + rule);
}

double factorial(Index n) { return std::tgamma(static_cast<double>(n) + 1.0); }

// ---- polynomials in tau, one in each row -------------------------------------------------------------------------

MatrixXd derivative(const MatrixXd& p) {
  MatrixXd result = MatrixXd::Zero(p.rows(), p.cols());
  for (Index n = 1; n < p.cols(); ++n) result.col(n - 1) = static_cast<double>(n) * p.col(n);
  return result;
}

RowVectorXd integral(const RowVectorXd& p) {
  RowVectorXd result = RowVectorXd::Zero(p.size());
  for (Index n = 1; n < p.size(); ++n) result(n) = p(n - 1) / static_cast<double>(n);
  return result;
}

VectorXd values_at(const MatrixXd& p, double tau) {
  VectorXd result = p.col(p.cols() - 1);
  for (Index n = p.cols() - 2; n >= 0; --n) result = result * tau + p.col(n);
  return result;
}

// Of tau^n in exp(-decay tau) p(tau).
VectorXd taylor_coefficient(const MatrixXd& p, double decay, Index n) {
  VectorXd sum = VectorXd::Zero(p.rows());
  for (Index k = 0; k <= n; ++k)
    sum += p.col(k) * (std::pow(-decay, static_cast<double>(n - k)) / factorial(n - k));
  return sum;
}

// ---- parabolas ----------------------------------------------------------------------------------

RowVector3d value_of_parabola(double z) { return {1.0, z, z * z}; }

RowVector3d average_of_parabola(double low, double high) {
  return {1.0, 0.5 * (low + high), (low * low + low * high + high * high) / 3.0};
}

// The weights of three data (rows: what they are of 1, z and z^2) for the parabola's value at z.
Vector3d parabola_weights(const Matrix3d& data, double z) {
  return data.transpose().inverse() * value_of_parabola(z).transpose();
}

// Of the averages of three neighbouring cells from `first` on, with z = (xi - origin)/scale.
Matrix3d averages_of_cells(const ArrayXd& faces, Index first, double origin, double scale) {
  Matrix3d data;
  for (Index k = 0; k < 3; ++k)
    data.row(k) = average_of_parabola((faces(first + k) - origin) / scale, (faces(first + k + 1) - origin) / scale);
  return data;
}

Vector3d cell_weights(const ArrayXd& faces, Index first, double xi) {
  const double scale = faces(first + 3) - faces(first);
  return parabola_weights(averages_of_cells(faces, first, xi, scale), 0.0);
}

// The value at a wall and the averages of the two cells beside it, that at the wall first.
Vector3d wall_weights(const ArrayXd& faces, bool left, double xi) {
  const Index n = faces.size() - 1, first = left ? 0 : n - 3;
  const double wall = left ? faces(0) : faces(n), scale = faces(first + 3) - faces(first);
  const Matrix3d cells = averages_of_cells(faces, first, xi, scale);
  Matrix3d data;
  data.row(0) = value_of_parabola((wall - xi) / scale);
  data.row(1) = cells.row(left ? 0 : 2);
  data.row(2) = cells.row(1);
  return parabola_weights(data, 0.0);
}

}  // namespace

TransportFronts::TransportFronts(const VelocityBasis& velocities, FrontsSlab slab, const FrontsOptions& options)
    : velocities_(velocities), slab_(std::move(slab)) {
  if (slab_.initial.size() == 0) slab_.initial = VectorXd::Zero(velocities_.size());
  check(options);
  v_ = velocities_.nodes.col(0);
  w_ = velocities_.weights;
  time_unit_ = slab_.eps * slab_.eps / slab_.scattering;
  length_unit_ = slab_.eps / slab_.scattering;
  length_ = (slab_.b - slab_.a) / length_unit_;
  end_ = options.end / time_unit_;
  alpha_ = slab_.absorption * time_unit_;
  source_ = slab_.source * time_unit_;
  const Wall left = wall(true), right = wall(false);
  add_fronts(left);
  add_fronts(right);
  const auto starts = [&](bool at_left) {
    return std::any_of(fronts_.begin(), fronts_.end(), [&](const Front& front) { return front.left == at_left; });
  };
  const bool crossed = v_.cwiseAbs().maxCoeff() * end_ >= length_;
  set_grid(options.cells, starts(true) || (crossed && starts(false)), starts(false) || (crossed && starts(true)));
  set_reconstruction();
  march(options.snapshots);
}

void TransportFronts::check(const FrontsOptions& options) const {
  const Index n = velocities_.size();
  require(velocities_.dimension() == 1, "the velocities must have one dimension");
  require(slab_.b > slab_.a, "a < b is needed");
  require(slab_.eps > 0.0 && slab_.scattering > 0.0 && slab_.absorption >= 0.0,
          "eps and the scattering must be positive, the absorption not negative");
  require(slab_.inflow.size() == n, "one inflow for each of " + std::to_string(n) + " nodes is needed");
  require(slab_.initial.size() == n, "one initial value for each of " + std::to_string(n) + " nodes is needed");
  require(slab_.inflow.allFinite() && slab_.initial.allFinite() && std::isfinite(slab_.source),
          "inflow, initial values and source must be finite");
  require(options.end > 0.0, "end must be positive");
  require(options.cells >= 8 && options.snapshots >= 4, "8 cells and 4 snapshots are needed");
}

// p: the mean decays by absorption, what is left of each velocity by scattering too.
VectorXd TransportFronts::unbounded(double tau) const {
  const double mean = w_.dot(slab_.initial);
  const double growth = alpha_ > 0.0 ? -std::expm1(-alpha_ * tau) / alpha_ : tau;
  const double density = mean * std::exp(-alpha_ * tau) + source_ * growth;
  return (slab_.initial.array() - mean) * std::exp(-(1.0 + alpha_) * tau) + density;
}

// ---- fronts -------------------------------------------------------------------------------------

TransportFronts::Wall TransportFronts::wall(bool left) const {
  Wall wall{left, left ? v_ : VectorXd(-v_), MatrixXd(v_.size(), kPowers + 1)};
  wall.misfit.col(0) = slab_.inflow - slab_.initial;
  VectorXd p = slab_.initial;  // its derivatives
  for (Index n = 1; n <= kPowers; ++n) {
    const double gain = w_.dot(p) + (n == 1 ? source_ : 0.0);
    p = VectorXd::Constant(p.size(), gain) - (1.0 + alpha_) * p;
    wall.misfit.col(n) = -p / factorial(n);
  }
  return wall;
}

// None where all data fit.
void TransportFronts::add_fronts(const Wall& wall) {
  std::vector<Front> fronts;
  double misfit = 0.0;
  for (Index k = 0; k < v_.size(); ++k) {
    if (!(wall.speeds(k) > 0.0)) continue;
    misfit = std::max(misfit, wall.misfit.row(k).cwiseAbs().maxCoeff());
    MatrixXd jump = MatrixXd::Zero(v_.size(), kTerms);
    jump(k, 0) = wall.misfit(k, 0);
    fronts.push_back({wall.left, k, wall.speeds(k), 1.0 + alpha_ - w_(k), {jump}, {}});
  }
  if (misfit == 0.0) return;
  for (int m = 0; m < kPowers; ++m) {
    next_power(wall, fronts);
    fit_corner(wall, fronts);
  }
  for (Front& front : fronts) {
    const MatrixXd& p = front.powers.back();
    front.source = (-w_(front.node) * p - derivative(p)).rowwise() + RowVectorXd(w_.transpose() * p);
    front.source.row(front.node).setZero();
  }
  fronts_.insert(fronts_.end(), fronts.begin(), fronts.end());
}

// P^{m+1} from P^m, with P_k^{m+1}(0) = 0.
void TransportFronts::next_power(const Wall& wall, std::vector<Front>& fronts) const {
  for (Front& front : fronts) {
    const MatrixXd& p = front.powers.back();
    MatrixXd next = (-w_(front.node) * p - derivative(p)).rowwise() + RowVectorXd(w_.transpose() * p);
    for (Index j = 0; j < next.rows(); ++j)
      if (j != front.node) next.row(j) /= front.speed - wall.speeds(j);
    next.row(front.node).setZero();
    next.row(front.node) = integral(w_.transpose() * next);
    front.powers.push_back(std::move(next));
  }
}

// P_k^m(0) of the last power m, for E to be F - p at the corner up to tau^m.
void TransportFronts::fit_corner(const Wall& wall, std::vector<Front>& fronts) const {
  const Index m = static_cast<Index>(fronts.front().powers.size()) - 1;
  VectorXd missing = wall.misfit.col(m);
  for (const Front& front : fronts)
    for (Index n = 0; n <= m; ++n)
      missing -= taylor_coefficient(front.powers[static_cast<size_t>(n)], front.decay, m - n) *
                 (std::pow(front.speed, static_cast<double>(n)) / factorial(n));
  for (Front& front : fronts)
    front.powers.back()(front.node, 0) +=
        missing(front.node) * factorial(m) / std::pow(front.speed, static_cast<double>(m));
}

VectorXd TransportFronts::fronts_at(double xi, double tau) const {
  VectorXd sum = VectorXd::Zero(v_.size());
  for (const Front& front : fronts_) {
    const double eta = front.speed * tau - distance(front.left, xi);
    if (eta < 0.0 || front.decay * tau > kGone) continue;
    double power = std::exp(-front.decay * tau);
    for (size_t m = 0; m < front.powers.size(); ++m) {
      sum += power * values_at(front.powers[m], tau);
      power *= eta / static_cast<double>(m + 1);
    }
  }
  return sum;
}

// What p and E leave of the inflow.
VectorXd TransportFronts::remaining_inflow(double tau) const {
  const VectorXd left = fronts_at(0.0, tau), right = fronts_at(length_, tau);
  return slab_.inflow - unbounded(tau) - (v_.array() > 0.0).select(left, right);
}

// ---- the rest -----------------------------------------------------------------------------------

// Cells of a width like 1 over the sum of 1/(layer + distance) for each wall with a layer, and of a constant.
void TransportFronts::set_grid(int cells, bool left_layer, bool right_layer) {
  const double layer = std::min(1.0 / (1.0 + alpha_), end_);
  const auto count = [&](double xi) {
    double sum = kInterior * xi / length_;
    if (left_layer) sum += std::log1p(xi / layer);
    if (right_layer) sum -= std::log1p(-xi / (layer + length_));
    return sum;
  };
  faces_.resize(cells + 1);
  for (int i = 0; i <= cells; ++i) {
    const double wanted = count(length_) * i / cells;
    double low = 0.0, high = length_;
    for (int halving = 0; halving < 60; ++halving) {
      const double middle = 0.5 * (low + high);
      (count(middle) < wanted ? low : high) = middle;
    }
    faces_(i) = i == cells ? length_ : i == 0 ? 0.0 : 0.5 * (low + high);
  }
  widths_ = faces_.tail(cells) - faces_.head(cells);
}

// Of the cells with two neighbours.
void TransportFronts::set_reconstruction() {
  const Index inner = widths_.size() - 2;
  upper_.resize(inner, 3);
  lower_.resize(inner, 3);
  for (Index i = 0; i < inner; ++i) {
    upper_.row(i) = cell_weights(faces_, i, faces_(i + 2)).transpose().array();
    lower_.row(i) = cell_weights(faces_, i, faces_(i + 1)).transpose().array();
  }
}

// Averages of eta^2/2 over the cells that a front has reached are differences of eta^3/6.
void TransportFronts::add_source(double tau, ArrayXXd& rate) const {
  for (const Front& front : fronts_) {
    if (front.decay * tau > kGone) continue;
    const double reached = front.left ? front.speed * tau : length_ - front.speed * tau;
    const Index cells = widths_.size();
    const Index place = std::upper_bound(faces_.begin(), faces_.end(), reached) - faces_.begin();
    const Index first = front.left ? 0 : std::clamp<Index>(place - 1, 0, cells);
    const Index last = front.left ? std::clamp<Index>(place, 0, cells) : cells;  // one after
    if (first >= last) continue;
    const double sign = front.left ? 1.0 : -1.0;
    const ArrayXd eta = (sign * (reached - faces_.segment(first, last - first + 1))).max(0.0);
    const ArrayXd power = eta.pow(kPowers + 1) * (sign / factorial(kPowers + 1));
    const Index n = last - first;
    const ArrayXd average = (power.head(n) - power.tail(n)) / widths_.segment(first, n);
    const VectorXd strength = std::exp(-front.decay * tau) * values_at(front.source, tau);
    for (Index j = 0; j < v_.size(); ++j) rate.col(j).segment(first, n) += strength(j) * average;
  }
}

// r_j at the faces, from the side that v_j comes from.
ArrayXd TransportFronts::face_values(const ArrayXXd& r, Index node, double inflow) const {
  const Index n = widths_.size(), inner = n - 2;
  const auto column = r.col(node);
  ArrayXd values(n + 1);
  const bool up = v_(node) > 0.0;
  const ArrayXXd& weights = up ? upper_ : lower_;
  values.segment(up ? 2 : 1, inner) = weights.col(0) * column.head(inner) + weights.col(1) * column.segment(1, inner) +
                                      weights.col(2) * column.tail(inner);
  if (up) {
    values(0) = inflow;
    values(1) = wall_weights(faces_, true, faces_(1)).dot(Vector3d(inflow, column(0), column(1)));
    values(n) = cell_weights(faces_, n - 3, faces_(n)).dot(column.tail<3>().matrix());
  } else {
    values(n) = inflow;
    values(n - 1) = wall_weights(faces_, false, faces_(n - 1)).dot(Vector3d(inflow, column(n - 1), column(n - 2)));
    values(0) = cell_weights(faces_, 0, faces_(0)).dot(column.head<3>().matrix());
  }
  return values;
}

ArrayXXd TransportFronts::rate(const ArrayXXd& r, double tau) const {
  const Index n = widths_.size();
  const ArrayXd density = (r.matrix() * w_).array();
  const VectorXd inflow = remaining_inflow(tau);
  ArrayXXd rate(n, v_.size());
  for (Index j = 0; j < v_.size(); ++j) {
    const ArrayXd values = face_values(r, j, inflow(j));
    rate.col(j) = density - (1.0 + alpha_) * r.col(j) - v_(j) * (values.tail(n) - values.head(n)) / widths_;
  }
  add_source(tau, rate);
  return rate;
}

void TransportFronts::march(int snapshots) {
  const double largest = std::min(kCourant * widths_.minCoeff() / v_.cwiseAbs().maxCoeff(), 1.0 / (1.0 + alpha_));
  ArrayXXd r = ArrayXXd::Zero(widths_.size(), v_.size());
  snapshots_.push_back(r);
  double tau = 0.0;
  for (int k = 1; k <= snapshots; ++k) {
    const double next = std::expm1(std::log1p(end_) * k / snapshots);
    const auto count = static_cast<long>(std::ceil((next - tau) / largest));
    const double step = (next - tau) / static_cast<double>(count), start = tau;
    for (long i = 0; i < count; ++i) {
      tau = start + step * static_cast<double>(i);
      const ArrayXXd first = r + step * rate(r, tau);
      const ArrayXXd middle = 0.75 * r + 0.25 * (first + step * rate(first, tau + step));
      r = (r + 2.0 * (middle + step * rate(middle, tau + 0.5 * step))) / 3.0;
    }
    tau = next;
    steps_ += count;
    if (!r.allFinite()) throw NumericalError("transport-fronts: not finite at t = " + scientific(tau * time_unit_));
    snapshots_.push_back(r);
  }
}

// ---- values -------------------------------------------------------------------------------------

VectorXd TransportFronts::remainder(double xi, double tau) const {
  const double interval = std::log1p(end_) / static_cast<double>(snapshots_.size() - 1);
  const CubicStencil at = cubic_stencil(0.0, interval, static_cast<Index>(snapshots_.size()), std::log1p(tau));
  const Index n = widths_.size();
  const Index place = std::upper_bound(faces_.begin(), faces_.end(), xi) - faces_.begin();
  const Index cell = std::clamp<Index>(place - 1, 0, n - 1);
  const Index first = std::clamp<Index>(cell - 1, 0, n - 3);
  ArrayXXd averages = ArrayXXd::Zero(3, v_.size());
  for (Index k = 0; k < 4; ++k)
    averages += at.weights[static_cast<size_t>(k)] * snapshots_[static_cast<size_t>(at.first + k)].middleRows(first, 3);
  VectorXd values = averages.matrix().transpose() * cell_weights(faces_, first, xi);
  if (cell > 0 && cell < n - 1) return values;
  // Velocities that come in have their value at the wall beside them.
  const bool left = cell == 0;
  const VectorXd inflow = remaining_inflow(tau);
  const Vector3d weights = wall_weights(faces_, left, xi);
  for (Index j = 0; j < v_.size(); ++j)
    if (left ? v_(j) > 0.0 : v_(j) < 0.0)
      values(j) = weights.dot(Vector3d(inflow(j), averages(left ? 0 : 2, j), averages(1, j)));
  return values;
}

MatrixXd TransportFronts::evaluate(const MatrixXd& points) const {
  require(points.cols() == 2, "points must have 2 columns, x and t");
  MatrixXd values(points.rows(), v_.size());
  for (Index i = 0; i < points.rows(); ++i) {
    const double xi = (points(i, 0) - slab_.a) / length_unit_, tau = points(i, 1) / time_unit_;
    require(xi >= -1e-12 * length_ && xi <= (1.0 + 1e-12) * length_ && tau >= 0.0 && tau <= (1.0 + 1e-12) * end_,
            "the point x = " + scientific(points(i, 0)) + ", t = " + scientific(points(i, 1)) + " is outside");
    const double inside = std::clamp(xi, 0.0, length_), then = std::min(tau, end_);
    values.row(i) = slab_.initial.transpose();
    if (then > 0.0) values.row(i) = (unbounded(then) + fronts_at(inside, then) + remainder(inside, then)).transpose();
  }
  return values;
}

}  // namespace torsor
