#include "solvers/reference/transport_laplace.h"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
using Eigen::ArrayXcd;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

constexpr Complex kI{0.0, 1.0};
constexpr double kResolved = 1e-13;    // misfit of initial data
constexpr double kTruncation = 1e-14;  // of the least squares of a Fourier extension
constexpr double kSlow = 0.1;          // |e^2 q| below which one root is far smaller than the others
constexpr size_t kRows = 8192;         // points at once

void require(bool satisfied, const std::string& rule) {
  if (!satisfied) throw InputError("transport-laplace: " + rule);
}

// ---- initial data -----------------------------------------------------------------------------------

// cos(n pi y/L), n = 0..most, then sin, n = 1..most; y = x - a.
MatrixXd extension_basis(const VectorXd& y, double length, int most) {
  MatrixXd basis(y.size(), 2 * most + 1);
  for (int n = 0; n <= most; ++n) {
    const ArrayXd phase = y.array() * (n * std::numbers::pi / length);
    basis.col(n) = phase.cos();
    if (n > 0) basis.col(most + n) = phase.sin();
  }
  return basis;
}

double relative_misfit(const MatrixXd& error, const MatrixXd& values) {
  const double largest = values.cwiseAbs().maxCoeff();
  return largest > 0.0 ? error.cwiseAbs().maxCoeff() / largest : 0.0;
}

FourierExtension extension_with(const std::function<MatrixXd(const VectorXd&)>& moments, double a, double b, int most) {
  const Index n = 4 * (2 * most + 1);
  const VectorXd y = VectorXd::LinSpaced(2 * n + 1, 0.0, b - a);
  const MatrixXd values = moments((y.array() + a).matrix());
  if (!values.allFinite()) throw InputError("transport-laplace: a value of the initial data is not finite");
  const auto fitted = Eigen::seqN(0, n + 1, 2), between = Eigen::seqN(1, n, 2);
  const MatrixXd basis = extension_basis(y(fitted), b - a, most);
  Eigen::CompleteOrthogonalDecomposition<MatrixXd> fit;
  fit.setThreshold(kTruncation);
  fit.compute(basis);
  const MatrixXd right = values(fitted, Eigen::all);
  MatrixXd c = fit.solve(right);
  c += fit.solve(right - basis * c);
  FourierExtension extension;
  extension.misfit =
      relative_misfit(values(between, Eigen::all) - extension_basis(y(between), b - a, most) * c, values);
  extension.amplitudes = MatrixXcd::Zero(most + 1, values.cols());
  extension.amplitudes.real() = c.topRows(most + 1);
  extension.amplitudes.imag().bottomRows(most) = -c.bottomRows(most);
  for (int k = 0; k <= most; ++k) extension.waves.push_back(k);
  return extension;
}

// Waves whose amplitudes are rounding are left out.
void drop_rounding(FourierExtension& extension) {
  const VectorXd density = extension.amplitudes.col(0).cwiseAbs();
  const VectorXd deviation = extension.amplitudes.rightCols(extension.amplitudes.cols() - 1).cwiseAbs().rowwise()
                                 .maxCoeff();
  std::vector<Index> kept;
  std::vector<int> waves;
  for (Index k = 0; k < density.size(); ++k)
    if (density(k) > 1e-15 * density.maxCoeff() || deviation(k) > 1e-15 * deviation.maxCoeff()) {
      kept.push_back(k);
      waves.push_back(extension.waves[static_cast<size_t>(k)]);
    }
  extension.amplitudes = MatrixXcd(extension.amplitudes(kept, Eigen::all));
  extension.waves = std::move(waves);
}

// ---- the secular equation ------------------------------------------------------------------------------

struct Positive {
  ArrayXd squares, weights;  // v^2 and 2 w of the positive nodes
};

// M of <M v^2/(1 - e2 M v^2)> = q, the root near q/<v^2>.
Complex slow_root(const Positive& nodes, Complex q, double e2) {
  Complex m = q / (nodes.weights * nodes.squares).sum();
  for (int k = 0; k < 30; ++k) {
    const ArrayXcd rest = 1.0 - e2 * m * nodes.squares.cast<Complex>();
    const Complex value = m * (nodes.weights * nodes.squares / rest).sum() - q;
    const Complex slope = (nodes.weights * nodes.squares / rest.square()).sum();
    const Complex change = value / slope;
    m -= change;
    if (!(std::abs(change) > 1e-15 * std::abs(m))) break;
  }
  return m;
}

