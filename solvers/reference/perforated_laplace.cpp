#include "solvers/reference/perforated_laplace.h"

#include <Eigen/QR>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <numbers>
#include <sstream>
#include <string>
#include <utility>

#include "physics/error.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using Complex = std::complex<double>;
using Eigen::ArrayXcd;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kPi = std::numbers::pi;

ArrayXcd complex_points(const MatrixXd& points, double x, double y) {
  ArrayXcd z(points.rows());
  for (Index i = 0; i < points.rows(); ++i) z(i) = Complex(points(i, 0) - x, points(i, 1) - y);
  return z;
}

// Polynomials orthonormal over the points z by Arnoldi: H is (degree + 1) x degree, Q points x (degree + 1).
struct ArnoldiBasis {
  MatrixXcd hessenberg, values;
};

ArnoldiBasis arnoldi(const ArrayXcd& z, int degree) {
  const double root = std::sqrt(static_cast<double>(z.size()));
  ArnoldiBasis basis{MatrixXcd::Zero(degree + 1, degree), MatrixXcd(z.size(), degree + 1)};
  basis.values.col(0).setOnes();
  for (int k = 0; k < degree; ++k) {
    Eigen::VectorXcd q = (z * basis.values.col(k).array()).matrix();
    // Twice is enough: the second pass restores the orthogonality that rounding took from the first.
    for (int pass = 0; pass < 2; ++pass) {
      const Eigen::VectorXcd h = basis.values.leftCols(k + 1).adjoint() * q / (root * root);
      q -= basis.values.leftCols(k + 1) * h;
      basis.hessenberg.col(k).head(k + 1) += h;
    }
    const double length = q.norm() / root;
    basis.hessenberg(k + 1, k) = length;
    basis.values.col(k + 1) = q / length;
  }
  return basis;
}

// The same polynomials at other points, by their recurrence.
MatrixXcd arnoldi_values(const MatrixXcd& hessenberg, const ArrayXcd& z) {
  const Index degree = hessenberg.cols();
  MatrixXcd values(z.size(), degree + 1);
  values.col(0).setOnes();
  for (Index k = 0; k < degree; ++k) {
    const Eigen::VectorXcd q =
        (z * values.col(k).array()).matrix() - values.leftCols(k + 1) * hessenberg.col(k).head(k + 1);
    values.col(k + 1) = q / hessenberg(k + 1, k);
  }
  return values;
}

constexpr int kCornerTerms = 10;  // k = 0..9: what remains has 19 continuous derivatives at the corners

// Boundary points with their data: `per_side` on each side, clustered at the corners as cos does, and
// `per_circle` on each circle. `shift` in (0, 1) moves them between those of another shift.
struct Boundary {
  MatrixXd points;
  VectorXd data;
};

Boundary sample_boundary(const PerforatedProblem& p, int per_side, int per_circle, double shift) {
  const Index n_sides = 4 * static_cast<Index>(per_side);
  Boundary boundary{MatrixXd(n_sides + per_circle * static_cast<Index>(p.discs.size()), 2), {}};
  Index row = 0;
  for (int k = 0; k < per_side; ++k) {
    const double s = 0.5 - 0.5 * std::cos(kPi * (k + shift) / per_side);
    const double x = p.lower(0) + s * (p.upper(0) - p.lower(0)),
                 y = p.lower(1) + s * (p.upper(1) - p.lower(1));
    boundary.points.row(row++) << x, p.lower(1);
    boundary.points.row(row++) << x, p.upper(1);
    boundary.points.row(row++) << p.lower(0), y;
    boundary.points.row(row++) << p.upper(0), y;
  }
  for (const Disc& disc : p.discs)
    for (int k = 0; k < per_circle; ++k) {
      const double angle = 2.0 * kPi * (k + shift) / per_circle;
      boundary.points.row(row++) << disc.x + disc.radius * std::cos(angle),
          disc.y + disc.radius * std::sin(angle);
    }
  boundary.data.resize(row);
  boundary.data.head(n_sides) = p.outer(boundary.points.topRows(n_sides));
  for (std::size_t j = 0; j < p.discs.size(); ++j) {
    const Index first = n_sides + static_cast<Index>(j) * per_circle;
    boundary.data.segment(first, per_circle) = p.inner[j](boundary.points.middleRows(first, per_circle));
  }
  if (!boundary.data.allFinite()) throw InputError("perforated_laplace: the boundary data are not finite");
  return boundary;
}

void check(const PerforatedProblem& p) {
  if (!(p.lower(0) < p.upper(0) && p.lower(1) < p.upper(1)))
    throw InputError("perforated_laplace: the rectangle is empty");
  if (!p.outer || p.inner.size() != p.discs.size())
    throw InputError("perforated_laplace: data are needed for the sides and for each of the " +
                     std::to_string(p.discs.size()) + " discs");
  for (std::size_t j = 0; j < p.discs.size(); ++j) {
    const Disc& d = p.discs[j];
    if (!p.inner[j]) throw InputError("perforated_laplace: disc " + std::to_string(j) + " has no data");
    const bool inside = d.radius > 0.0 && d.x - d.radius > p.lower(0) && d.x + d.radius < p.upper(0) &&
                        d.y - d.radius > p.lower(1) && d.y + d.radius < p.upper(1);
    if (!inside) throw InputError("perforated_laplace: disc " + std::to_string(j) + " leaves the rectangle");
    for (std::size_t i = 0; i < j; ++i)
      if (std::hypot(d.x - p.discs[i].x, d.y - p.discs[i].y) <= d.radius + p.discs[i].radius)
        throw InputError("perforated_laplace: discs " + std::to_string(i) + " and " + std::to_string(j) +
                         " meet");
  }
}

}  // namespace

