// Derivatives of e = exp(n) from those of n, and the reverse pass: an unknown that has to be positive.
//
//   d^a e = sum over c <= a - e_i of binom(a - e_i, c) d^c e d^(a-c) n,    i the first coordinate with a_i > 0,
//
// Leibniz' rule on d_i e = e d_i n.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "physics/multi_index.h"

namespace torsor {

class ExponentialJets {
 public:
  /// For these derivatives, which must be a lower_closure.
  explicit ExponentialJets(std::vector<MultiIndex> closure);

  const std::vector<MultiIndex>& closure() const { return closure_; }

  /// Derivatives of exp(n) from those of n, both points x closure.
  Eigen::ArrayXXd of(const Eigen::ArrayXXd& n) const;

  /// Derivatives of a function by those of n, from its derivatives `by_e` by those of e = of(n): points x closure.
  Eigen::ArrayXXd adjoint(const Eigen::ArrayXXd& n, const Eigen::ArrayXXd& e, Eigen::ArrayXXd by_e) const;

 private:
  /// d^a e has the part factor * d^c e d^rest n.
  struct Part {
    Index a, c, rest;
    double factor;
  };
  std::vector<MultiIndex> closure_;
  std::vector<Part> parts_;  // in ascending order of a: every c comes before its a
};

}  // namespace torsor
