#include "solvers/optimise/schedules.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <sstream>

#include "physics/error.h"

namespace torsor {
namespace {

const std::map<std::string, ScheduleKind>& kinds() {
  static const std::map<std::string, ScheduleKind> known{{"constant", ScheduleKind::constant},
                                                         {"cosine", ScheduleKind::cosine},
                                                         {"exponential", ScheduleKind::exponential},
                                                         {"inverse-time", ScheduleKind::inverse_time},
                                                         {"step", ScheduleKind::step}};
  return known;
}

ScheduleKind find_kind(const std::string& name) {
  const auto entry = kinds().find(name);
  if (entry != kinds().end()) return entry->second;
  std::vector<std::string> names;
  for (const auto& [known, kind] : kinds()) names.push_back(known);
  throw InputError(unknown_name_message("schedule", name, names));
}

template <class Value>
void require(bool holds, const char* field, Value value, const char* rule) {
  if (holds) return;
  std::ostringstream text;
  text << "schedule: " << field << " = " << value << " must be " << rule;
  throw InputError(text.str());
}

// The rate's share after s >= 0 steps without warm-up.
double share(const Schedule& schedule, double s) {
  const double every = static_cast<double>(schedule.every);
  switch (schedule.kind) {
    case ScheduleKind::constant: return 1;
    case ScheduleKind::exponential: return std::pow(schedule.factor, s / every);
    case ScheduleKind::step: return std::pow(schedule.factor, std::floor(s / every));
    case ScheduleKind::inverse_time: return 1 / (1 + s / every);
    case ScheduleKind::cosine: break;
  }
  const double done = std::min(1.0, s / static_cast<double>(schedule.steps - schedule.warmup));
  return schedule.floor + (1 - schedule.floor) * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace

void Schedule::check() const {
  require(std::isfinite(rate) && rate > 0, "rate", rate, "> 0");
  require(factor > 0 && factor <= 1, "factor", factor, "in (0, 1]");
  require(every >= 1, "every", every, ">= 1");
  require(floor >= 0 && floor <= 1, "floor", floor, "in [0, 1]");
  require(warmup >= 0, "warmup", warmup, ">= 0");
  require(steps > warmup, "warmup", warmup, "less than the number of steps");
}

double learning_rate(const Schedule& schedule, Index step) {
  if (step < schedule.warmup)
    return schedule.rate * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup + 1);
  return schedule.rate * std::max(schedule.floor, share(schedule, static_cast<double>(step - schedule.warmup)));
}

std::vector<Option> schedule_options() {
  return {{"rate", "real", "1e-3", "largest learning rate", "> 0"},
          {"schedule", "choice", "cosine", "how the learning rate goes down",
           "one of: constant|cosine|exponential|inverse-time|step"},
          {"factor", "real", "0.9", "schedules exponential and step: the rate's factor after `every` steps", "in (0, 1]"},
          {"every", "integer", "1000", "schedules exponential, step and inverse-time: steps", ">= 1"},
          {"floor", "real", "0", "least rate, as a share of the largest", "in [0, 1]"},
          {"warmup", "integer", "0", "steps in which the rate goes up linearly", ">= 0"}};
}

Schedule make_schedule(const OptionValues& values, Index steps) {
  Schedule schedule{.kind = find_kind(values.text("schedule")),
                    .rate = values.real("rate"),
                    .factor = values.real("factor"),
                    .every = values.integer("every"),
                    .floor = values.real("floor"),
                    .warmup = values.integer("warmup"),
                    .steps = steps};
  schedule.check();
  return schedule;
}

}  // namespace torsor