// Newton's steps for <z v^2/(1 - z v^2)> = d, as long as they are small.
Complex polished(const Positive& nodes, Complex z, Complex d) {
  for (int k = 0; k < 3; ++k) {
    const ArrayXcd rest = 1.0 - z * nodes.squares.cast<Complex>();
    const Complex value = (z * nodes.weights * nodes.squares / rest).sum() - d;
    const Complex slope = (nodes.weights * nodes.squares / rest.square()).sum();
    const Complex change = value / slope;
    if (!(std::abs(change) <= 1e-8 * std::abs(z))) break;
    z -= change;
  }
  return z;
}

// All decay rates k = a sqrt(z)/e with Re k >= 0. `still`: the weight of a node v = 0.
VectorXcd decay_rates(const Positive& nodes, double still, Complex q, double e) {
  const Complex d = e * e * q, a = 1.0 + d;
  const VectorXcd b = (nodes.weights / nodes.squares).sqrt().matrix().cast<Complex>();
  MatrixXcd matrix = b * b.transpose() / (still - a);
  matrix.diagonal() += nodes.squares.inverse().matrix().cast<Complex>();
  VectorXcd z = Eigen::ComplexEigenSolver<MatrixXcd>(matrix, false).eigenvalues();
  Index smallest = 0;
  z.cwiseAbs().minCoeff(&smallest);
  for (Complex& root : z) root = polished(nodes, root, d);
  VectorXcd k = z.unaryExpr([&](Complex root) { return a * std::sqrt(root) / e; });
  if (std::abs(d) < kSlow) k(smallest) = a * std::sqrt(slow_root(nodes, q, e * e));
  return k.unaryExpr([](Complex rate) { return rate.real() < 0.0 ? -rate : rate; });
}

// ---- the contour ---------------------------------------------------------------------------------------

struct ContourNode {
  Complex place, weight;  // S and S'/(i N)
};

// The upper half, 0 < theta < pi.
std::vector<ContourNode> contour(int n) {
  std::vector<ContourNode> nodes;
  for (int k = n / 2; k < n; ++k) {
    const double theta = -std::numbers::pi + (k + 0.5) * 2.0 * std::numbers::pi / n, c = 0.6407 * theta;
    const double cot = 1.0 / std::tan(c), sin = std::sin(c);
    const Complex place = static_cast<double>(n) * Complex(0.5017 * theta * cot - 0.6122, 0.2645 * theta);
    const Complex slope = static_cast<double>(n) * Complex(0.5017 * cot - 0.5017 * c / (sin * sin), 0.2645);
    nodes.push_back({place, slope / (kI * static_cast<double>(n))});
  }
  return nodes;
}

}  // namespace

FourierExtension fourier_extension(const std::function<MatrixXd(const VectorXd&)>& moments, double a, double b,
                                   int most_waves) {
  FourierExtension best;
  best.misfit = std::numeric_limits<double>::infinity();
  for (int most = 4; most <= most_waves; most *= 2) {
    FourierExtension next = extension_with(moments, a, b, most);
    if (next.misfit < best.misfit) best = std::move(next);
    if (best.misfit <= kResolved) break;
  }
  drop_rounding(best);
  return best;
}

// Of one wall: what h is at the first of the velocities that come in, and what (h - the first)/eps is at all of them.
struct TransportLaplace::Walls {
  struct Side {
    Complex value;
    VectorXcd slope;
  };
  Side left, right;
};

// h = sum_i exp(-k_i y) left_i + exp(-k_i (L - y)) right_i; moments in the rows of left and right.
struct TransportLaplace::Transformed {
  VectorXcd rates;  // k
  MatrixXcd left, right;
};

