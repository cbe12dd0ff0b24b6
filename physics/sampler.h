// Point samplers on the unit cube [0, 1]^d: grid, uniform, Latin hypercube, Sobol.
//
// All are functions of (count, sides, seed) alone: the same arguments give the same bits on every platform.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace torsor {

/// Numbers of grid points along each axis of a box with the given side lengths: n_i ~ L_i / h with one
/// spacing h = (prod L / count)^(1/d), at least 1, and prod n_i close to `count`. Axes are rounded from the
/// shortest to the longest and each rounding is made good by the axes after it, so a count m^d on a cube
/// gives m everywhere. Throws InputError when count <= 0, there is no side, or a side is not positive and
/// finite.
std::vector<Eigen::Index> grid_counts(Eigen::Index count, const Eigen::VectorXd& sides);

/// The first `count` points of the Sobol sequence in `dimension` <= 21 dimensions, count x dimension,
/// unscrambled and in Gray-code order (Antonov and Saleev 1979): rows 0, (1/2, 1/2), (3/4, 1/4), (1/4, 3/4),
/// ... Direction numbers: Joe and Kuo, "Constructing Sobol sequences with better two-dimensional
/// projections", SIAM J. Sci. Comput. 30, 2008 (their set D6). Throws InputError when count <= 0 or > 2^32,
/// or the dimension is not in 1..21.
Eigen::MatrixXd sobol_sequence(Eigen::Index count, Eigen::Index dimension);

/// A rule that spreads points over the unit cube.
class Sampler {
 public:
  virtual ~Sampler() = default;

  /// The name by which make_sampler finds it.
  virtual std::string name() const = 0;

  /// Whether the first rows alone are already spread over the cube; false for the grid, whose rows run along
  /// the axes, so that a smaller set has to be picked evenly from all of them.
  virtual bool prefix_is_spread() const { return true; }

  /// N x d points of [0, 1]^d. `sides` (d) are the lengths of the box they are meant for; only the grid looks
  /// at them (through grid_counts, and only at their ratios). N = count, except for the grid, where N ~
  /// count. Throws InputError when count <= 0, d <= 0 or, for Sobol, d > 21.
  virtual Eigen::MatrixXd points_for_sides(Eigen::Index count, const Eigen::VectorXd& sides,
                                           std::uint64_t seed) const = 0;

  /// N x d points for the cube itself: points_for_sides with all sides 1.
  Eigen::MatrixXd points(Eigen::Index count, Eigen::Index dimension, std::uint64_t seed) const;
};

/// "grid": tensor grid of cell centres (i + 1/2)/n; the seed is not used.
/// "grid-ends": tensor grid with both ends, i/(n - 1), 1/2 where n = 1; the seed is not used.
/// "uniform": independent uniform points in [0, 1).
/// "latin": Latin hypercube, x_ij = (pi_j(i) + u_ij)/N with random permutations pi_j: one point in each of
/// the N
///   slices of every axis (McKay, Beckman, Conover, Technometrics 21, 1979).
/// "sobol": sobol_sequence with a random digital shift, x XOR s with 53 random bits s for each axis, which
/// keeps
///   the net property (Owen, "Randomized QMC and nested scrambling", 1995; L'Ecuyer and Lemieux 2002).
std::vector<std::string> sampler_names();

/// The sampler of that name. Throws InputError with the nearest known name.
std::unique_ptr<Sampler> make_sampler(const std::string& name);

}  // namespace torsor
