// What all quasi-Newton methods share: x <- x + t d, d = -H g, with the step t from a Wolfe line search and H, an
// approximation of the inverse Hessian, learnt from the pairs
//
//     s = x_new - x,      y = g_new - g,      wanted: H_new y = s (secant equation), H_new positive definite.
//
// Where no step along d is found, H is forgotten once and the search repeated along -g; where that fails too the
// method stops and says why.
#pragma once

#include "solvers/optimise/optimiser.h"
#include "solvers/optimise/strong_wolfe.h"

namespace torsor {

struct QuasiNewtonOptions {
  WolfeOptions search;
  double gradient_tolerance = 0;  ///< stop where the largest entry of the gradient is not above
  Index patience = 50;            ///< stop after so many steps without a new least value
  bool keep_curvature = true;     ///< keep H when the objective changes
};

/// An accepted step, with y^T s > 0.
struct Displacement {
  const Eigen::VectorXd& s;
  const Eigen::VectorXd& y;
  const Eigen::VectorXd& gradient;  ///< before the step
  const Eigen::VectorXd& next_gradient;
  double step;  ///< t
};

class QuasiNewton : public Optimiser {
 public:
  explicit QuasiNewton(const QuasiNewtonOptions& options) : options_(options) {}

  bool first_order() const final { return false; }
  StepReport step(Objective& objective, Eigen::VectorXd& x) final;
  void objective_changed() final;
  State state() const final;
  void restore(const State& state) final;

 protected:
  /// -H g.
  virtual Eigen::VectorXd direction(const Eigen::VectorXd& gradient) = 0;
  /// Whether H is the identity: nothing has been learnt.
  virtual bool is_fresh() const = 0;
  virtual void learn(const Displacement& step) = 0;
  virtual void forget() = 0;
  virtual State memory() const = 0;
  virtual void restore_memory(const State& memory) = 0;

 private:
  struct Point {
    Eigen::VectorXd x, gradient;
    double value = 0;
  };

  void evaluate_start(Objective& objective, const Eigen::VectorXd& x, StepReport& report);
  bool has_stopped(StepReport& report);
  WolfeResult search(Objective& objective, const Eigen::VectorXd& direction, Point& end, StepReport& report);
  void accept(Point end, double step, Eigen::VectorXd& x, StepReport& report);

  QuasiNewtonOptions options_;
  Index parameters_ = 0;  // 0: no step yet
  Point here_;  // the last accepted point, evaluated; x empty: none
  double least_value_ = 0;
  Index steps_without_gain_ = 0;
};

/// c1, c2, rounding, max_evaluations, gradient_tolerance, patience, keep_curvature.
std::vector<Option> quasi_newton_options();
/// Their values; throws InputError for one that breaks its rule.
QuasiNewtonOptions make_quasi_newton_options(const std::string& method, const OptionValues& values);

}  // namespace torsor
