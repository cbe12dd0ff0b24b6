#include "solvers/dense/chain_qr.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "physics/error.h"
#include "solvers/dense/lapack.h"
#include "solvers/dense/streamed_qr.h"

namespace torsor {
namespace {

/// Where a group's columns start in some accumulator.
using Layout = std::map<int, int>;

/// One source reduced to a triangle, with its own column layout.
struct SourceTriangle {
  StreamedQr qr;
  Layout layout;
};

/// Final rows of R of one group: [R11 | rest] with the group's columns scaled to unit norm and permuted.
struct EliminatedGroup {
  int group;
  int rank;
  std::vector<int> pivots;
  DenseMatrix r;     // rank x rank
  DenseMatrix rest;  // rank x (columns of the later groups)
  DenseMatrix c;     // rank x nrhs
  Layout layout;     // of `rest`
};

class Chain {
 public:
  Chain(const ChainShape& shape, int nrhs, const std::vector<ChainSource>& sources,
        const ChainOptions& options);

  void stream(const ChainProducer& producer);
  ChainSolution solve();

 private:
  int groups() const { return static_cast<int>(shape_.sizes.size()); }
  int size(int group) const { return shape_.sizes[static_cast<size_t>(group)]; }
  int next(int group) const { return (group + 1) % groups(); }
  void check() const;
  SourceTriangle empty_triangle(const ChainSource& source) const;
  void stream_source(int index, const ChainProducer& producer);
  void measure_columns();
  void absorb(StreamedQr& target, const Layout& layout, const SourceTriangle& part) const;
  void absorb_group_rows(StreamedQr& target, int group) const;
  const SourceTriangle* find(int group, bool with_next) const;
  void add_discarded(const StreamedQr& qr);
  void eliminate(int group, std::optional<int> follower, std::optional<int> border);
  SourceTriangle pass_on(const StreamedQr& front, int own, const Layout& layout, const DenseMatrix& rows,
                         int used);
  EliminatedGroup finalise(int group, const StreamedQr& front, DenseMatrix& rows);
  void back_substitute(ChainSolution& solution) const;
  ChainSolution solve_with(double cut_off);
  bool too_long(const ChainSolution& solution) const;

