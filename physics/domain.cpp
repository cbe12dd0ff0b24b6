// Domains of R^d: see domain.h.
#include "physics/domain.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <set>

#include "physics/error.h"
#include "physics/random.h"

namespace torsor {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The shortest decimal text that reads back as `value`.
std::string number_text(double value) {
  std::array<char, 32> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}

std::string range_text(const std::string& name, double low, double high) {
  return name + " in [" + number_text(low) + ", " + number_text(high) + "]";
}

void check_range(const std::string& name, double low, double high) {
  if (!std::isfinite(low) || !std::isfinite(high) || low >= high) {
    throw InputError("range " + range_text(name, low, high) +
                     ": bounds must be finite, the lower below the upper");
  }
}

void check_columns(const Domain& domain, const MatrixXd& points) {
  if (points.cols() != domain.dimension()) {
    throw InputError("points have " + std::to_string(points.cols()) + " columns; the domain has dimension " +
                     std::to_string(domain.dimension()));
  }
}

// ---- sampling
// ------------------------------------------------------------------------------------------------

MatrixXd scale_to_box(const MatrixXd& unit, const MatrixXd& box) {
  const RowVectorXd low = box.col(0).transpose();
  const RowVectorXd extent = (box.col(1) - box.col(0)).transpose();
  return (unit.array().rowwise() * extent.array()).matrix().rowwise() + low;
}

MatrixXd parameters(Index count, const VectorXd& sides, const Sampler& sampler, std::uint64_t seed) {
  if (sides.size() == 0) return MatrixXd(count, 0);
  return sampler.points_for_sides(count, sides, seed);
}

std::vector<Index> true_rows(const Mask& mask) {
  std::vector<Index> rows;
  for (Index i = 0; i < mask.size(); ++i) {
    if (mask[i]) rows.push_back(i);
  }
  return rows;
}

/// n of the given rows: the first ones, or evenly spaced ones.
std::vector<Index> choose_rows(const std::vector<Index>& rows, Index n, bool prefix) {
  std::vector<Index> chosen(static_cast<size_t>(n));
  for (Index i = 0; i < n; ++i) {
    const Index from = prefix ? i : (2 * i + 1) * static_cast<Index>(rows.size()) / (2 * n);
    chosen[static_cast<size_t>(i)] = rows[static_cast<size_t>(from)];
  }
  return chosen;
}

/// Exactly n parameter points (n x k) that `accept` takes, asking the sampler for more until there are
/// enough.
template <class Accept>
MatrixXd accepted_parameters(Index n, const VectorXd& sides, const Sampler& sampler, std::uint64_t seed,
                             const std::string& what, const Accept& accept) {
  if (n <= 0) throw InputError("number of points is " + std::to_string(n) + "; it must be at least 1");
  const Index most = (Index{1} << 20) + 64 * n;
  for (Index asked = n;;) {
    const MatrixXd unit = parameters(asked, sides, sampler, seed);
    const std::vector<Index> rows = true_rows(accept(unit));
    const auto found = static_cast<Index>(rows.size());
    if (found >= n) return unit(choose_rows(rows, n, sampler.prefix_is_spread()), Eigen::all);
    if (asked == most) {
      throw InputError(what + ": " + std::to_string(found) + " of " + std::to_string(asked) +
                       " candidate points are in it and " + std::to_string(n) +
                       " were asked for; it must not be empty, or tiny in its bounding box");
    }
    const double factor =
        found == 0 ? 8.0 : std::max(1.1, 1.05 * static_cast<double>(n) / static_cast<double>(found));
    asked = static_cast<Index>(
        std::min(static_cast<double>(most), std::ceil(static_cast<double>(asked) * factor)));
  }
}

/// Numbers the names that occur more than once, in their order; an underscore keeps digits apart ("edge1_2").
std::vector<std::string> unique_names(const std::vector<std::string>& names) {
  std::map<std::string, int> total, seen;
  for (const auto& name : names) ++total[name];
  std::vector<std::string> result;
  for (const auto& name : names) {
    if (total[name] == 1) {
      result.push_back(name);
      continue;
    }
    const bool digit = std::isdigit(static_cast<unsigned char>(name.back())) != 0;
    std::string numbered;
    do {
      numbered = name + (digit ? "_" : "") + std::to_string(++seen[name]);
    } while (total.count(numbered) != 0);
    result.push_back(numbered);
  }
  return result;
}

// ---- box
// -----------------------------------------------------------------------------------------------------

/// Points and the constant normal side * e_axis for a face of a box.
BoundarySample face_sample(const MatrixXd& unit, const MatrixXd& box, Index axis, bool upper) {
  BoundarySample sample{MatrixXd(unit.rows(), box.rows()), MatrixXd::Zero(unit.rows(), box.rows())};
  for (Index j = 0, k = 0; j < box.rows(); ++j) {
    if (j == axis) {
      sample.points.col(j).setConstant(box(j, upper ? 1 : 0));
    } else {
      sample.points.col(j) = (box(j, 0) + (box(j, 1) - box(j, 0)) * unit.col(k++).array()).matrix();
    }
  }
  sample.normals.col(axis).setConstant(upper ? 1 : -1);
  return sample;
}

VectorXd without(const VectorXd& values, Index position) {
  VectorXd rest(values.size() - 1);
  rest << values.head(position), values.tail(values.size() - 1 - position);
  return rest;
}

class Box : public Domain {
 public:
  Box(MatrixXd bounds, std::vector<std::string> names)
      : bounds_(std::move(bounds)), names_(std::move(names)) {}

