// Random sine features (FastLSQ, arXiv 2602.10541; random feature method, Chen-Chi-E-Yang 2022):
//
//   phi_j(x) = sin(W_j . (x - centre) + b_j),    b_j in (0, 2 pi),
//   d^a phi_j = prod_i W_ji^a_i  sin(W_j . (x - centre) + b_j + |a| pi/2):
//
// every derivative is a monomial of the frequencies times a sine or a cosine, so a row of any operator costs one
// sine and one cosine for each feature. Frequencies are uniform in the ellipsoid sum_i (W_i / B_i)^2 <= 1, with a
// bandwidth B_i (radians per unit of the coordinate) for each coordinate: bounded frequencies reach rounding with
// fewer features than normal ones of the same spread. Frequencies and phases are points of a Sobol sequence with a random
// shift (physics/sampler.h): without gaps the same number is several times more accurate. A periodic coordinate of length L takes
// integer multiples of 2 pi / L only: then every feature is exactly periodic in it.
#pragma once

#include <cstdint>

#include "operators/body.h"

namespace torsor {

class SineFeatures : public Body {
 public:
  /// How to draw the frequencies.
  struct Options {
    Index features = 400;
    Eigen::VectorXd bandwidth;  ///< B, one for each coordinate, > 0, radians per unit of the coordinate
    Eigen::VectorXd centre;     ///< d; keeps the phases small, so that the sine's argument keeps its digits
    Eigen::VectorXd period;     ///< d; 0 where the coordinate is not periodic
    uint64_t seed = 0;
  };

  /// Draws the frequencies and phases. Throws InputError for a count < 1, a bandwidth that is not positive, and
  /// sizes that differ.
  explicit SineFeatures(const Options& options);
  /// Given frequencies W (m x d), phases b (m) and centre (d). Throws InputError for sizes that differ.
  SineFeatures(Eigen::MatrixXd frequencies, Eigen::VectorXd phases, Eigen::VectorXd centre);

  Index dimension() const override { return frequencies_.cols(); }
  Index features() const override { return frequencies_.rows(); }
  std::string kind() const override { return "sine"; }
  void add_rows(const Eigen::Ref<const Eigen::MatrixXd>& points, const std::vector<MultiIndex>& indices,
                const Eigen::Ref<const Eigen::MatrixXd>& coefficients, double* out, Index ld) const override;
  Eigen::MatrixXd field_jets(const Eigen::Ref<const Eigen::MatrixXd>& points,
                             const std::vector<MultiIndex>& indices,
                             const Eigen::Ref<const Eigen::VectorXd>& w) const override;

  const Eigen::MatrixXd& frequencies() const { return frequencies_; }
  const Eigen::VectorXd& phases() const { return phases_; }
  const Eigen::VectorXd& centre() const { return centre_; }

 private:
  Eigen::MatrixXd monomials(const std::vector<MultiIndex>& indices) const;

  Eigen::MatrixXd frequencies_;  // m x d
  Eigen::VectorXd phases_;       // m
  Eigen::VectorXd centre_;       // d
};

}  // namespace torsor
