// The points on which tasks are trained, and how they change.
//
//   fixed      drawn once
//   resampled  drawn again every so many steps
//   rar        residual-based adaptive refinement: the candidates with the largest |r| are added
//              (Lu, Meng, Mao, Karniadakis, "DeepXDE", SIAM Rev. 2021, section 2.8)
//   rad        residual-based adaptive distribution: all points are drawn again, with probability proportional to
//              |r|^k / mean |r|^k + c among candidates (Wu, Zhu, Tan, Kartha, Lu, CMAME 2023)
// Where the time coordinate runs over [a, b], points may be denser early: t = a + (b - a) s^p with s spread evenly, for
// initial layers and fast decay. An even spread leaves the network free between the first time and the first points.
// Terms of one place (and of the same boundary pieces) share their points. rar and rad act on boundary and
// initial points as well (ours: the papers have interior points alone), where data with a kink or a layer are as hard to
// meet as an equation.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "solvers/state.h"
#include "solvers/train/task_losses.h"

namespace torsor {

struct PointOptions {
  Index interior = 0;   ///< of each task; 0: by dimension
  Index boundary = 0;   ///< of each task, all pieces together, and as many at the first time; 0: from `interior`
  std::string sampler = "sobol";  ///< a name of physics/sampler.h, or auto (collocation.h)
  std::string change = "fixed";   ///< fixed | resampled | rar | rad
  Index every = 1000;             ///< steps between changes
  Index added = 0;                ///< by rar, of interior points, other sets in proportion; 0: a twentieth
  Index candidates = 10;          ///< for each point
  double power = 1, constant = 1; ///< k and c of rad
  double time_grading = 0;        ///< p; 0: 2 for kinetic equations, else 1
  uint64_t seed = 0;
};

class TrainingPoints {
 public:
  /// The residual of a term at the points of a set.
  using Residual = std::function<Eigen::VectorXd(const PointSet& set)>;

  TrainingPoints(const std::vector<Problem>& tasks, const PointOptions& options);

  const std::vector<PointSet>& sets() const { return sets_; }
  /// Changes the points where `step` (> 0) is one at which they change; whether it did.
  bool update(Index step, const Residual& residual);

  State state() const;
  void restore(const State& state);

 private:
  std::vector<PointSet> draw(Index interior, Index boundary, uint64_t draw_number) const;
  size_t first_alike(const std::vector<PointSet>& sets, const PointSet& set) const;
  Index share_of_added(const PointSet& set) const;

  const std::vector<Problem>& tasks_;
  PointOptions options_;
  std::vector<PointSet> sets_;
};

}  // namespace torsor
