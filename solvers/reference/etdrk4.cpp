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
#include "solvers/reference/etd_coefficients.h"
#include "solvers/reference/fourier.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using Complex = std::complex<double>;
using Eigen::ArrayXcd;
using Eigen::ArrayXd;
using Eigen::ArrayXXcd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;

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

std::string shape(Eigen::Index rows, Eigen::Index columns) {
  return std::to_string(rows) + " x " + std::to_string(columns);
}

// The matrices of all modes times their vectors: entry (i, j) in column i n + j, modes x n.
ArrayXXcd product(const ArrayXXcd& matrices, const ArrayXXcd& v) {
  const Eigen::Index n = v.cols();
  ArrayXXcd result(v.rows(), n);
  for (Eigen::Index i = 0; i < n; ++i) {
    result.col(i) = matrices.col(i * n) * v.col(0);
    for (Eigen::Index j = 1; j < n; ++j) result.col(i) += matrices.col(i * n + j) * v.col(j);
  }
  return result;
}

// The solution's modes are v, modes x fields.
class Stepper {
 public:
  Stepper(const SemilinearProblem& problem, const SemilinearOptions& options)
      : problem_(problem),
        n_(options.nodes),
        fft_(options.nodes),
        x_(fourier_nodes(options.nodes, problem.a, problem.b).array()),
        wave_(2.0 * kPi / (problem.b - problem.a) * ArrayXd::LinSpaced(n_ / 2 + 1, 0.0, n_ / 2)),
        symbol_(symbol()) {
    for (int m = 1; m <= problem.nonlinear_order; ++m) derivatives_.push_back(derivative_symbol(m));
    kept_ = options.dealias ? n_ / 3 : n_ / 2;
  }

  // The true Fourier coefficients up to the aliasing of the fine grid, not of the n nodes.
  ArrayXXcd initial_modes(int oversampling) {
    const int fine = n_ * oversampling;
    const ArrayXXd u = problem_.initial(fourier_nodes(fine, problem_.a, problem_.b).array());
    check_shape("the initial data", u, fine);
    RealFft fine_fft(fine);
    ArrayXXcd modes(n_ / 2 + 1, u.cols());
    for (Eigen::Index f = 0; f < u.cols(); ++f)
      modes.col(f) = fine_fft.forward(u.col(f)).head(n_ / 2 + 1) / oversampling;
    if (oversampling > 1) modes.row(n_ / 2).setZero();
    return modes;
  }

  // n x fields.
  MatrixXd nodal(const ArrayXXcd& modes) {
    MatrixXd values(n_, modes.cols());
    for (Eigen::Index f = 0; f < modes.cols(); ++f) values.col(f) = fft_.inverse(modes.col(f)).matrix();
    return values;
  }

  ArrayXXcd step(double t, double h, const ArrayXXcd& v) {
    const EtdCoefficients& c = at_step(h);
    const ArrayXXcd nv = nonlinear(t, v);
    const ArrayXXcd half = product(c.e2, v);
    const ArrayXXcd a = half + product(c.q, nv);
    const ArrayXXcd na = nonlinear(t + 0.5 * h, a);
    const ArrayXXcd b = half + product(c.q, na);
    const ArrayXXcd nb = nonlinear(t + 0.5 * h, b);
    const ArrayXXcd d = product(c.e2, a) + product(c.q, 2.0 * nb - nv);
    const ArrayXXcd nd = nonlinear(t + h, d);
    return product(c.e, v) + product(c.f1, nv) + product(c.f2, 2.0 * (na + nb)) + product(c.f3, nd);
  }

 private:
  // (i w)^m, with the mode n/2 dropped for odd m, where its sine vanishes on the grid.
  ArrayXcd derivative_symbol(int m) const {
    ArrayXcd s = ArrayXcd::Ones(wave_.size());
    for (int k = 0; k < m; ++k) s *= kI * wave_;
    if (m % 2 == 1) s(n_ / 2) = 0.0;
    return s;
  }

