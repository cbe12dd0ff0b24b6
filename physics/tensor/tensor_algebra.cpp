#include "physics/tensor/tensor_algebra.h"

#include <torch/torch.h>

namespace torsor {

torch::Tensor TensorAlgebra::constant(double value) const { return torch::tensor(value, torch::kFloat64); }

torch::Tensor TensorAlgebra::unary(UnaryFunction function, const Value& a) const {
  switch (function) {
    case UnaryFunction::negate: return -a;
    case UnaryFunction::sin: return torch::sin(a);
    case UnaryFunction::cos: return torch::cos(a);
    case UnaryFunction::tan: return torch::tan(a);
    case UnaryFunction::asin: return torch::asin(a);
    case UnaryFunction::acos: return torch::acos(a);
    case UnaryFunction::atan: return torch::atan(a);
    case UnaryFunction::sinh: return torch::sinh(a);
    case UnaryFunction::cosh: return torch::cosh(a);
    case UnaryFunction::tanh: return torch::tanh(a);
    case UnaryFunction::sech: return torch::reciprocal(torch::cosh(a));
    case UnaryFunction::exp: return torch::exp(a);
    case UnaryFunction::log: return torch::log(a);
    case UnaryFunction::sqrt: return torch::sqrt(a);
    case UnaryFunction::abs: return torch::abs(a);
    case UnaryFunction::sign: return torch::sign(a);
    case UnaryFunction::step: return (a >= 0).to(a.dtype());
    case UnaryFunction::erf: return torch::erf(a);
    case UnaryFunction::erfc: return torch::erfc(a);
  }
  throw std::logic_error("unary function without a tensor form");
}

torch::Tensor TensorAlgebra::binary(BinaryFunction function, const Value& a, const Value& b) const {
  const auto truth = [](const Value& condition) { return condition.to(torch::kFloat64); };
  switch (function) {
    case BinaryFunction::add: return a + b;
    case BinaryFunction::subtract: return a - b;
    case BinaryFunction::multiply: return a * b;
    case BinaryFunction::divide: return a / b;
    case BinaryFunction::power: return torch::pow(a, b);
    case BinaryFunction::atan2: return torch::atan2(a, b);
    case BinaryFunction::min: return torch::minimum(a, b);
    case BinaryFunction::max: return torch::maximum(a, b);
    case BinaryFunction::less: return truth(a < b);
    case BinaryFunction::less_equal: return truth(a <= b);
    case BinaryFunction::greater: return truth(a > b);
    case BinaryFunction::greater_equal: return truth(a >= b);
    case BinaryFunction::equal: return truth(a == b);
    case BinaryFunction::not_equal: return truth(a != b);
  }
  throw std::logic_error("binary function without a tensor form");
}

torch::Tensor TensorAlgebra::where(const Value& condition, const Value& then, const Value& otherwise) const {
  return torch::where(condition != 0, then, otherwise);
}

torch::Tensor to_tensor(const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
  torch::Tensor tensor = torch::empty({matrix.cols(), matrix.rows()}, torch::kFloat64);
  Eigen::Map<Eigen::MatrixXd>(tensor.data_ptr<double>(), matrix.rows(), matrix.cols()) = matrix;
  return tensor.t();
}

Eigen::MatrixXd to_matrix(const torch::Tensor& tensor) {
  const torch::Tensor columns = (tensor.dim() == 1 ? tensor.unsqueeze(0) : tensor.t()).contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(columns.data_ptr<double>(), columns.size(1), columns.size(0));
}

}  // namespace torsor
