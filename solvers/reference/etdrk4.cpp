#include "solvers/reference/etdrk4.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <limits>
#include <map>
#include <numbers>
#include <string>
#include <unsupported/Eigen/FFT>
#include <utility>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"
#include "solvers/reference/fourier.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using Complex = std::complex<double>;
using Eigen::ArrayXcd;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;

constexpr double kPi = std::numbers::pi;
constexpr Complex kI{0.0, 1.0};

// A real transform of n nodes to the n/2 + 1 modes k >= 0.
class RealFft {
 public:
  explicit RealFft(int n) : n_(n) { fft_.SetFlag(Eigen::FFT<double>::HalfSpectrum); }

  ArrayXcd forward(const ArrayXd& u) {
    Eigen::VectorXcd modes;
    const Eigen::VectorXd values = u.matrix();
    fft_.fwd(modes, values);
    return modes.array();
  }

  ArrayXd inverse(const ArrayXcd& modes) {
    Eigen::VectorXd values(n_);
    const Eigen::VectorXcd half = modes.matrix();
    fft_.inv(values, half, n_);
    return values.array();
  }

 private:
  Eigen::FFT<double> fft_;
  int n_;
};

// The scheme's factors for one step length; names as in Kassam and Trefethen.
struct Coefficients {
  ArrayXcd e, e2, q, f1, f2, f3;
};

Coefficients coefficients(const ArrayXcd& symbol, double h) {
  constexpr int kPoints = 64;  // the mean over the unit circle converges geometrically; 32 suffice
  Coefficients c;
  const ArrayXcd z0 = h * symbol;
  c.e = z0.exp();
  c.e2 = (0.5 * z0).exp();
  c.q = c.f1 = c.f2 = c.f3 = ArrayXcd::Zero(symbol.size());
  for (int j = 0; j < kPoints; ++j) {
    const ArrayXcd z = z0 + std::exp(2.0 * kPi * kI * ((j + 0.5) / kPoints));
    const ArrayXcd ez = z.exp(), z3 = z.cube();
    c.q += ((0.5 * z).exp() - 1.0) / z;
    c.f1 += (-4.0 - z + ez * (4.0 - 3.0 * z + z.square())) / z3;
    c.f2 += (2.0 + z + ez * (-2.0 + z)) / z3;
    c.f3 += (-4.0 - 3.0 * z - z.square() + ez * (4.0 - z)) / z3;
  }
  const double scale = h / kPoints;
  c.q *= scale;
  c.f1 *= scale;
  c.f2 *= scale;
  c.f3 *= scale;
  return c;
}

class Stepper {
 public:
  Stepper(const SemilinearProblem& problem, const SemilinearOptions& options)
      : problem_(problem),
        n_(options.nodes),
        fft_(options.nodes),
        x_(fourier_nodes(options.nodes, problem.a, problem.b).array()) {
    const ArrayXd wave = 2.0 * kPi / (problem.b - problem.a) * ArrayXd::LinSpaced(n_ / 2 + 1, 0.0, n_ / 2);
    symbol_ = ArrayXcd::Zero(wave.size());
    for (std::size_t m = 0; m < problem.linear.size(); ++m)
      symbol_ += problem.linear[m] * derivative_symbol(wave, static_cast<int>(m));
    for (int m = 1; m <= problem.nonlinear_order; ++m) derivatives_.push_back(derivative_symbol(wave, m));
    kept_ = options.dealias ? n_ / 3 : n_ / 2;
  }

  // The true Fourier coefficients up to the aliasing of the fine grid, not of the n nodes.
  ArrayXcd initial_modes(int oversampling) {
    const int fine = n_ * oversampling;
    const ArrayXd u = problem_.initial(fourier_nodes(fine, problem_.a, problem_.b).array());
    if (u.size() != fine) throw InputError("etdrk4: the initial data have the wrong length");
    ArrayXcd modes = RealFft(fine).forward(u).head(n_ / 2 + 1) / oversampling;
    if (oversampling > 1) modes(n_ / 2) = 0.0;
    return modes;
  }

