#include "solvers/head/row_system.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "physics/error.h"
#include "solvers/dense/chain_qr.h"
#include "solvers/dense/streamed_qr.h"
#include "solvers/dense/triangular_solve.h"

namespace torsor {
namespace {

constexpr Index kBlockRows = 512;

}  // namespace

RowSystem::RowSystem(const Problem& problem, const Ansatz& ansatz, const std::vector<TermPoints>& points,
                     double boundary_weight)
    : ansatz_(ansatz), points_(points) {
  double interior = 0;
  for (const auto& set : points)
    if (problem.terms[static_cast<size_t>(set.term)].place == Place::interior)
      interior = std::max(interior, static_cast<double>(set.points.rows()));
  for (const auto& set : points) {
    const bool inside = problem.terms[static_cast<size_t>(set.term)].place == Place::interior;
    const double balance = std::sqrt(interior / static_cast<double>(set.points.rows()));
    weights_.push_back(set.weight * (inside ? 1.0 : boundary_weight * balance));
  }
  // rows[2 slot + 1]: points that touch the successor too; rows[2 slot]: those that do not.
  std::vector<std::vector<std::vector<Index>>> rows(static_cast<size_t>(2 * ansatz.groups()),
                                                    std::vector<std::vector<Index>>(points.size()));
  const Patchwork& patchwork = ansatz.patchwork(0);
  for (size_t s = 0; s < points.size(); ++s)
    for (Index k = 0; k < points[s].points.rows(); ++k) {
      const auto& point = points[s].points.row(k);
      const bool one = ansatz.groups() == 1;
      const Index place = one ? 0 : 2 * patchwork.slot(point) + (patchwork.touches_next(point) ? 1 : 0);
      rows[static_cast<size_t>(place)][s].push_back(k);
    }
  for (size_t place = 0; place < rows.size(); ++place)
    add_source(static_cast<Index>(place / 2), place % 2 == 1, rows[place]);
}

void RowSystem::add_source(Index slot, bool with_next, const std::vector<std::vector<Index>>& rows_of_set) {
  Source source{slot, with_next, {}};
  Block block;
  for (size_t s = 0; s < rows_of_set.size(); ++s) {
    const auto& rows = rows_of_set[s];
    for (size_t first = 0; first < rows.size();) {
      const size_t n = std::min(rows.size() - first, static_cast<size_t>(kBlockRows - block.rows));
      const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
      block.pieces.push_back({static_cast<Index>(s), {begin, begin + static_cast<std::ptrdiff_t>(n)}});
      block.rows += static_cast<Index>(n);
      first += n;
      if (block.rows == kBlockRows) source.blocks.push_back(std::exchange(block, {}));
    }
  }
  if (block.rows > 0) source.blocks.push_back(std::move(block));
  if (!source.blocks.empty()) sources_.push_back(std::move(source));
}

// Square of the size that rows with these coefficients have when nothing cancels: features are of size one.
double RowSystem::largest_row(const Block& block, const std::vector<TermRows>& rows) const {
  double largest = 0;
  for (const auto& piece : block.pieces)
    largest = std::max(
        largest, rows[static_cast<size_t>(piece.set)].coefficients(piece.rows, Eigen::all).cwiseAbs2().maxCoeff());
  return largest * static_cast<double>(ansatz_.columns());
}

// Writes the weighted rows of a block: the columns of group `slot` at `own`, those of its successor at `next`.
Index RowSystem::fill(const Source& source, const Block& block, const std::vector<TermRows>& rows, double* own,
                      double* next, double* b, Index ld,
                      std::vector<Eigen::VectorXd>& row_weights) const {
  using Columns = Eigen::Map<Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
  const auto columns_at = [&](double* data, Index columns) {
    return Columns(data, block.rows, columns, Eigen::OuterStride<>(ld));
  };
  const Index successor = source.slot + 1 < ansatz_.groups() ? source.slot + 1 : 0;
  Columns own_columns = columns_at(own, ansatz_.group_columns(source.slot));
  Columns next_columns = columns_at(next, source.with_next ? ansatz_.group_columns(successor) : 0);
  Columns right = columns_at(b, rows.front().right_sides.cols());
  own_columns.setZero();
  next_columns.setZero();
  Eigen::ArrayXd weight(block.rows);
  Index first = 0;
  for (const auto& piece : block.pieces) {
    const auto s = static_cast<size_t>(piece.set);
    const auto n = static_cast<Index>(piece.rows.size());
    ansatz_.add_rows(source.slot, points_[s].points(piece.rows, Eigen::all), rows[s].jets,
                     rows[s].coefficients(piece.rows, Eigen::all), own + first,
                     source.with_next ? next + first : nullptr, ld);
    right.middleRows(first, n) = rows[s].right_sides(piece.rows, Eigen::all);
    weight.segment(first, n).setConstant(weights_[s]);
    first += n;
  }
  Eigen::ArrayXd norms = Eigen::ArrayXd::Zero(block.rows);
  for (const auto& part : {own_columns, next_columns})
    for (Index j = 0; j < part.cols(); ++j) norms += part.col(j).array().square();
  // A row that a hard constraint leaves nothing of but rounding says nothing, and must not be blown up to full size.
  first = 0;
  for (const auto& piece : block.pieces) {
    const auto n = static_cast<Index>(piece.rows.size());
    if (!points_[static_cast<size_t>(piece.set)].equalise)
      norms.segment(first, n).setConstant(0.5 * static_cast<double>(ansatz_.columns()));
    first += n;
  }
  const double negligible = 1e-24 * std::max(norms.maxCoeff(), largest_row(block, rows));
  weight = (norms > negligible).select(weight / norms.max(1e-300).sqrt(), 0.0);
  first = 0;
  for (const auto& piece : block.pieces) {
    const auto n = static_cast<Index>(piece.rows.size());
    row_weights[static_cast<size_t>(piece.set)](piece.rows) = weight.segment(first, n).matrix();
    first += n;
  }
  for (auto part : {own_columns, next_columns, right})
    for (Index j = 0; j < part.cols(); ++j) part.col(j).array() *= weight;
  return block.rows;
}

RowSystem::Result RowSystem::solve(const std::vector<TermRows>& rows, const LeastSquaresOptions& options) const {
  Result result;
  for (const auto& set : points_) {
    result.report.rows += set.points.rows();
    result.row_weights.emplace_back(set.points.rows());
  }
  result.report.columns = ansatz_.columns();
  if (ansatz_.groups() == 1) solve_global(rows, options, result);
  else solve_patches(rows, options, result);
  return result;
}

void RowSystem::solve_global(const std::vector<TermRows>& rows, const LeastSquaresOptions& options,
                             Result& result) const {
  const auto n = static_cast<int>(ansatz_.columns());
  const auto n_right = static_cast<int>(rows.front().right_sides.cols());
  StreamOptions stream;
  stream.block_rows = static_cast<int>(kBlockRows);
  StreamedQr qr = factor_streamed(
      static_cast<int>(sources_.front().blocks.size()), n, n_right,
      [&](int block, const RowBlock& buffer) {
        const Source& source = sources_.front();
        return static_cast<int>(
            fill(source, source.blocks[static_cast<size_t>(block)], rows, buffer.a, nullptr, buffer.b, buffer.ld,
                                     result.row_weights));
      },
      stream);
  if (options.ridge > 0) absorb_ridge(qr, options.ridge);
  TriangularOptions triangular;
  triangular.rcond = options.rcond;
  triangular.max_growth = options.max_growth;
  triangular.singular_values = options.singular_values;
  TriangularSolution solution = solve_triangular(qr, triangular);
  HeadReport& report = result.report;
  report.rank = solution.rank;
  report.condition = solution.condition;
  report.cut_off = solution.cut_off;
  report.method = method_name(solution.method);
  report.singular_values = std::move(solution.singular_values);
  report.norm = *std::max_element(solution.scaled_norms.begin(), solution.scaled_norms.end());
  report.residual = *std::max_element(solution.residual_norms.begin(), solution.residual_norms.end()) /
                    std::sqrt(static_cast<double>(report.rows));
  result.head = Eigen::Map<const Eigen::MatrixXd>(solution.w.data.data(), n, n_right);
}

void RowSystem::solve_patches(const std::vector<TermRows>& rows, const LeastSquaresOptions& options,
                              Result& result) const {
  ChainShape shape;
  shape.periodic = ansatz_.patchwork(0).wraps();
  for (Index g = 0; g < ansatz_.groups(); ++g) shape.sizes.push_back(static_cast<int>(ansatz_.group_columns(g)));
  std::vector<ChainSource> sources;
  for (const auto& source : sources_)
    sources.push_back({static_cast<int>(source.slot), source.with_next, static_cast<int>(source.blocks.size())});
  ChainOptions chain;
  chain.block_rows = static_cast<int>(kBlockRows);
  chain.rcond = options.rcond;
  chain.ridge = options.ridge;
  const auto n_right = static_cast<int>(rows.front().right_sides.cols());
  const ChainSolution solution = torsor::solve_chain(
      shape, n_right, sources,
      [&](int source, int block, const ChainBlock& buffer) {
        const Source& own = sources_[static_cast<size_t>(source)];
        return static_cast<int>(
            fill(own, own.blocks[static_cast<size_t>(block)], rows, buffer.own, buffer.next, buffer.b, buffer.ld,
                                     result.row_weights));
      },
      chain);
  HeadReport& report = result.report;
  report.rank = solution.rank;
  report.condition = solution.condition;
  report.cut_off = solution.cut_off;
  report.method = "chain of patches";
  report.norm = *std::max_element(solution.norms.begin(), solution.norms.end());
  report.residual = *std::max_element(solution.residual_norms.begin(), solution.residual_norms.end()) /
                    std::sqrt(static_cast<double>(report.rows));
  result.head = Eigen::Map<const Eigen::MatrixXd>(solution.w.data.data(), report.columns, n_right);
}

}  // namespace torsor
