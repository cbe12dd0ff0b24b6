#include "solvers/reference/spectral_time.h"

#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_context.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

#include <Eigen/LU>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <limits>
#include <string>
#include <utility>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"

namespace torsor {
namespace {

using Clock = std::chrono::steady_clock;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd rows_of(const MatrixXd& all, const std::vector<Index>& rows) {
  MatrixXd part(static_cast<Index>(rows.size()), all.cols());
  for (std::size_t r = 0; r < rows.size(); ++r) part.row(static_cast<Index>(r)) = all.row(rows[r]);
  return part;
}

MatrixXd columns_of(const MatrixXd& all, const std::vector<Index>& columns) {
  MatrixXd part(all.rows(), static_cast<Index>(columns.size()));
  for (std::size_t c = 0; c < columns.size(); ++c) part.col(static_cast<Index>(c)) = all.col(columns[c]);
  return part;
}

// One field: its nodal values are extend * (free values) + lift * (side data).
struct FieldSpace {
  std::vector<Index> free;           // nodes that are ODE unknowns
  std::vector<SideCondition> sides;  // their data, in the order of lift's columns
  std::vector<MatrixXd> jets;        // d^k/dx^k extend, N x free, k = 0..order
  std::vector<MatrixXd> lifts;       // d^k/dx^k lift, N x sides
  Index offset = 0;                  // of the free values in the ODE vector

  VectorXd data(double t) const {
    VectorXd g = VectorXd::Zero(static_cast<Index>(sides.size()));
    for (std::size_t s = 0; s < sides.size(); ++s)
      if (sides[s].value) g(static_cast<Index>(s)) = sides[s].value(t);
    return g;
  }
};

// Takes the nodes nearest to each end as unknowns of the conditions B u = g there:
// B_e u_e + B_f u_f = g, hence u_e = B_e^-1 (g - B_f u_f).
FieldSpace field_space(const EvolutionProblem& problem, const std::vector<MatrixXd>& powers, int field) {
  const Index n = powers[0].rows();
  FieldSpace space;
  std::vector<Index> eliminated;
  Index lower = 0, upper = n - 1;
  for (const SideCondition& c : problem.conditions) {
    if (c.field != field) continue;
    space.sides.push_back(c);
    eliminated.push_back(c.at_upper ? upper-- : lower++);
  }
  if (upper - lower < 2)
    throw InputError("spectral_time: too many side conditions for " + std::to_string(n) + " nodes");
  for (Index j = lower; j <= upper; ++j) space.free.push_back(j);

  const Index n_sides = static_cast<Index>(space.sides.size());
  MatrixXd rows = MatrixXd::Zero(n_sides, n);
  for (Index s = 0; s < n_sides; ++s) {
    const SideCondition& c = space.sides[static_cast<std::size_t>(s)];
    for (std::size_t k = 0; k < c.coefficients.size(); ++k)
      rows.row(s) += c.coefficients[k] * powers[k].row(c.at_upper ? n - 1 : 0);
  }
  MatrixXd extend = MatrixXd::Zero(n, static_cast<Index>(space.free.size()));
  for (std::size_t j = 0; j < space.free.size(); ++j) extend(space.free[j], static_cast<Index>(j)) = 1.0;
  MatrixXd lift = MatrixXd::Zero(n, n_sides);
  if (n_sides > 0) {
    const Eigen::FullPivLU<MatrixXd> ends(columns_of(rows, eliminated));
    if (!ends.isInvertible())
      throw InputError("spectral_time: the side conditions of field " + std::to_string(field) +
                       " do not determine its end values");
    const MatrixXd from_free = -ends.solve(columns_of(rows, space.free));
    const MatrixXd from_data = ends.inverse();
    for (Index s = 0; s < n_sides; ++s) {
      extend.row(eliminated[static_cast<std::size_t>(s)]) = from_free.row(s);
      lift.row(eliminated[static_cast<std::size_t>(s)]) = from_data.row(s);
    }
  }
  for (int k = 0; k <= problem.order; ++k) {
    space.jets.push_back(powers[static_cast<std::size_t>(k)] * extend);
    space.lifts.push_back(powers[static_cast<std::size_t>(k)] * lift);
  }
  return space;
}

// The semi-discrete system y' = f(t, y) over the free nodal values of all fields.
class System {
 public:
  System(const EvolutionProblem& problem, const SpectralBasis& basis) : problem_(problem), x_(basis.nodes()) {
    std::vector<MatrixXd> powers;
    for (int k = 0; k <= 4; ++k) powers.push_back(basis.differentiation(k));
    for (int f = 0; f < problem.n_fields; ++f) {
      fields_.push_back(field_space(problem, powers, f));
      fields_.back().offset = size_;
      size_ += static_cast<Index>(fields_.back().free.size());
    }
  }

