// A problem in one space dimension and time as a first-order system of evolution equations.
//
// The interior terms r_i(t, x, J) = 0 have to be linear in the highest time derivative w_f = d^p_f u_f/dt^p_f
// of each field, p_f = 1 or 2:
//
//   M(t, x) w + r(t, x, J)|_{w = 0} = 0,   w = -M^-1 r|_{w = 0},   dw/dJ = -M^-1 dr/dJ.
//
// The states are u_f and, for p_f = 2, v_f = d u_f/dt:  (u_f)_t = w_f, or (u_f)_t = v_f and (v_f)_t = w_f.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <string>
#include <vector>

#include "problems/problem.h"

namespace torsor {

class EvolutionForm {
 public:
  /// The rule that keeps the problem from this form, empty if none.
  static std::string obstacle(const Problem& problem);
  /// Only without obstacle.
  explicit EvolutionForm(std::shared_ptr<const Problem> problem);

  /// u of all fields in order, then the v of those with p_f = 2.
  const std::vector<FieldJet>& states() const { return states_; }
  /// Highest x-derivative of a state, at least 1.
  int order() const { return order_; }
  /// dS/dt, N x states, at time t and nodes x (N) from the jets (N x states (order + 1)); column
  /// state (order + 1) + k holds d^k(state)/dx^k.
  Eigen::MatrixXd rates(double t, const Eigen::VectorXd& x, const Eigen::MatrixXd& jets) const;
  /// d(dS_i/dt)/dJ_m in column i n_jets + m.
  Eigen::MatrixXd partials(double t, const Eigen::VectorXd& x, const Eigen::MatrixXd& jets) const;
  /// Whether a rate depends on its own state's second or fourth x-derivative: a stiff, diffusive system.
  bool diffusive() const;

 private:
  struct Equations {
    Eigen::MatrixXd residual;               // N x fields
    std::vector<Eigen::MatrixXd> mass;      // for each term, N x fields
    std::vector<Eigen::MatrixXd> partials;  // for each term, N x n_jets
  };
  Equations equations(double t, const Eigen::VectorXd& x, const Eigen::MatrixXd& jets, bool linearized) const;
  Eigen::MatrixXd solve_mass(const Equations& e, const Eigen::MatrixXd& right) const;
  Index fields() const { return static_cast<Index>(problem_->fields.size()); }
  Index rate_state(Index field) const;

  std::shared_ptr<const Problem> problem_;
  std::vector<FieldJet> states_;
  std::vector<std::vector<Index>>
      columns_;  // of each jet of each term: column of the jets, or -1 - f for w_f
  int order_ = 1;
  bool constant_mass_ = false;
  Eigen::MatrixXd mass_;  // fields x fields, if constant
};

/// The states of a problem, whether or not it has an obstacle.
std::vector<FieldJet> evolution_states(const Problem& problem);

}  // namespace torsor
