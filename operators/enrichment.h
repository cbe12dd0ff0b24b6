// Features that carry what smooth functions cannot: the singularities of elliptic solutions at the corners of a plane
// domain, and the fields that circular holes cast. With zeta = (x - x0) + i (y - y0):
//
//   corner:  |zeta|^2j  Re or Im zeta^a,             a = k pi / (2 angle), the exact singular functions of the
//                                                    Laplacian for Dirichlet, Neumann (k even) or mixed data (Grisvard,
//                                                    Elliptic Problems in Nonsmooth Domains, 1985);
//            |zeta|^2j  Im(zeta^a log zeta)          where a is whole and k even, as at right angles (Trefethen,
//                                                    ANZIAM J. 60 (2018));
//   hole:    |zeta|^2j  Re or Im (radius / zeta)^k,  Laurent's series about the hole, whose singularities lie
//            |zeta|^2j  log |zeta|                   inside it; j > 0 serves operators other than the Laplacian.
//
// All are real parts of c zeta^p conj(zeta)^q or c zeta^p conj(zeta)^q log zeta, and so are all their derivatives:
// d/dx = d_zeta + d_conj, d/dy = i (d_zeta - d_conj).
#pragma once

#include <array>
#include <complex>

#include "operators/body.h"

namespace torsor {

/// One feature Re(coefficient zeta^power conj(zeta)^conjugate_power (log zeta)^{0 or 1}).
struct PolyanalyticTerm {
  Eigen::Vector2d centre = Eigen::Vector2d::Zero();
  std::complex<double> coefficient = 1;
  double power = 0;
  int conjugate_power = 0;
  bool logarithm = false;
  /// Direction (radians) opposite to the branch cut of logarithm and power: the bisector of the corner.
  double direction = 0;
};

class PolyanalyticFeatures : public Body {
 public:
  /// Functions of the two coordinates `plane` of a problem with `dimension` coordinates.
  PolyanalyticFeatures(std::vector<PolyanalyticTerm> terms, Index dimension, std::array<Index, 2> plane);

  Index dimension() const override { return dimension_; }
  Index features() const override { return static_cast<Index>(terms_.size()); }
  std::string kind() const override { return "polyanalytic"; }
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const override;

  const std::vector<PolyanalyticTerm>& terms() const { return terms_; }
  std::array<Index, 2> plane() const { return plane_; }

 private:
  std::vector<PolyanalyticTerm> terms_;
  Index dimension_;
  std::array<Index, 2> plane_;
};

/// Features of several bodies side by side.
class JoinedBody : public Body {
 public:
  explicit JoinedBody(std::vector<std::shared_ptr<const Body>> bodies);
  Index dimension() const override { return bodies_.front()->dimension(); }
  Index features() const override;
  std::string kind() const override { return "joined"; }
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const override;
  Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                             const Eigen::Ref<const Eigen::VectorXd>& w) const override;
  const std::vector<std::shared_ptr<const Body>>& bodies() const { return bodies_; }

 private:
  std::vector<std::shared_ptr<const Body>> bodies_;
};

/// The singular functions at a corner between the directions `start` and `start + opening` (radians), with powers of
/// |zeta| up to 2 orders. `scale` is a length of the domain, which makes the features of size one.
std::vector<PolyanalyticTerm> corner_terms(const Eigen::Vector2d& corner, double start, double opening, double scale,
                                           int orders);

/// Laurent's series about a hole, k = 1 ... orders, with the logarithm; each times |zeta|^2j, j = 0 ... 1.
std::vector<PolyanalyticTerm> hole_terms(const Eigen::Vector2d& centre, double radius, int orders);

}  // namespace torsor
