#include "solvers/reference/transport_characteristics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "physics/error.h"
#include "physics/velocity_set.h"

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kForgotten = 1e-16;  // attenuation beyond which a characteristic is not followed

// mean/rate, which turns an emission into what is emitted for each unit of D; 1 in a void.
double per_depth(double mean, double rate) { return rate > 0.0 ? mean / rate : 1.0; }

// int_0^1 e^{-d u} (1 - u) du and int_0^1 e^{-d u} u du.
struct LinearWeights {
  double near, far;
};

LinearWeights linear_weights(double d, double decay) {
  if (d < 1e-2) {
    const double far = 0.5 - d * (1.0 / 3.0 - d * (0.125 - d * (1.0 / 30.0 - d / 144.0)));
    return {1.0 - d * (0.5 - d * (1.0 / 6.0 - d * (1.0 / 24.0 - d / 120.0))) - far, far};
  }
  const double whole = (1.0 - decay) / d, far = (whole - decay) / d;
  return {whole - far, far};
}

void check(const TransportProblem& problem, const CharacteristicsOptions& options) {
  TransportOptions common;
  common.cells = options.cells;
  common.times = {options.end};
  check_transport("transport-characteristics", problem, common);
  if (problem.periodic) throw InputError("transport-characteristics: the problem is periodic");
  if (!(options.end > 0.0)) throw InputError("transport-characteristics: end must be positive");
  if (options.steps < 1 || options.panel_nodes < 2)
    throw InputError("transport-characteristics: one step and two nodes of a panel are needed");
  if (!(options.end <= options.steps * problem.eps * (problem.b - problem.a)))
    throw InputError("transport-characteristics: particles cross the whole slab in one of " +
                     std::to_string(options.steps) + " steps");
}

}  // namespace

TransportCharacteristics::TransportCharacteristics(TransportProblem problem, const CharacteristicsOptions& options)
    : problem_(std::move(problem)) {
  check(problem_, options);
  const double e2 = problem_.eps * problem_.eps;
  x_ = VectorXd::LinSpaced(options.cells + 1, problem_.a, problem_.b);
  h_ = x_(1) - x_(0);
  dt_ = options.end / options.steps;
  scattering_ = coefficient_values("scattering", problem_.scattering, x_).matrix() / e2;
  source_ = coefficient_values("source", problem_.source, x_, true).matrix();
  rate_ = scattering_ + coefficient_values("absorption", problem_.absorption, x_).matrix();
  depth_ = VectorXd::Zero(x_.size());
  for (Index i = 1; i < x_.size(); ++i) depth_(i) = depth_(i - 1) + 0.5 * h_ * (rate_(i - 1) + rate_(i));
  const VelocitySet half = half_range_velocities(options.panel_nodes);
  half_nodes_ = half.nodes;
  half_weights_ = half.weights;
  emission_.resize(x_.size(), options.steps + 1);
  for (Index i = 0; i < x_.size(); ++i) emission_(i, 0) = scattering_(i) * initial_density(x_(i)) + source_(i);
  for (Index m = 1; m <= options.steps; ++m) {
    const double t = static_cast<double>(m) * dt_;
    // The ends first: the others look at them at times after the last level.
    emission_(0, m) = scattering_(0) * density(x_(0), t) + source_(0);
    emission_(x_.size() - 1, m) = scattering_(x_.size() - 1) * density(x_(x_.size() - 1), t) + source_(x_.size() - 1);
    for (Index i = 1; i + 1 < x_.size(); ++i) emission_(i, m) = scattering_(i) * density(x_(i), t) + source_(i);
    if (!emission_.col(m).allFinite())
      throw NumericalError("transport-characteristics: rho is not finite at t = " + scientific(t));
  }
}

TransportCharacteristics::Place TransportCharacteristics::place(double x) const {
  const double position = (x - problem_.a) / h_;
  const Index cell = std::clamp<Index>(static_cast<Index>(position), 0, x_.size() - 2);
  return {cell, std::clamp(position - static_cast<double>(cell), 0.0, 1.0)};
}

double TransportCharacteristics::along(const VectorXd& nodal, const Place& at) const {
  return nodal(at.cell) + at.share * (nodal(at.cell + 1) - nodal(at.cell));
}

// G at an end at any time up to the last level that is known there.
double TransportCharacteristics::on_boundary(Index node, double t) const {
  const Index m = std::clamp<Index>(static_cast<Index>(t / dt_), 0, emission_.cols() - 2);
  const double share = t / dt_ - static_cast<double>(m);
  return emission_(node, m) + share * (emission_(node, m + 1) - emission_(node, m));
}

