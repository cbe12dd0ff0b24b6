// Combiners: from the gradients g_1 ... g_m of m task losses by the shared parameters to one direction, of which the
// optimiser takes a step against. The sign is that of a gradient: LS gives g_1 + ... + g_m.
//
// A method is one file: its class, its formula and source, its options, and a line `const RegisterCombiner ...`.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "solvers/option.h"
#include "solvers/state.h"

namespace torsor {

using Eigen::Index;

/// What a combiner sees of a step.
struct TaskGradients {
  /// D x m; column i is g_i. A zero column is a task without a say: the others are combined as if it were not there.
  Eigen::Ref<const Eigen::MatrixXd> gradients;
  /// m, the losses L_i > 0 at the parameters where the gradients were taken.
  Eigen::VectorXd losses;
  /// Steps taken before this one.
  Index step = 0;
};

struct Combination {
  /// D.
  Eigen::VectorXd direction;
  /// m, with direction = G weights; empty where the direction is no combination of the gradients (GradDrop).
  Eigen::VectorXd weights;
  /// m, angles in radians by which gradients were turned; empty for methods without rotation.
  Eigen::VectorXd angles;
  /// Why the method gave up its own answer for a safer one; empty: it did not.
  std::string fallback;
};

class Combiner {
 public:
  virtual ~Combiner() = default;

  /// Throws NumericalError for gradients that are not finite.
  virtual Combination combine(const TaskGradients& tasks) = 0;

  /// The tasks whose gradients the next step needs, in 0 ... m - 1; empty: all. The others' columns may be zero.
  virtual std::vector<Index> wanted(Index /*step*/, Index /*m*/) { return {}; }

  /// Whether `observe` must be called with the losses behind the step, on the same points (FAMO).
  virtual bool observes() const { return false; }
  virtual void observe(const Eigen::VectorXd& /*losses_after*/) {}

  /// Whether the directions are averages over steps already, to take the place of the optimiser's first moment.
  virtual bool averaged() const { return false; }

  /// Everything remembered between steps, random streams included.
  virtual State state() const { return {}; }
  virtual void restore(const State& /*state*/) {}
};

/// What every `combine` begins with: throws std::logic_error for sizes that differ, NumericalError for a loss that is
/// not finite.
void check_tasks(const TaskGradients& tasks);

/// Throws NumericalError, naming the task, for a gradient that is not finite, from the diagonal of the Gram matrix.
void check_gram(const TaskGradients& tasks, const Eigen::MatrixXd& gram);

/// What every `combine` ends with: throws NumericalError, naming the task, if the result is not finite.
void check_finite(const TaskGradients& tasks, const Combination& result);

/// Methods for which the Gram matrix A = G^T G is enough: direction = G w(A), at O(m^2 D) for A and O(m D) for the sum.
class GramCombiner : public Combiner {
 public:
  Combination combine(const TaskGradients& tasks) final;

 protected:
  /// Fills weights (and angles, fallback) from the Gram matrix (m x m); `direction` is made from the weights.
  virtual void weigh(const Eigen::MatrixXd& gram, const Eigen::VectorXd& losses, Index step, Combination& result) = 0;
};

struct CombinerInfo {
  std::string name;     ///< as in the configuration: "hrgrad"
  std::string title;    ///< "Harmonized rotational gradient"
  std::string formula;  ///< plain text, several lines
  std::string source;   ///< paper, equation
  std::string caveats;  ///< what a user should know, and which choices are ours; empty: none
  std::vector<Option> options;
  /// A new combiner; `seed` for methods that draw random numbers.
  std::function<std::unique_ptr<Combiner>(const OptionValues&, std::uint64_t seed)> make;
};

/// All combiners, by name.
const std::vector<CombinerInfo>& combiners();

/// Throws InputError with the nearest known name.
const CombinerInfo& find_combiner(const std::string& name);

/// Adds a method to `combiners()` from its own file.
struct RegisterCombiner {
  explicit RegisterCombiner(CombinerInfo info);
};

}  // namespace torsor
