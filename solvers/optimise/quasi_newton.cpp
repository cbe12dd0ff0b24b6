#include "solvers/optimise/quasi_newton.h"

#include <cmath>
#include <sstream>
#include <stdexcept>

#include "physics/error.h"

namespace torsor {
namespace {

using Eigen::VectorXd;

void stop(StepReport& report, const std::string& reason) {
  report.stopped = true;
  report.reason = reason;
}

}  // namespace

StepReport QuasiNewton::step(Objective& objective, VectorXd& x) {
  StepReport report;
  evaluate_start(objective, x, report);
  if (has_stopped(report)) return report;
  for (;;) {
    const bool steepest = is_fresh();
    Point end;
    const WolfeResult result = search(objective, direction(here_.gradient), end, report);
    if (result.end != WolfeEnd::failed) {
      accept(std::move(end), result.point.step, x, report);
      return report;
    }
    if (steepest) {
      stop(report, "no step along the negative gradient: " + result.reason);
      return report;
    }
    forget();
  }
}

void QuasiNewton::evaluate_start(Objective& objective, const VectorXd& x, StepReport& report) {
  if (parameters_ == 0) parameters_ = x.size();
  if (parameters_ != x.size())
    throw std::logic_error("a memory of " + std::to_string(parameters_) + " parameters meets " +
                           std::to_string(x.size()));
  // The line search has evaluated the point where it ended.
  if (here_.x.size() != x.size() || here_.x != x) {
    here_.x = x;
    here_.value = objective.value_and_gradient(x, here_.gradient);
    ++report.evaluations;
    if (!std::isfinite(here_.value)) {
      here_.x.resize(0);
      throw NumericalError("the objective is " + std::to_string(here_.value) + " at the start of a step");
    }
    if (!here_.gradient.allFinite()) {
      here_.x.resize(0);
      throw NumericalError("the gradient is not finite at the start of a step");
    }
    least_value_ = here_.value;
    steps_without_gain_ = 0;
  }
  report.value = here_.value;
  report.gradient_norm = here_.gradient.norm();
}

bool QuasiNewton::has_stopped(StepReport& report) {
  const double largest = here_.gradient.size() > 0 ? here_.gradient.cwiseAbs().maxCoeff() : 0;
  std::ostringstream reason;
  if (largest <= options_.gradient_tolerance)
    reason << "gradient: its largest entry " << largest << " is not above " << options_.gradient_tolerance;
  else if (steps_without_gain_ >= options_.patience)
    reason << "no value below " << least_value_ << " in " << steps_without_gain_ << " steps: rounding";
  else
    return false;
  stop(report, reason.str());
  return true;
}

WolfeResult QuasiNewton::search(Objective& objective, const VectorXd& direction, Point& end, StepReport& report) {
  const auto along = [&](double step) {
    end.x = here_.x + step * direction;
    end.value = objective.value_and_gradient(end.x, end.gradient);
    return LinePoint{step, end.value, end.gradient.dot(direction)};
  };
  const LinePoint start{0, here_.value, here_.gradient.dot(direction)};
  // Along the gradient its length says nothing about that of the step: the first trial moves x by at most one.
  const double first = is_fresh() ? std::min(1.0, 1 / direction.norm()) : 1.0;
  const WolfeResult result = search_wolfe(along, start, first, options_.search);
  report.evaluations += result.evaluations;
  // The best point need not be the last one.
  if (result.end == WolfeEnd::decrease) {
    along(result.point.step);
    ++report.evaluations;
  }
  return result;
}

void QuasiNewton::accept(Point end, double step, VectorXd& x, StepReport& report) {
  const VectorXd s = end.x - here_.x, y = end.gradient - here_.gradient;
  report.step_norm = s.norm();
  // Rounding can make the product of two tiny vectors negative, and only the Wolfe conditions ensure y^T s > 0.
  if (y.dot(s) > 0) learn({s, y, here_.gradient, end.gradient, step});
  here_ = std::move(end);
  x = here_.x;
  const bool gain = here_.value < least_value_;
  if (gain) least_value_ = here_.value;
  steps_without_gain_ = gain ? 0 : steps_without_gain_ + 1;
}

void QuasiNewton::objective_changed() {
  here_ = {};
  if (!options_.keep_curvature) forget();
}

State QuasiNewton::state() const {
  State state;
  state.set("parameters", static_cast<double>(parameters_));
  state.set("x", here_.x);
  state.set("gradient", here_.gradient);
  state.set("value", here_.value);
  state.set("least_value", least_value_);
  state.set("steps_without_gain", static_cast<double>(steps_without_gain_));
  state.set("memory", memory());
  return state;
}

void QuasiNewton::restore(const State& state) {
  parameters_ = static_cast<Index>(state.number("parameters"));
  here_ = {state.vector("x"), state.vector("gradient"), state.number("value")};
  least_value_ = state.number("least_value");
  steps_without_gain_ = static_cast<Index>(state.number("steps_without_gain"));
  restore_memory(state.part("memory"));
}

std::vector<Option> quasi_newton_options() {
  return {{"c1", "real", "1e-4", "Wolfe's condition of decrease", "in (0, 0.5)"},
          {"c2", "real", "0.9", "Wolfe's condition on the slope; above c1", "in (0, 1)"},
          {"rounding", "real", "1e-6", "relative noise of the objective, within which slopes decide; 0: values always do",
           ">= 0"},
          {"max_evaluations", "integer", "30", "of the objective in a line search", ">= 1"},
          {"gradient_tolerance", "real", "0", "stop where no entry of the gradient is larger", ">= 0"},
          {"patience", "integer", "50", "stop after so many steps without a new least value", ">= 1"},
          {"keep_curvature", "boolean", "yes", "keep the inverse Hessian when the training points change", ""}};
}

QuasiNewtonOptions make_quasi_newton_options(const std::string& method, const OptionValues& values) {
  QuasiNewtonOptions result;
  result.search.decrease = values.real("c1");
  result.search.curvature = values.real("c2");
  if (!(result.search.curvature > result.search.decrease))
    throw InputError("the option 'c2' of " + method + " is '" + values.text("c2") + "', but must be above c1");
  result.search.rounding = values.real("rounding");
  result.search.max_evaluations = values.integer("max_evaluations");
  result.gradient_tolerance = values.real("gradient_tolerance");
  result.patience = values.integer("patience");
  result.keep_curvature = values.boolean("keep_curvature");
  return result;
}

}  // namespace torsor
