// Point samplers on the unit cube: see sampler.h.
#include "physics/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

#include "physics/error.h"
#include "physics/random.h"

namespace torsor {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kLargestBelowOne = 1 - 0x1.0p-53;
constexpr int kSobolBits = 32;

/// One row of the table of Joe and Kuo: degree s and inner coefficients a of a primitive polynomial over Z_2,
/// and the initial numbers m_1, ..., m_s.
struct DirectionRow {
  int degree;
  std::uint32_t coefficients;
  std::array<std::uint32_t, 7> initial;
};

// Dimensions 2 to 21 of the file new-joe-kuo-6.21201, (c) 2008 Frances Y. Kuo and Stephen Joe, free for use
// with this notice (BSD licence). Dimension 1 is the van der Corput sequence and needs no row.
constexpr std::array<DirectionRow, 20> kJoeKuo{{{1, 0, {1}},
                                                {2, 1, {1, 3}},
                                                {3, 1, {1, 3, 1}},
                                                {3, 2, {1, 1, 1}},
                                                {4, 1, {1, 1, 3, 3}},
                                                {4, 4, {1, 3, 5, 13}},
                                                {5, 2, {1, 1, 5, 5, 17}},
                                                {5, 4, {1, 1, 5, 5, 5}},
                                                {5, 7, {1, 1, 7, 11, 19}},
                                                {5, 11, {1, 1, 5, 1, 1}},
                                                {5, 13, {1, 1, 1, 3, 11}},
                                                {5, 14, {1, 3, 5, 5, 31}},
                                                {6, 1, {1, 3, 3, 9, 7, 49}},
                                                {6, 13, {1, 1, 1, 15, 21, 21}},
                                                {6, 16, {1, 3, 1, 13, 27, 49}},
                                                {6, 19, {1, 1, 1, 15, 7, 5}},
                                                {6, 22, {1, 3, 1, 15, 13, 25}},
                                                {6, 25, {1, 1, 5, 5, 19, 61}},
                                                {7, 1, {1, 3, 7, 11, 23, 15, 103}},
                                                {7, 4, {1, 3, 7, 13, 13, 15, 69}}}};

constexpr Index kSobolDimensions = static_cast<Index>(kJoeKuo.size()) + 1;

void check_request(Index count, Index dimension) {
  if (count <= 0) {
    throw InputError("number of points is " + std::to_string(count) + "; it must be at least 1");
  }
  if (dimension <= 0) {
    throw InputError("dimension of the points is " + std::to_string(dimension) + "; it must be at least 1");
  }
}

using Directions = std::array<std::uint32_t, kSobolBits>;

/// v_k = m_k / 2^k as 32-bit fractions, m_k = 2 a_1 m_{k-1} ^ ... ^ 2^s m_{k-s} ^ m_{k-s}.
Directions directions(Index axis) {
  Directions v{};
  if (axis == 0) {
    for (int k = 0; k < kSobolBits; ++k) v[static_cast<size_t>(k)] = 1U << (31 - k);
    return v;
  }
  const DirectionRow& row = kJoeKuo[static_cast<size_t>(axis - 1)];
  const auto degree = static_cast<size_t>(row.degree);
  for (size_t k = 0; k < degree; ++k) v[k] = row.initial[k] << (31 - k);
  for (size_t k = degree; k < v.size(); ++k) {
    v[k] = v[k - degree] ^ (v[k - degree] >> degree);
    for (size_t j = 1; j < degree; ++j) {
      if ((row.coefficients >> (degree - 1 - j)) & 1U) v[k] ^= v[k - j];
    }
  }
  return v;
}

/// One column of the sequence, every value XORed with the 53-bit `shift`.
void fill_sobol_column(Index axis, std::uint64_t shift, Eigen::Ref<VectorXd> column) {
  const Directions v = directions(axis);
  std::uint32_t x = 0;
  for (Index i = 0; i < column.size(); ++i) {
    column[i] = static_cast<double>((static_cast<std::uint64_t>(x) << 21) ^ shift) * 0x1.0p-53;
    // Gray code: the step from i to i + 1 flips the bit at the lowest zero of i.
    auto index = static_cast<std::uint64_t>(i);
    size_t lowest_zero = 0;
    for (; index & 1U; index >>= 1) ++lowest_zero;
    if (lowest_zero < v.size()) x ^= v[lowest_zero];
  }
}

void check_sobol(Index count, Index dimension) {
  check_request(count, dimension);
  if (dimension > kSobolDimensions) {
    throw InputError("Sobol dimension is " + std::to_string(dimension) + "; it must be at most " +
                     std::to_string(kSobolDimensions) + " (try the sampler 'latin')");
  }
  if (count > (Index{1} << kSobolBits)) {
    throw InputError("number of Sobol points is " + std::to_string(count) + "; it must be at most 2^32");
  }
}

class GridSampler : public Sampler {
 public:
  explicit GridSampler(bool ends) : ends_(ends) {}
  std::string name() const override { return ends_ ? "grid-ends" : "grid"; }
  bool prefix_is_spread() const override { return false; }

