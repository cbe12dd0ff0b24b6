// Domains: points inside, normals outward, divergence theorem, volumes, pieces, the text form, bad inputs.
#include "physics/domain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "physics/error.h"
#include "physics/random.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::Vector2d;
using Eigen::Vector3d;
using Eigen::VectorXd;

constexpr double kPi = std::numbers::pi;

MatrixXd bounds(std::initializer_list<double> values) {
  MatrixXd box(static_cast<Index>(values.size()) / 2, 2);
  Index i = 0;
  for (const double value : values) {
    box(i / 2, i % 2) = value;
    ++i;
  }
  return box;
}

DomainPtr square() {
  return make_box(bounds({0, 1, 0, 1}), {"x", "y"});
}
DomainPtr disk(double x, double y, double r) {
  return make_ball(Vector2d(x, y), r);
}
MatrixXd l_shape() {
  MatrixXd v(6, 2);
  v << 0, 0, 2, 0, 2, 1, 1, 1, 1, 3, 0, 3;
  return v;
}

struct Case {
  std::string name;
  DomainPtr domain;
  double volume;
  double surface;
  double tolerance;  // of the volume, relative
};

std::vector<Case> cases() {
  const DomainPtr cube = make_box(bounds({-1, 1, 0, 2, 0, 3}), {"x", "y", "z"});
  const DomainPtr two_holes =
      subtract_all(make_box(bounds({-1, 1, -1, 1}), {"x", "y"}), {disk(0.3, 0.3, 0.1), disk(-0.3, 0.3, 0.2)});
  const double lens = 2 * kPi / 3 - std::sqrt(3.0) / 2;  // of two unit disks at distance 1
  const double slab = 1e-12;
  return {
      {"interval", make_box(bounds({-1, 3}), {"x"}), 4, 2, slab},
      {"square", square(), 1, 4, slab},
      {"long box", make_box(bounds({0, 5, 0, 0.1}), {"x", "y"}), 0.5, 10.2, slab},
      {"brick", cube, 12, 32, slab},
      {"box4", make_box(bounds({0, 1, 0, 1, 0, 1, 0, 2}), {"a", "b", "c", "d"}), 2, 14, slab},
      {"ball1", make_ball(VectorXd::Constant(1, 2.0), 0.5), 1, 2, slab},
      {"disk", disk(1, -2, 0.5), kPi / 4, kPi, slab},
      {"ball3", make_ball(Vector3d(1, 2, 3), 2), 32 * kPi / 3, 16 * kPi, slab},
      {"ball4", make_ball(VectorXd::Ones(4), 1), kPi * kPi / 2, 2 * kPi * kPi, slab},
      {"ball5", make_ball(VectorXd::Zero(5), 1), 8 * kPi * kPi / 15, 8 * kPi * kPi / 3, slab},
      {"polygon", make_polygon(l_shape()), 4, 10, slab},
      {"clockwise", make_polygon(l_shape().colwise().reverse()), 4, 10, slab},
      {"two holes", two_holes, 4 - 0.05 * kPi, 8 + 0.6 * kPi, 1e-7},
      {"corner cut", subtract(square(), disk(0, 0, 0.5)), 1 - kPi / 16, 3 + kPi / 4, 1e-7},
      {"two disks", unite(disk(0, 0, 1), disk(1, 0, 1)), 2 * kPi - lens, 8 * kPi / 3, 1e-7},
      {"boxes with a shared face", unite(square(), make_box(bounds({1, 2, 0, 1}), {"x", "y"})), 2, 6, 1e-5},
      {"L by difference",
       subtract(make_box(bounds({0, 2, 0, 2}), {"x", "y"}), make_box(bounds({1, 2, 1, 2}), {"x", "y"})), 3, 8,
       1e-7},
      {"disk put back", subtract(square(), subtract(disk(0.5, 0.5, 0.4), disk(0.5, 0.5, 0.2))),
       1 - 0.12 * kPi, 4 + 1.2 * kPi, 1e-7},
      {"interval in two",
       subtract(make_box(bounds({0, 1}), {"x"}), make_ball(VectorXd::Constant(1, 0.4), 0.1)), 0.8, 4, 1e-9},
      {"brick with bubble", subtract(cube, make_ball(Vector3d(0, 1, 1), 0.5)), 12 - kPi / 6, 32 + kPi, 1e-4},
      {"box5 with a bubble",
       subtract(make_box(bounds({-1, 1, -1, 1, -1, 1, -1, 1, -1, 1}), {"a", "b", "c", "d", "e"}),
                make_ball(VectorXd::Zero(5), 0.9)),
       32 - 8 * kPi * kPi / 15 * std::pow(0.9, 5), 160 + 8 * kPi * kPi / 3 * std::pow(0.9, 4), 2e-3},
      {"cylinder", product(disk(0, 0, 1), 0, 2, "t"), 2 * kPi, 6 * kPi, slab},
      {"time first", product(make_box(bounds({-1, 1}), {"x"}), 0, 3, "t", 0), 6, 10, slab},
      {"holed cylinder", product(two_holes, 1, 3, "t"), 2 * (4 - 0.05 * kPi),
       2 * (8 + 0.6 * kPi) + 2 * (4 - 0.05 * kPi), 1e-7},
  };
}

