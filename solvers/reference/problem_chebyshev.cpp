// Problems for Chebyshev collocation (chebyshev_collocation.h): one field on an interval or rectangle, with
// the terms' residuals and their derivatives by the jets passed on as they are.
//
// On a rectangle the leading corner singularities (corner_singularity.h), known beforehand from the data and
// the equation at the corners, are taken out: u = p + sum_j c_j S_j, and the collocation solves for the
// smoother p.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <optional>
#include <sstream>
#include <utility>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"
#include "solvers/reference/chebyshev_collocation.h"
#include "solvers/reference/corner_singularity.h"
#include "solvers/reference/problem_adapters.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// The column of a jet in the solver's order: u, u_x, u_xx, or u, u_x, u_y, u_xx, u_xy, u_yy.
Index jet_column(const MultiIndex& orders) {
  if (orders.size() == 1) return orders[0];
  const int total = total_order(orders);
  return total * (total + 1) / 2 + orders[1];
}

std::string term_obstacle(const Problem& problem, const Term& term) {
  for (const FieldJet& jet : term.jets)
    if (total_order(jet.orders) > 2)
      return "'" + term.name + "' has " + problem.jet_text(jet) + ", beyond second order";
  return {};
}

std::string obstacle(const Problem& problem) {
  if (problem.time() >= 0 || problem.dimension() > 2)
    return "one or two space dimensions without time are needed";
  if (!problem.box) return "the domain must be the box of the coordinates";
  for (const Coordinate& c : problem.coordinates)
    if (c.periodic) return "coordinate '" + c.name + "' is periodic";
  const auto interior = terms_at(problem, Place::interior);
  if (problem.fields.size() != 1 || interior.size() != 1)
    return "one field with one interior residual is needed";
  if (const std::string reason = term_obstacle(problem, *interior[0]); !reason.empty()) return reason;
  for (const BoxSide& side : box_sides(problem)) {
    const auto terms = terms_on(problem, side.piece);
    if (terms.size() != 1) return "boundary piece '" + side.piece + "' needs one condition";
    if (const std::string reason = term_obstacle(problem, *terms[0]); !reason.empty()) return reason;
  }
  return {};
}

using Corners = std::vector<CornerSingularity>;

// The jets that a term asks for, out of all.
MatrixXd term_jets(const Term& term, const MatrixXd& jets) {
  MatrixXd own(jets.rows(), static_cast<Index>(term.jets.size()));
  for (size_t c = 0; c < term.jets.size(); ++c)
    own.col(static_cast<Index>(c)) = jets.col(jet_column(term.jets[c].orders));
  return own;
}

// The term as an equation for the smooth part p.
JetResidual equation(const std::shared_ptr<const Problem>& problem, const Term& term, const Corners& corners,
                     const std::optional<BoxSide>& side) {
  return [problem, &term, corners, side](const MatrixXd& points, const MatrixXd& jets, VectorXd& residual,
                                         MatrixXd& partials) {
    const MatrixXd normals = side ? side_normals(*problem, *side, points.rows()) : MatrixXd();
    const MatrixXd all = corners.empty() ? jets : MatrixXd(jets + singular_jets(corners, points));
    const LinearizedTerm linear = linearize(*problem, term, points, normals, term_jets(term, all));
    residual = linear.residual;
    for (size_t c = 0; c < term.jets.size(); ++c)
      partials.col(jet_column(term.jets[c].orders)) += linear.coefficients.col(static_cast<Index>(c));
  };
}

// ---- corner singularities -----------------------------------------------------------------------

