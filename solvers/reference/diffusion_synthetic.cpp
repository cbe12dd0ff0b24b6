#include "solvers/reference/diffusion_synthetic.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::VectorXd;

void require(bool satisfied, const std::string& rule) {
  if (!satisfied) throw InputError("diffusion_synthetic: " + rule);
}

void check(const TransportProblem& p, const DiffusionSyntheticOptions& o) {
  require(p.a < p.b, "a = " + scientific(p.a) + ", b = " + scientific(p.b) + ": a < b is needed");
  require(p.eps > 0.0 && std::isfinite(p.eps), "eps = " + scientific(p.eps) + " must be positive");
  require(p.scattering && p.absorption && p.source, "scattering, absorption and source must be given");
  require(p.inflow_left && p.inflow_right, "inflow_left and inflow_right must be given");
  require(o.cells >= 2, "cells = " + std::to_string(o.cells) + " must be at least 2");
  require(o.half_range_nodes >= 2,
          "half_range_nodes = " + std::to_string(o.half_range_nodes) + " must be at least 2");
  require(o.tolerance > 0.0, "tolerance = " + scientific(o.tolerance) + " must be positive");
  require(o.max_iterations >= 1,
          "max_iterations = " + std::to_string(o.max_iterations) + " must be at least 1");
}

// Solves the tridiagonal system with the three diagonals, diagonally dominant, by elimination.
ArrayXd solve_tridiagonal(const ArrayXd& lower, ArrayXd diagonal, const ArrayXd& upper, ArrayXd right) {
  const Index n = diagonal.size();
  for (Index i = 1; i < n; ++i) {
    const double factor = lower(i) / diagonal(i - 1);
    diagonal(i) -= factor * upper(i - 1);
    right(i) -= factor * right(i - 1);
  }
  right(n - 1) /= diagonal(n - 1);
  for (Index i = n - 2; i >= 0; --i) right(i) = (right(i) - upper(i) * right(i + 1)) / diagonal(i);
  return right;
}

// Of values at the edges, column by column.
ArrayXXd cell_means(const ArrayXXd& edges) {
  const Index n = edges.rows() - 1;
  return 0.5 * (edges.topRows(n) + edges.bottomRows(n));
}

// In the text below t = eps S_t = sigma_S + eps^2 sigma_A, and J = e/eps.
class SourceIteration {
 public:
  SourceIteration(const TransportProblem& problem, const DiffusionSyntheticOptions& options)
      : n_(options.cells),
        h_((problem.b - problem.a) / options.cells),
        eps_(problem.eps),
        set_(double_gauss_velocities(options.half_range_nodes)),
        centres_((VectorXd::LinSpaced(n_, 0.5, n_ - 0.5) * h_).array() + problem.a),
        inflow_(set_.size()) {
    scattering_ = coefficient_values("scattering", problem.scattering, centres_);
    absorption_ = coefficient_values("absorption", problem.absorption, centres_);
    source_ = coefficient_values("source", problem.source, centres_, true);
    total_ = scattering_ + eps_ * eps_ * absorption_;
    require((scattering_ + absorption_).minCoeff() > 0.0,
            "scattering + absorption must be positive everywhere");
    for (Index m = 0; m < set_.size(); ++m) {
      const double v = set_.nodes(m);
      inflow_(m) = v > 0.0 ? problem.inflow_left(0.0, v) : problem.inflow_right(0.0, v);
    }
    require(inflow_.allFinite(), "a value of the inflow is not finite");
  }

  const VectorXd& centres() const { return centres_; }
  const VelocitySet& velocities() const { return set_; }

  // g at edges x velocities, for rho at the edges:
  //   eps v (g_+ - g_-)/h + t g_i = -v (rho_+ - rho_-)/h + eps (Q - sigma_A rho)_i.
  ArrayXXd sweep(const ArrayXd& rho) const {
    const ArrayXd slope = (rho.tail(n_) - rho.head(n_)) / h_, gain = eps_ * net_source(rho);
    ArrayXXd g(n_ + 1, set_.size());
    for (Index m = 0; m < set_.size(); ++m) {
      const double v = set_.nodes(m), streaming = eps_ * std::abs(v) / h_;
      const bool forward = v > 0.0;
      const Index wall = forward ? 0 : n_;
      g(wall, m) = (inflow_(m) - rho(wall)) / eps_;
      for (Index k = 0; k < n_; ++k) {
        const Index cell = forward ? k : n_ - 1 - k;
        const Index in = forward ? cell : cell + 1, out = forward ? cell + 1 : cell;
        const double half_total = 0.5 * total_(cell);
        g(out, m) =
            (gain(cell) - v * slope(cell) + (streaming - half_total) * g(in, m)) / (streaming + half_total);
      }
    }
    return g;
  }