std::vector<std::string> names_of(const std::vector<BoundaryPiece>& pieces) {
  std::vector<std::string> names;
  for (const BoundaryPiece& piece : pieces) names.push_back(piece.name);
  return names;
}

double surface_of(const std::vector<BoundaryPiece>& pieces) {
  return std::accumulate(pieces.begin(), pieces.end(), 0.0,
                         [](double sum, const BoundaryPiece& piece) { return sum + piece.measure; });
}

TEST(Domain, VolumesAndSurfaces) {
  for (const Case& c : cases()) {
    EXPECT_NEAR(c.domain->volume(), c.volume, c.tolerance * c.volume) << c.name;
    EXPECT_NEAR(surface_of(c.domain->boundary_pieces()), c.surface, 1e-3 * c.surface) << c.name;
  }
}

TEST(Domain, InteriorPointsAreInsideForEverySampler) {
  for (const Case& c : cases()) {
    for (const std::string& name : sampler_names()) {
      const auto sampler = make_sampler(name);
      for (const Index n : {1, 64, 333}) {
        const MatrixXd x = c.domain->interior_points(n, *sampler, 3);
        ASSERT_EQ(x.rows(), n) << c.name << " " << name;
        ASSERT_EQ(x.cols(), c.domain->dimension());
        EXPECT_TRUE(c.domain->contains(x).all()) << c.name << " " << name;
        EXPECT_EQ(x, c.domain->interior_points(n, *sampler, 3)) << c.name << " " << name;
      }
    }
  }
}

TEST(Domain, BoundaryPointsLieOnTheBoundaryWithOutwardUnitNormals) {
  const double step = 1e-7;
  for (const Case& c : cases()) {
    for (const BoundaryPiece& piece : c.domain->boundary_pieces()) {
      for (const std::string& name : sampler_names()) {
        const BoundarySample s = piece.points(200, *make_sampler(name), 5);
        const std::string where = c.name + " " + piece.name + " " + name;
        ASSERT_EQ(s.points.rows(), 200) << where;
        EXPECT_LE(c.domain->signed_distance(s.points).cwiseAbs().maxCoeff(), 1e-12) << where;
        EXPECT_LE((s.normals.rowwise().norm().array() - 1).abs().maxCoeff(), 1e-14) << where;
        EXPECT_FALSE(c.domain->contains(s.points + step * s.normals).any()) << where;
        // A grid with ends puts points on edges, where a step inward along one normal stays on the other
        // face.
        const Index inside = c.domain->contains(s.points - step * s.normals).count();
        EXPECT_GE(inside, name == "grid-ends" ? 0 : 200) << where;
      }
    }
  }
}

/// F_j = b_j + sum_k A_jk x_k + x^T Q_j x with coefficients in (-1, 1).
struct Field {
  VectorXd constant;
  MatrixXd linear;
  std::vector<MatrixXd> quadratic;

  Field(Index d, std::uint64_t seed) {
    Random random(seed);
    const auto draw = [&] { return random.uniform(-1, 1); };
    constant = VectorXd::NullaryExpr(d, draw);
    linear = MatrixXd::NullaryExpr(d, d, draw);
    for (Index j = 0; j < d; ++j) quadratic.push_back(MatrixXd::NullaryExpr(d, d, draw));
  }

  ArrayXd flux(const BoundarySample& s) const {
    ArrayXd sum = ArrayXd::Zero(s.points.rows());
    for (Index j = 0; j < constant.size(); ++j) {
      const MatrixXd& q = quadratic[static_cast<size_t>(j)];
      const ArrayXd value = constant[j] + (s.points * linear.row(j).transpose()).array() +
                            (s.points * q).cwiseProduct(s.points).rowwise().sum().array();
      sum += value * s.normals.col(j).array();
    }
    return sum;
  }