  Index size() const { return size_; }

  VectorXd initial() const {
    const MatrixXd u = problem_.initial(x_);
    if (u.rows() != x_.size() || u.cols() != problem_.n_fields)
      throw InputError("spectral_time: the initial data have the wrong shape");
    VectorXd y(size_);
    for (std::size_t f = 0; f < fields_.size(); ++f)
      y.segment(fields_[f].offset, free_size(f)) = rows_of(u.col(static_cast<Index>(f)), fields_[f].free);
    return y;
  }

  // All nodal values, field after field.
  VectorXd nodal(double t, const VectorXd& y) const {
    VectorXd u(x_.size() * problem_.n_fields);
    for (std::size_t f = 0; f < fields_.size(); ++f)
      u.segment(static_cast<Index>(f) * x_.size(), x_.size()) = derivative(f, 0, t, y);
    return u;
  }

  VectorXd rhs(double t, const VectorXd& y) const {
    const MatrixXd values = checked(problem_.rhs(t, x_, jets(t, y)), problem_.n_fields, "rhs");
    VectorXd f(size_);
    for (std::size_t i = 0; i < fields_.size(); ++i)
      f.segment(fields_[i].offset, free_size(i)) =
          rows_of(values.col(static_cast<Index>(i)), fields_[i].free);
    return f;
  }

  // Block (i, j) = sum_k diag(dF_i/dJ_jk) D^k extend_j on the free rows of field i.
  void jacobian(double t, const VectorXd& y, Eigen::Ref<MatrixXd> matrix) const {
    const MatrixXd j = jets(t, y);
    const MatrixXd slopes =
        problem_.partials ? checked(problem_.partials(t, x_, j), problem_.n_fields * j.cols(), "partials")
                          : difference_partials(t, j);
    matrix.setZero();
    for (std::size_t i = 0; i < fields_.size(); ++i)
      for (std::size_t f = 0; f < fields_.size(); ++f)
        for (int k = 0; k <= problem_.order; ++k) {
          const VectorXd slope = slopes.col(static_cast<Index>(i) * j.cols() + jet_column(f, k));
          if (slope.isZero(0.0)) continue;
          matrix.block(fields_[i].offset, fields_[f].offset, free_size(i), free_size(f)) +=
              rows_of(slope, fields_[i].free).col(0).asDiagonal() *
              rows_of(fields_[f].jets[static_cast<std::size_t>(k)], fields_[i].free);
        }
  }

 private:
  Index free_size(std::size_t f) const { return static_cast<Index>(fields_[f].free.size()); }
  Index jet_column(std::size_t f, int k) const { return static_cast<Index>(f) * (problem_.order + 1) + k; }

  VectorXd derivative(std::size_t f, int k, double t, const VectorXd& y) const {
    const FieldSpace& space = fields_[f];
    VectorXd u = space.jets[static_cast<std::size_t>(k)] * y.segment(space.offset, free_size(f));
    if (!space.sides.empty()) u += space.lifts[static_cast<std::size_t>(k)] * space.data(t);
    return u;
  }

  MatrixXd jets(double t, const VectorXd& y) const {
    MatrixXd j(x_.size(), problem_.n_fields * (problem_.order + 1));
    for (std::size_t f = 0; f < fields_.size(); ++f)
      for (int k = 0; k <= problem_.order; ++k) j.col(jet_column(f, k)) = derivative(f, k, t, y);
    return j;
  }

  MatrixXd checked(MatrixXd values, Index columns, const char* name) const {
    if (values.rows() != x_.size() || values.cols() != columns)
      throw InputError(std::string("spectral_time: ") + name + " returned the wrong shape");
    return values;
  }

