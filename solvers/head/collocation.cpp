#include "solvers/head/collocation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "physics/error.h"
#include "physics/random.h"
#include "physics/sampler.h"

namespace torsor {
namespace {

/// Chebyshev-Gauss points of (0, 1).
Eigen::VectorXd chebyshev_gauss(Index n) {
  Eigen::VectorXd x(n);
  for (Index i = 0; i < n; ++i)
    x[i] = 0.5 - 0.5 * std::cos(std::numbers::pi * (2 * static_cast<double>(i) + 1) / (2 * static_cast<double>(n)));
  return x;
}

/// About `count` points of the unit cube; `sides` gives the relative resolution of the coordinates.
Eigen::MatrixXd unit_points(Index count, const Eigen::VectorXd& sides, const std::string& sampler, uint64_t seed) {
  const Index d = sides.size();
  if (d == 0) return Eigen::MatrixXd(1, 0);
  if (sampler != "auto") return make_sampler(sampler)->points_for_sides(count, sides, seed);
  if (d > 2) return make_sampler("sobol")->points(count, d, seed);
  const auto counts = grid_counts(count, sides);
  const Eigen::VectorXd first = chebyshev_gauss(counts[0]);
  const Eigen::VectorXd second = d == 2 ? chebyshev_gauss(counts[1]) : Eigen::VectorXd::Zero(1);
  Eigen::MatrixXd points(first.size() * second.size(), d);
  for (Index i = 0; i < first.size(); ++i)
    for (Index j = 0; j < second.size(); ++j) {
      points(i * second.size() + j, 0) = first[i];
      if (d == 2) points(i * second.size() + j, 1) = second[j];
    }
  return points;
}

struct Counts {
  Index interior, face;  // in one cell
};

Counts counts_for(Index d, Index features, const CollocationOptions& options, double fraction) {
  const auto m = static_cast<double>(features);
  const auto n = static_cast<double>(d);
  Counts counts;
  counts.interior = static_cast<Index>(std::ceil(fraction * options.oversampling * m));
  // A face of a grid of M points has M^((d-1)/d) of them; twice as many, for a face has fewer to lean on.
  // In many dimensions there are so many faces that together they get no more rows than the interior.
  const double face = std::min(2 * std::pow(options.oversampling * m, (n - 1) / n),
                               std::max(8.0, options.oversampling * m / (2 * n)));
  counts.face = static_cast<Index>(std::ceil(fraction * face));
  return counts;
}

class Builder {
 public:
  Builder(const Problem& problem, const std::vector<PartitionAxis>& axes, Index features,
          const CollocationOptions& options, double fraction)
      : problem_(problem), axes_(axes), options_(options) {
    const Index d = problem.dimension();
    counts_ = counts_for(d, features, options, fraction);
    resolution_ = options.resolution.size() == d ? options.resolution : Eigen::VectorXd::Ones(d);
    cells_ = 1;
    for (const auto& axis : axes) cells_ *= axis.cells();
    if (options.interior > 0)
      counts_.interior = static_cast<Index>(std::ceil(fraction * static_cast<double>(options.interior) /
                                                      static_cast<double>(cells_)));
  }

  std::vector<TermPoints> all() {
    std::vector<TermPoints> result;
    for (size_t t = 0; t < problem_.terms.size(); ++t) {
      TermPoints points = of_term(problem_.terms[t]);
      points.term = static_cast<Index>(t);
      if (points.points.rows() == 0)
        throw InputError("term '" + problem_.terms[t].name + "' holds nowhere: " + why_nowhere(problem_.terms[t]));
      result.push_back(std::move(points));
    }
    return result;
  }

 private:
  struct Span {
    double low, high;
  };

  Span window(Index i) const {
    const auto& edges = axes_[static_cast<size_t>(i)].edges();
    return {edges.front(), edges.back()};
  }

  std::string why_nowhere(const Term& term) const {
    if (term.place != Place::boundary) return "its part of the domain has no points";
    if (problem_.pieces.empty()) return "the domain has no boundary";
    return "the other conditions name every piece of the boundary; name the pieces of this one as well "
           "(pieces.NAME), a piece may have several";
  }

