#include "solvers/combine/gram.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "physics/function_clones.h"

namespace torsor {
namespace {

// Four doubles: GCC keeps longer vectors in memory where the processor has none, and shorter ones gain nothing there.
constexpr Index kLanes = 4;
typedef double Lanes __attribute__((vector_size(kLanes * sizeof(double))));

// Rows taken at a time, so that the columns of a tile stay in the first-level cache.
constexpr Index kRows = 512;
// Columns of A and of B in a tile: eight sums for six loads.
constexpr Index kTileA = 4, kTileB = 2;

// By reference: vectors as values of functions change the calling convention with the instruction set.
__attribute__((always_inline)) inline void load(const double* x, Lanes& lanes) {
  std::memcpy(&lanes, x, sizeof(lanes));
}

__attribute__((always_inline)) inline void add_lanes(const Lanes* sums, int count, double* out) {
  for (int i = 0; i < count; ++i) out[i] += (sums[i][0] + sums[i][1]) + (sums[i][2] + sums[i][3]);
}

// out[i + 4 j] += a_i . b_j over n rows, n a multiple of the lanes.
TORSOR_CLONES("arch=x86-64-v3", "default")
void add_tile(const double* const* a, const double* const* b, Index n, double* out) {
  const double *a0 = a[0], *a1 = a[1], *a2 = a[2], *a3 = a[3], *b0 = b[0], *b1 = b[1];
  Lanes s[8] = {};
  for (Index k = 0; k < n; k += kLanes) {
    Lanes p0, p1, p2, p3, q0, q1;
    load(a0 + k, p0), load(a1 + k, p1), load(a2 + k, p2), load(a3 + k, p3);
    load(b0 + k, q0), load(b1 + k, q1);
    s[0] += p0 * q0;
    s[1] += p1 * q0;
    s[2] += p2 * q0;
    s[3] += p3 * q0;
    s[4] += p0 * q1;
    s[5] += p1 * q1;
    s[6] += p2 * q1;
    s[7] += p3 * q1;
  }
  add_lanes(s, 8, out);
}

// out[0 ... 9] += a_0 . a_0, a_0 . a_1, a_1 . a_1, a_0 . a_2, ... (the upper triangle by columns): ten sums for four loads.
TORSOR_CLONES("arch=x86-64-v3", "default")
void add_triangle(const double* const* a, Index n, double* out) {
  const double *a0 = a[0], *a1 = a[1], *a2 = a[2], *a3 = a[3];
  Lanes s[10] = {};
  for (Index k = 0; k < n; k += kLanes) {
    Lanes p0, p1, p2, p3;
    load(a0 + k, p0), load(a1 + k, p1), load(a2 + k, p2), load(a3 + k, p3);
    s[0] += p0 * p0;
    s[1] += p0 * p1;
    s[2] += p1 * p1;
    s[3] += p0 * p2;
    s[4] += p1 * p2;
    s[5] += p2 * p2;
    s[6] += p0 * p3;
    s[7] += p1 * p3;
    s[8] += p2 * p3;
    s[9] += p3 * p3;
  }
  add_lanes(s, 10, out);
}

// out += w0 x0 + w1 x1 + w2 x2 + w3 x3 over n rows.
TORSOR_CLONES("arch=x86-64-v3", "default")
void add_columns(const double* const* x, const double* w, Index n, double* out) {
  const double *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
  const double w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
  Index k = 0;
  for (; k + kLanes <= n; k += kLanes) {
    Lanes sum, y0, y1, y2, y3;
    load(out + k, sum), load(x0 + k, y0), load(x1 + k, y1), load(x2 + k, y2), load(x3 + k, y3);
    sum += (w0 * y0 + w1 * y1) + (w2 * y2 + w3 * y3);
    std::memcpy(out + k, &sum, sizeof(sum));
  }
  for (; k < n; ++k) out[k] += w0 * x0[k] + w1 * x1[k] + w2 * x2[k] + w3 * x3[k];
}

// `count` columns from `first` on, at `row`; the last column stands for those behind it.
template <Index count>
std::array<const double*, count> columns_at(const Eigen::Ref<const Eigen::MatrixXd>& matrix, Index first, Index row) {
  std::array<const double*, count> result;
  for (Index c = 0; c < count; ++c)
    result[static_cast<size_t>(c)] =
        matrix.data() + std::min(first + c, matrix.cols() - 1) * matrix.outerStride() + row;
  return result;
}

Index round_up(Index n, Index multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Calls take(row, n) for blocks of rows whose n is a multiple of the lanes; returns the first row of the rest.
template <class Take>
Index for_row_blocks(Index rows, const Take& take) {
  const Index whole = rows / kLanes * kLanes;
  for (Index row = 0; row < whole; row += kRows) take(row, std::min(kRows, whole - row));
  return whole;
}

}  // namespace

Eigen::MatrixXd products(const Eigen::Ref<const Eigen::MatrixXd>& a, const Eigen::Ref<const Eigen::MatrixXd>& b) {
  Eigen::MatrixXd padded = Eigen::MatrixXd::Zero(round_up(a.cols(), kTileA), round_up(b.cols(), kTileB));
  const Index rest = for_row_blocks(a.rows(), [&](Index row, Index n) {
    for (Index j = 0; j < b.cols(); j += kTileB) {
      for (Index i = 0; i < a.cols(); i += kTileA) {
        double tile[kTileA * kTileB] = {};
        add_tile(columns_at<kTileA>(a, i, row).data(), columns_at<kTileB>(b, j, row).data(), n, tile);
        padded.block(i, j, kTileA, kTileB) += Eigen::Map<const Eigen::Matrix<double, kTileA, kTileB>>(tile);
      }
    }
  });
  const Index left = a.rows() - rest;
  return padded.topLeftCorner(a.cols(), b.cols()) + a.bottomRows(left).transpose() * b.bottomRows(left);
}

Eigen::MatrixXd gram_matrix(const Eigen::Ref<const Eigen::MatrixXd>& gradients) {
  const Index m = gradients.cols();
  Eigen::MatrixXd padded = Eigen::MatrixXd::Zero(round_up(m, kTileA), round_up(m, kTileA));
  const Index rest = for_row_blocks(gradients.rows(), [&](Index row, Index n) {
    for (Index j = 0; j < m; j += kTileA) {
      double triangle[10] = {};
      add_triangle(columns_at<kTileA>(gradients, j, row).data(), n, triangle);
      for (Index c = 0, k = 0; c < kTileA; ++c)
        for (Index r = 0; r <= c; ++r) padded(j + r, j + c) += triangle[k++];
      for (Index i = 0; i < j; i += kTileA) {
        for (Index c = 0; c < kTileA && j + c < m; c += kTileB) {
          double tile[kTileA * kTileB] = {};
          add_tile(columns_at<kTileA>(gradients, i, row).data(), columns_at<kTileB>(gradients, j + c, row).data(), n,
                   tile);
          padded.block(i, j + c, kTileA, kTileB) += Eigen::Map<const Eigen::Matrix<double, kTileA, kTileB>>(tile);
        }
      }
    }
  });
  const auto last = gradients.bottomRows(gradients.rows() - rest);
  const Eigen::MatrixXd upper = padded.topLeftCorner(m, m) + last.transpose() * last;
  return upper.selfadjointView<Eigen::Upper>();
}

Eigen::VectorXd weighted_sum(const Eigen::Ref<const Eigen::MatrixXd>& gradients, const Eigen::VectorXd& weights) {
  std::vector<Index> used;
  for (Index i = 0; i < weights.size(); ++i)
    if (weights[i] != 0) used.push_back(i);
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(gradients.rows());
  for (Index begin = 0; begin < gradients.rows(); begin += kRows) {
    const Index n = std::min(kRows, gradients.rows() - begin);
    for (size_t first = 0; first < used.size(); first += 4) {
      const double* columns[4];
      double factors[4];
      for (size_t c = 0; c < 4; ++c) {
        const bool there = first + c < used.size();
        const Index i = used[there ? first + c : first];
        columns[c] = gradients.data() + i * gradients.outerStride() + begin;
        factors[c] = there ? weights[i] : 0.0;
      }
      add_columns(columns, factors, n, sum.data() + begin);
    }
  }
  return sum;
}

UnitGram::UnitGram(const Eigen::MatrixXd& gram) {
  for (Index i = 0; i < gram.rows(); ++i)
    if (gram(i, i) > 0) tasks.push_back(i);
  const Index k = static_cast<Index>(tasks.size());
  norms.resize(k);
  for (Index i = 0; i < k; ++i)
    norms[i] = std::sqrt(gram(tasks[static_cast<size_t>(i)], tasks[static_cast<size_t>(i)]));
  cosines.resize(k, k);
  for (Index j = 0; j < k; ++j) {
    for (Index i = 0; i < k; ++i) {
      const double product = gram(tasks[static_cast<size_t>(i)], tasks[static_cast<size_t>(j)]);
      cosines(i, j) = i == j ? 1.0 : std::clamp(product / norms[i] / norms[j], -1.0, 1.0);
    }
  }
}

Eigen::VectorXd UnitGram::spread(const Eigen::VectorXd& values, Index m) const {
  Eigen::VectorXd all = Eigen::VectorXd::Zero(m);
  for (Index i = 0; i < size(); ++i) all[tasks[static_cast<size_t>(i)]] = values[i];
  return all;
}

Eigen::VectorXd UnitGram::weights_of_gradients(const Eigen::VectorXd& unit_weights, Index m) const {
  return spread(unit_weights.cwiseQuotient(norms), m);
}

double combined_norm(const Eigen::MatrixXd& gram, const Eigen::VectorXd& weights) {
  return std::sqrt(std::max(0.0, weights.dot(gram * weights)));
}

Eigen::VectorXd pseudo_inverse_times(const Eigen::MatrixXd& q, const Eigen::VectorXd& b, double tolerance) {
  if (q.rows() == 0) return b;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(q);
  const double smallest = tolerance * std::max(0.0, eigen.eigenvalues().maxCoeff());
  Eigen::VectorXd coordinates = eigen.eigenvectors().transpose() * b;
  for (Index i = 0; i < coordinates.size(); ++i)
    coordinates[i] = eigen.eigenvalues()[i] > smallest ? coordinates[i] / eigen.eigenvalues()[i] : 0.0;
  return eigen.eigenvectors() * coordinates;
}

}  // namespace torsor
