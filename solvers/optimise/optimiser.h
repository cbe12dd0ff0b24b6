// Optimisers: minimise an objective over one vector of parameters.
//
// First-order methods (Adam, SOAP, ...) take a direction that somebody else made, a combiner for instance; the others
// ask the objective themselves. A method is one file: its class, formula, source, options, and a line
// `const RegisterOptimiser ...`.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "solvers/option.h"
#include "solvers/state.h"

namespace torsor {

using Eigen::Index;

/// f(x), and where it is a sum of squares f = |r(x)|^2 its residuals and their Jacobian.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual Index size() const = 0;
  /// Not finite values are allowed: line searches step back from them.
  virtual double value(const Eigen::VectorXd& x) = 0;
  virtual double value_and_gradient(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) = 0;

  /// Number of residuals; 0: the objective is not given as a sum of squares.
  virtual Index residuals() const { return 0; }
  /// Calls `take` for consecutive blocks of residuals r (n) and rows of their Jacobian J (n x size), in the same order
  /// and with the same blocks every time. The arrays live until `take` returns; it may overwrite them.
  virtual void residual_blocks(const Eigen::VectorXd& /*x*/,
                               const std::function<void(Eigen::Ref<Eigen::VectorXd> r,
                                                        Eigen::Ref<Eigen::MatrixXd> jacobian)>& /*take*/) {}
};

struct StepReport {
  double value = 0;            ///< f before the step (first-order methods: not set)
  double gradient_norm = 0;    ///< before the step
  double step_norm = 0;
  Index evaluations = 0;       ///< of f or of f and its gradient, in this step
  bool stopped = false;        ///< no further step can be taken
  std::string reason;          ///< why it stopped: "gradient below ...", "line search found no ...", ...
};

class Optimiser {
 public:
  virtual ~Optimiser() = default;

  /// Whether steps are taken with `update` (a direction given) or `step` (the objective asked).
  virtual bool first_order() const = 0;

  /// First-order methods: moves x against `direction`, with `learning_rate` times its own scaling. Others throw
  /// std::logic_error.
  virtual StepReport update(const Eigen::VectorXd& direction, double learning_rate, Eigen::VectorXd& x);

  /// One iteration, x -> a point with a smaller value. First-order methods throw std::logic_error. Throws NumericalError
  /// where f or its gradient is not finite at x.
  virtual StepReport step(Objective& objective, Eigen::VectorXd& x);

  /// The objective is another one from now on (new points): forgets values of the old one. Curvature stays where it is
  /// a good start for the new one too.
  virtual void objective_changed() {}

  virtual State state() const = 0;
  virtual void restore(const State& state) = 0;
};

struct OptimiserInfo {
  std::string name, title, formula, source, caveats;
  bool first_order = false;
  std::vector<Option> options;
  /// The option of `options` by which directions are averaged over steps, 0 for not at all; empty: there is none.
  std::string average{};
  /// `blocks`: sizes (rows, columns) of the weight matrices in the order of the vector, for methods that treat each
  /// matrix by itself (SOAP); a bias is n x 1.
  std::function<std::unique_ptr<Optimiser>(const OptionValues&, const std::vector<std::pair<Index, Index>>& blocks)> make;
};

const std::vector<OptimiserInfo>& optimisers();
/// Throws InputError with the nearest known name.
const OptimiserInfo& find_optimiser(const std::string& name);

struct RegisterOptimiser {
  explicit RegisterOptimiser(OptimiserInfo info);
};

}  // namespace torsor
