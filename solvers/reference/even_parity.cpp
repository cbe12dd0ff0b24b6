#include "solvers/reference/even_parity.h"

#include <Eigen/SparseCholesky>
#include <Eigen/SparseCore>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>

#include "physics/error.h"
#include "solvers/reference/transport_modes.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using Sparse = Eigen::SparseMatrix<double>;
using Cholesky = Eigen::SimplicialLDLT<Sparse>;

constexpr std::array<PlaneSide, 4> kSides{PlaneSide::x_low, PlaneSide::x_high, PlaneSide::y_low, PlaneSide::y_high};

void check(const PlaneTransportProblem& p, const EvenParityOptions& o) {
  if (!(p.x_low < p.x_high) || !(p.y_low < p.y_high)) throw InputError("even-parity: the rectangle has no area");
  if (!(p.eps > 0.0)) throw InputError("even-parity: eps = " + scientific(p.eps) + " must be positive");
  if (!p.medium || !p.inflow) throw InputError("even-parity: medium and inflow are needed");
  if (p.velocities.dimension() != 2 || !has_mirror_images(p.velocities))
    throw InputError("even-parity: velocities of two components, -v for each v, are needed");
  if (o.cells_x < 2 || o.cells_y < 2) throw InputError("even-parity: two cells of each coordinate are needed");
  if (!(o.tolerance > 0.0) || o.max_iterations < 1)
    throw InputError("even-parity: tolerance must be positive and max_iterations at least 1");
}

// A pair v, -v of nodes.
struct Pair {
  Index node, mirror;
  double weight;  // of both
};

std::vector<Pair> pairs_of(const VelocityBasis& v) {
  std::vector<Pair> pairs;
  for (Index j = 0; j < v.size(); ++j)
    for (Index i = j; i < v.size(); ++i)
      if ((v.nodes.row(i) + v.nodes.row(j)).cwiseAbs().maxCoeff() <= 1e-13)
        pairs.push_back({j, i, i == j ? v.weights(j) : v.weights(i) + v.weights(j)});
  return pairs;
}

// Nodes and cells of the rectangle.
struct Mesh {
  VectorXd x, y;
  double hx, hy;
  Index nx, ny;  // nodes
  Mesh(const PlaneTransportProblem& p, const EvenParityOptions& o)
      : x(VectorXd::LinSpaced(o.cells_x + 1, p.x_low, p.x_high)),
        y(VectorXd::LinSpaced(o.cells_y + 1, p.y_low, p.y_high)),
        hx(x(1) - x(0)),
        hy(y(1) - y(0)),
        nx(x.size()),
        ny(y.size()) {}

  Index size() const { return nx * ny; }
  Index node(Index i, Index k) const { return i + k * nx; }

  std::vector<Index> on_side(PlaneSide side) const {
    std::vector<Index> nodes;
    const bool across_x = side == PlaneSide::x_low || side == PlaneSide::x_high;
    const bool upper = side == PlaneSide::x_high || side == PlaneSide::y_high;
    for (Index s = 0; s < (across_x ? ny : nx); ++s)
      nodes.push_back(across_x ? node(upper ? nx - 1 : 0, s) : node(s, upper ? ny - 1 : 0));
    return nodes;
  }

  MatrixXd points(const std::vector<Index>& nodes) const {
    MatrixXd at(static_cast<Index>(nodes.size()), 2);
    for (Index s = 0; s < at.rows(); ++s)
      at.row(s) << x(nodes[static_cast<size_t>(s)] % nx), y(nodes[static_cast<size_t>(s)] / nx);
    return at;
  }
};

// The integrals over cells by 2 x 2 Gauss points, and over sides by the trapezoidal rule.
class Elements {
 public:
  Elements(const PlaneTransportProblem& problem, const EvenParityOptions& options)
      : problem_(problem), mesh_(problem, options) {
    assemble_cells();
    assemble_sides();
  }