  // Modes x fields^2.
  ArrayXXcd symbol() const {
    const int n = problem_.n_fields;
    ArrayXXcd s = ArrayXXcd::Zero(wave_.size(), n * n);
    for (std::size_t m = 0; m < problem_.linear.size(); ++m)
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j)
          s.col(i * n + j) += problem_.linear[m](i, j) * derivative_symbol(static_cast<int>(m));
    return s;
  }

  ArrayXXcd nonlinear(double t, const ArrayXXcd& v) {
    const auto per_field = static_cast<Eigen::Index>(derivatives_.size()) + 1;
    ArrayXXd jets(n_, v.cols() * per_field);
    for (Eigen::Index f = 0; f < v.cols(); ++f) {
      jets.col(f * per_field) = fft_.inverse(v.col(f));
      for (std::size_t m = 0; m < derivatives_.size(); ++m)
        jets.col(f * per_field + static_cast<Eigen::Index>(m) + 1) = fft_.inverse(derivatives_[m] * v.col(f));
    }
    const ArrayXXd values = problem_.nonlinear(t, x_, jets);
    check_shape("the values of the nonlinear term", values, n_);
    ArrayXXcd modes(v.rows(), v.cols());
    for (Eigen::Index f = 0; f < v.cols(); ++f) modes.col(f) = fft_.forward(values.col(f));
    if (kept_ < n_ / 2) modes.bottomRows(n_ / 2 - kept_).setZero();
    return modes;
  }

  void check_shape(const std::string& what, const ArrayXXd& values, int nodes) const {
    if (values.rows() == nodes && values.cols() == problem_.n_fields) return;
    throw InputError("etdrk4: " + what + " have the shape " + shape(values.rows(), values.cols()) +
                     ", must be " + shape(nodes, problem_.n_fields));
  }

  const EtdCoefficients& at_step(double h) {
    auto found = cache_.find(h);
    if (found == cache_.end()) found = cache_.emplace(h, symbol_.coefficients(h)).first;
    return found->second;
  }

  const SemilinearProblem& problem_;
  int n_;
  RealFft fft_;
  ArrayXd x_, wave_;
  EtdSymbol symbol_;
  std::vector<ArrayXcd> derivatives_;
  int kept_ = 0;
  std::map<double, EtdCoefficients> cache_;
};