TransportLaplace::TransportLaplace(const VelocityBasis& velocities, LaplaceSlab slab, int contour_nodes, int most_waves)
    : velocities_(velocities), slab_(std::move(slab)), length_(slab_.b - slab_.a),
      unit_(slab_.eps / slab_.scattering), contour_nodes_(contour_nodes) {
  check();
  require(most_waves >= 4, "most_waves = " + std::to_string(most_waves) + " must be at least 4");
  for (Index j = 0; j < velocities_.size(); ++j)
    if (velocities_.nodes(j, 0) > 0.0) {
      positive_.push_back(j);
      Index mirror = 0;
      (velocities_.nodes.col(0).array() + velocities_.nodes(j, 0)).abs().minCoeff(&mirror);
      negative_.push_back(mirror);
    }
  if (slab_.initial_moments) expand_initial(most_waves);
}

void TransportLaplace::check() const {
  require(slab_.a < slab_.b, "a = " + scientific(slab_.a) + " < b = " + scientific(slab_.b) + " is needed");
  require(slab_.eps > 0.0, "eps = " + scientific(slab_.eps) + " must be positive");
  require(slab_.scattering > 0.0, "scattering = " + scientific(slab_.scattering) + " must be positive");
  require(slab_.absorption >= 0.0, "absorption = " + scientific(slab_.absorption) + " must not be negative");
  require(std::isfinite(slab_.source), "source must be finite");
  require(velocities_.dimension() == 1 && has_mirror_images(velocities_),
          "velocities on a line are needed, with v also -v of the same weight");
  require(slab_.inflow.size() == velocities_.size() && slab_.inflow.allFinite(),
          std::to_string(velocities_.size()) + " finite inflow values are needed, one for each node");
  require(contour_nodes_ >= 8 && contour_nodes_ <= 64 && contour_nodes_ % 2 == 0,
          "contour_nodes = " + std::to_string(contour_nodes_) + " must be even and from 8 to 64");
}

void TransportLaplace::expand_initial(int most_waves) {
  initial_ = fourier_extension(slab_.initial_moments, slab_.a, slab_.b, most_waves);
  initial_f_ = initial_.amplitudes * velocities_.polynomials.transpose();
  for (size_t k = 0; k < initial_.waves.size(); ++k) {
    const VectorXd wave = VectorXd::Constant(1, initial_.waves[k] * std::numbers::pi / length_);
    modes_.emplace_back(velocities_, unit_, wave, initial_.amplitudes.row(static_cast<Index>(k)).transpose());
  }
}

// ---- the transform ---------------------------------------------------------------------------------------

// rho and g_j of p's part exp(i k y) with the data F = `start`, at y = 0.
struct TransportLaplace::Local {
  Complex rho{0.0};
  VectorXcd g;
};

TransportLaplace::Local TransportLaplace::periodic(Complex s, double k, const VectorXcd& start) const {
  const double e = unit_, sigma = slab_.scattering;
  const Complex q = sigma * (s + slab_.absorption), a = 1.0 + e * e * q;
  const ArrayXcd v = velocities_.nodes.col(0).array().cast<Complex>();
  const ArrayXcd w = velocities_.weights.array().cast<Complex>(), rest = a + kI * e * k * v;
  const Complex denominator =
      (w * (a * q + k * k * v.square()) / (a * a + e * e * k * k * v.square())).sum();
  Local p;
  p.rho = sigma * (w * start.array() / rest).sum() / denominator;
  p.g = ((e * start.array() - p.rho * (e * q + kI * k * v) / sigma) / rest).matrix();
  return p;
}

// F/s - p^ at both walls.
TransportLaplace::Walls TransportLaplace::walls(Complex s) const {
  const Index n = velocities_.size();
  Local left{slab_.source / (s * (s + slab_.absorption)), VectorXcd::Zero(n)}, right = left;
  for (size_t i = 0; i < initial_.waves.size(); ++i) {
    const int wave = initial_.waves[i];
    const double k = wave * std::numbers::pi / length_, far = wave % 2 == 0 ? 1.0 : -1.0;
    const VectorXcd start = initial_f_.row(static_cast<Index>(i)).transpose();
    for (const bool up : {true, false}) {
      if (wave == 0 && !up) continue;
      const Local p = wave == 0 ? periodic(s, 0.0, start.real().cast<Complex>())
                                : periodic(s, up ? k : -k, 0.5 * (up ? start : start.conjugate().eval()));
      left.rho += p.rho;
      left.g += p.g;
      right.rho += far * p.rho;
      right.g += far * p.g;
    }
  }
  const auto side = [&](const Local& p, const std::vector<Index>& nodes) {
    const VectorXd inflow = slab_.inflow(nodes);
    const VectorXcd g = p.g(nodes);
    return Walls::Side{inflow(0) / s - p.rho - slab_.eps * g(0),
                       ((inflow.array() - inflow(0)) / slab_.eps).matrix().cast<Complex>() / s -
                           (g.array() - g(0)).matrix()};
  };
  return {side(left, positive_), side(right, negative_)};
}