  const Mesh& mesh() const { return mesh_; }
  const VectorXd& scattering() const { return scattering_; }  // lumped masses
  const VectorXd& absorption() const { return absorption_; }
  const VectorXd& source() const { return source_; }
  const VectorXd& boundary(size_t pair) const { return boundary_[pair]; }  // |v . n| h
  const VectorXd& inflow(size_t pair) const { return inflow_[pair]; }      // |v . n| h F
  const std::vector<Pair>& pairs() const { return pairs_; }

  // int (v . grad s)(v . grad r)/S
  Sparse stiffness(const Pair& pair) const {
    const double vx = problem_.velocities.nodes(pair.node, 0), vy = problem_.velocities.nodes(pair.node, 1);
    return vx * vx * xx_ + vx * vy * xy_ + vy * vy * yy_;
  }

 private:
  using Triplets = std::vector<Eigen::Triplet<double>>;

  MatrixXd gauss_points() const {
    const double g = 0.5 / std::sqrt(3.0);
    MatrixXd points(4 * (mesh_.nx - 1) * (mesh_.ny - 1), 2);
    Index row = 0;
    for (Index k = 0; k + 1 < mesh_.ny; ++k)
      for (Index i = 0; i + 1 < mesh_.nx; ++i)
        for (const double t : {0.5 - g, 0.5 + g})
          for (const double s : {0.5 - g, 0.5 + g})
            points.row(row++) << mesh_.x(i) + s * mesh_.hx, mesh_.y(k) + t * mesh_.hy;
    return points;
  }

  MatrixXd medium_at(const MatrixXd& points) const {
    const MatrixXd medium = problem_.medium(points);
    if (medium.rows() != points.rows() || medium.cols() != 3 || !medium.allFinite())
      throw InputError("even-parity: the medium is not finite, or not in three columns");
    if (medium.leftCols(2).minCoeff() < 0.0 || !((medium.col(0) + medium.col(1)).minCoeff() > 0.0))
      throw InputError("even-parity: sigma_S and sigma_A must not be negative, nor both 0");
    return medium;
  }

  void assemble_cells() {
    const MatrixXd points = gauss_points(), medium = medium_at(points);
    const Index n = mesh_.size();
    scattering_ = absorption_ = source_ = VectorXd::Zero(n);
    Triplets xx, xy, yy;
    for (Index q = 0; q < points.rows(); ++q) add_point(q, points, medium, xx, xy, yy);
    for (const auto& [matrix, entries] : {std::pair{&xx_, &xx}, {&xy_, &xy}, {&yy_, &yy}}) {
      matrix->resize(n, n);
      matrix->setFromTriplets(entries->begin(), entries->end());
    }
  }

  void add_point(Index q, const MatrixXd& points, const MatrixXd& medium, Triplets& xx, Triplets& xy, Triplets& yy) {
    const Index cell = q / 4, i = cell % (mesh_.nx - 1), k = cell / (mesh_.nx - 1);
    const double s = (points(q, 0) - mesh_.x(i)) / mesh_.hx, t = (points(q, 1) - mesh_.y(k)) / mesh_.hy;
    const double area = 0.25 * mesh_.hx * mesh_.hy;
    const double along = area / (medium(q, 0) + problem_.eps * problem_.eps * medium(q, 1));
    const std::array<Index, 4> nodes{mesh_.node(i, k), mesh_.node(i + 1, k), mesh_.node(i, k + 1),
                                     mesh_.node(i + 1, k + 1)};
    const std::array<double, 4> shape{(1 - s) * (1 - t), s * (1 - t), (1 - s) * t, s * t};
    const std::array<double, 4> dx{-(1 - t) / mesh_.hx, (1 - t) / mesh_.hx, -t / mesh_.hx, t / mesh_.hx};
    const std::array<double, 4> dy{-(1 - s) / mesh_.hy, -s / mesh_.hy, (1 - s) / mesh_.hy, s / mesh_.hy};
    for (size_t a = 0; a < 4; ++a) {
      scattering_(nodes[a]) += area * shape[a] * medium(q, 0);
      absorption_(nodes[a]) += area * shape[a] * medium(q, 1);
      source_(nodes[a]) += area * shape[a] * medium(q, 2);
      for (size_t b = 0; b < 4; ++b) {
        xx.emplace_back(nodes[a], nodes[b], along * dx[a] * dx[b]);
        xy.emplace_back(nodes[a], nodes[b], along * (dx[a] * dy[b] + dy[a] * dx[b]));
        yy.emplace_back(nodes[a], nodes[b], along * dy[a] * dy[b]);
      }
    }
  }

