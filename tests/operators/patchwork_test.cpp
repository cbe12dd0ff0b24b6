// Partition of unity: sums of the weights, reproduction of a common function, rows against jets, refusals.
#include "operators/patchwork.h"

#include <numbers>

#include "body_checks.h"
#include "operators/mlp.h"
#include "operators/sine_features.h"

namespace torsor {
namespace {

const std::vector<double> kEdges{-1.0, -0.2, 0.3, 1.1, 2.0};

/// Edges, ends of every overlap, middles of cells, and random places.
std::vector<double> places(const PartitionAxis& axis) {
  std::vector<double> x;
  for (Index cell = 0; cell < axis.cells(); ++cell) {
    const auto i = static_cast<size_t>(cell);
    const double low = axis.edges()[i], high = axis.edges()[i + 1];
    x.insert(x.end(), {low, high, axis.low(cell), axis.high(cell), 2 * low - axis.low(cell),
                       2 * high - axis.high(cell), 0.5 * (low + high)});
  }
  Random random(1);
  for (int k = 0; k < 200; ++k) x.push_back(random.uniform(axis.edges().front(), axis.edges().back()));
  std::erase_if(x, [&](double value) { return value < axis.edges().front() || value > axis.edges().back(); });
  return x;
}

double narrowest_ramp(const PartitionAxis& axis) {
  double width = INFINITY;
  for (Index cell = 0; cell < axis.cells(); ++cell)
    if (const double ramp = 2 * (axis.high(cell) - axis.edges()[static_cast<size_t>(cell + 1)]); ramp > 0)
      width = std::min(width, ramp);
  return width;
}

TEST(PartitionAxis, WeightsSumToOneAndTheirDerivativesToZero) {
  for (const bool periodic : {false, true})
    for (const double overlap : {0.05, 0.25, 0.5})
      for (size_t cells = 2; cells < kEdges.size(); ++cells) {
        const PartitionAxis axis({kEdges.begin(), kEdges.begin() + static_cast<long>(cells) + 1}, periodic,
                                 overlap);
        for (int order = 0; order <= 4; ++order)
          for (const double x : places(axis)) {
            double sum = 0;
            for (Index cell = 0; cell < axis.cells(); ++cell)
              sum += axis.weight(cell, axis.image(cell, x), order);
            // Images and ends of ramps are rounded: s errs by eps |x| / ramp, and the terms of order k by up
            // to 15120 ramp^-k times that.
            const double value_tolerance = periodic ? 1e-13 : 2.3e-16;
            const double tolerance = 1e-9 * std::pow(narrowest_ramp(axis), -order);
            EXPECT_NEAR(sum, order == 0 ? 1 : 0, order == 0 ? value_tolerance : tolerance)
                << x << ", " << order;
          }
      }
}

TEST(PartitionAxis, WeightsLieBetweenZeroAndOneAndVanishOutsideTheirCell) {
  const PartitionAxis axis(kEdges, true, 0.3);
  for (Index cell = 0; cell < axis.cells(); ++cell)
    for (const double x : places(axis)) {
      const double image = axis.image(cell, x), weight = axis.weight(cell, image, 0);
      EXPECT_GE(weight, 0);
      EXPECT_LE(weight, 1);
      if (image <= axis.low(cell) || image >= axis.high(cell)) {
        EXPECT_EQ(weight, 0);
      }
      EXPECT_LT(std::abs(image - 0.5 * (axis.low(cell) + axis.high(cell))), 0.5 * axis.length() + 1e-14);
    }
}

TEST(PartitionAxis, WeightDerivativesAreLimitsOfDifferences) {
  const PartitionAxis axis(kEdges, false, 0.4);
  const double h = 1e-5;
  for (Index cell = 0; cell < axis.cells(); ++cell)
    for (const double x : places(axis))
      for (int order = 1; order <= 4; ++order) {
        const double difference =
            (axis.weight(cell, x + h, order - 1) - axis.weight(cell, x - h, order - 1)) / (2 * h);
        // The fourth derivative is continuous, with kinks: first order there.
        EXPECT_NEAR(axis.weight(cell, x, order), difference,
                    1e-4 * std::pow(narrowest_ramp(axis) / 8, -order));
      }
}

TEST(PartitionAxis, OnlyTheFirstActiveCellAndItsSuccessorTouchAPoint) {
  for (const bool periodic : {false, true}) {
    const PartitionAxis axis(kEdges, periodic, 0.5);
    for (const double x : places(axis)) {
      const Index first = axis.first_active(x), next = (first + 1) % axis.cells();
      for (Index cell = 0; cell < axis.cells(); ++cell)
        if (cell != first && cell != next) {
          EXPECT_LT(axis.weight(cell, axis.image(cell, x), 0), 1e-60) << x;
        }
      if (!periodic && first + 1 == axis.cells()) {
        EXPECT_EQ(axis.weight(0, x, 0), 0) << x;
      }
    }
  }
}

TEST(PartitionAxis, BadCellsAreRefused) {
  EXPECT_NE(error_of([] { PartitionAxis({0.0}, false); }).find("must increase"), std::string::npos);
  EXPECT_NE(error_of([] { PartitionAxis({0.0, 1.0, 1.0}, false); }).find("must increase"), std::string::npos);
  EXPECT_NE(error_of([] { PartitionAxis({0.0, NAN, 1.0}, false); }).find("must increase"), std::string::npos);
  EXPECT_NE(error_of([] { PartitionAxis({0.0, 1.0}, false, 0.6); }).find("overlap = 0.6"), std::string::npos);
  EXPECT_NE(error_of([] { PartitionAxis({0.0, 1.0}, false, 0.0); }).find("overlap = 0"), std::string::npos);
}

/// Features periodic over the box of `axes` where those are; the seed decides them.
std::shared_ptr<const Body> make_patch_body(const std::vector<PartitionAxis>& axes,
                                            const std::vector<bool>& periodic, Index features,
                                            uint64_t seed) {
  const auto d = static_cast<Index>(axes.size());
  SineFeatures::Options options;
  options.features = features;
  options.bandwidth = Eigen::VectorXd::Constant(d, 6.0);
  options.centre = Eigen::VectorXd::Constant(d, 0.3);
  options.period = Eigen::VectorXd::Zero(d);
  for (size_t i = 0; i < axes.size(); ++i)
    if (periodic[i]) options.period[static_cast<Index>(i)] = axes[i].length();
  options.seed = seed;
  return std::make_shared<SineFeatures>(options);
}

/// A box cut into cells, by what the tests vary.
struct Layout {
  std::string name;
  std::vector<std::vector<double>> edges;
  std::vector<bool> periodic;
  Index chain;

