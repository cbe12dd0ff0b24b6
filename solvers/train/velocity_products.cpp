#include "solvers/train/velocity_products.h"

#include <cmath>

#include "physics/error.h"

namespace torsor {

VelocityProducts::VelocityProducts(const NetworkShape& shape, const Problem& problem, Index modes, Index products)
    : shape_(shape), modes_(modes), products_(products) {
  if (problem.velocity_fields.empty())
    throw InputError("model.velocity = products: the problem has no unknown of the velocity");
  std::vector<bool> is_moment(problem.fields.size(), false);
  for (const auto& field : problem.velocity_fields) {
    const Index moments = field.basis.cols();
    if (products < 1 || products >= moments)
      throw InputError("model.products = " + std::to_string(products) + ": must be >= 1 and less than the " +
                       std::to_string(moments) + " moments of " + field.name);
    for (Index m = 0; m < moments; ++m) is_moment[static_cast<size_t>(field.first + m)] = true;
    unknowns_.push_back({field.first, moments, rows_, 0});
    rows_ += products * modes;
  }
  for (size_t f = 0; f < is_moment.size(); ++f) {
    if (is_moment[f]) continue;
    plain_.push_back({static_cast<Index>(f), rows_});
    rows_ += modes;
  }
  size_ = hidden() + rows_ * (inputs() + 1);
  for (auto& unknown : unknowns_) {
    unknown.factors = size_;
    size_ += unknown.count * products;
  }
}

template <class Visit>
void VelocityProducts::each_product(const Visit& visit) const {
  for (const auto& unknown : unknowns_)
    for (Index l = 0; l < unknown.count; ++l)
      for (Index k = 0; k < products_; ++k)
        for (Index mode = 0; mode < modes_; ++mode)
          visit((unknown.first + l) * modes_ + mode, unknown.row + k * modes_ + mode, unknown.factors + l * products_ + k);
}

template <class Visit>
void VelocityProducts::each_plain(const Visit& visit) const {
  for (const auto& plain : plain_)
    for (Index mode = 0; mode < modes_; ++mode) visit(plain.field * modes_ + mode, plain.row + mode);
}

Eigen::VectorXd VelocityProducts::expanded(const Eigen::Ref<const Eigen::VectorXd>& parameters) const {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(shape_.parameters());
  result.head(hidden()) = parameters.head(hidden());
  Eigen::Map<RowMajor> weights(result.data() + hidden(), shape_.outputs, inputs());
  auto biases = result.tail(shape_.outputs);
  const Map rows(parameters.data() + hidden(), rows_, inputs());
  const auto constants = parameters.segment(hidden() + rows_ * inputs(), rows_);
  const auto add = [&](Index output, Index row, double factor) {
    weights.row(output) += factor * rows.row(row);
    biases[output] += factor * constants[row];
  };
  each_product([&](Index output, Index row, Index factor) { add(output, row, parameters[factor]); });
  each_plain([&](Index output, Index row) { add(output, row, 1); });
  return result;
}

VelocityProducts::RowMajor VelocityProducts::pulled_back(const Eigen::Ref<const Eigen::VectorXd>& parameters,
                                                         const RowMajor& derivatives) const {
  RowMajor result = RowMajor::Zero(derivatives.rows(), size_);
  const Map rows(parameters.data() + hidden(), rows_, inputs());
  const Index biases = hidden() + rows_ * inputs();
  for (Index n = 0; n < derivatives.rows(); ++n) {
    result.row(n).head(hidden()) = derivatives.row(n).head(hidden());
    const Map weights(derivatives.row(n).data() + hidden(), shape_.outputs, inputs());
    const auto by_bias = derivatives.row(n).tail(shape_.outputs);
    Eigen::Map<RowMajor> own(result.row(n).data() + hidden(), rows_, inputs());
    const auto add = [&](Index output, Index row, double factor) {
      own.row(row) += factor * weights.row(output);
      result(n, biases + row) += factor * by_bias[output];
    };
    each_product([&](Index output, Index row, Index factor) {
      add(output, row, parameters[factor]);
      result(n, factor) += weights.row(output).dot(rows.row(row)) + by_bias[output] * parameters[biases + row];
    });
    each_plain([&](Index output, Index row) { add(output, row, 1); });
  }
  return result;
}

Eigen::VectorXd VelocityProducts::initial(const Eigen::VectorXd& of_shape, Random& random) const {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(size_);
  result.head(hidden()) = of_shape.head(hidden());
  const Map weights(of_shape.data() + hidden(), shape_.outputs, inputs());
  Eigen::Map<RowMajor> rows(result.data() + hidden(), rows_, inputs());
  each_plain([&](Index output, Index row) { rows.row(row) = weights.row(output); });
  for (const auto& unknown : unknowns_)
    rows.middleRows(unknown.row, products_ * modes_) = weights.middleRows(unknown.first * modes_, products_ * modes_);
  for (Index k = hidden() + rows_ * (inputs() + 1); k < size_; ++k)
    result[k] = random.normal() / std::sqrt(static_cast<double>(products_));
  return result;
}

std::vector<std::pair<Index, Index>> VelocityProducts::blocks() const {
  std::vector<std::pair<Index, Index>> result{{rows_, inputs()}, {rows_, 1}};
  for (const auto& unknown : unknowns_) result.emplace_back(unknown.count, products_);
  return result;
}

}  // namespace torsor