  void assemble_sides() {
    boundary_.assign(pairs_.size(), VectorXd::Zero(mesh_.size()));
    inflow_ = boundary_;
    for (const PlaneSide side : kSides) {
      const auto nodes = mesh_.on_side(side);
      const MatrixXd given = problem_.inflow(side, mesh_.points(nodes));
      const bool across_x = side == PlaneSide::x_low || side == PlaneSide::x_high;
      const double sign = side == PlaneSide::x_high || side == PlaneSide::y_high ? 1.0 : -1.0;
      for (size_t p = 0; p < pairs_.size(); ++p) {
        const double normal = sign * problem_.velocities.nodes(pairs_[p].node, across_x ? 0 : 1);
        const Index incoming = normal < 0.0 ? pairs_[p].node : pairs_[p].mirror;
        for (size_t s = 0; s < nodes.size(); ++s) {
          const double length = (s == 0 || s + 1 == nodes.size() ? 0.5 : 1.0) * (across_x ? mesh_.hy : mesh_.hx);
          const double data = normal == 0.0 ? 0.0 : given(static_cast<Index>(s), incoming);
          if (!std::isfinite(data)) throw InputError("even-parity: the inflow is not finite");
          boundary_[p](nodes[s]) += std::abs(normal) * length;
          inflow_[p](nodes[s]) += std::abs(normal) * length * data;
        }
      }
    }
  }

  const PlaneTransportProblem& problem_;
  Mesh mesh_;
  std::vector<Pair> pairs_ = pairs_of(problem_.velocities);
  Sparse xx_, xy_, yy_;
  VectorXd scattering_, absorption_, source_;
  std::vector<VectorXd> boundary_, inflow_;
};

Sparse with_diagonal(Sparse matrix, const VectorXd& diagonal) {
  for (Index i = 0; i < diagonal.size(); ++i) matrix.coeffRef(i, i) += diagonal(i);
  return matrix;
}

std::unique_ptr<Cholesky> factor(const Sparse& matrix) {
  auto cholesky = std::make_unique<Cholesky>(matrix);
  if (cholesky->info() != Eigen::Success) throw NumericalError("even-parity: a system of a direction is singular");
  return cholesky;
}

class Iteration {
 public:
  Iteration(const PlaneTransportProblem& problem, const Elements& elements)
      : eps_(problem.eps), elements_(elements), even_(elements.pairs().size()) {
    const Index n = elements.mesh().size();
    Sparse mean(n, n);
    VectorXd walls = VectorXd::Zero(n), inflow = VectorXd::Zero(n);
    for (size_t p = 0; p < even_.size(); ++p) {
      const Pair& pair = elements.pairs()[p];
      const VectorXd mass = elements.scattering() + eps_ * eps_ * elements.absorption() + eps_ * elements.boundary(p);
      stiffness_.push_back(elements.stiffness(pair));
      directions_.push_back(factor(with_diagonal(eps_ * eps_ * stiffness_.back(), mass)));
      mean += pair.weight * stiffness_.back();
      walls += pair.weight * elements.boundary(p);
      inflow += pair.weight * elements.inflow(p);
    }
    diffusion_ = factor(with_diagonal(mean, elements.absorption() + walls / eps_));
    rho_ = diffusion_->solve(elements.source() + inflow / eps_);
  }

