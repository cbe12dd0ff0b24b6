// -Lap u = 2 pi^2 sin(pi x) sin(pi y) on the unit square, u = 0 on its boundary, for a tanh network u: the residuals of
// a PINN as an objective of its weights,
//
//     f = mean over the interior points of (Lap u + 2 pi^2 sin sin)^2 + mean over the boundary points of u^2.
//
// The exact solution is sin(pi x) sin(pi y).
#pragma once

#include <cmath>
#include <numbers>
#include <random>

#include "operators/engine/jet_engine.h"
#include "solvers/optimise/optimiser.h"

namespace torsor::testing {

using PointRows = Eigen::Matrix<double, Eigen::Dynamic, 2, Eigen::RowMajor>;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline double poisson_solution(double x, double y) {
  return std::sin(std::numbers::pi * x) * std::sin(std::numbers::pi * y);
}

class PoissonNetwork final : public Objective {
 public:
  /// side^2 interior points, the midpoints of a grid, and `edge` points on each edge.
  PoissonNetwork(std::vector<Index> widths, Index side, Index edge)
      : shape_(make_shape(std::move(widths))),
        laplacian_(shape_, {.derivatives = {}, .laplacian = {0, 1}}),
        value_(shape_, {.derivatives = {{0, 0}}, .laplacian = {}}),
        interior_(side * side, 2),
        boundary_(4 * edge, 2) {
    const double h = 1.0 / static_cast<double>(side), k = 1.0 / static_cast<double>(edge);
    for (Index i = 0; i < side; ++i)
      for (Index j = 0; j < side; ++j)
        interior_.row(i * side + j) << h * (static_cast<double>(i) + 0.5), h * (static_cast<double>(j) + 0.5);
    for (Index i = 0; i < edge; ++i) {
      const double s = k * (static_cast<double>(i) + 0.5);
      boundary_.middleRows(4 * i, 4) << s, 0, s, 1, 0, s, 1, s;
    }
    source_ = sines(interior_) * (2 * std::numbers::pi * std::numbers::pi);
  }

  /// Weights and biases uniform in +-1 / sqrt(inputs), PyTorch's default. With biases of zero the neurons begin nearly
  /// dependent, and damped methods stay there.
  Eigen::VectorXd start(unsigned seed) const {
    std::mt19937_64 random(seed);
    Eigen::VectorXd x = Eigen::VectorXd::Zero(size());
    for (Index l = 0; l < shape_.layers(); ++l) {
      const Index count = (shape_.layer_inputs(l) + 1) * shape_.layer_outputs(l);
      const double bound = 1.0 / std::sqrt(static_cast<double>(shape_.layer_inputs(l)));
      for (Index i = 0; i < count; ++i)
        x[shape_.weight_offset(l) + i] = bound * (2.0 * static_cast<double>(random() >> 11) * 0x1.0p-53 - 1.0);
    }
    return x;
  }

  /// Sizes of the weight matrices and biases in the order of the vector.
  std::vector<std::pair<Index, Index>> blocks() const {
    std::vector<std::pair<Index, Index>> sizes;
    for (Index l = 0; l < shape_.layers(); ++l) {
      sizes.emplace_back(shape_.layer_outputs(l), shape_.layer_inputs(l));
      sizes.emplace_back(shape_.layer_outputs(l), 1);
    }
    return sizes;
  }

  /// ||u - exact|| / ||exact|| in L2, by the midpoint rule on a 67 x 67 grid.
  double error(const Eigen::VectorXd& x) const {
    PointRows points(67 * 67, 2);
    for (Index k = 0; k < points.rows(); ++k)
      points.row(k) << (static_cast<double>(k / 67) + 0.5) / 67, (static_cast<double>(k % 67) + 0.5) / 67;
    const Eigen::VectorXd exact = sines(points);
    return (jets(value_, points, x) - exact).norm() / exact.norm();
  }

