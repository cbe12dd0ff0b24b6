#include "solvers/dense/triangular_solve.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "physics/error.h"
#include "solvers/dense/lapack.h"

namespace torsor {
namespace {

void check_option(const char* name, double value) {
  if (!(value >= 0.0) || !std::isfinite(value)) {
    throw InputError(std::string(name) + " = " + std::to_string(value) + " must be finite and not negative");
  }
}

/// R D^-1 (filled x n).
DenseMatrix scaled_triangle(const StreamedQr& qr, const std::vector<double>& scale) {
  const int n = qr.columns(), rows = qr.filled();
  DenseMatrix r(rows, n);
  for (int j = 0; j < n; ++j) {
    const double* column = qr.r() + static_cast<ptrdiff_t>(j) * n;
    for (int i = 0; i < std::min(rows, j + 1); ++i) r(i, j) = column[i] / scale[static_cast<size_t>(j)];
  }
  return r;
}

/// c, filled x nrhs.
DenseMatrix projected_right_sides(const StreamedQr& qr) {
  DenseMatrix c(qr.filled(), qr.right_sides());
  for (int s = 0; s < c.columns; ++s) {
    std::copy_n(qr.c() + static_cast<ptrdiff_t>(s) * qr.columns(), c.rows, c.column(s));
  }
  return c;
}

std::vector<double> norms_of(const DenseMatrix& x) {
  std::vector<double> norms;
  for (int s = 0; s < x.columns; ++s) norms.push_back(lapack::norm2(x.rows, x.column(s)));
  return norms;
}

/// y = R^-1 c; false when it is not finite or longer than max_growth ||c||.
bool substitute(const DenseMatrix& r, const DenseMatrix& c, double max_growth, DenseMatrix& y) {
  y = c;
  lapack::upper_solve(r.rows, c.columns, r.column(0), r.ld(), y.data.data(), y.ld());
  for (int s = 0; s < c.columns; ++s) {
    const double size = lapack::norm2(r.rows, y.column(s));
    if (!(size <= max_growth * lapack::norm2(r.rows, c.column(s)))) return false;
  }
  return true;
}

/// The y of least norm; fills rank, cut-off, method and the dropped part of c in solution.residual_norms.
DenseMatrix least_norm(DenseMatrix r, DenseMatrix c, const TriangularOptions& options,
                       TriangularSolution& solution) {
  DenseMatrix y(r.columns, c.columns);
  const CompleteOrthogonal factor =
      complete_orthogonal(r.rows, r.columns, r.data.data(), r.ld(), c.columns, c.data.data(), c.ld(),
                          solution.cut_off, options.max_growth, options.pivots);
  solution.method = SolveMethod::kCompleteOrthogonal;
  solution.rank = factor.rank;
  solution.cut_off = factor.cut_off;
  for (int s = 0; s < c.columns; ++s) {
    double& residual = solution.residual_norms[static_cast<size_t>(s)];
    residual = std::hypot(residual, lapack::norm2(c.rows - factor.rank, c.column(s) + factor.rank));
  }
  if (c.columns > 0) apply_pseudo_inverse(factor, c.columns, c.data.data(), c.ld(), y.data.data(), y.ld());
  return y;
}

}  // namespace

const char* method_name(SolveMethod method) {
  return method == SolveMethod::kSubstitution ? "substitution" : "complete orthogonal decomposition";
}

TriangularSolution solve_triangular(const StreamedQr& qr, const TriangularOptions& options) {
  check_option("rcond", options.rcond);
  check_option("healthy_rcond", options.healthy_rcond);
  check_option("max_growth", options.max_growth);
  const int n = qr.columns(), nrhs = qr.right_sides();
  const std::vector<double> norms = column_norms(qr);
  std::vector<double> scale(norms.size(), 1.0);
  if (options.unit_columns) {
    std::transform(norms.begin(), norms.end(), scale.begin(), [](double x) { return x > 0.0 ? x : 1.0; });
  }
  DenseMatrix r = scaled_triangle(qr, scale);
  DenseMatrix c = projected_right_sides(qr);

  TriangularSolution solution;
  double largest = 0.0;
  for (size_t j = 0; j < norms.size(); ++j) largest = std::max(largest, norms[j] / scale[j]);
  solution.cut_off = options.rcond * largest;
  for (int s = 0; s < nrhs; ++s) solution.residual_norms.push_back(qr.discarded_norm(s));
  if (options.singular_values && r.rows > 0) {
    DenseMatrix copy = r;
    solution.singular_values = lapack::singular_values(r.rows, n, copy.column(0), copy.ld());
  }

  const double rcond = r.rows == n ? lapack::reciprocal_condition(n, r.column(0), r.ld()) : 0.0;
  solution.condition = rcond > 0.0 ? 1.0 / rcond : std::numeric_limits<double>::infinity();
  solution.rank = n;
  DenseMatrix y;
  if (!(rcond > std::max(options.healthy_rcond, options.rcond)) || !substitute(r, c, options.max_growth, y)) {
    y = least_norm(std::move(r), std::move(c), options, solution);
  }
  solution.scaled_norms = norms_of(y);
  for (int s = 0; s < nrhs; ++s) {
    for (int j = 0; j < n; ++j) {
      double& entry = y(j, s);
      entry = norms[static_cast<size_t>(j)] > 0.0 ? entry / scale[static_cast<size_t>(j)] : 0.0;
    }
  }
  solution.norms = norms_of(y);
  solution.w = std::move(y);
  return solution;
}

}  // namespace torsor
