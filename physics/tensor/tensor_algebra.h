// LibTorch tensors as an algebra for Expression::evaluate: formulas become differentiable tensor programs.
#pragma once

#include <torch/types.h>

#include "physics/expression.h"

namespace torsor {

/// Tensors of one shape, or scalars that broadcast. Constants are float64 scalars on the CPU, so that a formula
/// takes device and shape from its names.
struct TensorAlgebra {
  using Value = torch::Tensor;
  Value constant(double value) const;
  Value unary(UnaryFunction function, const Value& a) const;
  Value binary(BinaryFunction function, const Value& a, const Value& b) const;
  Value where(const Value& condition, const Value& then, const Value& otherwise) const;
};

/// A copy of `matrix` (N x d) as a float64 tensor [N, d].
torch::Tensor to_tensor(const Eigen::Ref<const Eigen::MatrixXd>& matrix);

/// A tensor [N] or [N, d] of float64 as a matrix N x d (d = 1 for a vector).
Eigen::MatrixXd to_matrix(const torch::Tensor& tensor);

}  // namespace torsor