  Index dimension() const override { return bounds_.rows(); }
  MatrixXd bounding_box() const override { return bounds_; }
  double volume() const override { return sides().prod(); }

  VectorXd signed_distance(const MatrixXd& points) const override {
    check_columns(*this, points);
    ArrayXd largest = ArrayXd::Constant(points.rows(), -kInfinity);
    ArrayXd outside = ArrayXd::Zero(points.rows());
    for (Index j = 0; j < dimension(); ++j) {
      const ArrayXd beyond =
          (bounds_(j, 0) - points.col(j).array()).max(points.col(j).array() - bounds_(j, 1));
      largest = largest.max(beyond);
      outside += beyond.max(0.0).square();
    }
    return (largest <= 0).select(largest, outside.sqrt());
  }

  std::vector<BoundaryPiece> boundary_pieces() const override {
    std::vector<BoundaryPiece> pieces;
    for (Index axis = 0; axis < dimension(); ++axis) {
      const VectorXd face = without(sides(), axis);
      for (const bool upper : {false, true}) {
        auto map = [box = bounds_, axis, upper](const MatrixXd& u) {
          return face_sample(u, box, axis, upper);
        };
        const std::string& name = names_[static_cast<size_t>(axis)];
        pieces.push_back({name + (upper ? "_high" : "_low"), face.prod(), face, map, {}});
      }
    }
    return pieces;
  }

  std::string describe() const override {
    std::string text = "box ";
    for (Index j = 0; j < dimension(); ++j) {
      text += (j ? ", " : "") + range_text(names_[static_cast<size_t>(j)], bounds_(j, 0), bounds_(j, 1));
    }
    return text;
  }

 private:
  VectorXd sides() const { return bounds_.col(1) - bounds_.col(0); }

  MatrixXd bounds_;
  std::vector<std::string> names_;
};

// ---- ball
// ----------------------------------------------------------------------------------------------------

/// Unit vectors (N x d) from parameters, uniform on the sphere.
MatrixXd sphere_directions(const MatrixXd& unit, Index d) {
  MatrixXd n(unit.rows(), d);
  if (d == 1) {
    n = (unit.array() < 0.5).select(MatrixXd::Constant(unit.rows(), 1, -1.0), 1.0);
  } else if (d == 2) {
    const ArrayXd angle = 2 * std::numbers::pi * unit.col(0).array();
    n << angle.cos().matrix(), angle.sin().matrix();
  } else if (d == 3) {
    const ArrayXd height = 1 - 2 * unit.col(0).array();
    const ArrayXd ring = (1 - height.square()).max(0.0).sqrt();
    const ArrayXd angle = 2 * std::numbers::pi * unit.col(1).array();
    n << (ring * angle.cos()).matrix(), (ring * angle.sin()).matrix(), height.matrix();
  } else {
    // Finite also at the ends of [0, 1], which grids contain.
    n = unit.unaryExpr([](double u) { return normal_quantile(std::clamp(u, 0x1.0p-54, 1 - 0x1.0p-53)); });
    for (Index i = 0; i < n.rows(); ++i) {
      if (n.row(i).isZero(0)) n(i, 0) = 1;
    }
  }
  n.rowwise().normalize();
  return n;
}

class Ball : public Domain {
 public:
  Ball(VectorXd centre, double radius) : centre_(std::move(centre)), radius_(radius) {}

  Index dimension() const override { return centre_.size(); }

  MatrixXd bounding_box() const override {
    MatrixXd box(dimension(), 2);
    box << (centre_.array() - radius_).matrix(), (centre_.array() + radius_).matrix();
    return box;
  }

  VectorXd signed_distance(const MatrixXd& points) const override {
    check_columns(*this, points);
    return (points.rowwise() - centre_.transpose()).rowwise().norm().array() - radius_;
  }

  double volume() const override {
    const auto d = static_cast<double>(dimension());
    return std::pow(std::numbers::pi, d / 2) * std::pow(radius_, d) / std::tgamma(d / 2 + 1);
  }

  std::vector<BoundaryPiece> boundary_pieces() const override {
    const Index d = dimension();
    auto map = [centre = centre_, radius = radius_](const MatrixXd& u) {
      BoundarySample sample{{}, sphere_directions(u, centre.size())};
      sample.points = (radius * sample.normals).rowwise() + centre.transpose();
      return sample;
    };
    const VectorXd parameter_sides = VectorXd::Ones(d <= 2 ? 1 : (d == 3 ? 2 : d));
    return {{d == 2 ? "circle" : "sphere",
             static_cast<double>(d) * volume() / radius_,
             parameter_sides,
             map,
             {}}};
  }