  const ChainShape& shape_;
  const int nrhs_;
  const std::vector<ChainSource>& sources_;
  const ChainOptions& options_;
  std::vector<SourceTriangle> triangles_;
  std::vector<std::vector<double>> scale_;  // column norms of every group, zero kept as zero
  double cut_off_ = 0.0;
  std::optional<SourceTriangle> carry_;     // equations left for the groups not yet eliminated
  std::vector<EliminatedGroup> done_;
  std::vector<double> residual_;
  double condition_ = 0.0;
};

Chain::Chain(const ChainShape& shape, int nrhs, const std::vector<ChainSource>& sources,
             const ChainOptions& options)
    : shape_(shape), nrhs_(nrhs), sources_(sources), options_(options) {
  check();
  for (const ChainSource& source : sources_) triangles_.push_back(empty_triangle(source));
}

void Chain::check() const {
  if (shape_.sizes.empty()) throw InputError("chain: no groups");
  if (shape_.periodic && groups() < 2) throw InputError("chain: a periodic chain needs two groups or more");
  for (int g = 0; g < groups(); ++g) {
    if (size(g) < 1) throw InputError("chain: group " + std::to_string(g) + " has no columns");
  }
  if (nrhs_ < 0) throw InputError("chain: negative number of right sides");
  if (options_.block_rows < 1) throw InputError("chain: block_rows must be at least 1");
  if (!(options_.max_growth >= 0.0)) throw InputError("chain: max_growth must not be negative");
  for (double value : {options_.rcond, options_.healthy_rcond, options_.ridge}) {
    if (!(value >= 0.0) || !std::isfinite(value)) {
      throw InputError("chain: rcond, healthy_rcond and ridge must be finite and not negative");
    }
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    const ChainSource& source = sources_[i];
    const int last = groups() - (source.with_next && !shape_.periodic ? 2 : 1);
    if (source.group < 0 || source.group > last || source.n_blocks < 0) {
      throw InputError("chain: source " + std::to_string(i) + " names group " + std::to_string(source.group) +
                       "; it must lie in 0.." + std::to_string(last));
    }
    for (size_t j = 0; j < i; ++j) {
      if (sources_[j].group == source.group && sources_[j].with_next == source.with_next) {
        throw InputError("chain: sources " + std::to_string(j) + " and " + std::to_string(i) +
                         " are the same");
      }
    }
  }
}

/// The group that is eliminated first stands first; in a periodic chain group 0 is eliminated last.
SourceTriangle Chain::empty_triangle(const ChainSource& source) const {
  const int own = source.group;
  if (!source.with_next) return {StreamedQr(size(own), nrhs_), {{own, 0}}};
  const int other = next(own);
  const bool own_last = shape_.periodic && own == 0;
  const int first = own_last ? other : own, second = own_last ? own : other;
  return {StreamedQr(size(first) + size(second), nrhs_), {{first, 0}, {second, size(first)}}};
}

void Chain::stream_source(int index, const ChainProducer& producer) {
  const ChainSource& source = sources_[static_cast<size_t>(index)];
  SourceTriangle& part = triangles_[static_cast<size_t>(index)];
  const int ld = options_.block_rows + 8;  // keeps columns off the same cache sets
  std::vector<double> storage(static_cast<size_t>(ld) * static_cast<size_t>(part.qr.columns() + nrhs_));
  auto column = [&](int j) { return storage.data() + static_cast<ptrdiff_t>(j) * ld; };
  ChainBlock buffer{column(part.layout.at(source.group)), nullptr, column(part.qr.columns()), ld,
                    options_.block_rows};
  if (source.with_next) buffer.next = column(part.layout.at(next(source.group)));
  for (int block = 0; block < source.n_blocks; ++block) {
    const std::string where = "chain: source " + std::to_string(index) + ", block " + std::to_string(block);
    const int k = producer(index, block, buffer);
    if (k < 0 || k > buffer.capacity) {
      throw InputError(where + ": the producer returned " + std::to_string(k) + " rows; it may return 0 to " +
                       std::to_string(buffer.capacity));
    }
    try {
      part.qr.absorb(storage.data(), ld, k, buffer.b, ld);
    } catch (const NumericalError& error) {
      throw NumericalError(where + ": " + error.what());
    }
  }
}

void Chain::stream(const ChainProducer& producer) {
  const int count = static_cast<int>(sources_.size());
  std::vector<std::exception_ptr> errors(sources_.size());
  // Each source is folded by one thread in block order, so dynamic scheduling leaves the bits alone.
#pragma omp parallel for schedule(dynamic, 1)
  for (int i = 0; i < count; ++i) {
    try {
      stream_source(i, producer);
    } catch (...) {
      errors[static_cast<size_t>(i)] = std::current_exception();
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

void Chain::add_discarded(const StreamedQr& qr) {
  for (int s = 0; s < nrhs_; ++s) {
    double& total = residual_[static_cast<size_t>(s)];
    total = std::hypot(total, qr.discarded_norm(s));
  }
}

/// Column norms over all rows: those of the triangles, added in squares.
void Chain::measure_columns() {
  for (int g = 0; g < groups(); ++g) scale_.emplace_back(static_cast<size_t>(size(g)), 0.0);
  for (const SourceTriangle& part : triangles_) {
    const std::vector<double> norms = column_norms(part.qr);
    for (const auto& [group, offset] : part.layout) {
      std::vector<double>& scale = scale_[static_cast<size_t>(group)];
      for (size_t j = 0; j < scale.size(); ++j) {
        scale[j] = std::hypot(scale[j], norms[static_cast<size_t>(offset) + j]);
      }
    }
  }
}

/// Folds the triangle of `part` into `target`. Groups keep their order and only move to the right, so the
/// rows stay upper trapezoidal.
void Chain::absorb(StreamedQr& target, const Layout& layout, const SourceTriangle& part) const {
  const int rows = part.qr.filled(), n = part.qr.columns();
  if (rows == 0) return;
  DenseMatrix embedded(rows, target.columns() + nrhs_);
  for (const auto& [group, offset] : part.layout) {
    for (int j = 0; j < size(group); ++j) {
      const double* column = part.qr.r() + static_cast<ptrdiff_t>(offset + j) * n;
      std::copy_n(column, rows, embedded.column(layout.at(group) + j));
    }
  }
  for (int s = 0; s < nrhs_; ++s) {
    std::copy_n(part.qr.c() + static_cast<ptrdiff_t>(s) * n, rows, embedded.column(target.columns() + s));
  }
  double* b = embedded.data.data() + static_cast<ptrdiff_t>(target.columns()) * rows;
  target.absorb_upper(embedded.data.data(), rows, rows, b, rows);
}

/// Rows that touch `group` alone, and its ridge. The group stands first in `target`, or alone.
void Chain::absorb_group_rows(StreamedQr& target, int group) const {
  const Layout layout{{group, 0}};
  if (const SourceTriangle* alone = find(group, false)) absorb(target, layout, *alone);
  if (options_.ridge == 0.0) return;
  const int rows = size(group);
  DenseMatrix ridge(rows, target.columns() + nrhs_);
  for (int j = 0; j < rows; ++j) {
    ridge(j, j) = std::sqrt(options_.ridge) * scale_[static_cast<size_t>(group)][static_cast<size_t>(j)];
  }
  double* b = ridge.data.data() + static_cast<ptrdiff_t>(target.columns()) * rows;
  target.absorb_upper(ridge.data.data(), rows, rows, b, rows);
}

const SourceTriangle* Chain::find(int group, bool with_next) const {
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].group == group && sources_[i].with_next == with_next) return &triangles_[i];
  }
  return nullptr;
}

/// Factors the diagonal block of `group` (its columns come first in `front`). `rows` receives the m_g rotated
/// rows [columns after the group | c]: the first `rank` are the group's equations, the others are left over.
EliminatedGroup Chain::finalise(int group, const StreamedQr& front, DenseMatrix& rows) {
  const int m = size(group), n = front.columns();
  const std::vector<double>& scale = scale_[static_cast<size_t>(group)];
  DenseMatrix r(m, m);
  rows = DenseMatrix(m, n - m + nrhs_);
  for (int j = 0; j < m; ++j) {
    const double norm = scale[static_cast<size_t>(j)];
    if (norm == 0.0) continue;
    for (int i = 0; i <= j; ++i) r(i, j) = front.r()[i + static_cast<ptrdiff_t>(j) * n] / norm;
  }
  for (int j = m; j < n; ++j) std::copy_n(front.r() + static_cast<ptrdiff_t>(j) * n, m, rows.column(j - m));
  for (int s = 0; s < nrhs_; ++s) {
    std::copy_n(front.c() + static_cast<ptrdiff_t>(s) * n, m, rows.column(n - m + s));
  }

  EliminatedGroup result;
  result.group = group;
  result.rank = m;
  result.pivots.resize(static_cast<size_t>(m));
  std::iota(result.pivots.begin(), result.pivots.end(), 0);
  const auto inverse_norm = [&](int rank) {
    double norm = 0.0;
    for (int j = 0; j < rank; ++j) {
      double sum = 0.0;
      for (int i = 0; i <= j; ++i) sum += std::abs(r(i, j));
      norm = std::max(norm, sum);
    }
    const double rcond = rank > 0 ? lapack::reciprocal_condition(rank, r.column(0), m) : 1.0;
    return rank == 0 ? 0.0 : 1.0 / (rcond * norm);
  };
  double inverse = inverse_norm(m);
  if (!(inverse * std::max(options_.healthy_rcond, cut_off_) < 1.0)) {
    result.rank = pivoted_qr(m, m, r.column(0), m, rows.columns, rows.data.data(), m, cut_off_, result.pivots);
    inverse = inverse_norm(result.rank);
  }
  condition_ = std::max(condition_, inverse);
  result.r = DenseMatrix(result.rank, result.rank);
  for (int j = 0; j < result.rank; ++j) std::copy_n(r.column(j), j + 1, result.r.column(j));
  result.rest = DenseMatrix(result.rank, n - m);
  for (int j = 0; j < n - m; ++j) std::copy_n(rows.column(j), result.rank, result.rest.column(j));
  result.c = DenseMatrix(result.rank, nrhs_);
  for (int s = 0; s < nrhs_; ++s) std::copy_n(rows.column(n - m + s), result.rank, result.c.column(s));
  return result;
}

/// Equations for the later groups: the lower right triangle of `front` and the rows left over by `finalise`.
SourceTriangle Chain::pass_on(const StreamedQr& front, int own, const Layout& layout, const DenseMatrix& rows,
                              int used) {
  const int n = front.columns(), later = n - own;
  SourceTriangle carry{StreamedQr(later, nrhs_), layout};
  const int kept = std::max(0, front.filled() - own);
  if (kept > 0) {
    DenseMatrix lower(kept, later + nrhs_);
    for (int j = 0; j < later; ++j) {
      std::copy_n(front.r() + own + static_cast<ptrdiff_t>(own + j) * n, kept, lower.column(j));
    }
    for (int s = 0; s < nrhs_; ++s) {
      std::copy_n(front.c() + own + static_cast<ptrdiff_t>(s) * n, kept, lower.column(later + s));
    }
    carry.qr.absorb_upper(lower.data.data(), kept, kept,
                          lower.data.data() + static_cast<ptrdiff_t>(later) * kept, kept);
  }
  const int left_over = own - used;
  if (left_over > 0) {
    DenseMatrix extra(left_over, later + nrhs_);
    for (int j = 0; j < later + nrhs_; ++j) std::copy_n(rows.column(j) + used, left_over, extra.column(j));
    carry.qr.absorb(extra.data.data(), left_over, left_over,
                    extra.data.data() + static_cast<ptrdiff_t>(later) * left_over, left_over);
  }
  add_discarded(carry.qr);
  return carry;
}

/// Eliminates `group` in front of its follower and the border, whichever are left.
void Chain::eliminate(int group, std::optional<int> follower, std::optional<int> border) {
  Layout layout{{group, 0}};
  int n = size(group);
  for (const std::optional<int>& later : {follower, border}) {
    if (!later) continue;
    layout[*later] = n;
    n += size(*later);
  }
  StreamedQr front(n, nrhs_);
  // The link to the follower (to the border for the last group) comes first: an empty accumulator copies its
  // triangle. In a periodic chain the link of group 0 is what the carry starts from.
  const SourceTriangle* link = follower || border ? find(group, true) : nullptr;
  if (link != nullptr) absorb(front, layout, *link);
  if (carry_) absorb(front, layout, *carry_);
  absorb_group_rows(front, group);
  add_discarded(front);

  DenseMatrix rows;
  EliminatedGroup result = finalise(group, front, rows);
  Layout rest;
  for (const auto& [later, offset] : layout) {
    if (later != group) rest[later] = offset - size(group);
  }
  result.layout = rest;
  if (n > size(group)) {
    carry_ = pass_on(front, size(group), rest, rows, result.rank);
  } else {
    for (int s = 0; s < nrhs_; ++s) {
      double& total = residual_[static_cast<size_t>(s)];
      total = std::hypot(total, lapack::norm2(size(group) - result.rank, rows.column(s) + result.rank));
    }
  }
  done_.push_back(std::move(result));
}

void Chain::back_substitute(ChainSolution& solution) const {
  std::vector<int> first(shape_.sizes.size() + 1, 0);
  std::partial_sum(shape_.sizes.begin(), shape_.sizes.end(), first.begin() + 1);
  solution.w = DenseMatrix(first.back(), nrhs_);
  solution.scaled_norms.assign(static_cast<size_t>(nrhs_), 0.0);
  if (nrhs_ == 0) return;
  DenseMatrix& w = solution.w;
  for (auto group = done_.rbegin(); group != done_.rend(); ++group) {
    if (group->rank == 0) continue;
    DenseMatrix y = group->c;
    for (const auto& [later, offset] : group->layout) {
      lapack::gemm('N', 'N', group->rank, nrhs_, size(later), -1.0, group->rest.column(offset), group->rank,
                   w.column(0) + first[static_cast<size_t>(later)], w.rows, 1.0, y.column(0), group->rank);
    }
    lapack::upper_solve(group->rank, nrhs_, group->r.column(0), group->rank, y.column(0), group->rank);
    const std::vector<double>& scale = scale_[static_cast<size_t>(group->group)];
    for (int s = 0; s < nrhs_; ++s) {
      double& norm_of_all = solution.scaled_norms[static_cast<size_t>(s)];
      norm_of_all = std::hypot(norm_of_all, lapack::norm2(group->rank, y.column(s)));
      for (int i = 0; i < group->rank; ++i) {
        const int j = group->pivots[static_cast<size_t>(i)];
        const double norm = scale[static_cast<size_t>(j)];
        w(first[static_cast<size_t>(group->group)] + j, s) = norm > 0.0 ? y(i, s) / norm : 0.0;
      }
    }
  }
}

ChainSolution Chain::solve_with(double cut_off) {
  cut_off_ = cut_off;
  condition_ = 0.0;
  carry_.reset();
  done_.clear();
  residual_.assign(static_cast<size_t>(nrhs_), 0.0);
  for (const SourceTriangle& part : triangles_) add_discarded(part.qr);
  const int last = groups() - 1;
  const int start = shape_.periodic ? 1 : 0;
  if (shape_.periodic) {
    if (const SourceTriangle* link = find(0, true)) carry_ = *link;
  }
  const std::optional<int> border = shape_.periodic ? std::optional<int>(0) : std::nullopt;
  for (int g = start; g <= last; ++g) {
    eliminate(g, g < last ? std::optional<int>(g + 1) : std::nullopt, border);
  }
  if (shape_.periodic) eliminate(0, std::nullopt, std::nullopt);

  ChainSolution solution;
  solution.cut_off = cut_off;
  solution.condition = condition_;
  solution.residual_norms = residual_;
  solution.group_ranks.resize(shape_.sizes.size());
  for (const EliminatedGroup& group : done_) {
    solution.group_ranks[static_cast<size_t>(group.group)] = group.rank;
    solution.rank += group.rank;
  }
  back_substitute(solution);
  for (int s = 0; s < nrhs_; ++s) {
    solution.norms.push_back(lapack::norm2(solution.w.rows, solution.w.column(s)));
  }
  return solution;
}

bool Chain::too_long(const ChainSolution& solution) const {
  for (int s = 0; s < nrhs_; ++s) {
    double right = 0.0;
    for (const SourceTriangle& part : triangles_) {
      const int n = part.qr.columns();
      right = std::hypot(right, lapack::norm2(n, part.qr.c() + static_cast<ptrdiff_t>(s) * n));
    }
    if (solution.scaled_norms[static_cast<size_t>(s)] > options_.max_growth * right) return true;
  }
  return false;
}

ChainSolution Chain::solve() {
  measure_columns();
  ChainSolution solution = solve_with(options_.rcond);
  while (too_long(solution)) {
    solution = solve_with(std::max(10.0 * solution.cut_off, std::numeric_limits<double>::epsilon()));
  }
  return solution;
}

}  // namespace

ChainSolution solve_chain(const ChainShape& shape, int n_right_sides, const std::vector<ChainSource>& sources,
                          const ChainProducer& producer, const ChainOptions& options) {
  Chain chain(shape, n_right_sides, sources, options);
  chain.stream(producer);
  return chain.solve();
}

}  // namespace torsor
