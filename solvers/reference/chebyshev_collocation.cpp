#include "solvers/reference/chebyshev_collocation.h"

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"
#include "solvers/reference/tensor_gmres.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double relative_scale(const Eigen::VectorXd& u) {
  return 1.0 + u.cwiseAbs().maxCoeff();
}

// D^0, D^1, D^2 along each axis; along the missing second axis of a 1-D box the 1 x 1 identity and zeros.
struct Grid : TensorDerivatives {
  int dimension;
  int nx, ny;  // nodes per axis
};

Grid make_grid(const Eigen::VectorXd& lower, const Eigen::VectorXd& upper, int degree) {
  Grid grid;
  grid.dimension = static_cast<int>(lower.size());
  grid.nx = degree + 1;
  grid.ny = grid.dimension == 2 ? degree + 1 : 1;
  auto fill = [degree](std::array<Eigen::MatrixXd, 3>& powers, double a, double b) {
    powers[0] = Eigen::MatrixXd::Identity(degree + 1, degree + 1);
    powers[1] = chebyshev_differentiation(degree, a, b);
    powers[2] = powers[1] * powers[1];
  };
  fill(grid.x, lower(0), upper(0));
  if (grid.dimension == 2) {
    fill(grid.y, lower(1), upper(1));
  } else {
    grid.y[0] = Eigen::MatrixXd::Identity(1, 1);
    grid.y[1] = grid.y[2] = Eigen::MatrixXd::Zero(1, 1);
  }
  return grid;
}

// The orders (in x, in y) of jet entry m.
std::pair<int, int> jet_orders(int dimension, int m) {
  if (dimension == 1) return {m, 0};
  constexpr int kOrders[6][2] = {{0, 0}, {1, 0}, {0, 1}, {2, 0}, {1, 1}, {0, 2}};
  return {kOrders[m][0], kOrders[m][1]};
}

Eigen::MatrixXd jets_of(const Grid& grid, const Eigen::VectorXd& u) {
  const Eigen::Map<const RowMatrix> nodal(u.data(), grid.nx, grid.ny);
  Eigen::MatrixXd jets(u.size(), jet_size(grid.dimension));
  for (int m = 0; m < jets.cols(); ++m) {
    const auto [px, py] = jet_orders(grid.dimension, m);
    const RowMatrix derivative = grid.x[px] * nodal * grid.y[py].transpose();
    jets.col(m) = Eigen::Map<const Eigen::VectorXd>(derivative.data(), u.size());
  }
  return jets;
}

// The nodes of each side; a corner is listed by both of its sides.
using SideNodes = std::vector<std::vector<int>>;

SideNodes side_nodes(const Grid& grid) {
  SideNodes nodes(static_cast<std::size_t>(2 * grid.dimension));
  for (int i = 0; i < grid.nx; ++i)
    for (int j = 0; j < grid.ny; ++j) {
      const int k = i * grid.ny + j;
      if (i == 0) nodes[0].push_back(k);
      if (i == grid.nx - 1) nodes[1].push_back(k);
      if (grid.dimension == 2 && j == 0) nodes[2].push_back(k);
      if (grid.dimension == 2 && j == grid.ny - 1) nodes[3].push_back(k);
    }
  return nodes;
}

Eigen::MatrixXd rows_of(const Eigen::MatrixXd& all, const std::vector<int>& rows) {
  Eigen::MatrixXd part(static_cast<Eigen::Index>(rows.size()), all.cols());
  for (std::size_t r = 0; r < rows.size(); ++r) part.row(static_cast<Eigen::Index>(r)) = all.row(rows[r]);
  return part;
}

struct Equations {
  Eigen::VectorXd residual;
  Eigen::MatrixXd partials;
};

Equations call(const JetResidual& equation, const Eigen::MatrixXd& points, const Eigen::MatrixXd& jets) {
  Equations e{Eigen::VectorXd::Zero(points.rows()), Eigen::MatrixXd::Zero(jets.rows(), jets.cols())};
  equation(points, jets, e.residual, e.partials);
  if (e.residual.size() != points.rows() || e.partials.rows() != jets.rows() ||
      e.partials.cols() != jets.cols())
    throw InputError("Chebyshev collocation: a jet residual returned wrong shapes");
  return e;
}

