// A column-major matrix that owns its numbers: entry (i, j) is data[i + j * rows].
#pragma once

#include <cstddef>
#include <vector>

namespace torsor {

struct DenseMatrix {
  int rows = 0;
  int columns = 0;
  std::vector<double> data;

  DenseMatrix() = default;
  /// rows x columns zeros.
  DenseMatrix(int n_rows, int n_columns)
      : rows(n_rows),
        columns(n_columns),
        data(static_cast<size_t>(n_rows) * static_cast<size_t>(n_columns)) {}

  double& operator()(int i, int j) { return data[index(i, j)]; }
  double operator()(int i, int j) const { return data[index(i, j)]; }
  double* column(int j) { return data.data() + index(0, j); }
  const double* column(int j) const { return data.data() + index(0, j); }
  /// Leading dimension for BLAS, which wants at least one even for an empty matrix.
  int ld() const { return rows > 0 ? rows : 1; }

 private:
  size_t index(int i, int j) const {
    return static_cast<size_t>(i) + static_cast<size_t>(j) * static_cast<size_t>(rows);
  }
};

}  // namespace torsor