  MatrixXd difference_partials(double t, const MatrixXd& j) const {
    MatrixXd slopes(j.rows(), problem_.n_fields * j.cols());
    for (Index m = 0; m < j.cols(); ++m) {
      const double h = 6e-6 * (1.0 + j.col(m).cwiseAbs().maxCoeff());  // cube root of the rounding unit
      MatrixXd plus = j, minus = j;
      plus.col(m).array() += h;
      minus.col(m).array() -= h;
      const MatrixXd slope = (problem_.rhs(t, x_, plus) - problem_.rhs(t, x_, minus)) / (2.0 * h);
      for (Index i = 0; i < problem_.n_fields; ++i) slopes.col(i * j.cols() + m) = slope.col(i);
    }
    return slopes;
  }

  const EvolutionProblem& problem_;
  VectorXd x_;
  std::vector<FieldSpace> fields_;
  Index size_ = 0;
};

// What the C callbacks of CVODE reach.
struct Callback {
  const System* system = nullptr;
  std::exception_ptr failure;  // exceptions may not cross the C code
  std::string message;         // CVODE's last error text
};

Eigen::Map<VectorXd> view(N_Vector v) {
  return {N_VGetArrayPointer(v), static_cast<Index>(N_VGetLength(v))};
}

// 0 success, 1 recoverable (not finite: a smaller step may help), -1 fatal.
int rhs_callback(realtype t, N_Vector y, N_Vector ydot, void* data) {
  auto* callback = static_cast<Callback*>(data);
  try {
    const VectorXd f = callback->system->rhs(t, view(y));
    if (!f.allFinite()) return 1;
    view(ydot) = f;
    return 0;
  } catch (...) {
    callback->failure = std::current_exception();
    return -1;
  }
}

int jacobian_callback(realtype t, N_Vector y, N_Vector, SUNMatrix matrix, void* data, N_Vector, N_Vector,
                      N_Vector) {
  auto* callback = static_cast<Callback*>(data);
  try {
    Eigen::Map<MatrixXd> j(SUNDenseMatrix_Data(matrix), SUNDenseMatrix_Rows(matrix),
                           SUNDenseMatrix_Columns(matrix));
    callback->system->jacobian(t, view(y), j);
    return j.allFinite() ? 0 : 1;
  } catch (...) {
    callback->failure = std::current_exception();
    return -1;
  }
}

void error_callback(int, const char*, const char*, char* message, void* data) {
  static_cast<Callback*>(data)->message = message;
}

// SUNDIALS' own dense solver is a plain triple loop; Eigen's blocked LU is several times faster.
using DenseLu = Eigen::PartialPivLU<MatrixXd>;

SUNLinearSolver_Type lu_type(SUNLinearSolver) {
  return SUNLINEARSOLVER_DIRECT;
}

int lu_setup(SUNLinearSolver solver, SUNMatrix matrix) {
  auto* lu = static_cast<DenseLu*>(solver->content);
  lu->compute(Eigen::Map<const MatrixXd>(SUNDenseMatrix_Data(matrix), SUNDenseMatrix_Rows(matrix),
                                         SUNDenseMatrix_Columns(matrix)));
  return lu->matrixLU().allFinite() ? 0 : SUNLS_LUFACT_FAIL;
}

int lu_solve(SUNLinearSolver solver, SUNMatrix, N_Vector x, N_Vector b, realtype) {
  view(x) = static_cast<DenseLu*>(solver->content)->solve(view(b));
  return 0;
}

// Owns the SUNDIALS objects of one integration.
class Cvode {
 public:
  Cvode(const System& system, double t0, const EvolutionOptions& options) {
    callback_.system = &system;
    require(SUNContext_Create(nullptr, &context_), "SUNContext_Create");
    y_ = N_VNew_Serial(system.size(), context_);
    view(y_) = system.initial();
    const bool stiff = options.integrator == TimeIntegrator::kBdf;
    memory_ = CVodeCreate(stiff ? CV_BDF : CV_ADAMS, context_);
    require(CVodeSetErrHandlerFn(memory_, error_callback, &callback_), "CVodeSetErrHandlerFn");
    require(CVodeInit(memory_, rhs_callback, t0, y_), "CVodeInit");
    require(CVodeSetUserData(memory_, &callback_), "CVodeSetUserData");
    require(CVodeSStolerances(memory_, options.relative_tolerance, options.absolute_tolerance),
            "CVodeSStolerances");
    if (stiff) {
      attach_newton(system.size());
    } else {
      fixed_point_ = SUNNonlinSol_FixedPoint(y_, 0, context_);
      require(CVodeSetNonlinearSolver(memory_, fixed_point_), "CVodeSetNonlinearSolver");
    }
  }
  Cvode(const Cvode&) = delete;
  Cvode& operator=(const Cvode&) = delete;
  ~Cvode() {
    CVodeFree(&memory_);
    if (linear_ != nullptr) SUNLinSolFreeEmpty(linear_);
    if (matrix_ != nullptr) SUNMatDestroy(matrix_);
    if (fixed_point_ != nullptr) SUNNonlinSolFree(fixed_point_);
    if (y_ != nullptr) N_VDestroy(y_);
    SUNContext_Free(&context_);
  }