  std::string describe() const override {
    std::string text = dimension() == 2 ? "disk centre (" : "ball centre (";
    for (Index j = 0; j < dimension(); ++j) text += (j ? ", " : "") + number_text(centre_[j]);
    return text + ") radius " + number_text(radius_);
  }

 private:
  VectorXd centre_;
  double radius_;
};

// ---- polygon
// -------------------------------------------------------------------------------------------------

using Point = Eigen::RowVector2d;

double cross(const Point& a, const Point& b) {
  return a.x() * b.y() - a.y() * b.x();
}

class Polygon : public Domain {
 public:
  explicit Polygon(MatrixXd vertices) : vertices_(std::move(vertices)) {
    for (Index i = 0; i < size(); ++i)
      signed_area_ += cross(vertex(i) - vertex(0), vertex(i + 1) - vertex(0)) / 2;
  }

  Index dimension() const override { return 2; }
  double volume() const override { return std::abs(signed_area_); }

  MatrixXd bounding_box() const override {
    MatrixXd box(2, 2);
    box << vertices_.colwise().minCoeff().transpose(), vertices_.colwise().maxCoeff().transpose();
    return box;
  }

  /// Distance to the nearest edge; the sign from the parity of the edges that a ray in +x crosses.
  VectorXd signed_distance(const MatrixXd& points) const override {
    check_columns(*this, points);
    ArrayXd nearest = ArrayXd::Constant(points.rows(), kInfinity);
    Mask inside = Mask::Constant(points.rows(), false);
    for (Index i = 0; i < size(); ++i) {
      const Point a = vertex(i), edge = vertex(i + 1) - a;
      const ArrayXd x = points.col(0).array() - a.x(), y = points.col(1).array() - a.y();
      const ArrayXd t = ((x * edge.x() + y * edge.y()) / edge.squaredNorm()).max(0.0).min(1.0);
      nearest = nearest.min((x - t * edge.x()).square() + (y - t * edge.y()).square());
      const Mask straddles = (y < 0) != (y < edge.y());
      const Mask left_of_edge = (x * edge.y() < y * edge.x()) == (edge.y() > 0);
      inside = inside != (straddles && left_of_edge);
    }
    return inside.select(-nearest.sqrt(), nearest.sqrt());
  }

  std::vector<BoundaryPiece> boundary_pieces() const override {
    std::vector<BoundaryPiece> pieces;
    for (Index i = 0; i < size(); ++i) {
      const Point a = vertex(i), edge = vertex(i + 1) - a;
      const double length = edge.norm();
      const Point normal = Point(edge.y(), -edge.x()) / (signed_area_ > 0 ? length : -length);
      auto map = [a, edge, normal](const MatrixXd& u) {
        BoundarySample sample;
        sample.points = (u * edge).rowwise() + a;
        sample.normals = normal.replicate(u.rows(), 1);
        return sample;
      };
      pieces.push_back({"edge" + std::to_string(i + 1), length, VectorXd::Constant(1, length), map, {}});
    }
    return pieces;
  }

  std::string describe() const override {
    std::string text = "polygon (";
    for (Index i = 0; i < size(); ++i) {
      text += (i ? ", " : "") + number_text(vertices_(i, 0)) + " " + number_text(vertices_(i, 1));
    }
    return text + ")";
  }

 private:
  Index size() const { return vertices_.rows(); }
  Point vertex(Index i) const { return vertices_.row(i % size()); }

  MatrixXd vertices_;
  double signed_area_ = 0;
};

/// Whether c, known to lie on the line through a and b, lies between them.
bool between(const Point& a, const Point& b, const Point& c) {
  return (c - a).dot(c - b) <= 0;
}

/// Whether the closed segments ab and cd have a point in common.
bool segments_touch(const Point& a, const Point& b, const Point& c, const Point& d) {
  const double c_side = cross(b - a, c - a), d_side = cross(b - a, d - a);
  const double a_side = cross(d - c, a - c), b_side = cross(d - c, b - c);
  if (c_side == 0 && between(a, b, c)) return true;
  if (d_side == 0 && between(a, b, d)) return true;
  if (a_side == 0 && between(c, d, a)) return true;
  if (b_side == 0 && between(c, d, b)) return true;
  return (c_side > 0) != (d_side > 0) && (a_side > 0) != (b_side > 0) && c_side != 0 && d_side != 0 &&
         a_side != 0 && b_side != 0;
}

/// Whether the edges i and j > i of the closed polygon meet anywhere but in the vertex that neighbours share.
bool edges_meet(const MatrixXd& v, Index i, Index j) {
  const Index n = v.rows();
  const Point a = v.row(i), b = v.row(i + 1), c = v.row(j), d = v.row((j + 1) % n);
  const auto folds_back = [](const Point& e, const Point& f) { return cross(e, f) == 0 && e.dot(f) < 0; };
  if (j == i + 1) return folds_back(b - a, d - c);
  if ((j + 1) % n == i) return folds_back(d - c, b - a);
  return segments_touch(a, b, c, d);
}

void check_polygon(const MatrixXd& v) {
  const Index n = v.rows();
  if (v.cols() != 2) throw InputError("polygon has " + std::to_string(v.cols()) + " columns; it must have 2");
  if (n < 3) throw InputError("polygon has " + std::to_string(n) + " vertices; it must have at least 3");
  if (!v.allFinite()) throw InputError("polygon has a vertex that is not finite; all must be");
  for (Index i = 0; i < n; ++i) {
    if (v.row(i) == v.row((i + 1) % n)) {
      throw InputError("polygon edge" + std::to_string(i + 1) + " has no length; neighbours must differ");
    }
  }
  for (Index i = 0; i < n - 1; ++i) {
    for (Index j = i + 1; j < n; ++j) {
      if (edges_meet(v, i, j)) {
        throw InputError("polygon edge" + std::to_string(i + 1) + " and edge" + std::to_string(j + 1) +
                         " touch or cross; a polygon must not intersect itself");
      }
    }
  }
}

// ---- union and difference
// ------------------------------------------------------------------------------------

/// A primitive of a CSG tree; side is -1 where it is subtracted (an odd number of times), else +1.
struct Operand {
  DomainPtr body;
  double side;
};

class Csg : public Domain {
 public:
  Csg(DomainPtr a, DomainPtr b, bool is_union) : a_(std::move(a)), b_(std::move(b)), union_(is_union) {}

