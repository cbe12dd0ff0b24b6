#include "solvers/reference/etd_coefficients.h"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <string>

#include "physics/error.h"

namespace torsor {
namespace {

using Complex = std::complex<double>;
using Eigen::ArrayXcd;
using Eigen::ArrayXXcd;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

constexpr std::array kFactors{&EtdCoefficients::e,  &EtdCoefficients::e2, &EtdCoefficients::q,
                              &EtdCoefficients::f1, &EtdCoefficients::f2, &EtdCoefficients::f3};

constexpr int kPoints = 64;  // of a circle: the means converge geometrically

ArrayXcd unit_circle() {
  const Eigen::ArrayXd angles =
      2.0 * std::numbers::pi / kPoints * (Eigen::ArrayXd::LinSpaced(kPoints, 0.0, kPoints - 1.0) + 0.5);
  return (Complex(0.0, 1.0) * angles).exp();
}

// The functions of z for h = 1, which cancel near z = 0.
EtdCoefficients formulas(const ArrayXcd& z) {
  const ArrayXcd ez = z.exp(), half = (0.5 * z).exp(), z3 = z.cube();
  return {ez,
          half,
          (half - 1.0) / z,
          (-4.0 - z + ez * (4.0 - 3.0 * z + z.square())) / z3,
          (2.0 + z + ez * (-2.0 + z)) / z3,
          (-4.0 - 3.0 * z - z.square() + ez * (4.0 - z)) / z3};
}

// A radius, at least `least`, of a circle that keeps away from zero.
double radius_around(Complex center, double least) {
  return std::abs(std::abs(center) - least) < 0.5 * least ? 2.0 * least : least;
}

// The functions of each z0 for h = 1, all by means but the exponentials, which do not cancel.
EtdCoefficients scalar_coefficients(const ArrayXcd& z0) {
  const ArrayXcd radius = z0.unaryExpr([](Complex z) { return Complex(radius_around(z, 1.0)); });
  EtdCoefficients c;
  for (const auto factor : kFactors) c.*factor = ArrayXXcd::Zero(z0.size(), 1);
  for (const Complex& point : unit_circle()) {
    const EtdCoefficients f = formulas(z0 + radius * point);
    for (const auto factor : kFactors) c.*factor += f.*factor / static_cast<double>(kPoints);
  }
  c.e = z0.exp();
  c.e2 = (0.5 * z0).exp();
  return c;
}

// Makes b = D^-1 A D of A, D of powers of two such that rows and columns have like norms; returns D.
VectorXd balance(MatrixXcd& b) {
  VectorXd scale = VectorXd::Ones(b.rows());
  for (bool changed = true; changed;) {
    changed = false;
    for (Index i = 0; i < b.rows(); ++i) {
      const double column = b.col(i).cwiseAbs().sum() - std::abs(b(i, i));
      const double row = b.row(i).cwiseAbs().sum() - std::abs(b(i, i));
      if (column == 0.0 || row == 0.0) continue;
      const double factor = std::exp2(std::round(0.5 * std::log2(row / column)));
      if (column * factor + row / factor >= 0.95 * (column + row)) continue;
      b.col(i) *= factor;
      b.row(i) /= factor;
      scale(i) *= factor;
      changed = true;
    }
  }
  return scale;
}

struct Circle {
  Complex center;
  double radius;
  std::vector<Complex> enclosed;
};

Circle enclose(const std::vector<Complex>& eigenvalues, double least_radius) {
  Complex center = 0.0;
  for (const Complex& value : eigenvalues) center += value / static_cast<double>(eigenvalues.size());
  double spread = 0.0;
  for (const Complex& value : eigenvalues) spread = std::max(spread, std::abs(value - center));
  return {center, radius_around(center, std::max(2.0 * spread, least_radius)), eigenvalues};
}

// Whether an eigenvalue of `other` is too near for the mean over `circle` to converge.
bool disturbs(const Circle& other, const Circle& circle) {
  return std::any_of(other.enclosed.begin(), other.enclosed.end(), [&](const Complex& value) {
    return std::abs(value - circle.center) < 2.0 * circle.radius;
  });
}

// Joins the first pair of circles that disturb each other; false when there is none.
bool join_one_pair(std::vector<Circle>& circles, double least_radius) {
  for (size_t i = 0; i < circles.size(); ++i)
    for (size_t j = 0; j < circles.size(); ++j) {
      if (i == j || !disturbs(circles[j], circles[i])) continue;
      std::vector<Complex> both = circles[i].enclosed;
      both.insert(both.end(), circles[j].enclosed.begin(), circles[j].enclosed.end());
      circles[i] = enclose(both, least_radius);
      circles.erase(circles.begin() + static_cast<std::ptrdiff_t>(j));
      return true;
    }
  return false;
}

std::vector<Circle> circles_around(const VectorXcd& eigenvalues, double norm) {
  // Rounding moves the eigenvalues of a defective pair by sqrt(eps) |z|: they have to stay together.
  const double least_radius = std::max(0.5, 4.0 * std::sqrt(std::numeric_limits<double>::epsilon()) * norm);
  std::vector<Circle> circles;
  for (const Complex& value : eigenvalues) circles.push_back(enclose({value}, least_radius));
  while (join_one_pair(circles, least_radius)) {
  }
  for (const Circle& circle : circles)
    if (circle.radius > 20.0)
      throw NumericalError("etdrk4: the eigenvalues of a defective symbol need a circle of radius " +
                           scientific(circle.radius) + ", at most 20 can be used; the step is too long");
  return circles;
}

// The functions of the matrix z for h = 1 in the row `mode` of c.
void set_by_resolvents(const MatrixXcd& z, const VectorXcd& eigenvalues, const VectorXd& scale, Index mode,
                       EtdCoefficients& c) {
  const Index n = z.rows();
  std::array<MatrixXcd, kFactors.size()> sums;
  sums.fill(MatrixXcd::Zero(n, n));
  const ArrayXcd unit = unit_circle();
  for (const Circle& circle : circles_around(eigenvalues, z.norm())) {
    const ArrayXcd points = circle.center + circle.radius * unit;
    const EtdCoefficients f = formulas(points);
    for (Index k = 0; k < kPoints; ++k) {
      const MatrixXcd resolvent = (points(k) * MatrixXcd::Identity(n, n) - z).partialPivLu().inverse();
      for (size_t i = 0; i < kFactors.size(); ++i)
        sums[i] +=
            (f.*kFactors[i])(k, 0) * circle.radius * unit(k) / static_cast<double>(kPoints) * resolvent;
    }
  }
  for (size_t i = 0; i < kFactors.size(); ++i)
    for (Index row = 0; row < n; ++row)
      for (Index column = 0; column < n; ++column)
        (c.*kFactors[i])(mode, row * n + column) = sums[i](row, column) * scale(row) / scale(column);
}

MatrixXcd matrix_of(const ArrayXXcd& rows, Index mode, Index n) {
  return rows.row(mode).reshaped(n, n).transpose().matrix();
}

}  // namespace

EtdSymbol::EtdSymbol(const ArrayXXcd& symbol)
    : n_(static_cast<Index>(std::lround(std::sqrt(static_cast<double>(symbol.cols()))))) {
  if (n_ < 1 || n_ * n_ != symbol.cols())
    throw InputError("etdrk4: a symbol has " + std::to_string(symbol.cols()) + " columns, not a square");
  eigenvalues_ = symbol.leftCols(n_);
  if (n_ == 1) return;
  vectors_ = inverses_ = ArrayXXcd::Zero(symbol.rows(), symbol.cols());
  for (Index mode = 0; mode < symbol.rows(); ++mode) diagonalize(mode, matrix_of(symbol, mode, n_));
}

void EtdSymbol::diagonalize(Index mode, const MatrixXcd& a) {
  constexpr double kLargestCondition = 100.0;  // two digits may be lost
  MatrixXcd balanced = a;
  const VectorXd scale = balance(balanced);
  const Eigen::ComplexEigenSolver<MatrixXcd> eigen(balanced);
  eigenvalues_.row(mode) = eigen.eigenvalues().transpose().array();
  const MatrixXcd& v = eigen.eigenvectors();
  const MatrixXcd inverse = v.partialPivLu().inverse();
  if (!(v.norm() * inverse.norm() <= kLargestCondition)) {  // infinite or NaN for a defective matrix
    ill_conditioned_.push_back({mode, scale, balanced});
    return;
  }
  for (Index i = 0; i < n_; ++i)
    for (Index j = 0; j < n_; ++j) {
      vectors_(mode, i * n_ + j) = scale(i) * v(i, j);
      inverses_(mode, i * n_ + j) = inverse(i, j) / scale(j);
    }
}

EtdCoefficients EtdSymbol::coefficients(double h) const {
  EtdCoefficients c;
  if (n_ == 1) {
    c = scalar_coefficients(h * eigenvalues_.col(0));
  } else {
    for (const auto factor : kFactors) c.*factor = ArrayXXcd::Zero(vectors_.rows(), n_ * n_);
    for (Index k = 0; k < n_; ++k) {
      const EtdCoefficients scalar = scalar_coefficients(h * eigenvalues_.col(k));
      for (const auto factor : kFactors)
        for (Index i = 0; i < n_; ++i)
          for (Index j = 0; j < n_; ++j)
            (c.*factor).col(i * n_ + j) +=
                vectors_.col(i * n_ + k) * (scalar.*factor).col(0) * inverses_.col(k * n_ + j);
    }
    for (const IllConditioned& s : ill_conditioned_)
      set_by_resolvents(h * s.balanced, h * eigenvalues_.row(s.mode).transpose().matrix(), s.scale, s.mode,
                        c);
  }
  for (const auto factor :
       {&EtdCoefficients::q, &EtdCoefficients::f1, &EtdCoefficients::f2, &EtdCoefficients::f3})
    c.*factor *= h;
  return c;
}

}  // namespace torsor
