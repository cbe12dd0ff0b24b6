#include "solvers/reference/space_time_solution.h"

#include <algorithm>
#include <string>

#include "physics/error.h"
#include "solvers/reference/chebyshev.h"

namespace torsor {
namespace {

Eigen::MatrixXd time_interpolation(const TimePiece& piece, const Eigen::VectorXd& times) {
  return chebyshev_interpolation(static_cast<int>(piece.values.cols()) - 1, piece.start, piece.end, times);
}

}  // namespace

std::size_t SpaceTimeSolution::piece_at(double t) const {
  if (pieces.empty()) throw InputError("SpaceTimeSolution: it holds no time interval");
  const double slack = 1e-12 * (pieces.back().end - pieces.front().start);  // t = 0.1 * 3 is not 0.3
  if (!(t >= pieces.front().start - slack && t <= pieces.back().end + slack))
    throw InputError("SpaceTimeSolution: t = " + std::to_string(t) + " lies outside [" +
                     std::to_string(pieces.front().start) + ", " + std::to_string(pieces.back().end) + "]");
  const auto piece = std::lower_bound(pieces.begin(), pieces.end(), t,
                                      [](const TimePiece& p, double time) { return p.end < time; });
  return std::min(static_cast<std::size_t>(piece - pieces.begin()), pieces.size() - 1);
}

Eigen::MatrixXd SpaceTimeSolution::nodal(double t) const {
  const TimePiece& piece = pieces[piece_at(t)];
  const Eigen::VectorXd weights = time_interpolation(piece, Eigen::VectorXd::Constant(1, t)).transpose();
  const Eigen::VectorXd column = piece.values * weights;
  return Eigen::Map<const Eigen::MatrixXd>(column.data(), basis.size, n_fields);
}

Eigen::MatrixXd SpaceTimeSolution::evaluate(const Eigen::MatrixXd& points, int x_order) const {
  if (points.cols() != 2)
    throw InputError("SpaceTimeSolution: points have " + std::to_string(points.cols()) +
                     " columns, (x, t) are 2");
  Eigen::MatrixXd derivative;
  if (x_order > 0) derivative = basis.differentiation(x_order);
  std::vector<std::vector<Eigen::Index>> of_piece(pieces.size());
  for (Eigen::Index i = 0; i < points.rows(); ++i) of_piece[piece_at(points(i, 1))].push_back(i);

  constexpr std::size_t kChunk = 1024;  // bounds the memory of the interpolation matrix
  Eigen::MatrixXd result(points.rows(), n_fields);
  for (std::size_t p = 0; p < pieces.size(); ++p)
    for (int f = 0; f < n_fields && !of_piece[p].empty(); ++f) {
      Eigen::MatrixXd values =
          pieces[p].values.middleRows(static_cast<Eigen::Index>(f) * basis.size, basis.size);
      if (x_order > 0) values = derivative * values;
      for (std::size_t first = 0; first < of_piece[p].size(); first += kChunk) {
        const auto begin = of_piece[p].begin() + static_cast<std::ptrdiff_t>(first);
        const std::vector<Eigen::Index> rows(
            begin, begin + static_cast<std::ptrdiff_t>(std::min(kChunk, of_piece[p].size() - first)));
        const Eigen::MatrixXd in_x = basis.interpolation(points(rows, 0));
        const Eigen::MatrixXd in_t = time_interpolation(pieces[p], points(rows, 1));
        result(rows, f) = (in_x * values).cwiseProduct(in_t).rowwise().sum();
      }
    }
  return result;
}

double relative_change(const SpaceTimeSolution& coarse, const SpaceTimeSolution& fine) {
  return relative_change(coarse, fine, fine.pieces.front().start);
}

double relative_change(const SpaceTimeSolution& coarse, const SpaceTimeSolution& fine, double from) {
  constexpr int kTimes = 64;
  const double end = fine.pieces.back().end;
  const auto at_times = [&](const SpaceTimeSolution& solution) {  // size x (n_fields kTimes)
    Eigen::MatrixXd values(solution.basis.size, solution.n_fields * kTimes);
    for (int k = 0; k < kTimes; ++k)
      values.middleCols(k * solution.n_fields, solution.n_fields) =
          solution.nodal(from + (end - from) * k / (kTimes - 1));
    return values;
  };
  const Eigen::MatrixXd u = at_times(fine), nodes = fine.basis.nodes();
  Eigen::MatrixXd other = at_times(coarse);
  if (coarse.basis.size != fine.basis.size || coarse.basis.nodes() != nodes)
    other = (coarse.basis.interpolation(nodes) * other).eval();
  return (other - u).cwiseAbs().maxCoeff() / (1.0 + u.cwiseAbs().maxCoeff());
}

}  // namespace torsor