  Index dimension() const override { return a_->dimension(); }

  MatrixXd bounding_box() const override {
    if (!union_) return a_->bounding_box();
    const MatrixXd box_a = a_->bounding_box(), box_b = b_->bounding_box();
    MatrixXd box(dimension(), 2);
    box << box_a.col(0).cwiseMin(box_b.col(0)), box_a.col(1).cwiseMax(box_b.col(1));
    return box;
  }

  VectorXd signed_distance(const MatrixXd& points) const override {
    const VectorXd s_a = a_->signed_distance(points), s_b = b_->signed_distance(points);
    if (union_) return s_a.cwiseMin(s_b);
    return s_a.cwiseMax(-s_b);
  }

  std::vector<BoundaryPiece> boundary_pieces() const override;
  double volume() const override;

  std::string describe() const override {
    return "(" + a_->describe() + (union_ ? " union " : " minus ") + b_->describe() + ")";
  }

  /// Appends the primitives in the order of the text.
  void collect(std::vector<Operand>& operands, double side) const {
    const auto collect_from = [&operands](const DomainPtr& body, double body_side) {
      if (const auto* csg = dynamic_cast<const Csg*>(body.get())) return csg->collect(operands, body_side);
      operands.push_back({body, body_side});
    };
    collect_from(a_, side);
    collect_from(b_, union_ ? side : -side);
  }

 private:
  DomainPtr a_, b_;
  bool union_;
};

/// Which points of one primitive's piece are on the boundary of the whole: outside just after a step along
/// the normal and inside just before it. A surface of an earlier primitive facing the same way already counts
/// the point, so it is not counted again.
Mask on_boundary(const BoundarySample& sample, const Domain& whole, const std::vector<Operand>& earlier,
                 double step) {
  const MatrixXd after = sample.points + step * sample.normals;
  const MatrixXd before = sample.points - step * sample.normals;
  Mask kept = whole.signed_distance(after).array() > 0 && whole.signed_distance(before).array() < 0;
  for (const Operand& operand : earlier) {
    const ArrayXd s_after = operand.side * operand.body->signed_distance(after).array();
    const ArrayXd s_before = operand.side * operand.body->signed_distance(before).array();
    kept = kept && !(s_after > step / 2 && s_before < -step / 2);
  }
  return kept;
}

BoundaryPiece clipped(const BoundaryPiece& piece, double side, const DomainPtr& whole,
                      const std::vector<Operand>& earlier, double step) {
  BoundaryPiece result = piece;
  result.map = [map = piece.map, side](const MatrixXd& u) {
    BoundarySample sample = map(u);
    sample.normals *= side;
    return sample;
  };
  result.keep = [keep = piece.keep, whole, earlier, step](const BoundarySample& sample) -> Mask {
    const Mask kept = on_boundary(sample, *whole, earlier, step);
    return keep ? Mask(kept && keep(sample)) : kept;
  };
  return result;
}

/// The part of `piece`'s own points that `clipped_piece` keeps, from 2^14 of them.
double kept_fraction(const BoundaryPiece& piece, const BoundaryPiece& clipped_piece) {
  const Index k = piece.sides.size();
  const auto sampler = make_sampler(k == 1 ? "grid" : (k <= 20 ? "sobol" : "uniform"));
  const BoundarySample sample =
      clipped_piece.map(parameters(k == 0 ? 1 : Index{1} << 14, piece.sides, *sampler, 1));
  const Index own = piece.keep ? piece.keep(sample).count() : sample.points.rows();
  return own == 0 ? 0 : static_cast<double>(clipped_piece.keep(sample).count()) / static_cast<double>(own);
}

std::vector<BoundaryPiece> Csg::boundary_pieces() const {
  std::vector<Operand> operands;
  collect(operands, 1);
  const MatrixXd box = bounding_box();
  // Far above the rounding of the distances and far below any feature that sampling could see.
  const double step = 1e-8 * (box.col(1) - box.col(0)).norm();

  std::vector<BoundaryPiece> pieces;
  std::vector<std::string> names;
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::vector<Operand> earlier(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(i));
    for (const BoundaryPiece& piece : operands[i].body->boundary_pieces()) {
      BoundaryPiece part = clipped(piece, operands[i].side, shared_from_this(), earlier, step);
      part.measure *= kept_fraction(piece, part);
      names.push_back(piece.name);
      pieces.push_back(std::move(part));
    }
  }
  names = unique_names(names);
  for (size_t i = 0; i < pieces.size(); ++i) pieces[i].name = names[i];
  std::erase_if(pieces, [](const BoundaryPiece& piece) { return piece.measure == 0; });
  return pieces;
}

