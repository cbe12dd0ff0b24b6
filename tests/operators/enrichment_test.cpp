// Singular features of corners and holes: harmonic where they should be, jets against differences, zero on
// sides.
#include "operators/enrichment.h"

#include <numbers>

#include "body_checks.h"

namespace torsor {
namespace {

constexpr double kQuarter = std::numbers::pi / 4;

// Points inside the sector of 90 degrees about `direction`.
Eigen::MatrixXd in_corner(const Eigen::Vector2d& corner, double direction, uint64_t seed) {
  Random random(seed);
  Eigen::MatrixXd points(30, 2);
  for (Index k = 0; k < points.rows(); ++k) {
    const double r = random.uniform(0.2, 0.9), angle = direction + random.uniform(-0.95, 0.95) * kQuarter;
    points.row(k) << corner[0] + r * std::cos(angle), corner[1] + r * std::sin(angle);
  }
  return points;
}

Eigen::MatrixXd around_hole(const Eigen::Vector2d& centre, double radius, uint64_t seed) {
  Random random(seed);
  Eigen::MatrixXd points(30, 2);
  for (Index k = 0; k < points.rows(); ++k) {
    const double r = radius * random.uniform(1, 4),
                 angle = random.uniform(-std::numbers::pi, std::numbers::pi);
    points.row(k) << centre[0] + r * std::cos(angle), centre[1] + r * std::sin(angle);
  }
  return points;
}

// The corner of 90 degrees whose bisector is `direction`.
std::vector<PolyanalyticTerm> right_angle(const Eigen::Vector2d& corner, double direction, double scale, int orders) {
  return corner_terms(corner, direction - kQuarter, 2 * kQuarter, scale, orders);
}

PolyanalyticFeatures planar(const std::vector<PolyanalyticTerm>& terms) {
  return {terms, 2, {0, 1}};
}

std::vector<PolyanalyticTerm> harmonic_ones(const std::vector<PolyanalyticTerm>& terms) {
  std::vector<PolyanalyticTerm> harmonic;
  for (const auto& term : terms)
    if (term.conjugate_power == 0)
      harmonic.push_back(term);
  return harmonic;
}

Eigen::MatrixXd laplacian(const Body& body, const Eigen::MatrixXd& points) {
  return feature_jets(body, points, {2, 0}) + feature_jets(body, points, {0, 2});
}

const Eigen::Vector2d kCorner(0.5, -0.25);
const double kDirections[] = {kQuarter, 3 * kQuarter, 5 * kQuarter, 7 * kQuarter};

TEST(EnrichmentFeatures, TermsWithoutModulusAreHarmonic) {
  for (const double direction : kDirections) {
    const auto body = planar(harmonic_ones(right_angle(kCorner, direction, 0.5, 4)));
    EXPECT_EQ(body.features(), 4);
    const Eigen::MatrixXd points = in_corner(kCorner, direction, 1);
    const double scale = feature_jets(body, points, {2, 0}).cwiseAbs().maxCoeff();
    EXPECT_LT(laplacian(body, points).cwiseAbs().maxCoeff(), 1e-13 * scale) << direction;
  }
  const auto hole = planar(harmonic_ones(hole_terms(kCorner, 0.1, 6)));
  EXPECT_EQ(hole.features(), 13);
  const Eigen::MatrixXd points = around_hole(kCorner, 0.1, 2);
  const double scale = feature_jets(hole, points, {2, 0}).cwiseAbs().maxCoeff();
  EXPECT_LT(laplacian(hole, points).cwiseAbs().maxCoeff(), 1e-13 * scale);
}

TEST(EnrichmentFeatures, OthersAreBiharmonic) {
  const auto terms = right_angle(kCorner, kQuarter, 0.5, 3);
  const auto body = planar(terms);
  const Eigen::MatrixXd points = in_corner(kCorner, kQuarter, 3);
  const Eigen::MatrixXd fourth = feature_jets(body, points, {4, 0});
  const Eigen::MatrixXd sum =
      fourth + 2 * feature_jets(body, points, {2, 2}) + feature_jets(body, points, {0, 4});
  EXPECT_LT(sum.cwiseAbs().maxCoeff(), 1e-12 * fourth.cwiseAbs().maxCoeff());
}

TEST(EnrichmentFeatures, AreTheFunctionsOfTheComment) {
  // corner: (r/s)^2(k + j) (log r sin 2k theta + theta cos 2k theta), theta from one side; hole: (R/r)^k cos
  // or sin.
  const double scale = 0.5;
  const auto body = planar(right_angle({0, 0}, kQuarter, scale, 2));
  ASSERT_EQ(body.features(), 4);
  const double r = 0.7, theta = 0.4;
  const Eigen::MatrixXd at =
      feature_jets(body, Eigen::RowVector2d(r * std::cos(theta), r * std::sin(theta)), {0, 0});
  Index column = 0;
  for (int k = 1; k <= 2; ++k)
    for (int j = 0; j <= 1; ++j)
      EXPECT_NEAR(at(0, column++),
                  std::pow(r / scale, 2 * (k + j)) *
                      (std::log(r) * std::sin(2 * k * theta) + theta * std::cos(2 * k * theta)),
                  1e-13);
  const auto hole = planar(hole_terms({0.2, 0.1}, 0.3, 1));
  ASSERT_EQ(hole.features(), 6);
  const Eigen::MatrixXd by =
      feature_jets(hole, Eigen::RowVector2d(0.2 + r * std::cos(theta), 0.1 + r * std::sin(theta)), {0, 0});
  const double s = 0.3 / r;
  const double expected[] = {std::log(r), s * std::cos(theta), s * std::sin(theta)};
  for (Index c = 0; c < 3; ++c) {
    EXPECT_NEAR(by(0, c), expected[c], 1e-13);
    EXPECT_NEAR(by(0, c + 3), expected[c] / (s * s), 1e-12);
  }
}

// Values at distances 0.1, 0.2, ... from the corner along a ray.
Eigen::MatrixXd along_ray(const Body& body, double angle) {
  Eigen::MatrixXd points(8, 2);
  for (Index k = 0; k < 8; ++k) {
    const double r = 0.1 * static_cast<double>(k + 1);
    points.row(k) << kCorner[0] + r * std::cos(angle), kCorner[1] + r * std::sin(angle);
  }
  return feature_jets(body, points, {0, 0});
}

TEST(EnrichmentFeatures, CornerTermsAreSmoothAlongBothSides) {
  // Along a side Im(zeta^2k log zeta) is a multiple of r^2k: the logarithm of r must not be left there.
  for (const double direction : kDirections)
    for (const double side : {-1.0, 1.0}) {
      const auto terms = right_angle(kCorner, direction, 0.5, 4);
      const Eigen::MatrixXd values = along_ray(planar(terms), direction + side * kQuarter);
      for (Index c = 0; c < values.cols(); ++c) {
        const auto& term = terms[static_cast<size_t>(c)];
        for (Index k = 0; k < values.rows(); ++k) {
          const double r = 0.1 * static_cast<double>(k + 1);
          const double expected = values(7, c) * std::pow(r / 0.8, term.power + term.conjugate_power);
          EXPECT_NEAR(values(k, c), expected, 1e-12 * std::max(1.0, std::abs(values(7, c)))) << direction;
        }
      }
      // Off the sides the logarithm shows.
      const Eigen::MatrixXd inside = along_ray(planar(terms), direction + 0.5 * side * kQuarter);
      EXPECT_GT(std::abs(inside(3, 0) - inside(7, 0) / 4), 0.01);
    }
}

TEST(EnrichmentFeatures, CornerTermsVanishOnOneSide) {
  const Eigen::MatrixXd low = along_ray(planar(right_angle(kCorner, kQuarter, 0.5, 4)), 0);
  EXPECT_LT(low.cwiseAbs().maxCoeff(), 1e-13);
  const Eigen::MatrixXd high = along_ray(planar(right_angle(kCorner, kQuarter, 0.5, 4)), 2 * kQuarter);
  EXPECT_GT(high.cwiseAbs().rowwise().maxCoeff().minCoeff(), 1e-3);
}

TEST(EnrichmentFeatures, OtherAnglesHaveThePowersOfTheLaplacian) {
  for (const double opening : {0.7, 2.2, 3 * std::numbers::pi / 2, 6.0}) {
    SCOPED_TRACE(opening);
    const double start = 0.4;
    const auto all = corner_terms(kCorner, start, opening, 0.5, 2);
    const auto terms = harmonic_ones(all);
    ASSERT_FALSE(terms.empty());
    EXPECT_GT(all.size(), terms.size());
    Random random(9);
    Eigen::MatrixXd points(20, 2);
    for (Index k = 0; k < points.rows(); ++k) {
      const double r = random.uniform(0.2, 0.9), angle = start + opening * random.uniform(0.05, 0.95);
      points.row(k) << kCorner[0] + r * std::cos(angle), kCorner[1] + r * std::sin(angle);
    }
    const double scale = feature_jets(planar(terms), points, {2, 0}).cwiseAbs().maxCoeff();
    EXPECT_LT(laplacian(planar(terms), points).cwiseAbs().maxCoeff(), 1e-12 * scale);
    const double nudge = 1e-9;  // off the sides, which round to either of their ends
    const Eigen::MatrixXd low = along_ray(planar(terms), start + nudge);
    const Eigen::MatrixXd high = along_ray(planar(terms), start + opening - nudge);
    for (size_t c = 0; c < terms.size(); ++c) {
      if (terms[c].logarithm) continue;
      const auto column = static_cast<Index>(c);
      const double multiple = terms[c].power * opening / std::numbers::pi;  // k / 2
      const double most = std::max(low.col(column).cwiseAbs().maxCoeff(), high.col(column).cwiseAbs().maxCoeff());
      EXPECT_NEAR(2 * multiple, std::round(2 * multiple), 1e-12);
      // The sines of whole multiples vanish on both sides, those of halves on the first.
      const bool sine = low.col(column).cwiseAbs().maxCoeff() < 1e-6 * most || most < 1e-6;
      const bool whole = std::abs(multiple - std::round(multiple)) < 1e-9;
      if (sine && whole) {
        EXPECT_LT(high.col(column).cwiseAbs().maxCoeff(), 1e-6) << multiple;
      }
      if (!sine) {
        EXPECT_NEAR(low(7, column) / low(3, column), std::pow(2.0, terms[c].power), 1e-9) << multiple;
      }
    }
  }
}

TEST(EnrichmentFeatures, JetsAreDerivatives) {
  const auto check = [](const Body& body, const Eigen::MatrixXd& points, double step) {
    for (const auto& a : supported_indices(2))
      for (Index i = 0; i < 2; ++i)
        if (a[static_cast<size_t>(i)] > 0) expect_differences_converge(body, points, a, i, step);
  };
  for (const double direction : kDirections)
    check(planar(right_angle(kCorner, direction, 0.5, 4)), in_corner(kCorner, direction, 4), 4e-3);
  check(planar(hole_terms(kCorner, 0.3, 4)), around_hole(kCorner, 0.3, 5), 4e-3);
}

TEST(EnrichmentFeatures, ValuesAtTheCornerAreTheLimits) {
  const auto body = planar(right_angle(kCorner, kQuarter, 0.5, 4));
  const Eigen::MatrixXd at = feature_jets(body, kCorner.transpose(), {0, 0});
  EXPECT_TRUE(at.allFinite());
  EXPECT_LT(at.cwiseAbs().maxCoeff(), 1e-100);
}

TEST(EnrichmentFeatures, RowsAndFieldAgree) {
  const auto indices = supported_indices(2);
  expect_rows_and_field_agree(planar(right_angle(kCorner, kQuarter, 0.5, 4)),
                              in_corner(kCorner, kQuarter, 6), indices);
  expect_rows_and_field_agree(planar(hole_terms(kCorner, 0.5, 3)), around_hole(kCorner, 0.5, 7), indices);
}

TEST(EnrichmentFeatures, AreConstantInOtherCoordinates) {
  const auto terms = right_angle({0, 0}, kQuarter, 1, 2);
  const PolyanalyticFeatures flat(terms, 2, {0, 1}), raised(terms, 3, {2, 0});
  const Eigen::MatrixXd points = in_corner({0, 0}, kQuarter, 8);
  Eigen::MatrixXd space(points.rows(), 3);
  space << points.col(1), Eigen::VectorXd::Constant(points.rows(), 7), points.col(0);
  EXPECT_EQ(feature_jets(raised, space, {0, 0, 0}), feature_jets(flat, points, {0, 0}));
  EXPECT_EQ(feature_jets(raised, space, {1, 0, 1}), feature_jets(flat, points, {1, 1}));
  EXPECT_TRUE((feature_jets(raised, space, {0, 1, 0}).array() == 0).all());
  EXPECT_TRUE((feature_jets(raised, space, {0, 1, 1}).array() == 0).all());
}

TEST(EnrichmentFeatures, AtLeastOneTermIsNeeded) {
  EXPECT_NE(error_of([] { planar({}); }).find("at least one term"), std::string::npos);
}

std::shared_ptr<const Body> corner_body() {
  return std::make_shared<PolyanalyticFeatures>(right_angle({0, 0}, kQuarter, 1, 2), 2,
                                                std::array<Index, 2>{0, 1});
}

std::shared_ptr<const Body> hole_body() {
  return std::make_shared<PolyanalyticFeatures>(hole_terms({-1, -1}, 0.5, 2), 2, std::array<Index, 2>{0, 1});
}

TEST(JoinedBodies, AreTheirPartsSideBySide) {
  const auto a = corner_body(), b = hole_body();
  const JoinedBody joined({a, b, a});
  EXPECT_EQ(joined.kind(), "joined");
  EXPECT_EQ(joined.dimension(), 2);
  ASSERT_EQ(joined.features(), 2 * a->features() + b->features());
  const Eigen::MatrixXd points = in_corner({0, 0}, kQuarter, 9);
  for (const auto& index : supported_indices(2)) {
    const Eigen::MatrixXd all = feature_jets(joined, points, index);
    EXPECT_EQ(all.leftCols(a->features()), feature_jets(*a, points, index));
    EXPECT_EQ(all.middleCols(a->features(), b->features()), feature_jets(*b, points, index));
    EXPECT_EQ(all.rightCols(a->features()), feature_jets(*a, points, index));
  }
  expect_rows_and_field_agree(joined, points, supported_indices(2));
}

TEST(JoinedBodies, PartsHaveToFit) {
  const auto other = std::make_shared<PolyanalyticFeatures>(right_angle({0, 0}, kQuarter, 1, 1), 3,
                                                            std::array<Index, 2>{0, 1});
  EXPECT_NE(error_of([&] {
              JoinedBody({corner_body(), other});
            }).find("number of coordinates"),
            std::string::npos);
  EXPECT_NE(error_of([] { JoinedBody({}); }).find("at least one body"), std::string::npos);
}

}  // namespace
}  // namespace torsor