  MatrixXd points_for_sides(Index count, const VectorXd& sides, std::uint64_t) const override {
    const std::vector<Index> counts = grid_counts(count, sides);
    const Index total = std::accumulate(counts.begin(), counts.end(), Index{1}, std::multiplies<>());
    MatrixXd x(total, sides.size());
    Index stride = total;
    for (Index axis = 0; axis < sides.size(); ++axis) {
      const Index n = counts[static_cast<size_t>(axis)];
      stride /= n;
      for (Index row = 0; row < total; ++row) x(row, axis) = position(row / stride % n, n);
    }
    return x;
  }

 private:
  double position(Index i, Index n) const {
    if (!ends_) return (static_cast<double>(i) + 0.5) / static_cast<double>(n);
    return n == 1 ? 0.5 : static_cast<double>(i) / static_cast<double>(n - 1);
  }

  bool ends_;
};

class UniformSampler : public Sampler {
 public:
  std::string name() const override { return "uniform"; }

  MatrixXd points_for_sides(Index count, const VectorXd& sides, std::uint64_t seed) const override {
    check_request(count, sides.size());
    Random random(seed);
    MatrixXd x(count, sides.size());
    // Row by row, so that a longer request begins with the shorter one.
    for (Index row = 0; row < count; ++row) {
      for (Index axis = 0; axis < sides.size(); ++axis) x(row, axis) = random.uniform();
    }
    return x;
  }
};

class LatinSampler : public Sampler {
 public:
  std::string name() const override { return "latin"; }

  MatrixXd points_for_sides(Index count, const VectorXd& sides, std::uint64_t seed) const override {
    check_request(count, sides.size());
    Random random(seed);
    MatrixXd x(count, sides.size());
    std::vector<Index> slice(static_cast<size_t>(count));
    for (Index axis = 0; axis < sides.size(); ++axis) {
      std::iota(slice.begin(), slice.end(), Index{0});
      for (size_t i = slice.size(); i > 1; --i) std::swap(slice[i - 1], slice[random.below(i)]);
      for (Index row = 0; row < count; ++row) {
        const double position = static_cast<double>(slice[static_cast<size_t>(row)]) + random.uniform();
        x(row, axis) = std::min(position / static_cast<double>(count), kLargestBelowOne);
      }
    }
    return x;
  }
};

class SobolSampler : public Sampler {
 public:
  std::string name() const override { return "sobol"; }

  MatrixXd points_for_sides(Index count, const VectorXd& sides, std::uint64_t seed) const override {
    check_sobol(count, sides.size());
    Random random(seed);
    MatrixXd x(count, sides.size());
    for (Index axis = 0; axis < sides.size(); ++axis)
      fill_sobol_column(axis, random.next() >> 11, x.col(axis));
    return x;
  }
};

using Maker = std::function<std::unique_ptr<Sampler>()>;

const std::map<std::string, Maker>& registry() {
  static const std::map<std::string, Maker> makers{
      {"grid", [] { return std::make_unique<GridSampler>(false); }},
      {"grid-ends", [] { return std::make_unique<GridSampler>(true); }},
      {"uniform", [] { return std::make_unique<UniformSampler>(); }},
      {"latin", [] { return std::make_unique<LatinSampler>(); }},
      {"sobol", [] { return std::make_unique<SobolSampler>(); }}};
  return makers;
}

}  // namespace

std::vector<Index> grid_counts(Index count, const VectorXd& sides) {
  check_request(count, sides.size());
  for (const double side : sides) {
    if (!(side > 0) || !std::isfinite(side)) {
      throw InputError("side length of a grid is " + std::to_string(side) +
                       "; it must be positive and finite");
    }
  }
  std::vector<Index> order(static_cast<size_t>(sides.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Index a, Index b) { return sides[a] < sides[b]; });

  std::vector<Index> counts(order.size(), 1);
  double wanted = static_cast<double>(count);
  double log_volume = sides.array().log().sum();
  auto axes_left = static_cast<double>(order.size());
  for (const Index axis : order) {
    const double log_spacing = (log_volume - std::log(wanted)) / axes_left;
    const double n = std::max(1.0, std::round(std::exp(std::log(sides[axis]) - log_spacing)));
    counts[static_cast<size_t>(axis)] = static_cast<Index>(n);
    wanted = std::max(1.0, wanted / n);
    log_volume -= std::log(sides[axis]);
    axes_left -= 1;
  }
  return counts;
}

MatrixXd sobol_sequence(Index count, Index dimension) {
  check_sobol(count, dimension);
  MatrixXd x(count, dimension);
  for (Index axis = 0; axis < dimension; ++axis) fill_sobol_column(axis, 0, x.col(axis));
  return x;
}

MatrixXd Sampler::points(Index count, Index dimension, std::uint64_t seed) const {
  check_request(count, dimension);
  return points_for_sides(count, VectorXd::Ones(dimension), seed);
}

std::vector<std::string> sampler_names() {
  std::vector<std::string> names;
  for (const auto& [name, maker] : registry()) names.push_back(name);
  return names;
}

std::unique_ptr<Sampler> make_sampler(const std::string& name) {
  const auto found = registry().find(name);
  if (found == registry().end()) throw InputError(unknown_name_message("sampler", name, sampler_names()));
  return found->second();
}

}  // namespace torsor