/// The 2^d centres of the halves of each cell; `half` are the half sides of the new cells.
MatrixXd bisected(const MatrixXd& centres, const VectorXd& half) {
  const Index d = centres.cols(), children = Index{1} << d;
  MatrixXd result(centres.rows() * children, d);
  for (Index child = 0; child < children; ++child) {
    for (Index j = 0; j < d; ++j) {
      const double offset = (child >> j) & 1 ? half[j] : -half[j];
      result.col(j).segment(child * centres.rows(), centres.rows()) = centres.col(j).array() + offset;
    }
  }
  return result;
}

/// Volume of { s < 0 } by bisection: s is 1-Lipschitz, so a cell with |s(centre)| above half its diagonal is
/// full or empty. A cell that is cut at the end counts the part 1/2 - s/w, w its shortest side: exact for a
/// flat boundary along the cells, and for any other flat one averaged over its position.
double volume_by_cells(const Domain& domain) {
  const MatrixXd box = domain.bounding_box();
  const Index most_cells = Index{1} << 18, children = Index{1} << domain.dimension();
  VectorXd half = (box.col(1) - box.col(0)) / 2;
  MatrixXd cells = box.rowwise().mean().transpose();
  double volume = 0;
  for (int level = 0; level < 50 && cells.rows() * children <= most_cells; ++level) {
    half /= 2;
    cells = bisected(cells, half);
    const double reach = half.norm();
    const ArrayXd s = domain.signed_distance(cells);
    volume += static_cast<double>((s < -reach).count()) * (2 * half).prod();
    cells = MatrixXd(cells(true_rows(s.abs() <= reach), Eigen::all));
  }
  const double cell_volume = (2 * half).prod();
  const double width = 2 * half.minCoeff();
  return volume + cell_volume * (0.5 - domain.signed_distance(cells).array() / width).max(0.0).min(1.0).sum();
}

double Csg::volume() const {
  if (dimension() <= 4) return volume_by_cells(*this);
  const MatrixXd box = bounding_box();
  const Index n = Index{1} << 18;
  const auto sampler = make_sampler(dimension() <= 21 ? "sobol" : "uniform");
  const Index inside = contains(scale_to_box(sampler->points(n, dimension(), 1), box)).count();
  return (box.col(1) - box.col(0)).prod() * static_cast<double>(inside) / static_cast<double>(n);
}

DomainPtr combine(const DomainPtr& a, const DomainPtr& b, bool is_union) {
  if (a->dimension() != b->dimension()) {
    throw InputError(std::string(is_union ? "union" : "difference") + " of domains of dimension " +
                     std::to_string(a->dimension()) + " and " + std::to_string(b->dimension()) +
                     "; they must agree");
  }
  return std::make_shared<Csg>(a, b, is_union);
}

// ---- space-time cylinder
// -------------------------------------------------------------------------------------

MatrixXd with_column(const MatrixXd& rest, const VectorXd& column, Index axis) {
  MatrixXd all(rest.rows(), rest.cols() + 1);
  all << rest.leftCols(axis), column, rest.rightCols(rest.cols() - axis);
  return all;
}

MatrixXd without_column(const MatrixXd& all, Index axis) {
  MatrixXd rest(all.rows(), all.cols() - 1);
  rest << all.leftCols(axis), all.rightCols(all.cols() - 1 - axis);
  return rest;
}

class Cylinder : public Domain {
 public:
  Cylinder(DomainPtr space, double low, double high, std::string time_name, Index axis)
      : space_(std::move(space)), low_(low), high_(high), time_name_(std::move(time_name)), axis_(axis) {}

  Index dimension() const override { return space_->dimension() + 1; }
  double volume() const override { return space_->volume() * (high_ - low_); }

  MatrixXd bounding_box() const override {
    const MatrixXd box = space_->bounding_box().transpose();
    return with_column(box, Eigen::Vector2d(low_, high_), axis_).transpose();
  }

  VectorXd signed_distance(const MatrixXd& points) const override {
    check_columns(*this, points);
    const ArrayXd in_space = space_->signed_distance(without_column(points, axis_));
    const ArrayXd in_time = (low_ - points.col(axis_).array()).max(points.col(axis_).array() - high_);
    const ArrayXd outside = (in_space.max(0.0).square() + in_time.max(0.0).square()).sqrt();
    const ArrayXd largest = in_space.max(in_time);
    return (largest <= 0).select(largest, outside);
  }