// rho and g (nodes) of exp(-k y), in columns for each rate; for exp(-k (L - y)) the rates are -k.
struct TransportLaplace::Modes {
  VectorXcd rho;
  MatrixXcd g;

  // Conditions (rows) of modes (columns) for the velocities that come in at a wall; those of g times `scale`.
  MatrixXcd conditions(const std::vector<Index>& nodes, double eps, double scale) const {
    MatrixXcd rows(static_cast<Index>(nodes.size()), rho.size());
    rows.row(0) = rho.transpose() + eps * g.row(nodes[0]);
    for (size_t i = 1; i < nodes.size(); ++i)
      rows.row(static_cast<Index>(i)) = scale * (g.row(nodes[i]) - g.row(nodes[0]));
    return rows;
  }

  // Small enough that elimination takes the diffusive mode from a condition of rho: from one of g, whose data are
  // 1/eps for inflow that depends on v, it would have their rounding.
  double scale_of_g(double eps) const {
    Index slow = 0;
    rho.cwiseAbs().maxCoeff(&slow);
    const double ratio = std::abs(rho(slow)) / g.col(slow).cwiseAbs().maxCoeff();
    return std::max(eps, 0.1 * std::min(1.0, ratio));
  }
};

TransportLaplace::Modes TransportLaplace::modes(Complex q, const VectorXcd& rates) const {
  const double e = unit_;
  const VectorXcd v = velocities_.nodes.col(0).cast<Complex>();
  Modes modes{VectorXcd(rates.size()), MatrixXcd(v.size(), rates.size())};
  for (Index i = 0; i < rates.size(); ++i) {
    const ArrayXcd flight = e * rates(i) * v.array();
    modes.g.col(i) = ((flight - e * e * q) / (1.0 + e * e * q - flight) / slab_.eps).matrix();
    modes.rho(i) = 1.0 / std::max(1.0, modes.g.col(i).cwiseAbs().maxCoeff());
    modes.g.col(i) *= modes.rho(i);
  }
  return modes;
}

// The moments of modes in rows; the second one from the balance k <v h> = eps q/sigma rho.
MatrixXcd TransportLaplace::moments_of(const Modes& modes, Complex q, const VectorXcd& rates) const {
  const VectorXd& w = velocities_.weights;
  const double flow = (w.array() * velocities_.nodes.col(0).array() * velocities_.polynomials.col(1).array()).sum();
  MatrixXcd moments = slab_.eps * modes.g.transpose() * (w.asDiagonal() * velocities_.polynomials).cast<Complex>();
  moments.col(0) = modes.rho;
  moments.col(1) = (unit_ * q / flow) * modes.rho.cwiseQuotient(rates);
  return moments;
}

TransportLaplace::Transformed TransportLaplace::transformed(Complex s) const {
  const Complex q = slab_.scattering * (s + slab_.absorption);
  const auto n = static_cast<Index>(positive_.size());
  const VectorXd weights = velocities_.weights(positive_), squares = velocities_.nodes(positive_, 0).array().square();
  const VectorXcd rates = decay_rates({squares.array(), 2.0 * weights.array()}, 1.0 - 2.0 * weights.sum(), q, unit_);
  const Modes from_left = modes(q, rates), from_right = modes(q, -rates);
  const VectorXcd across = (-length_ * rates).array().exp().matrix();
  MatrixXcd system(2 * n, 2 * n);
  const double eps = slab_.eps, scale = from_left.scale_of_g(eps);
  system << from_left.conditions(positive_, eps, scale),
      from_right.conditions(positive_, eps, scale) * across.asDiagonal(),
      from_left.conditions(negative_, eps, scale) * across.asDiagonal(), from_right.conditions(negative_, eps, scale);
  const Walls given = walls(s);
  VectorXcd right(2 * n);
  right << scale * given.left.slope, scale * given.right.slope;
  right(0) = given.left.value;
  right(n) = given.right.value;
  const VectorXcd amplitudes = system.partialPivLu().solve(right);
  return {rates, amplitudes.head(n).asDiagonal() * moments_of(from_left, q, rates),
          amplitudes.tail(n).asDiagonal() * moments_of(from_right, q, -rates)};
}