PlanarFunction constant_function(double value) {
  return [value](const MatrixXd& points) { return VectorXd(VectorXd::Constant(points.rows(), value)); };
}

ArrayXcd PerforatedSolution::scaled(const MatrixXd& points) const {
  const Eigen::Vector2d center = 0.5 * (lower_ + upper_);
  return complex_points(points, center(0), center(1)) / (0.5 * (upper_ - lower_).norm());
}

VectorXd PerforatedSolution::particular(const ArrayXcd& scaled_points) const {
  return (source_ / 16.0 * (upper_ - lower_).squaredNorm() * scaled_points.abs2()).matrix();
}

MatrixXd PerforatedSolution::series_matrix(const MatrixXcd& polynomials, const MatrixXd& points) const {
  const Index n = polynomials.cols();
  const Index per_disc = 1 + 2 * laurent_degree;
  MatrixXd a(points.rows(), 2 * n - 1 + per_disc * static_cast<Index>(discs_.size()) + 4 * kCornerTerms);
  a.leftCols(n) = polynomials.real();
  a.middleCols(n, n - 1) = polynomials.rightCols(n - 1).imag();
  Index column = 2 * n - 1;
  for (const Disc& disc : discs_) {
    const ArrayXcd inverse = disc.radius / complex_points(points, disc.x, disc.y);
    a.col(column++) = -inverse.abs().log();
    ArrayXcd power = inverse;
    for (int k = 0; k < laurent_degree; ++k, power *= inverse) {
      a.col(column++) = power.real();
      a.col(column++) = power.imag();
    }
  }
  const double x[4] = {lower_(0), upper_(0), upper_(0), lower_(0)},
               y[4] = {lower_(1), lower_(1), upper_(1), upper_(1)};
  Complex turn{1.0 / (upper_ - lower_).norm(),
               0.0};  // scales, and turns the rectangle into the first quadrant
  for (int corner = 0; corner < 4; ++corner, turn *= Complex(0.0, -1.0)) {
    const ArrayXcd zeta = turn * complex_points(points, x[corner], y[corner]);
    // At the corner itself the terms k > 0 vanish and the angle, k = 0, is undefined: any value will do.
    const ArrayXcd log_zeta = (zeta == Complex(0.0, 0.0)).select(ArrayXcd::Zero(zeta.size()), zeta.log());
    ArrayXcd power = ArrayXcd::Ones(zeta.size());
    for (int k = 0; k < kCornerTerms; ++k, power *= zeta.square())
      a.col(column++) = (power * log_zeta).imag();
  }
  return a;
}

VectorXd PerforatedSolution::evaluate(const MatrixXd& points) const {
  if (points.cols() != 2)
    throw InputError("PerforatedSolution: points have " + std::to_string(points.cols()) + " columns, not 2");
  constexpr Index kChunk = 2048;  // bounds the memory of the series matrix
  VectorXd u(points.rows());
  for (Index first = 0; first < points.rows(); first += kChunk) {
    const MatrixXd part = points.middleRows(first, std::min(kChunk, points.rows() - first));
    const ArrayXcd z = scaled(part);
    u.segment(first, part.rows()) =
        series_matrix(arnoldi_values(hessenberg_, z), part) * coefficients_ + particular(z);
  }
  return u;
}

PerforatedSolution fit_perforated_laplace(const PerforatedProblem& problem, int degree, int laurent_degree) {
  check(problem);
  if (degree < 1 || laurent_degree < 0)
    throw InputError("perforated_laplace: degrees must be at least 1 and 0");
  const Clock::time_point start = Clock::now();
  PerforatedSolution s;
  s.degree = degree;
  s.laurent_degree = laurent_degree;
  s.discs_ = problem.discs;
  s.source_ = problem.source;
  s.lower_ = problem.lower;
  s.upper_ = problem.upper;

  // Three times as many equations as unknowns; at least 24 points resolve the trace of a term on each part.
  const int per_side = std::max(24, 3 * degree / 2), per_circle = std::max(24, 6 * laurent_degree);
  const Boundary fit = sample_boundary(problem, per_side, per_circle, 0.5);
  const ArrayXcd z = s.scaled(fit.points);
  const ArnoldiBasis basis = arnoldi(z, degree);
  s.hessenberg_ = basis.hessenberg;
  s.coefficients_ =
      s.series_matrix(basis.values, fit.points).colPivHouseholderQr().solve(fit.data - s.particular(z));

  // Twice the density at an irrational offset: fresh points, some of them nearly in the middle of the gaps.
  const Boundary fresh = sample_boundary(problem, 2 * per_side, 2 * per_circle, 1.0 / std::numbers::pi);
  s.misfit = (s.evaluate(fresh.points) - fresh.data).cwiseAbs().maxCoeff();
  s.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return s;
}

PerforatedSolution solve_perforated_laplace(const PerforatedProblem& problem,
                                            const PerforatedOptions& options) {
  const Clock::time_point start = Clock::now();
  PerforatedSolution best;
  for (int degree = options.initial_degree;; degree = std::min(3 * degree / 2, options.max_degree)) {
    PerforatedSolution s = fit_perforated_laplace(problem, degree, degree / 4 + 4);
    if (best.degree == 0 || s.misfit < best.misfit) best = std::move(s);
    best.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (best.misfit <= options.tolerance) return best;
    if (degree >= options.max_degree) break;
  }
  if (!options.require_convergence) return best;
  std::ostringstream text;
  text << "perforated_laplace: boundary misfit " << best.misfit << " at degree " << best.degree
       << ", tolerance " << options.tolerance
       << " (data not smooth along a side, or discs close to each other or to a side)";
  throw NumericalError(text.str());
}

}  // namespace torsor
