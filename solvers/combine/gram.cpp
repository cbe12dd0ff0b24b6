#include "solvers/combine/gram.h"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <cstring>

// The sweeps are compiled for several instruction sets and picked at load time. Sanitizers instrument the resolver
// before they are initialised, and Clang spells the attribute differently; both take the baseline.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TORSOR_CLONES __attribute__((target_clones("avx512f", "arch=x86-64-v3", "default")))
#else
#define TORSOR_CLONES
#endif

namespace torsor {
namespace {

constexpr Index kLanes = 8;
typedef double Lanes __attribute__((vector_size(kLanes * sizeof(double))));

// Rows taken at a time, so that a few columns of them stay in the first-level cache.
constexpr Index kRows = 512;

// out[0..3] += a0.b0, a0.b1, a1.b0, a1.b1 over n rows: four products for four loads.
TORSOR_CLONES void add_products(const double* a0, const double* a1, const double* b0, const double* b1, Index n,
                                double* out) {
  Lanes s00 = {}, s01 = {}, s10 = {}, s11 = {};
  Index k = 0;
  for (; k + kLanes <= n; k += kLanes) {
    Lanes p0, p1, q0, q1;
    std::memcpy(&p0, a0 + k, sizeof(p0));
    std::memcpy(&p1, a1 + k, sizeof(p1));
    std::memcpy(&q0, b0 + k, sizeof(q0));
    std::memcpy(&q1, b1 + k, sizeof(q1));
    s00 += p0 * q0;
    s01 += p0 * q1;
    s10 += p1 * q0;
    s11 += p1 * q1;
  }
  for (Index lane = 0; lane < kLanes; ++lane) {
    out[0] += s00[lane];
    out[1] += s01[lane];
    out[2] += s10[lane];
    out[3] += s11[lane];
  }
  for (; k < n; ++k) {
    out[0] += a0[k] * b0[k];
    out[1] += a0[k] * b1[k];
    out[2] += a1[k] * b0[k];
    out[3] += a1[k] * b1[k];
  }
}

// out += w0 x0 + w1 x1 + w2 x2 + w3 x3 over n rows.
TORSOR_CLONES void add_columns(const double* const* x, const double* w, Index n, double* out) {
  const double *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
  const double w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
  Index k = 0;
  for (; k + kLanes <= n; k += kLanes) {
    Lanes sum, y0, y1, y2, y3;
    std::memcpy(&sum, out + k, sizeof(sum));
    std::memcpy(&y0, x0 + k, sizeof(y0));
    std::memcpy(&y1, x1 + k, sizeof(y1));
    std::memcpy(&y2, x2 + k, sizeof(y2));
    std::memcpy(&y3, x3 + k, sizeof(y3));
    sum += w0 * y0 + w1 * y1 + w2 * y2 + w3 * y3;
    std::memcpy(out + k, &sum, sizeof(sum));
  }
  for (; k < n; ++k) out[k] += w0 * x0[k] + w1 * x1[k] + w2 * x2[k] + w3 * x3[k];
}

const double* rows_of(const Eigen::Ref<const Eigen::MatrixXd>& matrix, Index column, Index row) {
  return matrix.data() + std::min(column, matrix.cols() - 1) * matrix.outerStride() + row;
}

// A^T B in tiles of two by two (an odd last column is taken twice, so there may be one row and column too many), or
// only its tiles on and above the diagonal.
Eigen::MatrixXd tiled_products(const Eigen::Ref<const Eigen::MatrixXd>& a, const Eigen::Ref<const Eigen::MatrixXd>& b,
                               bool upper) {
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(a.cols() + a.cols() % 2, b.cols() + b.cols() % 2);
  for (Index row = 0; row < a.rows(); row += kRows) {
    const Index n = std::min(kRows, a.rows() - row);
    for (Index j = 0; j < b.cols(); j += 2) {
      for (Index i = 0; i < a.cols() && (!upper || i <= j); i += 2) {
        double tile[4] = {};
        add_products(rows_of(a, i, row), rows_of(a, i + 1, row), rows_of(b, j, row), rows_of(b, j + 1, row), n, tile);
        result(i, j) += tile[0];
        result(i, j + 1) += tile[1];
        result(i + 1, j) += tile[2];
        result(i + 1, j + 1) += tile[3];
      }
    }
  }
  return result;
}

}  // namespace

Eigen::MatrixXd products(const Eigen::Ref<const Eigen::MatrixXd>& a, const Eigen::Ref<const Eigen::MatrixXd>& b) {
  return tiled_products(a, b, false).topLeftCorner(a.cols(), b.cols());
}

Eigen::MatrixXd gram_matrix(const Eigen::Ref<const Eigen::MatrixXd>& gradients) {
  const Index m = gradients.cols();
  const Eigen::MatrixXd upper = tiled_products(gradients, gradients, true).topLeftCorner(m, m);
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
  for (Index i = 0; i < k; ++i) norms[i] = std::sqrt(gram(tasks[static_cast<size_t>(i)], tasks[static_cast<size_t>(i)]));
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
