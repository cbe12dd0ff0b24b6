#include "solvers/head/row_system.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "physics/error.h"
#include "solvers/dense/streamed_qr.h"
#include "solvers/dense/triangular_solve.h"

namespace torsor {
namespace {

constexpr Index kBlockRows = 512;

/// Fields whose jets have a coefficient other than zero at some point; the first field where there are none.
FieldSpan span_of(const RowSystem::TermRows& rows) {
  FieldSpan span;
  bool found = false;
  for (size_t c = 0; c < rows.jets.size(); ++c) {
    if ((rows.coefficients.col(static_cast<Index>(c)).array() == 0).all()) continue;
    const Index field = rows.jets[c].field;
    span = found ? FieldSpan{std::min(span.first, field), std::max(span.last, field)} : FieldSpan{field, field};
    found = true;
  }
  return span;
}

}  // namespace

std::vector<Index> chunk_fields(const std::vector<FieldSpan>& spans, Index fields) {
  std::vector<Index> ends{1};
  while (ends.back() < fields) {
    Index end = ends.back() + 1;
    for (const auto& span : spans)
      if (span.first < ends.back()) end = std::max(end, span.last + 1);
    ends.push_back(end);
  }
  return ends;
}

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
}

RowSystem::Chain RowSystem::chain_of_cells() const {
  const Patchwork& patchwork = ansatz_.patchwork(0);
  Chain chain{"chain of patches", {}, patchwork.wraps(), {}};
  for (Index g = 0; g < ansatz_.groups(); ++g) chain.groups.push_back({g, 0, ansatz_.fields()});
  chain.sources = sources(chain.groups.size(), [&](size_t s, Index k) {
    const auto& point = points_[s].points.row(k);
    return Reach{patchwork.slot(point), patchwork.touches_next(point)};
  });
  return chain;
}

// Two chunks would save nothing over all fields together.
RowSystem::Chain RowSystem::chain_of_fields(const std::vector<TermRows>& rows, bool only_one) const {
  std::vector<FieldSpan> spans(rows.size());
  std::transform(rows.begin(), rows.end(), spans.begin(), span_of);
  std::vector<Index> ends = chunk_fields(spans, ansatz_.fields());
  if (only_one || ends.size() < 3) ends = {ansatz_.fields()};
  Chain chain{"chain of fields", {}, false, {}};
  for (const Index end : ends)
    chain.groups.push_back({0, chain.groups.empty() ? 0 : chain.groups.back().end_field, end});
  const auto chunk_of = [&](Index field) {
    return static_cast<Index>(std::upper_bound(ends.begin(), ends.end(), field) - ends.begin());
  };
  chain.sources = sources(ends.size(), [&](size_t s, Index) {
    return Reach{chunk_of(spans[s].first), chunk_of(spans[s].first) < chunk_of(spans[s].last)};
  });
  return chain;
}

std::vector<RowSystem::Source> RowSystem::sources(
    size_t groups, const std::function<Reach(size_t set, Index point)>& reach_of) const {
  // rows[2 group + 1]: points that touch the successor too; rows[2 group]: those that do not.
  std::vector<std::vector<std::vector<Index>>> rows(2 * groups, std::vector<std::vector<Index>>(points_.size()));
  for (size_t s = 0; s < points_.size(); ++s)
    for (Index k = 0; k < points_[s].points.rows(); ++k) {
      const Reach reach = reach_of(s, k);
      rows[static_cast<size_t>(2 * reach.group + (reach.with_next ? 1 : 0))][s].push_back(k);
    }
  std::vector<Source> sources;
  for (size_t place = 0; place < rows.size(); ++place) {
    Source source{{static_cast<Index>(place / 2), place % 2 == 1}, blocks(rows[place])};
    if (!source.blocks.empty()) sources.push_back(std::move(source));
  }
  return sources;
}

std::vector<RowSystem::Block> RowSystem::blocks(const std::vector<std::vector<Index>>& rows_of_set) const {
  std::vector<Block> blocks;
  Block block;
  for (size_t s = 0; s < rows_of_set.size(); ++s) {
    const auto& rows = rows_of_set[s];
    for (size_t first = 0; first < rows.size();) {
      const size_t n = std::min(rows.size() - first, static_cast<size_t>(kBlockRows - block.rows));
      const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(first);
      block.pieces.push_back({static_cast<Index>(s), {begin, begin + static_cast<std::ptrdiff_t>(n)}});
      block.rows += static_cast<Index>(n);
      first += n;
      if (block.rows == kBlockRows) blocks.push_back(std::exchange(block, {}));
    }
  }
  if (block.rows > 0) blocks.push_back(std::move(block));
  return blocks;
}

// Square of the size that rows with these coefficients have when nothing cancels: features are of size one.
double RowSystem::largest_row(const Block& block, const std::vector<TermRows>& rows) const {
  double largest = 0;
  for (const auto& piece : block.pieces)
    largest = std::max(
        largest, rows[static_cast<size_t>(piece.set)].coefficients(piece.rows, Eigen::all).cwiseAbs2().maxCoeff());
  return largest * static_cast<double>(ansatz_.columns());
}