Equations equations_at(const ChebyshevProblem& problem, const Grid& grid, const SideNodes& boundary,
                       const Eigen::MatrixXd& points, const Eigen::VectorXd& u) {
  const Eigen::MatrixXd jets = jets_of(grid, u);
  Equations all = call(problem.interior, points, jets);
  const Eigen::Index derivatives = jets.cols() - 1;
  std::vector<char> taken(static_cast<std::size_t>(u.size()), 0);
  for (std::size_t s = 0; s < boundary.size(); ++s) {
    const std::vector<int>& rows = boundary[s];
    const Equations side = call(problem.sides[s], rows_of(points, rows), rows_of(jets, rows));
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const Eigen::Index row = static_cast<Eigen::Index>(r);
      const bool is_dirichlet = side.partials.row(row).tail(derivatives).isZero(0.0);
      char& was_taken = taken[static_cast<std::size_t>(rows[r])];
      if (was_taken && !is_dirichlet) continue;
      was_taken = 1;
      all.residual(rows[r]) = side.residual(row);
      all.partials.row(rows[r]) = side.partials.row(row);
    }
  }
  return all;
}

bool finite(const Equations& e) {
  return e.residual.allFinite() && e.partials.allFinite();
}

// Row k of sum_m diag(p_m) (D_x^a kron D_y^b), written entry by entry: only u_xy fills the row.
Eigen::MatrixXd newton_matrix(const Grid& grid, const Eigen::MatrixXd& partials) {
  const int n = grid.nx * grid.ny;
  RowMatrix matrix = RowMatrix::Zero(n, n);
  for (int m = 0; m < partials.cols(); ++m) {
    const auto [px, py] = jet_orders(grid.dimension, m);
    for (int k = 0; k < n; ++k) {
      const double p = partials(k, m);
      if (p == 0.0) continue;
      const int i = k / grid.ny, j = k % grid.ny;
      for (int a = px == 0 ? i : 0; a < (px == 0 ? i + 1 : grid.nx); ++a)
        for (int b = py == 0 ? j : 0; b < (py == 0 ? j + 1 : grid.ny); ++b)
          matrix(k, a * grid.ny + b) += p * grid.x[px](i, a) * grid.y[py](j, b);
    }
  }
  return matrix;
}

// Elimination below this number of nodes per axis: it takes no time there.
constexpr int kGmresNodes = 24;

// Newton's linear systems with one matrix: GMRES where it applies and converges, else elimination.
class NewtonSystem {
 public:
  NewtonSystem(const Grid& grid, const Eigen::MatrixXd& partials) : grid_(grid), partials_(partials) {
    if (grid.dimension == 2 && grid.nx >= kGmresNodes && TensorGmres::applies(grid_, partials_))
      gmres_.emplace(grid_, partials_);
  }
  NewtonSystem(const NewtonSystem&) = delete;
  NewtonSystem& operator=(const NewtonSystem&) = delete;

  Eigen::VectorXd solve(const Eigen::VectorXd& r) {
    if (gmres_) {
      if (const auto u = gmres_->solve(r)) return *u;
      gmres_.reset();
    }
    if (!lu_) lu_.emplace(newton_matrix(grid_, partials_));
    return lu_->solve(r);
  }
  bool eliminated() const { return lu_.has_value(); }

 private:
  const Grid& grid_;
  Eigen::MatrixXd partials_;  // of this iterate
  std::optional<TensorGmres> gmres_;
  std::optional<Eigen::PartialPivLU<Eigen::MatrixXd>> lu_;
};

void check(const ChebyshevProblem& problem, int degree) {
  const Eigen::Index d = problem.lower.size();
  if ((d != 1 && d != 2) || problem.upper.size() != d)
    throw InputError("Chebyshev collocation: the box must have 1 or 2 axes, it has " + std::to_string(d));
  if (!problem.interior || static_cast<Eigen::Index>(problem.sides.size()) != 2 * d)
    throw InputError("Chebyshev collocation: an interior equation and " + std::to_string(2 * d) +
                     " sides are needed, there are " + std::to_string(problem.sides.size()) + " sides");
  for (const JetResidual& side : problem.sides)
    if (!side) throw InputError("Chebyshev collocation: a side has no condition");
  if (degree < 2) throw InputError("Chebyshev collocation: degree " + std::to_string(degree) + " is below 2");
}

}  // namespace