  std::vector<BoundaryPiece> boundary_pieces() const override {
    std::vector<BoundaryPiece> pieces;
    for (const BoundaryPiece& piece : space_->boundary_pieces()) pieces.push_back(lateral(piece));
    if (const double base = space_->volume(); base > 0) {
      pieces.push_back(cap(time_name_ + "_low", base, low_, -1));
      pieces.push_back(cap(time_name_ + "_high", base, high_, 1));
    }
    std::vector<std::string> names;
    for (const BoundaryPiece& piece : pieces) names.push_back(piece.name);
    names = unique_names(names);
    for (size_t i = 0; i < pieces.size(); ++i) pieces[i].name = names[i];
    return pieces;
  }

  std::string describe() const override {
    return space_->describe() + ", " + range_text(time_name_, low_, high_);
  }

 private:
  /// piece x (low, high): one parameter more, the last one for time.
  BoundaryPiece lateral(const BoundaryPiece& piece) const {
    BoundaryPiece result{
        piece.name, piece.measure * (high_ - low_), VectorXd(piece.sides.size() + 1), {}, {}};
    result.sides << piece.sides, high_ - low_;
    result.map = [map = piece.map, low = low_, high = high_, axis = axis_](const MatrixXd& u) {
      const BoundarySample in_space = map(u.leftCols(u.cols() - 1));
      const VectorXd time = (low + (high - low) * u.col(u.cols() - 1).array()).matrix();
      return BoundarySample{with_column(in_space.points, time, axis),
                            with_column(in_space.normals, VectorXd::Zero(u.rows()), axis)};
    };
    if (piece.keep) {
      result.keep = [keep = piece.keep, axis = axis_](const BoundarySample& sample) {
        return keep({without_column(sample.points, axis), without_column(sample.normals, axis)});
      };
    }
    return result;
  }

  /// space x {time}, by rejection from the bounding box of the space domain.
  BoundaryPiece cap(const std::string& name, double measure, double time, double side) const {
    const MatrixXd box = space_->bounding_box();
    BoundaryPiece result{name, measure, box.col(1) - box.col(0), {}, {}};
    result.map = [box, time, side, axis = axis_](const MatrixXd& u) {
      const MatrixXd no_slope = MatrixXd::Zero(u.rows(), box.rows());
      return BoundarySample{with_column(scale_to_box(u, box), VectorXd::Constant(u.rows(), time), axis),
                            with_column(no_slope, VectorXd::Constant(u.rows(), side), axis)};
    };
    result.keep = [space = space_, axis = axis_](const BoundarySample& sample) {
      return space->contains(without_column(sample.points, axis));
    };
    return result;
  }

  DomainPtr space_;
  double low_, high_;
  std::string time_name_;
  Index axis_;
};

// ---- text
// ----------------------------------------------------------------------------------------------------

double plain_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const char* begin = text.data() + (!text.empty() && text[0] == '+' ? 1 : 0);
  const auto result = std::from_chars(begin, end, value);
  if (result.ec != std::errc() || result.ptr != end) throw InputError("'" + text + "' is not a number");
  return value;
}

/// A piece of the text and where it starts.
struct Slice {
  std::string text;
  size_t position;
};

bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// Splits outside brackets where `separates` says so; empty parts are kept only when `keep_empty`.
template <class Separates>
std::vector<Slice> split(const Slice& whole, const Separates& separates, bool keep_empty) {
  std::vector<Slice> parts{{"", whole.position}};
  int depth = 0;
  for (size_t i = 0; i < whole.text.size(); ++i) {
    const char c = whole.text[i];
    depth += c == '(' ? 1 : (c == ')' ? -1 : 0);
    if (depth == 0 && separates(c)) {
      parts.push_back({"", whole.position + i + 1});
    } else {
      parts.back().text += c;
    }
  }
  if (!keep_empty) std::erase_if(parts, [](const Slice& part) { return part.text.empty(); });
  return parts;
}

class DomainParser {
 public:
  DomainParser(const std::string& text, const std::vector<std::string>& names, const MatrixXd& box,
               const NumberReader& number)
      : text_(text), names_(names), box_(box), number_(number ? number : NumberReader(plain_number)) {}

  DomainPtr parse() {
    DomainPtr domain = expression();
    if (position_ < text_.size()) fail(position_, "')' has no '(' before it");
    return domain;
  }

 private:
  [[noreturn]] void fail(size_t position, const std::string& rule) const {
    throw InputError("domain '" + text_ + "', position " + std::to_string(position + 1) + ": " + rule);
  }

  void skip_blanks() {
    while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
  }

