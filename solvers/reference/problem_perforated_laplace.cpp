// Problems for the series of perforated_laplace.h: an interior residual
//
//   a (u_xx + u_yy) + q = 0,  a and q constant,  hence Lap u = -q/a,
//
// on a box minus discs with c u + g = 0 on each boundary piece. The circles are found from the pieces
// themselves: a piece is a circle when its points fit one and its normals point to the centre, and whole when
// its length is 2 pi r.
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "solvers/reference/perforated_laplace.h"
#include "solvers/reference/problem_adapters.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

bool is_side(const Problem& problem, const std::string& piece) {
  const auto sides = box_sides(problem);
  return std::any_of(sides.begin(), sides.end(), [&](const BoxSide& side) { return side.piece == piece; });
}

// The whole circle that a piece is, by least squares on |z|^2 = 2 c . z + k.
std::optional<Disc> fitted_disc(const BoundaryPiece& piece) {
  constexpr Index kSamples = 16;
  const BoundarySample sample = piece.map(VectorXd::LinSpaced(kSamples, 0.0, 1.0 - 1.0 / kSamples));
  MatrixXd a(kSamples, 3);
  a << 2.0 * sample.points, VectorXd::Ones(kSamples);
  const VectorXd fit = a.colPivHouseholderQr().solve(sample.points.rowwise().squaredNorm());
  const Disc disc{fit(0), fit(1), std::sqrt(std::max(0.0, fit(2) + fit(0) * fit(0) + fit(1) * fit(1)))};
  const MatrixXd to_centre = Eigen::RowVector2d(disc.x, disc.y).replicate(kSamples, 1) - sample.points;
  const bool round =
      disc.radius > 0.0 && (to_centre - disc.radius * sample.normals).norm() <= 1e-9 * disc.radius;
  const bool whole = std::abs(piece.measure - 2.0 * std::numbers::pi * disc.radius) <= 1e-3 * piece.measure;
  return round && whole ? std::optional<Disc>(disc) : std::nullopt;
}

std::string interior_obstacle(const Problem& problem) {
  if (problem.dimension() != 2 || problem.time() >= 0) return "two space dimensions without time are needed";
  const auto terms = terms_at(problem, Place::interior);
  if (problem.fields.size() != 1 || terms.size() != 1)
    return "one field with one interior residual is needed";
  const TermProbe probe = probe_term(problem, *terms[0], probe_points(problem));
  double laplacian[2] = {0.0, 0.0};
  for (size_t c = 0; c < probe.absent.size(); ++c) {
    if (probe.absent[c]) continue;
    const MultiIndex& orders = terms[0]->jets[c].orders;
    const bool second = orders == MultiIndex{2, 0} || orders == MultiIndex{0, 2};
    if (!second || !probe.constant[c])
      return "the residual is not a (u_xx + u_yy) = const: it has " + problem.jet_text(terms[0]->jets[c]);
    laplacian[orders[1] / 2] = probe.at_zero.coefficients(0, static_cast<Index>(c));
  }
  if (laplacian[0] == 0.0 || laplacian[0] != laplacian[1]) return "the coefficients of u_xx and u_yy differ";
  const VectorXd& source = probe.at_zero.residual;
  if ((source.array() - source(0)).abs().maxCoeff() > 1e-12 * std::abs(source(0)))
    return "the source is not constant";
  return {};
}

// The points and normals of a piece where its data are probed.
BoundarySample piece_sample(const BoundaryPiece& piece) {
  return piece.map(VectorXd::LinSpaced(9, 0.03, 0.97));
}

std::string boundary_obstacle(const Problem& problem) {
  size_t sides = 0;
  for (const BoundaryPiece& piece : problem.pieces) {
    if (is_side(problem, piece.name)) {
      ++sides;
    } else if (!fitted_disc(piece)) {
      return "boundary piece '" + piece.name +
             "' is neither a side of the box nor a whole circle around a hole";
    }
    const auto terms = terms_on(problem, piece.name);
    if (terms.size() != 1) return "boundary piece '" + piece.name + "' needs one condition";
    const BoundarySample sample = piece_sample(piece);
    const TermProbe probe = probe_term(problem, *terms[0], sample.points, sample.normals);
    bool value = false;
    for (size_t c = 0; c < probe.absent.size(); ++c) {
      if (probe.absent[c]) continue;
      if (total_order(terms[0]->jets[c].orders) > 0 || !probe.linear[c])
        return "boundary condition '" + terms[0]->name + "' does not give the value of the field";
      value = true;
    }
    if (!value) return "boundary condition '" + terms[0]->name + "' vanishes on " + piece.name;
  }
  return sides == 4 ? "" : "the domain must be the box of the coordinates minus discs";
}

std::string obstacle(const Problem& problem) {
  const std::string reason = interior_obstacle(problem);
  return reason.empty() ? boundary_obstacle(problem) : reason;
}