// ---- evaluation --------------------------------------------------------------------------------------------

// p at rows of one time.
void TransportLaplace::add_periodic(double t, const std::vector<Index>& rows, const MatrixXd& points,
                                    MatrixXd& values) const {
  const double sigma_a = slab_.absorption;
  const double filled = sigma_a > 0.0 ? -std::expm1(-sigma_a * t) / sigma_a : t;
  for (const Index i : rows) values(i, 0) += slab_.source * filled;
  if (modes_.empty()) return;
  const auto n_modes = static_cast<Index>(modes_.size());
  MatrixXcd now(n_modes, velocities_.size());
  VectorXd waves(n_modes);
  for (Index k = 0; k < n_modes; ++k) {
    const auto& mode = modes_[static_cast<size_t>(k)];
    now.row(k) = std::exp(-sigma_a * t) * mode.moments(t / slab_.scattering).transpose();
    waves(k) = initial_.waves[static_cast<size_t>(k)] * std::numbers::pi / length_;
  }
  const VectorXd y = points(rows, 0).array() - slab_.a;
  const MatrixXd phases = y * waves.transpose();
  values(rows, Eigen::all) += phases.array().cos().matrix() * now.real() - phases.array().sin().matrix() * now.imag();
}

// h at rows with `window`/2 < t <= `window`.
void TransportLaplace::add_walls(double window, const std::vector<Index>& rows, const MatrixXd& points,
                                 MatrixXd& values) const {
  const ArrayXcd y = (points(rows, 0).array() - slab_.a).cast<Complex>();
  const ArrayXcd t = points(rows, 1).array().cast<Complex>();
  MatrixXd sum = MatrixXd::Zero(y.size(), values.cols());
  for (const ContourNode& node : contour(contour_nodes_)) {
    const Complex s = node.place / window, q = slab_.scattering * (s + slab_.absorption);
    if ((1.0 + unit_ * unit_ * q).real() <= 0.0) continue;
    const Transformed h = transformed(s);
    const ArrayXcd weight = (2.0 / window * node.weight) * (s * t).exp();
    MatrixXcd left(y.size(), h.rates.size()), right = left;
    for (Index i = 0; i < h.rates.size(); ++i) {
      left.col(i) = (weight * (-h.rates(i) * y).exp()).matrix();
      right.col(i) = (weight * (-h.rates(i) * (length_ - y)).exp()).matrix();
    }
    sum += (left * h.left + right * h.right).real();
  }
  values(rows, Eigen::all) += sum;
}

MatrixXd TransportLaplace::moments(const MatrixXd& points) const {
  require(points.cols() == 2, "points must have 2 columns, x and t");
  const double slack = 1e-12 * length_;
  std::map<double, std::vector<Index>> by_time, by_window;
  for (Index i = 0; i < points.rows(); ++i) {
    const double x = points(i, 0), t = points(i, 1);
    require(x >= slab_.a - slack && x <= slab_.b + slack && t >= 0.0 && std::isfinite(t),
            "the point x = " + scientific(x) + ", t = " + scientific(t) + " is outside");
    by_time[t].push_back(i);
    if (t > 0.0) by_window[std::exp2(std::ceil(std::log2(t)))].push_back(i);
  }
  MatrixXd values = MatrixXd::Zero(points.rows(), velocities_.size());
  for (const auto& [t, rows] : by_time) {
    if (t == 0.0 && slab_.initial_moments)
      values(rows, Eigen::all) = slab_.initial_moments(points(rows, 0));
    else if (t > 0.0)
      add_periodic(t, rows, points, values);
  }
  for (const auto& [window, rows] : by_window)
    for (size_t from = 0; from < rows.size(); from += kRows) {
      const auto first = rows.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = static_cast<std::ptrdiff_t>(std::min(kRows, rows.size() - from));
      add_walls(window, {first, first + count}, points, values);
    }
  if (!values.allFinite()) throw NumericalError("transport-laplace: the solution is not finite");
  return values;
}

}  // namespace torsor