  ArrayXd nodal(const ArrayXcd& modes) { return fft_.inverse(modes); }

  ArrayXcd step(double t, double h, const ArrayXcd& v) {
    const Coefficients& c = at_step(h);
    const ArrayXcd nv = nonlinear(t, v);
    const ArrayXcd a = c.e2 * v + c.q * nv;
    const ArrayXcd na = nonlinear(t + 0.5 * h, a);
    const ArrayXcd b = c.e2 * v + c.q * na;
    const ArrayXcd nb = nonlinear(t + 0.5 * h, b);
    const ArrayXcd d = c.e2 * a + c.q * (2.0 * nb - nv);
    const ArrayXcd nd = nonlinear(t + h, d);
    return c.e * v + nv * c.f1 + 2.0 * (na + nb) * c.f2 + nd * c.f3;
  }

 private:
  // (i w)^m, with the mode n/2 dropped for odd m, where its sine vanishes on the grid.
  ArrayXcd derivative_symbol(const ArrayXd& wave, int m) const {
    ArrayXcd s = ArrayXcd::Ones(wave.size());
    for (int k = 0; k < m; ++k) s *= kI * wave;
    if (m % 2 == 1) s(n_ / 2) = 0.0;
    return s;
  }

  ArrayXcd nonlinear(double t, const ArrayXcd& v) {
    ArrayXXd jets(n_, problem_.nonlinear_order + 1);
    jets.col(0) = fft_.inverse(v);
    for (std::size_t m = 0; m < derivatives_.size(); ++m)
      jets.col(static_cast<Eigen::Index>(m) + 1) = fft_.inverse(derivatives_[m] * v);
    const ArrayXd values = problem_.nonlinear(t, x_, jets);
    if (values.size() != n_) throw InputError("etdrk4: the nonlinear term has the wrong length");
    ArrayXcd modes = fft_.forward(values);
    if (kept_ < n_ / 2) modes.tail(n_ / 2 - kept_).setZero();
    return modes;
  }

  const Coefficients& at_step(double h) {
    auto found = cache_.find(h);
    if (found == cache_.end()) found = cache_.emplace(h, coefficients(symbol_, h)).first;
    return found->second;
  }

  const SemilinearProblem& problem_;
  int n_;
  RealFft fft_;
  ArrayXd x_;
  ArrayXcd symbol_;
  std::vector<ArrayXcd> derivatives_;
  int kept_ = 0;
  std::map<double, Coefficients> cache_;
};

void check(const SemilinearProblem& p, const SemilinearOptions& o) {
  if (!p.nonlinear || !p.initial) throw InputError("etdrk4: a nonlinear term and initial data are needed");
  if (!(p.t0 < p.t1)) throw InputError("etdrk4: t0 < t1 is needed");
  if (p.nonlinear_order < 0) throw InputError("etdrk4: nonlinear_order is negative");
  if (o.nodes < 4 || o.nodes % 2 != 0)
    throw InputError("etdrk4: nodes = " + std::to_string(o.nodes) + " must be even and at least 4");
  if (!(o.time_step > 0.0)) throw InputError("etdrk4: time_step must be positive");
  if (o.time_pieces < 1 || o.initial_oversampling < 1)
    throw InputError("etdrk4: time_pieces and initial_oversampling must be at least 1");
}

constexpr int kDegree = 8;  // of the pieces in time

double widest_gap(const SemilinearProblem& p, const SemilinearOptions& o) {
  const Eigen::VectorXd unit = chebyshev_nodes(kDegree, 0.0, 1.0);
  return (p.t1 - p.t0) / o.time_pieces * (unit(kDegree / 2) - unit(kDegree / 2 - 1));
}

}  // namespace