  TermPoints of_term(const Term& term) {
    if (term.place == Place::interior) return problem_.box ? cells(-1, 0, 0) : general_interior();
    if (term.place == Place::initial) {
      const Index t = problem_.time();
      return problem_.box ? cells(t, window(t).low, 0) : general_initial();
    }
    TermPoints all;
    for (const auto& piece : problem_.pieces_of(term)) append(all, of_piece(piece));
    return all;
  }

  static void append(TermPoints& all, const TermPoints& more) {
    const Index n = all.points.rows(), k = more.points.rows();
    if (n == 0) {
      all = more;
      return;
    }
    all.points.conservativeResize(n + k, Eigen::NoChange);
    all.normals.conservativeResize(n + k, Eigen::NoChange);
    all.points.bottomRows(k) = more.points;
    if (more.normals.rows() > 0) all.normals.bottomRows(k) = more.normals;
  }

  TermPoints of_piece(const std::string& name) {
    if (!problem_.box) return general_piece(name);
    for (const Index i : problem_.space()) {
      const std::string& x = problem_.coordinates[static_cast<size_t>(i)].name;
      if (name == x + "_low") return cells(i, window(i).low, -1);
      if (name == x + "_high") return cells(i, window(i).high, +1);
    }
    throw std::logic_error("a box has no boundary piece '" + name + "'");
  }

  // Points in every cell, or, when `fixed` >= 0, in every cell of the face where that coordinate is `value`.
  TermPoints cells(Index fixed, double value, int side) {
    const Index d = problem_.dimension();
    std::vector<Index> free;
    for (Index i = 0; i < d; ++i)
      if (i != fixed) free.push_back(i);
    Index count = fixed < 0 ? counts_.interior : counts_.face;
    Index face_cells = cells_ / (fixed < 0 ? 1 : axes_[static_cast<size_t>(fixed)].cells());
    if (fixed >= 0 && options_.boundary > 0)
      count = std::max<Index>(1, options_.boundary / (face_cells * static_cast<Index>(std::max<size_t>(
                                                                       problem_.pieces.size(), 1))));
    TermPoints result;
    std::vector<Index> cell(free.size(), 0);
    std::vector<Eigen::MatrixXd> parts;
    Index rows = 0;
    for (Index c = 0; c < face_cells; ++c) {
      Index rest = c;
      for (size_t i = free.size(); i-- > 0;) {
        const Index n = axes_[static_cast<size_t>(free[i])].cells();
        cell[i] = rest % n;
        rest /= n;
      }
      const Eigen::MatrixXd unit = unit_points(count, resolution_(free), options_.sampler,
                                               stream_seed(options_.seed, static_cast<uint64_t>(next_stream_++)));
      Eigen::MatrixXd points(unit.rows(), d);
      for (size_t i = 0; i < free.size(); ++i) {
        const auto& edges = axes_[static_cast<size_t>(free[i])].edges();
        const double low = edges[static_cast<size_t>(cell[i])], high = edges[static_cast<size_t>(cell[i]) + 1];
        points.col(free[i]) = (low + (high - low) * unit.col(static_cast<Index>(i)).array()).matrix();
      }
      if (fixed >= 0) points.col(fixed).setConstant(value);
      rows += points.rows();
      parts.push_back(std::move(points));
    }
    result.points.resize(rows, d);
    Index first = 0;
    for (const auto& part : parts) {
      result.points.middleRows(first, part.rows()) = part;
      first += part.rows();
    }
    if (side != 0) {
      result.normals = Eigen::MatrixXd::Zero(rows, d);
      result.normals.col(fixed).setConstant(side);
    }
    return result;
  }

  std::unique_ptr<Sampler> general_sampler() const {
    return make_sampler(options_.sampler == "auto" ? "sobol" : options_.sampler);
  }

  uint64_t next_seed() { return stream_seed(options_.seed, static_cast<uint64_t>(next_stream_++)); }

  // The window's space-time cylinder over a general domain; the domain itself without time.
  DomainPtr cylinder() const {
    const Index t = problem_.time();
    if (t < 0) return problem_.domain;
    return product(problem_.domain, window(t).low, window(t).high, problem_.coordinates[static_cast<size_t>(t)].name,
                   t);
  }