  ArrayXd divergence(const MatrixXd& x) const {
    ArrayXd sum = ArrayXd::Constant(x.rows(), linear.trace());
    for (Index j = 0; j < constant.size(); ++j) {
      const MatrixXd& q = quadratic[static_cast<size_t>(j)];
      sum += (x * (q.row(j).transpose() + q.col(j))).array();
    }
    return sum;
  }
};

TEST(Domain, DivergenceTheoremHoldsForPolynomialFields) {
  const auto sobol = make_sampler("sobol");
  const Index n = 8192;
  for (const Case& c : cases()) {
    const auto pieces = c.domain->boundary_pieces();
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const Field field(c.domain->dimension(), seed);
      double outflow = 0, scale = 0;
      for (const BoundaryPiece& piece : pieces) {
        const ArrayXd flux = field.flux(piece.points(n, *sobol, seed));
        outflow += piece.measure * flux.mean();
        scale += piece.measure * flux.abs().mean();
      }
      const double sources =
          c.domain->volume() * field.divergence(c.domain->interior_points(n, *sobol, seed)).mean();
      EXPECT_NEAR(outflow, sources, 4e-3 * scale) << c.name << " " << seed;
    }
  }
}

TEST(Domain, DistanceIsABoundWithTheRightSignAndOneLipschitz) {
  const auto uniform = make_sampler("uniform");
  for (const Case& c : cases()) {
    const Index d = c.domain->dimension();
    const MatrixXd box = c.domain->bounding_box();
    const auto cloud = [&](std::uint64_t seed) -> MatrixXd {
      MatrixXd x = uniform->points(300, d, seed).array() * 1.6 - 0.3;
      for (Index j = 0; j < d; ++j)
        x.col(j) = (box(j, 0) + (box(j, 1) - box(j, 0)) * x.col(j).array()).matrix();
      return x;
    };
    const MatrixXd x = cloud(1), y = cloud(2);
    const VectorXd s_x = c.domain->signed_distance(x), s_y = c.domain->signed_distance(y);
    const VectorXd apart = (x - y).rowwise().norm();
    EXPECT_LE(((s_x - s_y).cwiseAbs() - apart).maxCoeff(), 1e-12) << c.name;
    for (const BoundaryPiece& piece : c.domain->boundary_pieces()) {
      const MatrixXd on = piece.points(300, *uniform, 4).points;
      EXPECT_LE((s_x.cwiseAbs() - (x - on).rowwise().norm()).maxCoeff(), 1e-12)
          << c.name << " " << piece.name;
    }
  }
}

