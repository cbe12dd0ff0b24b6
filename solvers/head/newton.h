// Newton's method for the head: linearise every term at the current state, solve the least-squares system for the new
// head (not for an increment: this keeps the digits), search along the line to it, repeat. A linear problem is the
// case that is done after one step. The state is the fields' jets at the points, so the start may be any field, also
// one that the ansatz cannot represent: a coarser head, the end of the window before.
#pragma once

#include "solvers/head/row_system.h"

namespace torsor {

/// The jets of the problem's fields at points: N x jets.size().
using FieldFunction =
    std::function<Eigen::MatrixXd(const Eigen::MatrixXd& points, const std::vector<FieldJet>& jets)>;

/// The fields that a head makes of an ansatz; both must outlive it.
inline FieldFunction field_of(const Ansatz& ansatz, const Eigen::VectorXd& head) {
  return [&ansatz, &head](const Eigen::MatrixXd& x, const std::vector<FieldJet>& jets) { return ansatz.jets(x, jets, head); };
}

struct NewtonOptions {
  /// Most linearisations.
  int max_iterations = 30;
  /// Stop when a full step changes the fields by less than this, relative. Newton's error after a step is about its
  /// square, so 1e-6 is enough for an error of about 1e-12.
  double tolerance = 1e-6;
  LeastSquaresOptions least_squares;
  double boundary_weight = 1;
  /// Raise the load from the start's residual to nothing in steps of adaptive length, for problems that are too
  /// nonlinear for one go; several times as costly.
  bool load_continuation = false;
};

struct NewtonReport {
  int iterations = 0;
  bool linear = false;
  bool converged = false;
  std::vector<double> residuals;  ///< rms of the weighted residual before each step and at the end
  std::vector<double> updates;    ///< relative change of the fields by each step
  HeadReport head;
};

/// Whether every term is affine in the jets: its coefficients are the same at two different states.
bool is_linear(const Problem& problem, const std::vector<TermPoints>& points);

/// Whether two problems with the same terms have equal coefficients (they differ in their data only).
bool equal_operators(const Problem& a, const Problem& b, const std::vector<TermPoints>& points);

/// Solves for the head from the state `start` (empty: all jets zero). One column for each problem in `tasks`, which must be
/// linear with equal coefficients when there are several. Where the residual stops falling at a state that does not solve
/// the equations, the best head is returned with report.converged = false. Throws NumericalError when there is none.
Eigen::MatrixXd solve_newton(const std::vector<const Problem*>& tasks, const Ansatz& ansatz,
                             const std::vector<TermPoints>& points, const FieldFunction& start,
                             const NewtonOptions& options, NewtonReport& report);

}  // namespace torsor