  // One accepted step towards `end`; returns the time reached.
  double step(double end) {
    realtype t = 0.0;
    require(CVodeSetStopTime(memory_, end), "CVodeSetStopTime");
    require(CVode(memory_, end, y_, &t, CV_ONE_STEP), "CVode");
    return t;
  }

  // The derivatives 0..q at the end t of the last step of the polynomial that CVODE used there.
  MatrixXd derivatives(double t) {
    int order = 0;
    require(CVodeGetLastOrder(memory_, &order), "CVodeGetLastOrder");
    MatrixXd d(N_VGetLength(y_), order + 1);
    for (int k = 0; k <= order; ++k) {
      require(CVodeGetDky(memory_, t, k, y_), "CVodeGetDky");
      d.col(k) = view(y_);
    }
    return d;
  }

 private:
  void attach_newton(Index size) {
    matrix_ = SUNDenseMatrix(size, size, context_);
    linear_ = SUNLinSolNewEmpty(context_);
    linear_->ops->gettype = lu_type;
    linear_->ops->setup = lu_setup;
    linear_->ops->solve = lu_solve;
    linear_->content = &lu_;
    require(CVodeSetLinearSolver(memory_, linear_, matrix_), "CVodeSetLinearSolver");
    require(CVodeSetJacFn(memory_, jacobian_callback), "CVodeSetJacFn");
  }

  void require(int flag, const char* what) {
    if (callback_.failure) std::rethrow_exception(callback_.failure);
    if (flag < 0)
      throw NumericalError(std::string("spectral_time: ") + what + " failed (" + std::to_string(flag) + ") " +
                           callback_.message);
  }

  Callback callback_;
  DenseLu lu_;
  SUNContext context_ = nullptr;
  N_Vector y_ = nullptr;
  SUNMatrix matrix_ = nullptr;
  SUNLinearSolver linear_ = nullptr;
  SUNNonlinearSolver fixed_point_ = nullptr;
  void* memory_ = nullptr;
};

// CVODE's polynomial on one step (start, end], by its derivatives at the end.
struct Step {
  double start, end;
  MatrixXd derivatives;

