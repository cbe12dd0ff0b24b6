// A solution u(x, t) held at equal steps of x and at any ascending times, between them by cubic polynomials through the
// four nearest nodes and times: fourth order, enough for schemes of second order. Beyond the first and the last node
// (of cell centres, half a cell) it is linear, which does not swing behind a front at the boundary.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace torsor {

class GridSolution {
 public:
  /// `x` n >= 4 equally spaced nodes; `period` of x, 0 for none; `values` n x columns for each of `times`. One time is
  /// allowed: a steady solution. InputError for other shapes.
  GridSolution(Eigen::VectorXd x, double period, std::vector<double> times, std::vector<Eigen::MatrixXd> values);

  const Eigen::VectorXd& x() const { return x_; }
  const std::vector<double>& times() const { return times_; }
  const Eigen::MatrixXd& at_time(std::size_t k) const { return values_[k]; }
  /// M x columns at M x 2 points (x, t).
  Eigen::MatrixXd evaluate(const Eigen::MatrixXd& points) const;

 private:
  struct Stencil {
    int size = 0;
    Eigen::Index index[4];
    double weight[4];
  };
  Stencil in_space(double x) const;
  Stencil in_time(double t) const;

  Eigen::VectorXd x_;
  double period_;
  std::vector<double> times_;
  std::vector<Eigen::MatrixXd> values_;
};

}  // namespace torsor