  // d at the edges after a sweep. With q = S_s (<f> - rho)/eps in a cell, the moments give the currents
  //   J_+- = -(d_+ - d_-)/(3 t h) +- (h/2) (q - sigma_A (d_+ + d_-)/2),
  // which must agree at the edge of two cells.
  ArrayXd correction(const ArrayXd& rho, const ArrayXXd& g) const {
    const ArrayXd q = imbalance(rho, g);
    const ArrayXd conduction = 1.0 / (3.0 * h_ * total_), loss = 0.25 * h_ * absorption_;
    ArrayXd diagonal = ArrayXd::Zero(n_ + 1), right = diagonal, lower = diagonal, upper = diagonal;
    diagonal.head(n_) += conduction + loss;
    diagonal.tail(n_) += conduction + loss;
    upper.head(n_) = loss - conduction;
    lower.tail(n_) = loss - conduction;
    right.head(n_) += 0.5 * h_ * q;
    right.tail(n_) += 0.5 * h_ * q;
    // <max(v, 0) (d + 3 v eps J)> = 0 at the left: eps J = -2 <max(v, 0)> d.
    const VectorXd positive = set_.nodes.cwiseMax(0.0);
    const double leak = 2.0 * set_.moment(positive) / eps_;
    diagonal(0) += leak;
    diagonal(n_) += leak;
    return solve_tridiagonal(lower, diagonal, upper, right);
  }

  VectorXd mean(const ArrayXXd& g) const { return set_.moments(g.matrix()); }
  VectorXd flux(const ArrayXXd& g) const { return set_.moments(g.matrix(), 1); }

 private:
  // Q - sigma_A rho in the cells.
  ArrayXd net_source(const ArrayXd& rho) const {
    return source_ - 0.5 * absorption_ * (rho.tail(n_) + rho.head(n_));
  }

  // S_s (<f> - rho)/eps = sigma_S <g>/eps in the cells, from the balance eps <v g>_x + t <g> = eps (Q -
  // sigma_A rho): dividing <g> itself by eps would magnify its rounding.
  ArrayXd imbalance(const ArrayXd& rho, const ArrayXXd& g) const {
    const ArrayXd j = flux(g).array();
    return scattering_ / total_ * (net_source(rho) - (j.tail(n_) - j.head(n_)) / h_);
  }

  Index n_;
  double h_, eps_;
  VelocitySet set_;
  VectorXd centres_, inflow_;
  ArrayXd scattering_, absorption_, source_, total_;  // in the cells
};

}  // namespace

double SteadyTransportSolution::spectral_radius() const {
  std::size_t last = 0;
  while (last < changes.size() && changes[last] > 1e-11) ++last;
  if (last < 3) return 0.0;
  return std::pow(changes[last - 1] / changes[1], 1.0 / static_cast<double>(last - 2));
}

SteadyTransportSolution solve_steady_transport(const TransportProblem& problem,
                                               const DiffusionSyntheticOptions& options) {
  check(problem, options);
  const Clock::time_point start = Clock::now();
  const SourceIteration iteration(problem, options);
  SteadyTransportSolution solution;
  solution.x = iteration.centres();
  solution.velocities = iteration.velocities();
  ArrayXd rho = ArrayXd::Zero(options.cells + 1);
  for (int k = 0; k < options.max_iterations; ++k) {
    const ArrayXXd g = iteration.sweep(rho);
    const ArrayXd swept = rho + problem.eps * iteration.mean(g).array();
    const ArrayXd next = options.accelerate ? ArrayXd(swept + iteration.correction(rho, g)) : swept;
    const double size = next.abs().maxCoeff();
    const double change = (next - rho).abs().maxCoeff();
    if (!std::isfinite(change)) throw NumericalError("diffusion_synthetic: rho is not finite");
    solution.changes.push_back(size > 0.0 ? change / size : 0.0);
    // g = (F - rho)/eps at a wall carries the rounding of F.
    const double rounding = size > 0.0 ? 1e-16 * g.abs().maxCoeff() / size : 0.0;
    if (solution.changes.back() <= std::max(options.tolerance, rounding)) {
      solution.rho = cell_means(swept).matrix();
      solution.flux = cell_means(iteration.flux(g).array()).matrix();
      solution.f = cell_means((problem.eps * g).colwise() + rho).matrix();
      solution.seconds = std::chrono::duration<double>(Clock::now() - start).count();
      return solution;
    }
    rho = next;
  }
  throw NumericalError("diffusion_synthetic: rho still changes by " + scientific(solution.changes.back()) +
                       " of its size after " + std::to_string(options.max_iterations) +
                       " iterations, tolerance " + scientific(options.tolerance));
}

}  // namespace torsor