  TermPoints general_interior() {
    TermPoints result;
    result.points = cylinder()->interior_points(counts_.interior * cells_, *general_sampler(), next_seed());
    return result;
  }

  TermPoints general_initial() {
    const Eigen::MatrixXd space = problem_.domain->interior_points(counts_.face * cells_, *general_sampler(), next_seed());
    TermPoints result;
    result.points.resize(space.rows(), problem_.dimension());
    const auto columns = problem_.space();
    for (size_t i = 0; i < columns.size(); ++i) result.points.col(columns[i]) = space.col(static_cast<Index>(i));
    result.points.col(problem_.time()).setConstant(window(problem_.time()).low);
    return result;
  }

  // Points on a boundary piece: as many as its share of the boundary, but never fewer than a quarter of a face.
  TermPoints general_piece(const std::string& name) {
    double total = 0;
    const BoundaryPiece* wanted = nullptr;
    for (const auto& piece : problem_.pieces) {
      total += piece.measure;
      if (piece.name == name) wanted = &piece;
    }
    const double faces = 2.0 * static_cast<double>(problem_.dimension());
    const double budget = options_.boundary > 0 ? static_cast<double>(options_.boundary)
                                                : faces * static_cast<double>(counts_.face * cells_);
    const auto count = static_cast<Index>(
        std::max({1.0, budget * wanted->measure / total, options_.boundary > 0 ? 1.0 : budget / (4 * faces)}));
    const BoundarySample space = wanted->points(count, *general_sampler(), next_seed());
    TermPoints result;
    const auto columns = problem_.space();
    result.points.resize(count, problem_.dimension());
    result.normals = Eigen::MatrixXd::Zero(count, problem_.dimension());
    for (size_t i = 0; i < columns.size(); ++i) {
      result.points.col(columns[i]) = space.points.col(static_cast<Index>(i));
      result.normals.col(columns[i]) = space.normals.col(static_cast<Index>(i));
    }
    if (const Index t = problem_.time(); t >= 0) {
      const Eigen::MatrixXd time = make_sampler("latin")->points(count, 1, next_seed());
      result.points.col(t) = (window(t).low + (window(t).high - window(t).low) * time.col(0).array()).matrix();
    }
    return result;
  }

  const Problem& problem_;
  const std::vector<PartitionAxis>& axes_;
  CollocationOptions options_;
  Counts counts_{};
  Eigen::VectorXd resolution_;
  Index cells_ = 1;
  int next_stream_ = 0;
};

}  // namespace

std::vector<PartitionAxis> whole_domain(const Problem& problem) {
  std::vector<PartitionAxis> axes;
  for (const auto& c : problem.coordinates) axes.emplace_back(std::vector<double>{c.low, c.high}, c.periodic);
  return axes;
}

std::vector<TermPoints> collocation_points(const Problem& problem, const std::vector<PartitionAxis>& axes,
                                           Index features, const CollocationOptions& options) {
  return Builder(problem, axes, features, options, 1.0).all();
}

std::vector<TermPoints> holdout_points(const Problem& problem, const std::vector<PartitionAxis>& axes, Index features,
                                       const CollocationOptions& options, double fraction) {
  CollocationOptions holdout = options;
  holdout.sampler = "uniform";
  holdout.seed = stream_seed(options.seed, 0x686f6c64);
  return Builder(problem, axes, features, holdout, fraction).all();
}

void grade_time(const Problem& problem, double power, Eigen::MatrixXd& points) {
  if (power == 1 || problem.time() < 0) return;
  const Coordinate& time = problem.coordinates[static_cast<size_t>(problem.time())];
  const double length = time.high - time.low;
  auto t = points.col(problem.time()).array();
  t = time.low + length * ((t - time.low) / length).max(0.0).pow(power);
}

double default_time_grading(const Problem& problem) { return problem.velocity ? 2 : 1; }

const Eigen::MatrixXd& interior_of(const Problem& problem, const std::vector<TermPoints>& sets) {
  const auto inside = std::find_if(sets.begin(), sets.end(), [&](const TermPoints& set) {
    return problem.terms[static_cast<size_t>(set.term)].place == Place::interior;
  });
  if (inside == sets.end()) throw InputError("problem '" + problem.name + "' has no equation inside its domain");
  return inside->points;
}

}  // namespace torsor