  std::vector<PartitionAxis> axes() const {
    std::vector<PartitionAxis> result;
    for (size_t i = 0; i < edges.size(); ++i) result.emplace_back(edges[i], periodic[i]);
    return result;
  }
  Index cells() const {
    Index count = 1;
    for (const auto& own : edges) count *= static_cast<Index>(own.size()) - 1;
    return count;
  }
};

const std::vector<double> kOne{-0.5, 1.5}, kTwo{-0.5, 0.4, 1.5}, kThree{-0.5, 0.1, 0.9, 1.5};

std::vector<Layout> layouts() {
  return {{"line", {kEdges}, {false}, 0},
          {"ring", {kEdges}, {true}, 0},
          {"ring of two", {kTwo}, {true}, 0},
          {"grid along x", {kThree, kTwo}, {false, false}, 0},
          {"grid along y", {kThree, kTwo}, {false, false}, 1},
          {"cylinder along x", {kThree, kThree}, {true, false}, 0},
          {"cylinder along y", {kThree, kThree}, {true, false}, 1},
          {"torus", {kTwo, kThree}, {true, true}, 1},
          {"strip", {kOne, kThree}, {false, true}, 0},
          {"one cell", {kOne, kOne}, {false, true}, 0},
          {"box of three coordinates", {kTwo, kOne, kTwo}, {false, false, true}, 2}};
}

/// Random points of the box, every tensor product of edges, and edges of overlaps in the first coordinate.
Eigen::MatrixXd points_of(const Layout& layout) {
  const auto d = static_cast<Index>(layout.edges.size());
  std::vector<Eigen::VectorXd> points{Eigen::VectorXd(d)};
  for (Index i = 0; i < d; ++i) {
    std::vector<Eigen::VectorXd> longer;
    for (const auto& point : points)
      for (const double edge : layout.edges[static_cast<size_t>(i)]) {
        longer.push_back(point);
        longer.back()[i] = edge;
      }
    points = longer;
  }
  Random random(4);
  const auto axes = layout.axes();
  for (int k = 0; k < 600; ++k) {
    points.emplace_back(d);
    for (Index i = 0; i < d; ++i) {
      const auto& own = layout.edges[static_cast<size_t>(i)];
      points.back()[i] = random.uniform(own.front(), own.back());
    }
  }
  for (const double x : places(axes[0])) {
    points.push_back(points.back());
    points.back()[0] = x;
  }
  Eigen::MatrixXd matrix(static_cast<Index>(points.size()), d);
  for (size_t k = 0; k < points.size(); ++k) matrix.row(static_cast<Index>(k)) = points[k];
  return matrix;
}

TEST(Patchwork, AFunctionThatEveryPatchHoldsIsReproducedWithItsDerivatives) {
  for (const auto& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    const auto body = make_patch_body(layout.axes(), layout.periodic, 9, 1);
    const Patchwork patchwork(
        layout.axes(), layout.chain,
        std::vector<std::shared_ptr<const Body>>(static_cast<size_t>(layout.cells()), body));
    const Eigen::VectorXd w = random_matrix(9, 1, -1, 1, 2);
    const Eigen::MatrixXd points = points_of(layout);
    const auto indices = supported_indices(patchwork.dimension());
    const Eigen::MatrixXd jets = patchwork.field_jets(points, indices, w.replicate(layout.cells(), 1));
    const Eigen::MatrixXd expected = body->field_jets(points, indices, w);
    for (size_t c = 0; c < indices.size(); ++c) {
      // Derivatives of the weights cancel: their size, about (10 / ramp)^order, sets the rounding.
      const double tolerance = 1e-13 * std::pow(40.0, total_order(indices[c]));
      EXPECT_LT(relative_difference(jets.col(static_cast<Index>(c)), expected.col(static_cast<Index>(c))),
                tolerance)
          << "index " << c;
    }
  }
}

/// Patches with their own features, and their own numbers of them.
Patchwork varied_patchwork(const Layout& layout) {
  std::vector<std::shared_ptr<const Body>> bodies;
  for (Index cell = 0; cell < layout.cells(); ++cell)
    bodies.push_back(
        make_patch_body(layout.axes(), layout.periodic, 3 + cell % 4, static_cast<uint64_t>(cell)));
  return {layout.axes(), layout.chain, bodies};
}

/// The rows of all points over all features, put together from the blocks of add_rows.
Eigen::MatrixXd assembled_rows(const Patchwork& patchwork, const Eigen::MatrixXd& points,
                               const std::vector<MultiIndex>& indices, const Eigen::MatrixXd& coefficients) {
  std::vector<std::vector<Index>> of_slot(static_cast<size_t>(patchwork.groups()));
  for (Index k = 0; k < points.rows(); ++k)
    of_slot.at(static_cast<size_t>(patchwork.slot(points.row(k)))).push_back(k);
  Eigen::MatrixXd rows = Eigen::MatrixXd::Zero(points.rows(), patchwork.features());
  for (Index slot = 0; slot < patchwork.groups(); ++slot) {
    const auto& own = of_slot[static_cast<size_t>(slot)];
    const auto n = static_cast<Index>(own.size());
    const bool has_next = slot + 1 < patchwork.groups() || patchwork.wraps();
    const Index next = has_next ? (slot + 1) % patchwork.groups() : slot;
    Eigen::MatrixXd first = Eigen::MatrixXd::Zero(n, patchwork.group_features(slot));
    Eigen::MatrixXd second = Eigen::MatrixXd::Zero(n, patchwork.group_features(next));
    patchwork.add_rows(slot, points(own, Eigen::all), indices, coefficients(own, Eigen::all), first.data(),
                       has_next ? second.data() : nullptr, n);
    rows(own, Eigen::seqN(patchwork.group_offset(slot), first.cols())) += first;
    if (has_next) rows(own, Eigen::seqN(patchwork.group_offset(next), second.cols())) += second;
  }
  return rows;
}

TEST(Patchwork, RowsOfAllSlotsGiveTheFieldsJets) {
  for (const auto& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    const Patchwork patchwork = varied_patchwork(layout);
    const Eigen::MatrixXd points = points_of(layout);
    const auto indices = supported_indices(patchwork.dimension());
    const Eigen::MatrixXd coefficients =
        random_matrix(points.rows(), static_cast<Index>(indices.size()), -1, 1, 3);
    const Eigen::VectorXd w = random_matrix(patchwork.features(), 1, -1, 1, 4);
    const Eigen::VectorXd expected =
        coefficients.cwiseProduct(patchwork.field_jets(points, indices, w)).rowwise().sum();
    EXPECT_LT(relative_difference(assembled_rows(patchwork, points, indices, coefficients) * w, expected),
              1e-12);
  }
}

TEST(Patchwork, GroupsPartitionTheHead) {
  for (const auto& layout : layouts()) {
    const Patchwork patchwork = varied_patchwork(layout);
    EXPECT_EQ(patchwork.patches(), layout.cells());
    EXPECT_EQ(patchwork.group_offset(0), 0);
    EXPECT_EQ(patchwork.group_offset(patchwork.groups()), patchwork.features());
    Index sum = 0;
    for (Index p = 0; p < patchwork.patches(); ++p) sum += patchwork.body(p).features();
    EXPECT_EQ(sum, patchwork.features()) << layout.name;
  }
}

TEST(Patchwork, TheFieldIsPeriodicWhereTheBoxIs) {
  for (const auto& layout : layouts())
    for (size_t i = 0; i < layout.periodic.size(); ++i) {
      if (!layout.periodic[i]) continue;
      SCOPED_TRACE(layout.name);
      const Patchwork patchwork = varied_patchwork(layout);
      Eigen::MatrixXd low = points_of(layout), high = low;
      low.col(static_cast<Index>(i)).setConstant(layout.edges[i].front());
      high.col(static_cast<Index>(i)).setConstant(layout.edges[i].back());
      const auto indices = supported_indices(patchwork.dimension());
      const Eigen::VectorXd w = random_matrix(patchwork.features(), 1, -1, 1, 4);
      EXPECT_LT(
          relative_difference(patchwork.field_jets(low, indices, w), patchwork.field_jets(high, indices, w)),
          1e-11);
    }
}

TEST(Patchwork, PointsAHairOutsideTheBoxAreNotLost) {
  const Layout layout = layouts()[0];
  const Patchwork patchwork = varied_patchwork(layout);
  const Eigen::MatrixXd ends{{kEdges.front()}, {kEdges.back()}};
  const Eigen::MatrixXd outside{{kEdges.front() - 1e-14}, {kEdges.back() + 1e-14}};
  const Eigen::VectorXd w = random_matrix(patchwork.features(), 1, -1, 1, 4);
  EXPECT_LT(
      relative_difference(patchwork.field_jets(outside, {{0}}, w), patchwork.field_jets(ends, {{0}}, w)),
      1e-12);
  EXPECT_EQ(patchwork.slot(outside.row(0)), 0);
  EXPECT_EQ(patchwork.slot(outside.row(1)), patchwork.groups() - 1);
}

TEST(Patchwork, NoPointsGiveNoJets) {
  const Patchwork patchwork = varied_patchwork(layouts()[3]);
  const Eigen::VectorXd w = Eigen::VectorXd::Zero(patchwork.features());
  EXPECT_EQ(patchwork.field_jets(Eigen::MatrixXd(0, 2), {{0, 0}, {1, 0}}, w).rows(), 0);
}

TEST(Patchwork, NetworksServeAsPatches) {
  const Layout layout = layouts()[3];
  std::vector<std::shared_ptr<const Body>> bodies;
  for (Index cell = 0; cell < layout.cells(); ++cell) {
    Mlp::Options options;
    options.widths = {6, 5};
    options.bandwidth = Eigen::Vector2d(3, 3);
    options.centre = options.period = Eigen::Vector2d::Zero();
    options.seed = static_cast<uint64_t>(cell);
    bodies.push_back(std::make_shared<Mlp>(options));
  }
  const Patchwork patchwork(layout.axes(), layout.chain, bodies);
  const Eigen::MatrixXd points = points_of(layout);
  const auto indices = supported_indices(2);
  const Eigen::MatrixXd coefficients =
      random_matrix(points.rows(), static_cast<Index>(indices.size()), -1, 1, 3);
  const Eigen::VectorXd w = random_matrix(patchwork.features(), 1, -1, 1, 4);
  const Eigen::VectorXd expected =
      coefficients.cwiseProduct(patchwork.field_jets(points, indices, w)).rowwise().sum();
  EXPECT_LT(relative_difference(assembled_rows(patchwork, points, indices, coefficients) * w, expected),
            1e-12);
  // An error inside the parallel loop reaches the caller.
  EXPECT_NE(error_of([&] { patchwork.field_jets(points, {{2, 1}}, w); }).find("(2, 1)"), std::string::npos);
}

TEST(Patchwork, OrdersAboveTheContinuityOfTheWeightsAreRefused) {
  const Patchwork patchwork = varied_patchwork(layouts()[0]);
  const Eigen::MatrixXd points = points_of(layouts()[0]);
  const Eigen::VectorXd w = Eigen::VectorXd::Zero(patchwork.features());
  EXPECT_NE(error_of([&] { patchwork.field_jets(points, {{5}}, w); }).find("order 4"), std::string::npos);
  const Patchwork single = varied_patchwork(layouts()[9]);
  EXPECT_EQ(error_of([&] {
              single.field_jets(points_of(layouts()[9]), {{5, 0}}, Eigen::VectorXd::Zero(single.features()));
            }),
            "no error");
}

TEST(Patchwork, MismatchesAreRefused) {
  const Layout layout = layouts()[3];
  const auto body = make_patch_body(layout.axes(), layout.periodic, 2, 0);
  const auto refusal = [&](Index chain, size_t count, const std::shared_ptr<const Body>& own) {
    return error_of(
        [&] { Patchwork(layout.axes(), chain, std::vector<std::shared_ptr<const Body>>(count, own)); });
  };
  EXPECT_NE(refusal(0, 5, body).find("5 bodies for 6 cells"), std::string::npos);
  EXPECT_NE(refusal(2, 6, body).find("chain coordinate 2 of 2"), std::string::npos);
  const auto narrow = make_patch_body(layouts()[0].axes(), {false}, 2, 0);
  EXPECT_NE(refusal(0, 6, narrow).find("1 coordinates in 2"), std::string::npos);
}

}  // namespace
}  // namespace torsor