// The u that the condition of a piece asks for: -residual(0)/coefficient.
VectorXd dirichlet_data(const Problem& problem, const std::string& piece, const MatrixXd& points,
                        const MatrixXd& normals) {
  const Term& term = *terms_on(problem, piece).front();
  const MatrixXd zero = MatrixXd::Zero(points.rows(), static_cast<Index>(term.jets.size()));
  const LinearizedTerm linear = linearize(problem, term, points, normals, zero);
  return -linear.residual.cwiseQuotient(linear.coefficients.rowwise().sum());
}

// A point of the outer boundary belongs to the side that is nearest; at a corner either will do.
const BoxSide& nearest_side(const Problem& problem, const std::vector<BoxSide>& sides,
                            const Eigen::RowVectorXd& point) {
  const auto distance = [&](const BoxSide& side) {
    const Coordinate& c = problem.coordinates[static_cast<size_t>(side.coordinate)];
    return std::abs(point(side.coordinate) - (side.upper ? c.high : c.low)) / (c.high - c.low);
  };
  return *std::min_element(sides.begin(), sides.end(),
                           [&](const BoxSide& a, const BoxSide& b) { return distance(a) < distance(b); });
}

VectorXd outer_data(const Problem& problem, const MatrixXd& points) {
  const auto sides = box_sides(problem);
  VectorXd data(points.rows());
  for (const BoxSide& side : sides) {
    std::vector<Index> rows;
    for (Index i = 0; i < points.rows(); ++i)
      if (nearest_side(problem, sides, points.row(i)).piece == side.piece) rows.push_back(i);
    if (rows.empty()) continue;
    const auto n = static_cast<Index>(rows.size());
    data(rows) =
        dirichlet_data(problem, side.piece, points(rows, Eigen::all), side_normals(problem, side, n));
  }
  return data;
}

double source_of(const Problem& problem) {
  const Term& term = *terms_at(problem, Place::interior).front();
  const MatrixXd point = probe_points(problem).topRows(1);
  const LinearizedTerm at_zero =
      linearize(problem, term, point, {}, MatrixXd::Zero(1, static_cast<Index>(term.jets.size())));
  for (size_t c = 0; c < term.jets.size(); ++c)
    if (term.jets[c].orders == MultiIndex{2, 0})
      return -at_zero.residual(0) / at_zero.coefficients(0, static_cast<Index>(c));
  return 0.0;
}

PerforatedProblem translate(const std::shared_ptr<const Problem>& problem) {
  PerforatedProblem laplace;
  const MatrixXd box = coordinate_box(problem->coordinates);
  laplace.lower = box.col(0);
  laplace.upper = box.col(1);
  laplace.source = source_of(*problem);
  laplace.outer = [problem](const MatrixXd& points) { return outer_data(*problem, points); };
  for (const BoundaryPiece& piece : problem->pieces) {
    if (is_side(*problem, piece.name)) continue;
    const Disc disc = *fitted_disc(piece);
    laplace.discs.push_back(disc);
    laplace.inner.push_back([problem, disc, name = piece.name](const MatrixXd& points) {
      const Eigen::RowVector2d centre(disc.x, disc.y);
      return dirichlet_data(*problem, name, points,
                            (centre.replicate(points.rows(), 1) - points) / disc.radius);
    });
  }
  return laplace;
}

// A bound of max |u| by the data and the source: max |g| + |s| diameter^2/16.
double size_of(const Problem& problem, const PerforatedProblem& laplace) {
  double largest = 0.0;
  for (const BoundaryPiece& piece : problem.pieces) {
    const BoundarySample sample = piece_sample(piece);
    const VectorXd data = dirichlet_data(problem, piece.name, sample.points, sample.normals);
    largest = std::max(largest, data.cwiseAbs().maxCoeff());
  }
  return largest + std::abs(laplace.source) * (laplace.upper - laplace.lower).squaredNorm() / 16.0;
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const PerforatedProblem laplace = translate(problem);
  double size = size_of(*problem, laplace);
  if (size == 0.0) size = 1.0;
  PerforatedOptions settings;
  settings.tolerance = options.tolerance * size;
  settings.require_convergence = options.require_convergence;
  if (options.max_resolution > 0) settings.max_degree = options.max_resolution;
  settings.initial_degree = std::min(settings.initial_degree, settings.max_degree);
  const auto result = std::make_shared<const PerforatedSolution>(solve_perforated_laplace(laplace, settings));
  ReferenceSolution solution;
  solution.evaluate = [result](const MatrixXd& points) { return MatrixXd(result->evaluate(points)); };
  solution.seconds = result->seconds;
  solution.error_estimate = result->misfit / size;
  solution.detail = "degree " + std::to_string(result->degree);
  return solution;
}

}  // namespace

ReferenceAdapter perforated_laplace_adapter() {
  return {"perforated-laplace", obstacle, solve};
}

}  // namespace torsor