int jet_size(int dimension) {
  if (dimension == 1) return 3;
  if (dimension == 2) return 6;
  throw InputError("jets are defined in 1 or 2 dimensions, not " + std::to_string(dimension));
}

JetResidual dirichlet_condition(std::function<Eigen::VectorXd(const Eigen::MatrixXd&)> value) {
  return [value = std::move(value)](const Eigen::MatrixXd& points, const Eigen::MatrixXd& jets,
                                    Eigen::VectorXd& residual, Eigen::MatrixXd& partials) {
    residual = jets.col(0) - value(points);
    partials.col(0).setOnes();
  };
}

JetResidual robin_condition(int dimension, int axis, double alpha, double beta,
                            std::function<Eigen::VectorXd(const Eigen::MatrixXd&)> value) {
  if (axis < 0 || axis >= dimension)
    throw InputError("robin_condition: axis " + std::to_string(axis) + " of " + std::to_string(dimension));
  return [axis, alpha, beta, value = std::move(value)](const Eigen::MatrixXd& points,
                                                       const Eigen::MatrixXd& jets, Eigen::VectorXd& residual,
                                                       Eigen::MatrixXd& partials) {
    residual = alpha * jets.col(0) + beta * jets.col(1 + axis) - value(points);
    partials.col(0).setConstant(alpha);
    partials.col(1 + axis).setConstant(beta);
  };
}

Eigen::MatrixXd ChebyshevSolution::nodes() const {
  const Eigen::VectorXd x = chebyshev_nodes(degree, lower(0), upper(0));
  if (lower.size() == 1) return x;
  const Eigen::VectorXd y = chebyshev_nodes(degree, lower(1), upper(1));
  Eigen::MatrixXd points(x.size() * y.size(), 2);
  for (Eigen::Index i = 0; i < x.size(); ++i)
    for (Eigen::Index j = 0; j < y.size(); ++j) points.row(i * y.size() + j) << x(i), y(j);
  return points;
}

namespace {

Eigen::MatrixXd interpolate(const ChebyshevSolution& s, const Eigen::MatrixXd& nodal,
                            const Eigen::MatrixXd& points) {
  if (points.cols() != s.lower.size())
    throw InputError("ChebyshevSolution: points have " + std::to_string(points.cols()) +
                     " columns, the box has " + std::to_string(s.lower.size()) + " axes");
  constexpr Eigen::Index kChunk = 4096;  // bounds the memory of the interpolation matrices
  Eigen::MatrixXd result(points.rows(), nodal.cols());
  for (Eigen::Index first = 0; first < points.rows(); first += kChunk) {
    const Eigen::Index count = std::min(kChunk, points.rows() - first);
    const Eigen::MatrixXd part = points.middleRows(first, count);
    const Eigen::MatrixXd px = chebyshev_interpolation(s.degree, s.lower(0), s.upper(0), part.col(0));
    if (part.cols() == 1) {
      result.middleRows(first, count) = px * nodal;
      continue;
    }
    const Eigen::MatrixXd py = chebyshev_interpolation(s.degree, s.lower(1), s.upper(1), part.col(1));
    for (Eigen::Index m = 0; m < nodal.cols(); ++m) {
      const Eigen::VectorXd column = nodal.col(m);
      const Eigen::Map<const RowMatrix> field(column.data(), s.degree + 1, s.degree + 1);
      result.col(m).segment(first, count) = (px * field).cwiseProduct(py).rowwise().sum();
    }
  }
  return result;
}

}  // namespace

Eigen::VectorXd ChebyshevSolution::evaluate(const Eigen::MatrixXd& points) const {
  return interpolate(*this, values, points);
}

Eigen::MatrixXd ChebyshevSolution::evaluate_jets(const Eigen::MatrixXd& points) const {
  return interpolate(*this, jets_of(make_grid(lower, upper, degree), values), points);
}