  /// The letters at the position, which it moves past.
  std::string word() {
    std::string result;
    while (position_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[position_])) || text_[position_] == '_')) {
      result += text_[position_++];
    }
    return result;
  }

  DomainPtr expression() {
    DomainPtr domain = body();
    for (;;) {
      skip_blanks();
      if (position_ == text_.size() || text_[position_] == ')') return domain;
      const size_t start = position_;
      const std::string name = word();
      if (name.empty())
        fail(start, std::string("unexpected '") + text_[start] + "'; 'minus' or 'union' must follow");
      if (name != "minus" && name != "union") {
        fail(start, unknown_name_message("word", name, {"minus", "union"}));
      }
      const DomainPtr right = body();
      domain =
          checked(start, [&] { return name == "union" ? unite(domain, right) : subtract(domain, right); });
    }
  }

  DomainPtr body() {
    skip_blanks();
    const size_t start = position_;
    if (start == text_.size()) fail(start, "the text ends where one of box, disk, ball, polygon must stand");
    if (text_[start] == '(') return bracketed();
    const std::string name = word();
    if (name == "box") return box(start);
    if (name == "disk" || name == "ball") return ball(name, start);
    if (name == "polygon") return polygon(start);
    if (name.empty()) {
      fail(start,
           std::string("unexpected '") + text_[start] + "' where one of box, disk, ball, polygon must stand");
    }
    fail(start, unknown_name_message("body", name, {"box", "disk", "ball", "polygon"}));
  }

  DomainPtr bracketed() {
    const size_t start = position_++;
    // A bound on the recursion, far beyond any real text.
    if (++depth_ > 100) fail(start, "brackets are nested deeper than 100");
    DomainPtr domain = expression();
    --depth_;
    if (position_ == text_.size()) fail(start, "'(' is not closed");
    ++position_;
    return domain;
  }

  DomainPtr box(size_t start) {
    skip_blanks();
    if (position_ == text_.size() || text_[position_] != '(') {
      return checked(start, [&] { return make_box(box_, names_); });
    }
    const MatrixXd bounds = pairs("box", start);
    if (bounds.rows() != box_.rows()) {
      fail(start, "box has " + std::to_string(bounds.rows()) + " ranges; it must have one for each of the " +
                      std::to_string(box_.rows()) + " coordinates");
    }
    return checked(start, [&] { return make_box(bounds, names_); });
  }

  DomainPtr ball(const std::string& name, size_t start) {
    if (name == "disk") require_plane(name, start);
    const std::vector<Slice> parts = arguments(name, start);
    const Index d = box_.rows();
    if (static_cast<Index>(parts.size()) != d + 1) {
      fail(start, name + " has " + std::to_string(parts.size()) + " numbers; it must have " +
                      std::to_string(d + 1) + ": " + std::to_string(d) + " for the centre and the radius");
    }
    VectorXd values(d + 1);
    for (Index j = 0; j <= d; ++j) values[j] = number(parts[static_cast<size_t>(j)]);
    return checked(start, [&] { return make_ball(values.head(d), values[d]); });
  }

  DomainPtr polygon(size_t start) {
    require_plane("polygon", start);
    const MatrixXd vertices = pairs("polygon", start);
    return checked(start, [&] { return make_polygon(vertices); });
  }

  void require_plane(const std::string& name, size_t start) const {
    if (box_.rows() != 2) {
      fail(start, name + " needs two space coordinates; there are " + std::to_string(box_.rows()));
    }
  }

  /// "(a, b, ...)" at the position: its parts, brackets inside left whole.
  std::vector<Slice> arguments(const std::string& name, size_t start) {
    skip_blanks();
    if (position_ == text_.size() || text_[position_] != '(') fail(start, name + " must be followed by '('");
    const size_t open = position_;
    int depth = 0;
    for (; position_ < text_.size(); ++position_) {
      depth += text_[position_] == '(' ? 1 : (text_[position_] == ')' ? -1 : 0);
      if (depth == 0) break;
    }
    if (depth != 0) fail(open, "'(' is not closed");
    const Slice inside{text_.substr(open + 1, position_ - open - 1), open + 1};
    ++position_;
    return split(
        inside, [](char c) { return c == ','; }, true);
  }

  /// "(a b, c d, ...)" as an n x 2 matrix.
  MatrixXd pairs(const std::string& name, size_t start) {
    const std::vector<Slice> parts = arguments(name, start);
    MatrixXd result(static_cast<Index>(parts.size()), 2);
    for (Index i = 0; i < result.rows(); ++i) {
      const Slice& part = parts[static_cast<size_t>(i)];
      const std::vector<Slice> two = split(part, is_blank, false);
      if (two.size() != 2) {
        fail(part.position,
             name + " has '" + part.text + "'; each entry must be two numbers separated by a blank");
      }
      for (Index j = 0; j < 2; ++j) result(i, j) = number(two[static_cast<size_t>(j)]);
    }
    return result;
  }

  double number(const Slice& slice) const {
    const std::vector<Slice> parts = split(slice, is_blank, false);
    if (parts.empty()) fail(slice.position, "a number is missing");
    const size_t start = parts.front().position;
    const size_t end = parts.back().position + parts.back().text.size();
    return checked(start, [&] { return number_(text_.substr(start, end - start)); });
  }

  /// Runs `action`; an InputError of its own gets the position in front.
  template <class Action>
  auto checked(size_t position, const Action& action) const -> decltype(action()) {
    try {
      return action();
    } catch (const InputError& error) {
      fail(position, error.what());
    }
  }

  const std::string& text_;
  const std::vector<std::string>& names_;
  const MatrixXd& box_;
  NumberReader number_;
  size_t position_ = 0;
  int depth_ = 0;
};

}  // namespace

