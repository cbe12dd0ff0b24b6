// Domains of R^d: boxes, balls, polygons, their unions and differences, and space-time cylinders.
//
// A domain Omega is the open set { x : s(x) < 0 } of a signed distance s: negative inside, zero on the
// boundary, positive outside. Its boundary is a list of named pieces, each a map from the unit cube [0, 1]^k
// that carries the uniform measure to the surface measure, so any Sampler spreads points over it, with
// outward unit normals. Points are N x d matrices, one point a row.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "physics/coordinates.h"
#include "physics/sampler.h"

namespace torsor {

/// One truth value a point.
using Mask = Eigen::Array<bool, Eigen::Dynamic, 1>;

/// Points on a boundary (N x d) and the outward unit normals there (N x d).
struct BoundarySample {
  Eigen::MatrixXd points;
  Eigen::MatrixXd normals;
};

/// One named part of a boundary. It owns all it needs and may outlive the domain it came from.
struct BoundaryPiece {
  std::string name;
  /// (d - 1)-dimensional measure: number of points for d = 1, length for d = 2, area for d = 3, ...
  double measure = 0;
  /// Side lengths (k) of the parameter cube; only their ratios matter, to the grid samplers. Empty for a
  /// point.
  Eigen::VectorXd sides;
  /// Parameters in [0, 1]^k (N x k) to N points and normals.
  std::function<BoundarySample(const Eigen::MatrixXd&)> map;
  /// Which mapped points belong to the piece; not set where all do. Only pieces of CSG domains are clipped.
  std::function<Mask(const BoundarySample&)> keep;

  /// Exactly n points, uniform with respect to `measure`; a clipped piece by rejection.
  /// Throws InputError when n <= 0 or hardly any point of the unclipped piece belongs to it.
  BoundarySample points(Eigen::Index n, const Sampler& sampler, std::uint64_t seed) const;
};

/// A bounded open set of R^d. Made by the functions below, held by shared pointer, immutable.
/// Functions of points throw InputError when the number of columns is not dimension().
class Domain : public std::enable_shared_from_this<Domain> {
 public:
  virtual ~Domain() = default;

  /// d.
  virtual Eigen::Index dimension() const = 0;

  /// d x 2, lower bounds in column 0 and upper bounds in column 1. The tightest for primitives; for a
  /// difference the box of the first operand.
  virtual Eigen::MatrixXd bounding_box() const = 0;

  /// s (N), in the units of the coordinates. Exact for box, ball, polygon and cylinders over them. For unions
  /// min(s_A, s_B) and differences max(s_A, -s_B): right in sign, |s| at most the distance to the boundary,
  /// 1-Lipschitz. In a space-time cylinder length and time are added as bare numbers.
  virtual Eigen::VectorXd signed_distance(const Eigen::MatrixXd& points) const = 0;

  /// The pieces whose union is the boundary. For CSG domains every call tests 2^14 points of each primitive
  /// piece to estimate its measure (error about 1e-4 of a curve, 1e-3 of a surface, relative to the unclipped
  /// piece) and drops those with none left: keep the result.
  virtual std::vector<BoundaryPiece> boundary_pieces() const = 0;

  /// d-dimensional volume. Exact for primitives and for cylinders over them. CSG domains: bisection of the
  /// bounding box into cells that s proves full or empty, at most 2^18 at a time, the cut ones by a linear
  /// ramp (d <= 4; relative error about 1e-7 in 2-D, 1e-4 in 3-D), or 2^18 Sobol points (d > 4; about 1e-3).
  virtual double volume() const = 0;

  /// One line of text for logs and reports.
  virtual std::string describe() const = 0;

  /// Whether s(x) < 0; points on the boundary are not contained (to rounding).
  Mask contains(const Eigen::MatrixXd& points) const;