  VectorXd at(double t) const {
    VectorXd y = derivatives.col(0);
    double factor = 1.0;
    for (Index k = 1; k < derivatives.cols(); ++k) {
      factor *= (t - end) / static_cast<double>(k);
      y += factor * derivatives.col(k);
    }
    return y;
  }
};

// Resamples a group of steps at Chebyshev-Lobatto times: an accurate interpolant that needs about one vector
// for each step instead of q + 1.
TimePiece piece_of(const System& system, const std::vector<Step>& steps) {
  constexpr int kDegree = 16;
  TimePiece piece;
  piece.start = steps.front().start;
  piece.end = steps.back().end;
  const VectorXd times = chebyshev_nodes(kDegree, piece.start, piece.end);
  std::size_t s = 0;
  for (int k = 0; k <= kDegree; ++k) {
    while (s + 1 < steps.size() && times(k) > steps[s].end) ++s;
    const VectorXd u = system.nodal(times(k), steps[s].at(times(k)));
    if (k == 0) piece.values.resize(u.size(), kDegree + 1);
    piece.values.col(k) = u;
  }
  return piece;
}

void check(const EvolutionProblem& p, int nodes) {
  if (!p.initial || !p.rhs) throw InputError("spectral_time: initial data and a right-hand side are needed");
  if (p.order < 1 || p.order > 4)
    throw InputError("spectral_time: order " + std::to_string(p.order) + " is not 1..4");
  if (p.n_fields < 1) throw InputError("spectral_time: n_fields must be at least 1");
  if (!(p.t0 < p.t1)) throw InputError("spectral_time: t0 < t1 is needed");
  if (nodes < 6)
    throw InputError("spectral_time: " + std::to_string(nodes) + " nodes, at least 6 are needed");
  if (p.periodic && !p.conditions.empty())
    throw InputError("spectral_time: a periodic problem has no side conditions");
  for (const SideCondition& c : p.conditions)
    if (c.field < 0 || c.field >= p.n_fields || c.coefficients.empty() || c.coefficients.size() > 5)
      throw InputError("spectral_time: a side condition of field " + std::to_string(c.field) +
                       " is malformed");
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

SpaceTimeSolution solve_evolution_at(const EvolutionProblem& problem, int nodes,
                                     const EvolutionOptions& options) {
  check(problem, nodes);
  const Clock::time_point start = Clock::now();
  SpaceTimeSolution solution;
  solution.n_fields = problem.n_fields;
  solution.error_estimate = std::numeric_limits<double>::quiet_NaN();
  solution.basis = {
      problem.a, problem.b, problem.periodic, nodes, options.cluster_center, options.cluster_width};
  const System system(problem, solution.basis);
  Cvode cvode(system, problem.t0, options);

  constexpr std::size_t kStepsPerPiece = 16;
  std::vector<Step> group;
  double t = problem.t0;
  while (t < problem.t1) {
    if (++solution.time_steps > options.max_time_steps)
      throw NumericalError("spectral_time: " + std::to_string(options.max_time_steps) +
                           " steps reach only t = " + scientific(t));
    const double before = t;
    t = cvode.step(problem.t1);
    if (!(t > before)) throw NumericalError("spectral_time: the step size vanished at t = " + scientific(t));
    // A piece spans steps of one scale: the smallest features are those of its first step.
    const bool grown = !group.empty() &&
                       t - group.front().start > kStepsPerPiece * (group.front().end - group.front().start);
    if (group.size() == kStepsPerPiece || grown) {
      solution.pieces.push_back(piece_of(system, group));
      group.clear();
    }
    group.push_back({before, t, cvode.derivatives(t)});
  }
  solution.pieces.push_back(piece_of(system, group));
  solution.seconds = seconds_since(start);
  return solution;
}

SpaceTimeSolution solve_evolution(const EvolutionProblem& problem, const EvolutionOptions& options) {
  const Clock::time_point start = Clock::now();
  if (options.initial_nodes > options.max_nodes / 2)
    throw InputError("spectral_time: max_nodes " + std::to_string(options.max_nodes) +
                     " leaves no doubling of initial_nodes " + std::to_string(options.initial_nodes));
  SpaceTimeSolution coarse = solve_evolution_at(problem, options.initial_nodes, options);
  SpaceTimeSolution fine;
  double space_change = std::numeric_limits<double>::infinity();
  for (int nodes = 2 * options.initial_nodes; nodes <= options.max_nodes; nodes *= 2) {
    fine = solve_evolution_at(problem, nodes, options);
    space_change = relative_change(coarse, fine, problem.t0 + options.compare_from);
    if (space_change <= options.tolerance || 2 * nodes > options.max_nodes) break;
    coarse = std::move(fine);
  }
  EvolutionOptions loose = options;
  loose.relative_tolerance *= 10.0;
  loose.absolute_tolerance *= 10.0;
  const double time_change = relative_change(solve_evolution_at(problem, coarse.basis.size, loose), coarse,
                                             problem.t0 + options.compare_from);
  fine.error_estimate = std::max(space_change, time_change);
  fine.seconds = seconds_since(start);
  if (options.require_convergence && !(fine.error_estimate <= options.tolerance))
    throw NumericalError("spectral_time: tolerance " + scientific(options.tolerance) + " missed with " +
                         std::to_string(fine.basis.size) + " nodes: relative change " +
                         scientific(space_change) + " under doubling of the nodes, " +
                         scientific(time_change) + " under tolerances / 10");
  return fine;
}

}  // namespace torsor