TEST(Domain, DistancesOfPrimitivesAreExact) {
  MatrixXd x(4, 2);
  x << 0.5, 0.25, 2, 0.5, 2, 2, -3, -4;
  const VectorXd box = square()->signed_distance(x);
  EXPECT_DOUBLE_EQ(box[0], -0.25);
  EXPECT_DOUBLE_EQ(box[1], 1);
  EXPECT_DOUBLE_EQ(box[2], std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(box[3], 5);
  EXPECT_DOUBLE_EQ(disk(0, 0, 1)->signed_distance(x)[3], 4);
  const VectorXd polygon = make_polygon(l_shape())->signed_distance(x);
  EXPECT_DOUBLE_EQ(polygon[0], -0.25);
  EXPECT_DOUBLE_EQ(polygon[2], 1);  // (2, 2): to (1, 2) on the long arm, or (2, 1)
  EXPECT_DOUBLE_EQ(polygon[3], 5);
  EXPECT_DOUBLE_EQ(product(square(), 0, 1, "t")->signed_distance(Eigen::RowVector3d(4, 0.5, 5))[0], 5);
}

TEST(Domain, GridOnABoxIsTheTensorGrid) {
  const auto grid = make_sampler("grid");
  const DomainPtr box = make_box(bounds({0, 4, 0, 1}), {"x", "y"});
  const MatrixXd x = box->interior_points(16, *grid, 0);
  EXPECT_EQ(x(0, 0), 0.25);
  EXPECT_EQ(x(0, 1), 0.25);
  EXPECT_EQ(x(15, 0), 3.75);
  EXPECT_EQ(x(15, 1), 0.75);
  EXPECT_EQ(square()->interior_points(101, *grid, 0).rows(), 101);
}

TEST(Domain, PieceNames) {
  using Names = std::vector<std::string>;
  const DomainPtr base = square();
  EXPECT_EQ(names_of(base->boundary_pieces()), (Names{"x_low", "x_high", "y_low", "y_high"}));
  EXPECT_EQ(names_of(disk(0, 0, 1)->boundary_pieces()), Names{"circle"});
  EXPECT_EQ(names_of(make_ball(Vector3d::Zero(), 1)->boundary_pieces()), Names{"sphere"});
  EXPECT_EQ(names_of(make_polygon(l_shape())->boundary_pieces()).back(), "edge6");
  EXPECT_EQ(names_of(subtract(base, disk(0.5, 0.5, 0.1))->boundary_pieces()).back(), "circle");
  EXPECT_EQ(names_of(subtract_all(base, {disk(0.3, 0.3, 0.1), disk(0.7, 0.7, 0.1)})->boundary_pieces()),
            (Names{"x_low", "x_high", "y_low", "y_high", "circle1", "circle2"}));
  // Numbers do not shift when a piece drops out.
  EXPECT_EQ(names_of(subtract_all(base, {disk(5, 5, 0.1), disk(0.7, 0.7, 0.1)})->boundary_pieces()).back(),
            "circle2");
  MatrixXd triangle(3, 2);
  triangle << 0.2, 0.2, 0.4, 0.2, 0.2, 0.4;
  const DomainPtr polygons = subtract(make_polygon(l_shape()), make_polygon(triangle));
  EXPECT_EQ(names_of(polygons->boundary_pieces()), (Names{"edge1_1", "edge2_1", "edge3_1", "edge4", "edge5",
                                                          "edge6", "edge1_2", "edge2_2", "edge3_2"}));
  EXPECT_EQ(names_of(product(base, 0, 1, "t")->boundary_pieces()),
            (Names{"x_low", "x_high", "y_low", "y_high", "t_low", "t_high"}));
}

TEST(Domain, CoveredPiecesAreDroppedAndSharedFacesCountOnce) {
  // The half of the square beyond x = 1/2 is cut off, and its x_high with it.
  const DomainPtr half = subtract(square(), make_box(bounds({0.5, 2, -1, 2}), {"x", "y"}));
  EXPECT_NEAR(surface_of(half->boundary_pieces()), 3, 1e-3);
  EXPECT_NEAR(half->volume(), 0.5, 1e-9);
  EXPECT_EQ(names_of(half->boundary_pieces()),
            (std::vector<std::string>{"x_low1", "y_low1", "y_high1", "x_low2"}));
  // The union of a square with itself is the square.
  EXPECT_NEAR(surface_of(unite(square(), square())->boundary_pieces()), 4, 1e-9);
  // A body that touches from outside changes nothing.
  EXPECT_NEAR(surface_of(subtract(square(), make_box(bounds({1, 2, 0, 1}), {"x", "y"}))->boundary_pieces()),
              4, 1e-9);
}

TEST(Domain, PiecesOutliveTheirDomain) {
  std::vector<BoundaryPiece> pieces =
      product(subtract(square(), disk(0.5, 0.5, 0.1)), 0, 1, "t")->boundary_pieces();
  for (const BoundaryPiece& piece : pieces) {
    EXPECT_EQ(piece.points(10, *make_sampler("sobol"), 1).points.rows(), 10) << piece.name;
  }
}

TEST(Domain, LateralPointsOfACylinderFillSpaceAndTimeTogether) {
  const auto pieces = product(disk(0, 0, 1), 0, 1, "t")->boundary_pieces();
  const MatrixXd x = pieces[0].points(1024, *make_sampler("sobol"), 1).points;
  Eigen::MatrixXi hits = Eigen::MatrixXi::Zero(16, 16);
  for (Index i = 0; i < x.rows(); ++i) {
    const double turn = std::atan2(x(i, 1), x(i, 0)) / (2 * kPi);
    ++hits(std::min(15, static_cast<int>(16 * (turn < 0 ? turn + 1 : turn))), static_cast<int>(16 * x(i, 2)));
  }
  EXPECT_EQ(hits.minCoeff(), 4);
  EXPECT_EQ(hits.maxCoeff(), 4);
}

TEST(Domain, EmptyInteriorIsAnErrorOnSampling) {
  const DomainPtr nothing = subtract(square(), disk(0.5, 0.5, 2));
  EXPECT_EQ(nothing->volume(), 0);
  EXPECT_TRUE(nothing->boundary_pieces().empty());
  EXPECT_TRUE(product(nothing, 0, 1, "t")->boundary_pieces().empty());
  EXPECT_NE(
      error_of([&] { nothing->interior_points(10, *make_sampler("sobol"), 1); }).find("must not be empty"),
      std::string::npos);
}

TEST(Domain, BadInputs) {
  const auto uniform = make_sampler("uniform");
  EXPECT_NE(error_of([&] { square()->interior_points(0, *uniform, 1); }).find("is 0; it must be at least 1"),
            std::string::npos);
  EXPECT_THROW(square()->boundary_pieces()[0].points(-1, *uniform, 1), InputError);
  EXPECT_THROW(square()->contains(MatrixXd::Zero(2, 3)), InputError);
  EXPECT_THROW(make_box(bounds({1, 0}), {"x"}), InputError);
  EXPECT_THROW(make_box(bounds({0, INFINITY}), {"x"}), InputError);
  EXPECT_THROW(make_box(bounds({0, 1}), {"x", "y"}), InputError);
  EXPECT_THROW(make_box(bounds({0, 1, 0, 1}), {"x", "x"}), InputError);
  EXPECT_THROW(make_box(MatrixXd(), {}), InputError);
  EXPECT_NE(error_of([] { disk(0, 0, -1); }).find("radius of a ball is -1"), std::string::npos);
  EXPECT_THROW(disk(NAN, 0, 1), InputError);
  EXPECT_THROW(make_ball(VectorXd(), 1), InputError);
  EXPECT_THROW(unite(square(), make_ball(Vector3d::Zero(), 1)), InputError);
  EXPECT_THROW(product(square(), 1, 1, "t"), InputError);
  EXPECT_THROW(product(square(), 0, 1, ""), InputError);
  EXPECT_THROW(product(square(), 0, 1, "t", 3), InputError);
}

TEST(Polygon, BadVerticesAreNamed) {
  MatrixXd bow(4, 2), fold(4, 2), touch(6, 2), twice(4, 2), line(3, 2);
  bow << 0, 0, 1, 1, 1, 0, 0, 1;
  fold << 0, 0, 2, 0, 1, 0, 1, 1;
  touch << 0, 0, 2, 0, 2, 2, 1, 0, 0, 2, -1, 1;
  twice << 0, 0, 1, 0, 1, 0, 0, 1;
  line << 0, 0, 1, 1, 2, 2;
  EXPECT_NE(error_of([&] { make_polygon(bow); }).find("edge1 and edge3 touch or cross"), std::string::npos);
  EXPECT_NE(error_of([&] { make_polygon(fold); }).find("edge1 and edge2 touch or cross"), std::string::npos);
  EXPECT_THROW(make_polygon(touch), InputError);
  EXPECT_NE(error_of([&] { make_polygon(twice); }).find("edge2 has no length"), std::string::npos);
  EXPECT_THROW(make_polygon(line), InputError);
  EXPECT_THROW(make_polygon(MatrixXd::Zero(2, 2)), InputError);
  EXPECT_THROW(make_polygon(MatrixXd::Zero(4, 3)), InputError);
  MatrixXd closed(4, 2);
  closed << 0, 0, 1, 0, 0, 1, 0, 0;
  EXPECT_EQ(make_polygon(closed)->boundary_pieces().size(), 3U);
}

DomainPtr parse(const std::string& text) {
  return parse_domain(text, {"x", "y"}, bounds({-1, 1, 0, 2}));
}

TEST(DomainText, ReadsEveryBody) {
  EXPECT_EQ(parse("box")->volume(), 4);
  EXPECT_EQ(parse(" box ( 0 1 , 0 3 ) ")->volume(), 3);
  EXPECT_NEAR(parse("disk(0, 1, 0.5)")->volume(), kPi / 4, 1e-14);
  EXPECT_NEAR(parse("ball(0, 1, +5e-1)")->volume(), kPi / 4, 1e-14);
  EXPECT_NEAR(parse("polygon(0 0, 1 0, 1 1, 0 1)")->volume(), 1, 1e-14);
  EXPECT_NEAR(parse("box minus disk(0.3, 1, 0.1) minus disk(-0.3, 1, 0.1)")->volume(), 4 - 0.02 * kPi, 1e-6);
  EXPECT_NEAR(parse("box minus disk(9, 9, 1)")->volume(), 4, 1e-9);
  EXPECT_EQ(parse_domain("ball(0, 0, 0, 1)", {"x", "y", "z"}, bounds({0, 1, 0, 1, 0, 1}))->dimension(), 3);
  EXPECT_EQ(parse("box minus disk(0, 1, 0.5)")->describe(),
            "(box x in [-1, 1], y in [0, 2] minus disk centre (0, 1) radius 0.5)");
}

TEST(DomainText, OperatorsAreLeftAssociativeAndBracketsBind) {
  const std::string small = "disk(0, 1, 0.2)", large = "disk(0, 1, 0.5)";
  EXPECT_NEAR(parse("box minus " + large + " union " + small)->volume(), 4 - 0.21 * kPi, 1e-6);
  EXPECT_NEAR(parse("box minus (" + large + " minus " + small + ")")->volume(), 4 - 0.21 * kPi, 1e-6);
  EXPECT_NEAR(parse("(box minus (" + large + " union " + small + "))")->volume(), 4 - 0.25 * kPi, 1e-6);
}

TEST(DomainText, NumbersGoThroughTheReader) {
  const NumberReader reader = [](const std::string& text) {
    if (text == "(1 + 1)/4") return 0.5;
    if (text == "half") throw InputError("unknown name 'half'");
    return std::stod(text);
  };
  const auto read = [&](const std::string& text) {
    return parse_domain(text, {"x", "y"}, bounds({0, 1, 0, 1}), reader);
  };
  EXPECT_NEAR(read("disk(0, 0, (1 + 1)/4 )")->volume(), kPi / 4, 1e-14);
  EXPECT_EQ(read("box(0 (1 + 1)/4, 0 1)")->bounding_box()(0, 1), 0.5);
  EXPECT_EQ(error_of([&] { read("disk(0, 0, half)"); }),
            "domain 'disk(0, 0, half)', position 12: unknown name 'half'");
}

TEST(DomainText, ErrorsNameThePositionAndTheNearestWord) {
  const auto error = [](const std::string& text) { return error_of([&] { parse(text); }); };
  const auto has = [&](const std::string& text, const std::string& part) {
    EXPECT_NE(error(text).find(part), std::string::npos) << error(text);
  };
  has("box minsu disk(0, 0, 1)", "position 5: unknown word 'minsu'; did you mean 'minus'?");
  has("box minus dsik(0, 0, 1)", "position 11: unknown body 'dsik'; did you mean 'disk'?");
  has("", "position 1: the text ends");
  has("box minus", "position 10: the text ends");
  has("box minus disk(0, 0", "position 15: '(' is not closed");
  has("(box", "position 1: '(' is not closed");
  has("box)", "position 4: ')' has no '('");
  has(std::string(200, '(') + "box", "position 101: brackets are nested deeper than 100");
  has("box, box", "position 4: unexpected ','");
  has("disk 1, 2, 3", "must be followed by '('");
  has("disk(0, 0)", "disk has 2 numbers; it must have 3");
  has("disk(0, , 1)", "position 8: a number is missing");
  has("disk(0, x1, 1)", "position 9: 'x1' is not a number");
  has("disk(0, 0, -1)", "position 1: radius of a ball is -1");
  has("box(0 1)", "box has 1 ranges");
  has("polygon(0 0, 1, 1 1)", "each entry must be two numbers");
  has("polygon(0 0, 1 1, 1 0, 0 1)", "touch or cross");
  EXPECT_THROW(parse_domain("disk(0, 0, 1)", {"x"}, bounds({0, 1})), InputError);
}

TEST(DomainText, CoordinatesWithTimeGiveACylinder) {
  const std::vector<Coordinate> c{{.name = "t", .low = 0, .high = 2, .time = true},
                                  {.name = "x", .low = -1, .high = 1},
                                  {.name = "y", .low = -1, .high = 1}};
  const DomainPtr domain = parse_domain("box minus disk(0, 0, 0.5)", c);
  EXPECT_NEAR(domain->volume(), 2 * (4 - kPi / 4), 1e-6);
  EXPECT_EQ(domain->bounding_box(), coordinate_box(c));
  EXPECT_EQ(names_of(domain->boundary_pieces()),
            (std::vector<std::string>{"x_low", "x_high", "y_low", "y_high", "circle", "t_low", "t_high"}));
  EXPECT_EQ(domain->boundary_pieces()[5].points(5, *make_sampler("latin"), 1).points.col(0),
            VectorXd::Zero(5));
  EXPECT_EQ(parse_domain(" box ", c)->volume(), 8);
  EXPECT_EQ(parse_domain("box", std::vector<Coordinate>{c[0]})->volume(), 2);
  EXPECT_THROW(parse_domain("ball(0, 1)", std::vector<Coordinate>{c[0]}), InputError);
}

}  // namespace
}  // namespace torsor