// g, g', g'' of the Dirichlet data of a side at its two ends (rows: low, high); nothing when the side has
// another condition or data that are not smooth.
std::optional<MatrixXd> end_jets(const Problem& problem, const BoxSide& side) {
  const Index along = 1 - side.coordinate;
  const Coordinate& axis = problem.coordinates[static_cast<size_t>(along)];
  const Term& term = *terms_on(problem, side.piece).front();
  for (int degree = 16; degree <= 128; degree *= 2) {
    MatrixXd points = MatrixXd::Zero(degree + 1, 2);
    points.col(along) = chebyshev_nodes(degree, axis.low, axis.high);
    points = on_side(problem, side, points);
    const TermProbe probe = probe_term(problem, term, points, side_normals(problem, side, degree + 1));
    for (size_t c = 0; c < term.jets.size(); ++c)
      if (!probe.linear[c] || (!probe.absent[c] && total_order(term.jets[c].orders) > 0)) return std::nullopt;
    const VectorXd g = -probe.at_zero.residual.cwiseQuotient(probe.at_zero.coefficients.rowwise().sum());
    if (!g.allFinite()) return std::nullopt;
    const VectorXd modes = chebyshev_coefficients(g).cwiseAbs();
    if (modes.tail(1 + degree / 8).maxCoeff() > 1e-13 * modes.maxCoeff()) continue;
    const MatrixXd d = chebyshev_differentiation(degree, axis.low, axis.high);
    MatrixXd jets(degree + 1, 3);
    jets << g, d * g, d * (d * g);
    MatrixXd ends(2, 3);
    ends << jets.row(0), jets.row(degree);
    return ends;
  }
  return std::nullopt;
}

// The singularity at the corner of side `sx` of x and side `sy` of y (0 low, 1 high); x_data belong to that
// side of x.
std::optional<CornerSingularity> corner_singularity(const Problem& problem, int sx, int sy,
                                                    const MatrixXd& x_data, const MatrixXd& y_data) {
  const Coordinate &x = problem.coordinates[0], &y = problem.coordinates[1];
  const Eigen::RowVector3d in_y = x_data.row(sy), in_x = y_data.row(sx);
  const double size = 1.0 + x_data.col(0).cwiseAbs().maxCoeff();
  if (std::abs(in_x(0) - in_y(0)) > 1e-12 * size) return std::nullopt;  // a jump, which S does not describe
  CornerSingularity s;
  s.corner = {sx ? x.high : x.low, sy ? y.high : y.low};
  s.direction = {sx ? -1.0 : 1.0, sy ? -1.0 : 1.0};
  MatrixXd point(1, 2), jets(1, 6);
  point << s.corner[0], s.corner[1];
  jets << in_x(0), in_x(1), in_y(1), in_x(2), 0.0, in_y(2);
  const Term& pde = *terms_at(problem, Place::interior).front();
  const LinearizedTerm linear = linearize(problem, pde, point, {}, term_jets(pde, jets));
  double principal[3] = {0.0, 0.0, 0.0};  // of u_xx, u_xy, u_yy
  for (size_t c = 0; c < pde.jets.size(); ++c)
    if (total_order(pde.jets[c].orders) == 2)
      principal[pde.jets[c].orders[1]] += linear.coefficients(0, static_cast<Index>(c));
  if (principal[1] != 0.0 || !(principal[0] * principal[2] > 0.0)) return std::nullopt;
  s.scale[0] = 1.0 / (x.high - x.low);
  s.scale[1] = s.scale[0] * std::sqrt(principal[0] / principal[2]);
  s.coefficient = -linear.residual(0) / (std::numbers::pi * principal[0] * s.scale[0] * s.scale[0]);
  return s;
}

Corners corner_singularities(const Problem& problem) {
  Corners corners;
  if (problem.dimension() != 2) return corners;
  std::vector<std::optional<MatrixXd>> data;
  for (const BoxSide& side : box_sides(problem)) data.push_back(end_jets(problem, side));
  for (int sx = 0; sx < 2; ++sx)
    for (int sy = 0; sy < 2; ++sy) {
      const auto &x_data = data[static_cast<size_t>(sx)], &y_data = data[static_cast<size_t>(2 + sy)];
      if (!x_data || !y_data) continue;
      if (const auto s = corner_singularity(problem, sx, sy, *x_data, *y_data)) corners.push_back(*s);
    }
  return corners;
}

// ---- the sequence of degrees --------------------------------------------------------------------