TransportCharacteristics::Ray TransportCharacteristics::ray(double x, double t, double v) const {
  const double eps = problem_.eps, s_end = eps * (v > 0.0 ? x - problem_.a : problem_.b - x) / std::abs(v);
  if (s_end <= 0.0) return {incoming(t, v), 0.0};
  Ray result;
  Place at = place(x);
  double s = 0.0, attenuation = 1.0, depth = along(depth_, at), rate = along(rate_, at), emission = along(source_, at);
  double unknown = along(scattering_, at);  // G = unknown rho + emission at the head
  Index m = std::clamp<Index>(static_cast<Index>(std::ceil(t / dt_ - 1e-9)) - 1, 0, emission_.cols() - 1);
  for (bool more = true; more && attenuation > kForgotten; --m) {
    double next = t - static_cast<double>(m) * dt_;
    const bool leaves = s_end <= next;
    more = !leaves && m > 0;
    if (leaves) next = s_end;
    at = place(x - v * next / eps);
    const double depth_there = along(depth_, at);
    const double there = leaves ? on_boundary(v > 0.0 ? 0 : x_.size() - 1, t - next)
                                : (1.0 - at.share) * emission_(at.cell, m) + at.share * emission_(at.cell + 1, m);
    const double d = std::abs(depth_there - depth) * eps / std::abs(v), decay = std::exp(-d);
    const LinearWeights weights = linear_weights(d, decay);
    const double rate_there = along(rate_, at), length = next - s, mean = d / length;
    const double near = weights.near * per_depth(mean, rate), far = weights.far * per_depth(mean, rate_there);
    result.known += attenuation * length * (near * emission + far * there);
    result.slope += attenuation * length * near * unknown;
    attenuation *= decay;
    if (!more)
      result.known += attenuation * (leaves ? incoming(t - next, v) : problem_.initial(x - v * t / eps, v));
    s = next;
    depth = depth_there;
    rate = rate_there;
    emission = there;
    unknown = 0.0;
  }
  return result;
}

// Pieces [0, corner] from t = 0 and [corner, 1] from a boundary, in |v|, of each half range; the latter in log v.
TransportCharacteristics::Rule TransportCharacteristics::velocities_at(double x, double t) const {
  Rule rule;
  for (const double sign : {-1.0, 1.0}) {
    const double distance = sign > 0.0 ? x - problem_.a : problem_.b - x;
    const double corner = std::min(1.0, problem_.eps * distance / t);
    for (Index k = 0; k < half_nodes_.size(); ++k) {
      if (corner > 0.0) {
        rule.nodes.push_back(sign * corner * half_nodes_(k));
        rule.weights.push_back(0.5 * corner * half_weights_(k));
      }
      if (corner == 1.0) continue;
      const double v = corner > 0.0 ? std::pow(corner, 1.0 - half_nodes_(k)) : half_nodes_(k);
      rule.nodes.push_back(sign * v);
      rule.weights.push_back(0.5 * half_weights_(k) * (corner > 0.0 ? -std::log(corner) * v : 1.0));
    }
  }
  return rule;
}

double TransportCharacteristics::initial_density(double x) const {
  double rho = 0.0;
  for (Index k = 0; k < half_nodes_.size(); ++k)
    rho += 0.5 * half_weights_(k) * (problem_.initial(x, half_nodes_(k)) + problem_.initial(x, -half_nodes_(k)));
  return rho;
}

double TransportCharacteristics::density(double x, double t) const {
  const Rule rule = velocities_at(x, t);
  Ray mean;
  for (size_t k = 0; k < rule.nodes.size(); ++k) {
    const Ray f = ray(x, t, rule.nodes[k]);
    mean.known += rule.weights[k] * f.known;
    mean.slope += rule.weights[k] * f.slope;
  }
  return mean.known / (1.0 - mean.slope);
}

MatrixXd TransportCharacteristics::evaluate(const MatrixXd& points, const VectorXd& velocities) const {
  if (points.cols() != 2) throw InputError("transport-characteristics: points have the columns x and t");
  const double end = dt_ * static_cast<double>(emission_.cols() - 1), slack = 1e-9 * end;
  MatrixXd values = MatrixXd::Zero(points.rows(), 2 + velocities.size());
  for (Index i = 0; i < points.rows(); ++i) {
    const double x = points(i, 0), t = points(i, 1);
    if (!(x >= problem_.a - 1e-9 * h_ && x <= problem_.b + 1e-9 * h_ && t >= -slack && t <= end + slack))
      throw InputError("transport-characteristics: x = " + scientific(x) + ", t = " + scientific(t) + " is outside");
    const bool at_start = t <= slack;
    const double shortly_after = std::numeric_limits<double>::min();
    const Rule rule = at_start ? velocities_at(0.5 * (problem_.a + problem_.b), shortly_after) : velocities_at(x, t);
    const double rho = at_start ? initial_density(x) : density(x, t);
    const auto f = [&](double v) {
      if (at_start) return problem_.initial(x, v);
      const Ray r = ray(x, t, v);
      return r.known + r.slope * rho;
    };
    values(i, 0) = rho;
    for (size_t k = 0; k < rule.nodes.size(); ++k)
      values(i, 1) += rule.weights[k] * rule.nodes[k] * f(rule.nodes[k]) / problem_.eps;
    for (Index k = 0; k < velocities.size(); ++k) values(i, 2 + k) = f(velocities(k));
  }
  return values;
}

}  // namespace torsor