ChebyshevSolution solve_chebyshev_at(const ChebyshevProblem& problem, int degree,
                                     const ChebyshevOptions& options) {
  check(problem, degree);
  if (options.max_newton_iterations < 1)
    throw InputError("Chebyshev collocation: max_newton_iterations must be at least 1");
  const Clock::time_point start = Clock::now();
  ChebyshevSolution s;
  s.lower = problem.lower;
  s.upper = problem.upper;
  s.degree = degree;
  s.error_estimate = std::numeric_limits<double>::quiet_NaN();
  const Grid grid = make_grid(problem.lower, problem.upper, degree);
  const SideNodes boundary = side_nodes(grid);
  const Eigen::MatrixXd points = s.nodes();
  s.values = problem.initial_guess ? problem.initial_guess(points) : Eigen::VectorXd::Zero(points.rows());
  if (s.values.size() != points.rows())
    throw InputError("Chebyshev collocation: the initial guess has " + std::to_string(s.values.size()) +
                     " values for " + std::to_string(points.rows()) + " points");

  Equations now = equations_at(problem, grid, boundary, points, s.values);
  if (!finite(now))
    throw NumericalError(
        "Chebyshev collocation: the residual or its partials are not finite at the first iterate, degree " +
        std::to_string(degree));
  while (true) {
    if (s.newton_iterations == options.max_newton_iterations)
      throw NumericalError("Chebyshev collocation: Newton did not converge in " +
                           std::to_string(s.newton_iterations) + " iterations at degree " +
                           std::to_string(degree) + ", last correction " + scientific(s.newton_steps.back()));
    NewtonSystem system(grid, now.partials);
    const Eigen::VectorXd step = -system.solve(now.residual);
    if (!step.allFinite())
      throw NumericalError("Chebyshev collocation: the Newton matrix is singular at degree " +
                           std::to_string(degree));
    s.eliminated = system.eliminated();
    const double length = step.cwiseAbs().maxCoeff();
    s.newton_steps.push_back(length);
    ++s.newton_iterations;

    // Natural monotonicity: the simplified correction with the same matrix must shrink.
    double damping = 1.0;
    double next_length = 0.0;
    const double enough = options.newton_tolerance * relative_scale(s.values + step);
    Eigen::VectorXd next_step;
    while (true) {
      const Eigen::VectorXd trial = s.values + damping * step;
      now = equations_at(problem, grid, boundary, points, trial);
      if (finite(now)) {  // a step may leave the domain of a logarithm or overflow: then shorten it
        next_step = -system.solve(now.residual);
        next_length = next_step.cwiseAbs().maxCoeff();
        if (next_length <= (1.0 - 0.25 * damping) * length || next_length <= enough) {
          s.values = trial;
          break;
        }
      }
      damping *= 0.5;
      if (damping < 1e-4)
        throw NumericalError("Chebyshev collocation: the line search failed at degree " +
                             std::to_string(degree) + ", Newton correction " + scientific(length));
    }
    if (damping == 1.0 && next_length <= enough) {
      s.values += next_step;
      break;
    }
  }
  s.residual = equations_at(problem, grid, boundary, points, s.values).residual.cwiseAbs().maxCoeff();
  s.seconds = seconds_since(start);
  return s;
}

ChebyshevSolution solve_chebyshev(const ChebyshevProblem& problem, const ChebyshevOptions& options) {
  const Clock::time_point start = Clock::now();
  const int default_cap = problem.lower.size() == 1 ? 384 : 48;
  const int cap = options.max_degree > 0 ? options.max_degree : default_cap;
  if (options.initial_degree > cap)
    throw InputError("Chebyshev collocation: initial_degree " + std::to_string(options.initial_degree) +
                     " exceeds max_degree " + std::to_string(cap));
  ChebyshevSolution coarse = solve_chebyshev_at(problem, options.initial_degree, options);
  while (coarse.degree < cap) {
    ChebyshevProblem warm = problem;
    warm.initial_guess = [&coarse](const Eigen::MatrixXd& points) { return coarse.evaluate(points); };
    ChebyshevSolution fine = solve_chebyshev_at(warm, std::min(2 * coarse.degree, cap), options);
    const Eigen::VectorXd change = fine.values - coarse.evaluate(fine.nodes());
    fine.error_estimate = change.cwiseAbs().maxCoeff() / relative_scale(fine.values);
    coarse = std::move(fine);
    if (coarse.error_estimate <= options.tolerance) {
      coarse.seconds = seconds_since(start);
      return coarse;
    }
  }
  if (options.require_convergence)
    throw NumericalError("Chebyshev collocation: degree " + std::to_string(coarse.degree) +
                         " still changes the solution by " + scientific(coarse.error_estimate) +
                         " (relative), tolerance " + scientific(options.tolerance));
  coarse.seconds = seconds_since(start);
  return coarse;
}

}  // namespace torsor