  /// Exactly n points (n x d) strictly inside, by rejection from the bounding box. A grid is refined until it
  /// has n points inside and thinned evenly to n: on a box "grid" with n = m^d is the full tensor grid.
  /// Throws InputError when n <= 0, or when the interior is empty or so small that 2^20 + 64 n candidates do
  /// not give n points.
  Eigen::MatrixXd interior_points(Eigen::Index n, const Sampler& sampler, std::uint64_t seed) const;
};

using DomainPtr = std::shared_ptr<const Domain>;

/// prod_i (low_i, high_i) from a d x 2 matrix; `names` (d) are the coordinate names, pieces "x_low",
/// "x_high", ... Throws InputError unless the bounds are finite with low < high and there is one non-empty
/// name an axis, all different.
DomainPtr make_box(const Eigen::MatrixXd& bounds, const std::vector<std::string>& names);

/// { |x - centre| < radius } for d = centre.size() >= 1, volume pi^(d/2) r^d / Gamma(d/2 + 1), boundary d V /
/// r. One piece: "circle" for d = 2, else "sphere" (two points for d = 1). Parameters: angle (d = 2); height
/// and angle, Archimedes (d = 3); normalised Gaussian vector (d > 3). Throws InputError unless the centre is
/// finite and the radius positive and finite.
DomainPtr make_ball(const Eigen::VectorXd& centre, double radius);

/// The inside of a simple polygon, vertices N x 2 in either orientation; a repeated last vertex is dropped.
/// Pieces "edge1" (first to second vertex), "edge2", ... in the order given.
/// Throws InputError for fewer than three vertices, values that are not finite, edges of zero length, and
/// edges that touch or cross (naming them).
DomainPtr make_polygon(const Eigen::MatrixXd& vertices);

/// A u B. Boundary: the pieces of both where they are not covered by the other, a face shared with the same
/// normal kept once, one shared with opposite normals dropped. Piece names that occur more than once among
/// all primitives are numbered in their order, before covered ones are dropped: "circle1", "circle2", ...
/// Throws InputError when the dimensions differ.
DomainPtr unite(const DomainPtr& a, const DomainPtr& b);

/// A minus the closure of B. Boundary: the pieces of A outside B and those of B inside A with their normals
/// turned round; names as in unite. B may lie outside A entirely. An empty result is an error on first
/// sampling. Throws InputError when the dimensions differ.
DomainPtr subtract(const DomainPtr& a, const DomainPtr& b);

/// base minus all of the bodies, in their order; errors as in subtract.
DomainPtr subtract_all(const DomainPtr& base, const std::vector<DomainPtr>& bodies);

/// The space-time cylinder space x (low, high), time as column `time_axis` (-1: the last). Pieces: those of
/// the space domain times the interval under their own names, then "t_low" (initial) and "t_high" with the
/// name of the time coordinate. Throws InputError for a bad range, name or axis.
DomainPtr product(const DomainPtr& space, double low, double high, const std::string& time_name,
                  Eigen::Index time_axis = -1);

/// Turns the text of a number into its value; may throw InputError.
using NumberReader = std::function<double(const std::string&)>;

/// Reads a domain from text:
///   domain  :=  body { ("minus" | "union") body }           left associative
///   body    :=  "box"                                       the box of the coordinate ranges
///            |  "box(" low high "," ... ")"                 one range a coordinate
///            |  "disk(" cx "," cy "," r ")"                 d = 2 only
///            |  "ball(" c1 "," ... "," cd "," r ")"         any d
///            |  "polygon(" x y "," x y "," ... ")"          d = 2 only, at least three vertices
///            |  "(" domain ")"
/// Bodies may reach outside the box, or lie outside it. `number` reads the numbers; by default plain decimal
/// ones. Numbers separated by blanks (box, polygon) must not contain blanks outside brackets.
/// Throws InputError with the text, the position (from 1) and the nearest known word.
DomainPtr parse_domain(const std::string& text, const std::vector<std::string>& names,
                       const Eigen::MatrixXd& box, const NumberReader& number = {});

/// The same for a list of coordinates. With a time coordinate the text describes the space domain and the
/// result is its space-time cylinder, time in its own column. A periodic coordinate keeps both its faces as
/// pieces.
DomainPtr parse_domain(const std::string& text, const std::vector<Coordinate>& coordinates,
                       const NumberReader& number = {});

}  // namespace torsor