  Index size() const override { return shape_.parameters(); }
  Index residuals() const override { return interior_.rows() + boundary_.rows(); }

  double value(const Eigen::VectorXd& x) override {
    return (jets(laplacian_, interior_, x) + source_).squaredNorm() / static_cast<double>(interior_.rows()) +
           jets(value_, boundary_, x).squaredNorm() / static_cast<double>(boundary_.rows());
  }

  double value_and_gradient(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) override {
    Eigen::VectorXd boundary_part(size());
    gradient.resize(size());
    const double interior = part(laplacian_, interior_, source_, x, gradient);
    const double boundary = part(value_, boundary_, Eigen::VectorXd::Zero(boundary_.rows()), x, boundary_part);
    gradient += boundary_part;
    return interior + boundary;
  }

  void residual_blocks(const Eigen::VectorXd& x,
                       const std::function<void(Eigen::Ref<Eigen::VectorXd>, Eigen::Ref<Eigen::MatrixXd>)>& take) override {
    give(laplacian_, interior_, source_, x, take);
    give(value_, boundary_, Eigen::VectorXd::Zero(boundary_.rows()), x, take);
  }

 private:
  using Engine = JetEngine<double>;

  static NetworkShape make_shape(std::vector<Index> widths) {
    NetworkShape shape;
    shape.coordinates = 2;
    shape.inputs = raw_inputs(Eigen::Vector2d(0, 0));
    shape.widths = std::move(widths);
    return shape;
  }

  static Eigen::VectorXd sines(const PointRows& points) {
    Eigen::VectorXd values(points.rows());
    for (Index k = 0; k < points.rows(); ++k) values[k] = poisson_solution(points(k, 0), points(k, 1));
    return values;
  }

  static JetBatch<double> batch(const PointRows& points) { return {.count = points.rows(), .points = points.data()}; }

  static Eigen::VectorXd jets(const Engine& engine, const PointRows& points, const Eigen::VectorXd& x) {
    Eigen::VectorXd result(points.rows());
    engine.jets(batch(points), x.data(), result.data());
    return result;
  }

  // Mean of (jet + shift)^2 over the points, and its gradient.
  static double part(const Engine& engine, const PointRows& points, const Eigen::VectorXd& shift,
                     const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    const double weight = 1.0 / static_cast<double>(points.rows());
    const auto residual = [&](const JetBlock<double>& block) {
      for (Index i = 0; i < block.count; ++i) {
        const double r = block.jets[i] + shift[block.points[i]];
        block.adjoints[i] = 2 * weight * r;
        block.losses[i] = weight * r * r;
      }
    };
    double value = 0;
    engine.value_and_gradients(batch(points), x.data(), residual, &value, gradient.data());
    return value;
  }

  static void give(const Engine& engine, const PointRows& points, const Eigen::VectorXd& shift, const Eigen::VectorXd& x,
                   const std::function<void(Eigen::Ref<Eigen::VectorXd>, Eigen::Ref<Eigen::MatrixXd>)>& take) {
    constexpr Index kRows = 1000;
    const double weight = 1.0 / std::sqrt(static_cast<double>(points.rows()));
    for (Index first = 0; first < points.rows(); first += kRows) {
      const PointRows chunk = points.middleRows(first, std::min(kRows, points.rows() - first));
      Eigen::VectorXd r = weight * (jets(engine, chunk, x) + shift.segment(first, chunk.rows()));
      const Eigen::VectorXd adjoints = Eigen::VectorXd::Constant(chunk.rows(), weight);
      RowMatrix rows(chunk.rows(), x.size());
      engine.jacobian(batch(chunk), x.data(), adjoints.data(), rows.data());
      Eigen::MatrixXd jacobian = rows;
      take(r, jacobian);
    }
  }

  NetworkShape shape_;
  Engine laplacian_, value_;
  PointRows interior_, boundary_;
  Eigen::VectorXd source_;
};

}  // namespace torsor::testing