BoundarySample BoundaryPiece::points(Index n, const Sampler& sampler, std::uint64_t seed) const {
  const auto accept = [this](const MatrixXd& unit) -> Mask {
    return keep ? keep(map(unit)) : Mask(Mask::Constant(unit.rows(), true));
  };
  return map(accepted_parameters(n, sides, sampler, seed, "boundary piece '" + name + "'", accept));
}

Mask Domain::contains(const MatrixXd& points) const {
  return signed_distance(points).array() < 0;
}

MatrixXd Domain::interior_points(Index n, const Sampler& sampler, std::uint64_t seed) const {
  const MatrixXd box = bounding_box();
  const VectorXd sides = box.col(1) - box.col(0);
  const auto accept = [&](const MatrixXd& unit) { return contains(scale_to_box(unit, box)); };
  return scale_to_box(accepted_parameters(n, sides, sampler, seed, "interior of " + describe(), accept), box);
}

DomainPtr make_box(const MatrixXd& bounds, const std::vector<std::string>& names) {
  if (bounds.rows() == 0 || bounds.cols() != 2) {
    throw InputError("bounds of a box are " + std::to_string(bounds.rows()) + " x " +
                     std::to_string(bounds.cols()) + "; they must be d x 2 with d at least 1");
  }
  if (static_cast<Index>(names.size()) != bounds.rows()) {
    throw InputError("box of dimension " + std::to_string(bounds.rows()) + " has " +
                     std::to_string(names.size()) + " coordinate names; it must have one an axis");
  }
  std::set<std::string> seen;
  for (Index j = 0; j < bounds.rows(); ++j) {
    const std::string& name = names[static_cast<size_t>(j)];
    if (name.empty())
      throw InputError("coordinate name " + std::to_string(j + 1) + " of a box must not be empty");
    if (!seen.insert(name).second) throw InputError("coordinate name '" + name + "' of a box is used twice");
    check_range(name, bounds(j, 0), bounds(j, 1));
  }
  return std::make_shared<Box>(bounds, names);
}

DomainPtr make_ball(const VectorXd& centre, double radius) {
  if (centre.size() == 0) throw InputError("centre of a ball has no coordinates; it must have at least 1");
  if (!centre.allFinite()) throw InputError("centre of a ball must be finite");
  if (!(radius > 0) || !std::isfinite(radius)) {
    throw InputError("radius of a ball is " + number_text(radius) + "; it must be positive and finite");
  }
  return std::make_shared<Ball>(centre, radius);
}

DomainPtr make_polygon(const MatrixXd& vertices) {
  MatrixXd v = vertices;
  if (v.rows() > 1 && v.row(0) == v.row(v.rows() - 1)) v.conservativeResize(v.rows() - 1, Eigen::NoChange);
  check_polygon(v);
  return std::make_shared<Polygon>(v);
}

DomainPtr unite(const DomainPtr& a, const DomainPtr& b) {
  return combine(a, b, true);
}

DomainPtr subtract(const DomainPtr& a, const DomainPtr& b) {
  return combine(a, b, false);
}

DomainPtr subtract_all(const DomainPtr& base, const std::vector<DomainPtr>& bodies) {
  DomainPtr domain = base;
  for (const DomainPtr& body : bodies) domain = subtract(domain, body);
  return domain;
}

DomainPtr product(const DomainPtr& space, double low, double high, const std::string& time_name,
                  Index time_axis) {
  if (time_name.empty()) throw InputError("name of the time coordinate must not be empty");
  check_range(time_name, low, high);
  const Index last = space->dimension();
  if (time_axis < -1 || time_axis > last) {
    throw InputError("time axis is " + std::to_string(time_axis) + "; it must be in 0.." +
                     std::to_string(last) + " or -1 for the last");
  }
  return std::make_shared<Cylinder>(space, low, high, time_name, time_axis < 0 ? last : time_axis);
}

DomainPtr parse_domain(const std::string& text, const std::vector<std::string>& names, const MatrixXd& box,
                       const NumberReader& number) {
  return DomainParser(text, names, box, number).parse();
}

DomainPtr parse_domain(const std::string& text, const std::vector<Coordinate>& coordinates,
                       const NumberReader& number) {
  check_coordinates(coordinates);
  const Index axis = time_index(coordinates);
  const bool only_box = [&] {
    const std::vector<Slice> words = split({text, 0}, is_blank, false);
    return words.size() == 1 && words[0].text == "box";
  }();
  if (axis < 0 || only_box) {
    return parse_domain(text, coordinate_names(coordinates), coordinate_box(coordinates), number);
  }
  std::vector<Coordinate> space = coordinates;
  const Coordinate time = space[static_cast<size_t>(axis)];
  space.erase(space.begin() + axis);
  if (space.empty()) {
    throw InputError("domain '" + text + "': time is the only coordinate; the domain must be 'box'");
  }
  const DomainPtr body = parse_domain(text, coordinate_names(space), coordinate_box(space), number);
  return product(body, time.low, time.high, time.name, axis);
}

}  // namespace torsor
