// The last layer of a network whose unknowns of the velocity are sums of products,
//
//   g(x, v_j) = sum_{k = 1 ... K} a_k(x) b_k(v_j),     a = A h + c,
//
// h the last hidden layer. In moments g_l = sum_k B_lk a_k: the rows W = B A (and biases B c) of an unknown's moments in the
// last layer of NetworkShape have rank K, and the parameters are A, c and B in their place.
#pragma once

#include <Eigen/Core>
#include <utility>
#include <vector>

#include "operators/engine/network_shape.h"
#include "physics/random.h"
#include "problems/problem.h"

namespace torsor {

class VelocityProducts {
 public:
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  /// `shape` of the network with an output for each field of `problem` and each of `modes`, the modes of a field one after
  /// the other. Throws InputError without an unknown of the velocity, and for K < 1 or as many as an unknown has moments.
  VelocityProducts(const NetworkShape& shape, const Problem& problem, Index modes, Index products);

  Index size() const { return size_; }
  /// The parameters of `shape` (shape.parameters()) that these (size()) stand for.
  Eigen::VectorXd expanded(const Eigen::Ref<const Eigen::VectorXd>& parameters) const;
  /// Derivatives by these parameters from those by the shape's (n x shape.parameters()): n x size().
  RowMajor pulled_back(const Eigen::Ref<const Eigen::VectorXd>& parameters, const RowMajor& derivatives) const;
  /// Parameters whose products have the size of the shape's initial ones: A and c are taken from them, B ~ N(0, 1/K).
  Eigen::VectorXd initial(const Eigen::VectorXd& of_shape, Random& random) const;
  /// Rows and columns of A, c and of B of every unknown, as they lie behind the hidden layers' parameters.
  std::vector<std::pair<Index, Index>> blocks() const;

 private:
  /// An unknown's fields, its first row of A, and where its B lies; without products `count` fields are as they were.
  struct Unknown {
    Index first, count, row, factors;
  };
  struct Plain {
    Index field, row;
  };
  using Map = Eigen::Map<const RowMajor>;

  Index inputs() const { return shape_.layer_inputs(shape_.layers() - 1); }
  Index hidden() const { return shape_.weight_offset(shape_.layers() - 1); }
  /// For every product of unknown `u` and mode: visit(row of the shape's last layer, row of A, position of B_lk).
  template <class Visit>
  void each_product(const Visit& visit) const;
  /// For every row that is as it was: visit(row of the shape's last layer, row of A).
  template <class Visit>
  void each_plain(const Visit& visit) const;

  NetworkShape shape_;
  Index modes_, products_;
  Index rows_ = 0, size_ = 0;
  std::vector<Unknown> unknowns_;
  std::vector<Plain> plain_;
};

}  // namespace torsor