// Cells are neighbours in space, where one evaluation serves both; chunks of fields have bodies of their own.
void RowSystem::add_columns(const Chain& chain, const Source& source, const Piece& piece, const TermRows& rows,
                            double* own, double* next, Index ld) const {
  const Eigen::MatrixXd points = points_[static_cast<size_t>(piece.set)].points(piece.rows, Eigen::all);
  const Eigen::MatrixXd coefficients = rows.coefficients(piece.rows, Eigen::all);
  const ColumnGroup& group = chain.own(source);
  if (next == nullptr || ansatz_.groups() > 1) {
    ansatz_.add_rows(group, points, rows.jets, coefficients, own, next, ld);
  } else {
    ansatz_.add_rows(group, points, rows.jets, coefficients, own, nullptr, ld);
    ansatz_.add_rows(chain.next(source), points, rows.jets, coefficients, next, nullptr, ld);
  }
}

// Writes the weighted rows of a block and returns their number.
int RowSystem::fill(const Chain& chain, const Source& source, const Block& block, const std::vector<TermRows>& rows,
                    const ChainBlock& out, std::vector<Eigen::VectorXd>& row_weights) const {
  using Columns = Eigen::Map<Eigen::MatrixXd, 0, Eigen::OuterStride<>>;
  const auto columns_at = [&](double* data, Index columns) {
    return Columns(data, block.rows, columns, Eigen::OuterStride<>(out.ld));
  };
  const bool with_next = source.reach.with_next;
  Columns own_columns = columns_at(out.own, ansatz_.columns(chain.own(source)));
  Columns next_columns = columns_at(out.next, with_next ? ansatz_.columns(chain.next(source)) : 0);
  Columns right = columns_at(out.b, rows.front().right_sides.cols());
  own_columns.setZero();
  next_columns.setZero();
  Eigen::ArrayXd weight(block.rows);
  Index first = 0;
  for (const auto& piece : block.pieces) {
    const auto s = static_cast<size_t>(piece.set);
    const auto n = static_cast<Index>(piece.rows.size());
    add_columns(chain, source, piece, rows[s], out.own + first, with_next ? out.next + first : nullptr, out.ld);
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
  return static_cast<int>(block.rows);
}

RowSystem::Result RowSystem::solve(const std::vector<TermRows>& rows, const LeastSquaresOptions& options) const {
  Result result;
  for (const auto& set : points_) {
    result.report.rows += set.points.rows();
    result.row_weights.emplace_back(set.points.rows());
  }
  result.report.columns = ansatz_.columns();
  const Chain chain = ansatz_.groups() > 1 ? chain_of_cells() : chain_of_fields(rows, options.singular_values);
  if (chain.groups.size() == 1) solve_dense(chain, rows, options, result);
  else solve_chain(chain, rows, options, result);
  return result;
}

void RowSystem::solve_dense(const Chain& chain, const std::vector<TermRows>& rows,
                            const LeastSquaresOptions& options, Result& result) const {
  const Source& source = chain.sources.front();
  const auto n = static_cast<int>(ansatz_.columns());
  const auto n_right = static_cast<int>(rows.front().right_sides.cols());
  StreamOptions stream;
  stream.block_rows = static_cast<int>(kBlockRows);
  StreamedQr qr = factor_streamed(
      static_cast<int>(source.blocks.size()), n, n_right,
      [&](int block, const RowBlock& buffer) {
        return fill(chain, source, source.blocks[static_cast<size_t>(block)], rows,
                    {buffer.a, nullptr, buffer.b, buffer.ld, buffer.capacity}, result.row_weights);
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

void RowSystem::solve_chain(const Chain& chain, const std::vector<TermRows>& rows,
                            const LeastSquaresOptions& options, Result& result) const {
  ChainShape shape;
  shape.periodic = chain.periodic;
  for (const auto& group : chain.groups) shape.sizes.push_back(static_cast<int>(ansatz_.columns(group)));
  std::vector<ChainSource> sources;
  for (const auto& source : chain.sources)
    sources.push_back({static_cast<int>(source.reach.group), source.reach.with_next,
                       static_cast<int>(source.blocks.size())});
  ChainOptions chain_options;
  chain_options.block_rows = static_cast<int>(kBlockRows);
  chain_options.rcond = options.rcond;
  chain_options.ridge = options.ridge;
  chain_options.max_growth = options.max_growth;
  const auto n_right = static_cast<int>(rows.front().right_sides.cols());
  const ChainSolution solution = torsor::solve_chain(
      shape, n_right, sources,
      [&](int index, int block, const ChainBlock& buffer) {
        const Source& source = chain.sources[static_cast<size_t>(index)];
        return fill(chain, source, source.blocks[static_cast<size_t>(block)], rows, buffer, result.row_weights);
      },
      chain_options);
  HeadReport& report = result.report;
  report.rank = solution.rank;
  report.condition = solution.condition;
  report.cut_off = solution.cut_off;
  report.method = chain.name;
  report.norm = *std::max_element(solution.scaled_norms.begin(), solution.scaled_norms.end());
  report.residual = *std::max_element(solution.residual_norms.begin(), solution.residual_norms.end()) /
                    std::sqrt(static_cast<double>(report.rows));
  result.head = Eigen::Map<const Eigen::MatrixXd>(solution.w.data.data(), report.columns, n_right);
}

}  // namespace torsor