void check(const SemilinearProblem& p, const SemilinearOptions& o) {
  if (!p.nonlinear || !p.initial) throw InputError("etdrk4: a nonlinear term and initial data are needed");
  if (!(p.t0 < p.t1)) throw InputError("etdrk4: t0 < t1 is needed");
  if (p.n_fields < 1)
    throw InputError("etdrk4: n_fields = " + std::to_string(p.n_fields) + " must be positive");
  for (std::size_t m = 0; m < p.linear.size(); ++m)
    if (p.linear[m].rows() != p.n_fields || p.linear[m].cols() != p.n_fields || !p.linear[m].allFinite())
      throw InputError("etdrk4: linear[" + std::to_string(m) + "] is " +
                       shape(p.linear[m].rows(), p.linear[m].cols()) + ", must be a finite " +
                       shape(p.n_fields, p.n_fields) + " matrix");
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

// A piece of time. `length` is end - start but for rounding, and the same number for pieces of the same length.
struct Span {
  double start, end, length;
};

// Takes v over a span. The steps land on its Chebyshev-Lobatto times; their gaps have four lengths, computed once so
// that the coefficients are too.
TimePiece integrate(Stepper& stepper, const Span& span, const SemilinearOptions& options, ArrayXXcd& v,
                    long& steps_taken) {
  const Eigen::VectorXd unit = chebyshev_nodes(kDegree, 0.0, 1.0);
  TimePiece piece;
  piece.start = span.start;
  piece.end = span.end;
  piece.values.resize(options.nodes * v.cols(), kDegree + 1);
  piece.values.col(0) = stepper.nodal(v).reshaped();
  for (int k = 0; k < kDegree; ++k) {
    const int mirror = std::min(k, kDegree - 1 - k);
    const double gap = span.length * (unit(mirror + 1) - unit(mirror));
    const long steps = std::max(1L, static_cast<long>(std::ceil(gap / options.time_step * (1.0 - 1e-12))));
    const double h = gap / static_cast<double>(steps);
    const double from = span.start + span.length * unit(k);
    for (long s = 0; s < steps; ++s) v = stepper.step(from + static_cast<double>(s) * h, h, v);
    steps_taken += steps;
    piece.values.col(k + 1) = stepper.nodal(v).reshaped();
  }
  if (!piece.values.allFinite())
    throw NumericalError("etdrk4: the solution is not finite before t = " + scientific(piece.end) + " with time_step " +
                         scientific(options.time_step));
  return piece;
}

// Halves pieces until the polynomials of a piece and of its halves agree.
class Bisection {
 public:
  Bisection(const SemilinearProblem& problem, const SemilinearOptions& options, double size)
      : options_(options),
        size_(size),
        stepper_(problem, options),
        v_(stepper_.initial_modes(options.initial_oversampling)) {}

  // The piece again, in parts, from where the last one ended; whether it was halved more than once.
  bool refine(const TimePiece& whole, const Span& span) {
    const std::size_t before = pieces_.size();
    halve(whole, span, 0);
    return pieces_.size() > before + 2;
  }

  const std::vector<TimePiece>& pieces() const { return pieces_; }
  double change() const { return change_; }
  long time_steps() const { return time_steps_; }

 private:
  void halve(const TimePiece& whole, const Span& span, int depth) {
    const double half = 0.5 * span.length, middle = span.start + half;
    const ArrayXXcd start = v_;
    TimePiece left = integrate(stepper_, {span.start, middle, half}, options_, v_, time_steps_);
    const ArrayXXcd at_middle = v_;
    TimePiece right = integrate(stepper_, {middle, span.end, half}, options_, v_, time_steps_);
    const double difference = std::max(distance(whole, left), distance(whole, right)) / size_;
    if (difference <= options_.tolerance || depth == kMostHalvings) {
      change_ = std::max(change_, difference);
      pieces_.push_back(std::move(left));
      pieces_.push_back(std::move(right));
      return;
    }
    v_ = start;
    halve(left, {span.start, middle, half}, depth + 1);
    v_ = at_middle;
    halve(right, {middle, span.end, half}, depth + 1);
  }

  // Of the polynomial of `whole` from the values of `part`, at its times.
  static double distance(const TimePiece& whole, const TimePiece& part) {
    const MatrixXd weights =
        chebyshev_interpolation(kDegree, whole.start, whole.end, chebyshev_nodes(kDegree, part.start, part.end));
    return (whole.values * weights.transpose() - part.values).cwiseAbs().maxCoeff();
  }

  static constexpr int kMostHalvings = 60;

  SemilinearOptions options_;
  double size_;
  Stepper stepper_;
  ArrayXXcd v_;
  std::vector<TimePiece> pieces_;
  double change_ = 0.0;
  long time_steps_ = 0;
};

// Replaces the first pieces of `solution`, which was made with `options`, by halves of them until one is met that needs
// none; the largest change that was left.
double refine_start(const SemilinearProblem& problem, const SemilinearOptions& options, SpaceTimeSolution& solution) {
  double size = 1.0;
  for (const TimePiece& piece : solution.pieces) size = std::max(size, 1.0 + piece.values.cwiseAbs().maxCoeff());
  Bisection bisection(problem, options, size);
  const double length = (problem.t1 - problem.t0) / options.time_pieces;
  std::size_t done = 0;
  for (bool halved = true; halved && done < solution.pieces.size(); ++done)
    halved = bisection.refine(solution.pieces[done], {solution.pieces[done].start, solution.pieces[done].end, length});
  solution.pieces.erase(solution.pieces.begin(), solution.pieces.begin() + static_cast<std::ptrdiff_t>(done));
  solution.pieces.insert(solution.pieces.begin(), bisection.pieces().begin(), bisection.pieces().end());
  solution.time_steps += bisection.time_steps();
  return bisection.change();
}

}  // namespace

SpaceTimeSolution solve_semilinear_at(const SemilinearProblem& problem, const SemilinearOptions& options) {
  check(problem, options);
  const Clock::time_point start = Clock::now();
  SpaceTimeSolution solution;
  solution.basis = {problem.a, problem.b, true, options.nodes, 0.0, 0.0};
  solution.n_fields = problem.n_fields;
  solution.error_estimate = std::numeric_limits<double>::quiet_NaN();
  Stepper stepper(problem, options);
  ArrayXXcd v = stepper.initial_modes(options.initial_oversampling);

  const double length = (problem.t1 - problem.t0) / options.time_pieces;
  for (int p = 0; p < options.time_pieces; ++p) {
    const double from = problem.t0 + p * length;
    const double to = p + 1 == options.time_pieces ? problem.t1 : problem.t0 + (p + 1) * length;
    solution.pieces.push_back(integrate(stepper, {from, to, length}, options, v, solution.time_steps));
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
  const double start_change = options.compare_from > 0.0 ? 0.0 : refine_start(problem, now, best);
  best.error_estimate = std::max({space_change, time_change, start_change});
  best.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (options.require_convergence && !(best.error_estimate <= options.tolerance))
    throw NumericalError("etdrk4: tolerance " + scientific(options.tolerance) + " missed: relative change " +
                         scientific(space_change) + " with " + std::to_string(now.nodes) + " nodes, " +
                         scientific(time_change) + " with time_step " + scientific(now.time_step) + ", " +
                         scientific(start_change) + " near the first time");
  return best;
}

}  // namespace torsor
