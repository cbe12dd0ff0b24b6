// One window of a problem that is marched through time.
#pragma once

#include "solvers/head/head_options.h"

namespace torsor {

/// Hold-out residuals to reach in every window: linear, nonlinear.
struct MarchTolerances {
  double linear, nonlinear;
};

/// The one of them for this problem, unless the options say another.
double tolerance_for(const Problem& problem, const HeadOptions& options, const MarchTolerances& tolerances);

/// The problem on the window [start, end] of time, with initial data from `before` (null: the problem's own).
Problem window_problem(const Problem& problem, double start, double end, const std::shared_ptr<const Window>& before);

/// The state at the end of a window, constant in time: where Newton begins on the next one.
FieldFunction frozen_start(const std::shared_ptr<const Window>& before, Index time);

/// How fast each field relaxes: the largest b/a of terms a u_t + b u + ..., u the field, linearised about zero; 0 without.
Eigen::VectorXd relaxation_rates(const Problem& problem);

/// The fastest of them.
double relaxation_rate(const Problem& problem);

/// Relaxation times that an initial layer lasts: exp(-40) = 4e-18.
constexpr double kInitialLayer = 40;

}  // namespace torsor