  // One iteration; the change of rho.
  double step() {
    VectorXd mean = VectorXd::Zero(rho_.size());
    for (size_t p = 0; p < even_.size(); ++p) {
      const VectorXd walls = (elements_.boundary(p).cwiseProduct(rho_) - elements_.inflow(p)) / eps_;
      even_[p] = directions_[p]->solve(elements_.source() - stiffness_[p] * rho_ -
                                       elements_.absorption().cwiseProduct(rho_) - walls);
      mean += elements_.pairs()[p].weight * even_[p];
    }
    const VectorXd change = eps_ * eps_ * mean + diffusion_->solve(elements_.scattering().cwiseProduct(mean));
    rho_ += change;
    const double largest = rho_.cwiseAbs().maxCoeff();
    return largest > 0.0 ? change.cwiseAbs().maxCoeff() / largest : 0.0;
  }

  const VectorXd& rho() const { return rho_; }
  const VectorXd& even(size_t pair) const { return even_[pair]; }

 private:
  double eps_;
  const Elements& elements_;
  std::vector<Sparse> stiffness_;
  std::vector<std::unique_ptr<Cholesky>> directions_;
  std::unique_ptr<Cholesky> diffusion_;
  VectorXd rho_;
  std::vector<VectorXd> even_;
};

// Second-order differences along one axis: values at `stride` apart, `n` of them in a line.
double difference(const VectorXd& values, Index at, Index place, Index n, Index stride, double h) {
  if (place == 0) return (-3.0 * values(at) + 4.0 * values(at + stride) - values(at + 2 * stride)) / (2.0 * h);
  if (place == n - 1) return (3.0 * values(at) - 4.0 * values(at - stride) + values(at - 2 * stride)) / (2.0 * h);
  return (values(at + stride) - values(at - stride)) / (2.0 * h);
}

// j = -(v . grad r)/S at the nodes.
VectorXd odd_parity(const PlaneTransportProblem& problem, const Mesh& mesh, const VectorXd& total, const VectorXd& r,
                    Index node) {
  VectorXd j(mesh.size());
  for (Index k = 0; k < mesh.ny; ++k)
    for (Index i = 0; i < mesh.nx; ++i) {
      const Index at = mesh.node(i, k);
      const double rx = difference(r, at, i, mesh.nx, 1, mesh.hx), ry = difference(r, at, k, mesh.ny, mesh.nx, mesh.hy);
      j(at) = -(problem.velocities.nodes(node, 0) * rx + problem.velocities.nodes(node, 1) * ry) / total(at);
    }
  return j;
}

void take_parities(const PlaneTransportProblem& problem, const Elements& elements, const Iteration& iteration,
                   PlaneTransportSolution& solution) {
  const Mesh& mesh = elements.mesh();
  std::vector<Index> all(static_cast<size_t>(mesh.size()));
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Index>(i);
  const MatrixXd medium = problem.medium(mesh.points(all));
  const VectorXd total = medium.col(0) + problem.eps * problem.eps * medium.col(1);
  solution.even = solution.odd = MatrixXd::Zero(mesh.size(), problem.velocities.size());
  for (size_t p = 0; p < elements.pairs().size(); ++p) {
    const Pair& pair = elements.pairs()[p];
    const VectorXd r = solution.rho + problem.eps * problem.eps * iteration.even(p);
    const VectorXd j = odd_parity(problem, mesh, total, r, pair.node);
    solution.even.col(pair.node) = solution.even.col(pair.mirror) = iteration.even(p);
    solution.odd.col(pair.mirror) = -j;
    solution.odd.col(pair.node) = j;
  }
}

}  // namespace

PlaneTransportSolution solve_even_parity(const PlaneTransportProblem& problem, const EvenParityOptions& options) {
  check(problem, options);
  const Clock::time_point begin = Clock::now();
  const Elements elements(problem, options);
  Iteration iteration(problem, elements);
  PlaneTransportSolution solution;
  solution.x = elements.mesh().x;
  solution.y = elements.mesh().y;
  do {
    if (solution.iterations() == options.max_iterations)
      throw NumericalError("even-parity: " + std::to_string(options.max_iterations) +
                           " iterations leave a relative change of " + scientific(solution.changes.back()));
    solution.changes.push_back(iteration.step());
  } while (!(solution.changes.back() <= options.tolerance));
  solution.rho = iteration.rho();
  take_parities(problem, elements, iteration, solution);
  solution.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return solution;
}

}  // namespace torsor
