#include "solvers/optimise/schedules.h"

#include <gtest/gtest.h>

#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

TEST(Schedules, HaveTheirFormulas) {
  Schedule s{.rate = 0.1, .factor = 0.5, .every = 10, .steps = 100};
  EXPECT_EQ(learning_rate(s, 0), 0.1);
  EXPECT_EQ(learning_rate(s, 1000), 0.1);
  s.kind = ScheduleKind::exponential;
  EXPECT_NEAR(learning_rate(s, 5), 0.1 * std::sqrt(0.5), 1e-15);
  s.kind = ScheduleKind::step;
  EXPECT_EQ(learning_rate(s, 9), 0.1);
  EXPECT_EQ(learning_rate(s, 10), 0.05);
  s.kind = ScheduleKind::inverse_time;
  EXPECT_NEAR(learning_rate(s, 30), 0.025, 1e-15);
  s.kind = ScheduleKind::cosine;
  s.floor = 0.2;
  EXPECT_NEAR(learning_rate(s, 0), 0.1, 1e-15);
  EXPECT_NEAR(learning_rate(s, 50), 0.06, 1e-15);
  for (Index k : {100, 101, 1000}) EXPECT_NEAR(learning_rate(s, k), 0.02, 1e-15);
}

TEST(Schedules, WarmUpIsLinearAndEndsAtTheRate) {
  for (ScheduleKind kind : {ScheduleKind::constant, ScheduleKind::exponential, ScheduleKind::cosine, ScheduleKind::step,
                            ScheduleKind::inverse_time}) {
    const Schedule s{.kind = kind, .rate = 1, .warmup = 4, .steps = 50};
    for (Index k = 0; k < 4; ++k) EXPECT_NEAR(learning_rate(s, k), 0.2 * static_cast<double>(k + 1), 1e-15);
    EXPECT_EQ(learning_rate(s, 4), 1);
    for (Index k = 5; k < 60; ++k) EXPECT_LE(learning_rate(s, k), learning_rate(s, k - 1));
  }
}

TEST(Schedules, NeverFallBelowTheFloor) {
  const Schedule s{.kind = ScheduleKind::exponential, .rate = 1, .factor = 0.1, .every = 1, .floor = 0.01};
  EXPECT_EQ(learning_rate(s, 100), 0.01);
}

TEST(Schedules, OptionsMakeThemAndBadOnesAreErrors) {
  OptionValues values(schedule_options());
  EXPECT_EQ(make_schedule(values, 100).kind, ScheduleKind::cosine);
  values.set("warmup", "100");
  EXPECT_THROW(make_schedule(values, 100), InputError);
  values.set("warmup", "0");
  EXPECT_THROW(values.set("schedule", "cosin"), InputError);
  EXPECT_THROW(Schedule{.rate = 0}.check(), InputError);
  EXPECT_THROW(Schedule{.factor = 2}.check(), InputError);
  EXPECT_THROW(Schedule{.every = 0}.check(), InputError);
  EXPECT_THROW(Schedule{.floor = -1}.check(), InputError);
}

}  // namespace
}  // namespace torsor
