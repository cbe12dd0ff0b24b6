// Learning rates that change with the step. For step k = 0, 1, ... , w = warmup, s = k - w, S = steps - w:
//
//   warm-up (k < w)  rate (k + 1) / (w + 1)
//   constant         rate
//   exponential      rate factor^(s / every)
//   cosine           floor rate + (1 - floor) rate (1 + cos(pi min(s / S, 1))) / 2
//   step             rate factor^floor(s / every)
//   inverse-time     rate / (1 + s / every)
//
// and never below floor rate. Source of the cosine: Loshchilov, Hutter, "SGDR", ICLR 2017, equation 5.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "solvers/option.h"

namespace torsor {

using Eigen::Index;

enum class ScheduleKind { constant, exponential, cosine, step, inverse_time };

struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double rate = 1e-3;   ///< the largest, reached after the warm-up; > 0
  double factor = 0.9;  ///< in (0, 1]
  Index every = 1000;   ///< steps; >= 1
  double floor = 0;     ///< share of the rate, in [0, 1]
  Index warmup = 0;     ///< steps; >= 0
  Index steps = 1;      ///< of the whole training, for the cosine; > warmup

  /// Throws InputError naming the field, its value and the rule.
  void check() const;
};

/// The rate for the step after `step` others.
double learning_rate(const Schedule& schedule, Index step);

/// schedule, rate, factor, every, floor, warmup: the options of any first-order method.
std::vector<Option> schedule_options();

/// From the values of schedule_options; throws InputError as `check` does.
Schedule make_schedule(const OptionValues& values, Index steps);

}  // namespace torsor