SpaceTimeSolution solve_semilinear_at(const SemilinearProblem& problem, const SemilinearOptions& options) {
  check(problem, options);
  const Clock::time_point start = Clock::now();
  SpaceTimeSolution solution;
  solution.basis = {problem.a, problem.b, true, options.nodes, 0.0, 0.0};
  solution.error_estimate = std::numeric_limits<double>::quiet_NaN();
  Stepper stepper(problem, options);
  ArrayXcd v = stepper.initial_modes(options.initial_oversampling);

  // The steps land on the Chebyshev-Lobatto times of each piece. Their gaps have four lengths, computed once
  // so that the coefficients are too.
  const double piece_length = (problem.t1 - problem.t0) / options.time_pieces;
  const Eigen::VectorXd unit = chebyshev_nodes(kDegree, 0.0, 1.0);
  for (int p = 0; p < options.time_pieces; ++p) {
    TimePiece piece;
    piece.start = problem.t0 + p * piece_length;
    piece.end = p + 1 == options.time_pieces ? problem.t1 : problem.t0 + (p + 1) * piece_length;
    piece.values.resize(options.nodes, kDegree + 1);
    piece.values.col(0) = stepper.nodal(v).matrix();
    for (int k = 0; k < kDegree; ++k) {
      const int mirror = std::min(k, kDegree - 1 - k);
      const double gap = piece_length * (unit(mirror + 1) - unit(mirror));
      const long steps = std::max(1L, static_cast<long>(std::ceil(gap / options.time_step * (1.0 - 1e-12))));
      const double h = gap / static_cast<double>(steps);
      const double from = piece.start + piece_length * unit(k);
      for (long s = 0; s < steps; ++s) v = stepper.step(from + static_cast<double>(s) * h, h, v);
      solution.time_steps += steps;
      piece.values.col(k + 1) = stepper.nodal(v).matrix();
    }
    if (!piece.values.allFinite())
      throw NumericalError("etdrk4: the solution is not finite before t = " + scientific(piece.end) +
                           " with time_step " + scientific(options.time_step));
    solution.pieces.push_back(std::move(piece));
  }
  solution.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return solution;
}

SpaceTimeSolution solve_semilinear(const SemilinearProblem& problem, const SemilinearOptions& options) {
  const Clock::time_point start = Clock::now();
  check(problem, options);
  SemilinearOptions now = options;
  // Halving must change something: start no larger than the widest gap between the Lobatto times of a piece.
  now.time_step = std::min(options.time_step, widest_gap(problem, options));
  SpaceTimeSolution best = solve_semilinear_at(problem, now);
  // Refines by `refine` until the change falls below the tolerance or `capped` says stop.
  auto settle = [&](auto refine, auto capped) {
    double change = std::numeric_limits<double>::infinity();
    while (change > options.tolerance && !capped()) {
      refine();
      SpaceTimeSolution finer = solve_semilinear_at(problem, now);
      change = relative_change(best, finer, problem.t0 + options.compare_from);
      best = std::move(finer);
    }
    return change;
  };
  const double space_change =
      settle([&] { now.nodes *= 2; }, [&] { return 2 * now.nodes > options.max_nodes; });
  // The pieces are halved with the step: their interpolation error must show in the change too.
  const double time_change = settle(
      [&] {
        now.time_step /= 2.0;
        now.time_pieces *= 2;
      },
      [&] { return now.time_step / 2.0 < options.min_time_step; });
  best.error_estimate = std::max(space_change, time_change);
  best.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (options.require_convergence && !(best.error_estimate <= options.tolerance))
    throw NumericalError("etdrk4: tolerance " + scientific(options.tolerance) + " missed: relative change " +
                         scientific(space_change) + " with " + std::to_string(now.nodes) + " nodes, " +
                         scientific(time_change) + " with time_step " + scientific(now.time_step));
  return best;
}

}  // namespace torsor