std::vector<int> degrees(Index dimension, int cap) {
  std::vector<int> list = dimension == 1 ? std::vector<int>{16, 32, 64, 128, 256, 512}
                                         : std::vector<int>{16, 24, 32, 48, 64, 96, 128, 192};
  if (cap == 0) return list;
  list.erase(std::remove_if(list.begin(), list.end(), [cap](int degree) { return degree >= cap; }),
             list.end());
  list.push_back(std::max(cap, 4));
  return list;
}

// Elimination in 2-D takes the sixth power of the degree: seconds here, minutes at the next one.
constexpr int kMaxEliminatedDegree = 64;

struct Converged {
  ChebyshevSolution smooth;
  double change = 1.0;  // relative to max |u|, between the last two degrees
};

// u from the values of p at the points.
VectorXd whole(const VectorXd& p, const Corners& corners, const MatrixXd& points) {
  return corners.empty() ? p : VectorXd(p + singular_jets(corners, points).col(0));
}

// Products of matrices of some hundred rows lose more by waking threads than they gain, by far on a busy
// machine.
class OneThread {
 public:
  OneThread() : before_(Eigen::nbThreads()) { Eigen::setNbThreads(1); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;
  ~OneThread() { Eigen::setNbThreads(before_); }

 private:
  int before_;
};

Converged refine(ChebyshevProblem problem, const Corners& corners, const ReferenceOptions& options) {
  const OneThread sequential;
  Converged best;
  for (int degree : degrees(problem.lower.size(), options.max_resolution)) {
    ChebyshevSolution fine = solve_chebyshev_at(problem, degree);
    if (best.smooth.degree > 0) {
      const MatrixXd nodes = fine.nodes();
      const VectorXd change = fine.values - best.smooth.evaluate(nodes);
      const double largest = whole(fine.values, corners, nodes).cwiseAbs().maxCoeff();
      best.change = change.cwiseAbs().maxCoeff() / (largest > 0.0 ? largest : 1.0);
    }
    best.smooth = std::move(fine);
    if (best.change <= options.tolerance) break;
    const bool slow =
        best.smooth.lower.size() == 2 && best.smooth.eliminated && degree >= kMaxEliminatedDegree;
    if (slow && options.max_resolution == 0) break;
    problem.initial_guess = [coarse = best.smooth](const MatrixXd& points) {
      return coarse.evaluate(points);
    };
  }
  return best;
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const Corners corners = corner_singularities(*problem);
  const MatrixXd box = coordinate_box(problem->coordinates);
  ChebyshevProblem chebyshev;
  chebyshev.lower = box.col(0);
  chebyshev.upper = box.col(1);
  chebyshev.interior = equation(problem, *terms_at(*problem, Place::interior).front(), corners, std::nullopt);
  for (const BoxSide& side : box_sides(*problem))
    chebyshev.sides.push_back(equation(problem, *terms_on(*problem, side.piece).front(), corners, side));
  if (!corners.empty())  // Newton starts from u = 0, not from p = 0
    chebyshev.initial_guess = [corners](const MatrixXd& points) {
      return VectorXd(-singular_jets(corners, points).col(0));
    };
  const Converged result = refine(chebyshev, corners, options);
  if (options.require_convergence && !(result.change <= options.tolerance)) {
    std::ostringstream text;
    text << "chebyshev-collocation: degree " << result.smooth.degree << " still changes the solution by "
         << result.change << " (relative), tolerance " << options.tolerance;
    throw NumericalError(text.str());
  }
  ReferenceSolution solution;
  solution.evaluate = [smooth = result.smooth, corners](const MatrixXd& points) {
    return MatrixXd(whole(smooth.evaluate(points), corners, points));
  };
  solution.error_estimate = result.change;
  solution.detail = "degree " + std::to_string(result.smooth.degree);
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return solution;
}

}  // namespace

ReferenceAdapter chebyshev_adapter() {
  return {"chebyshev-collocation", obstacle, solve};
}

}  // namespace torsor
