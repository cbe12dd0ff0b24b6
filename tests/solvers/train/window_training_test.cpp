// Time windows: each begins where the one before ends, the whole is accurate, restarts in any window give the same bits.
#include "solvers/train/window_training.h"

#include "physics/error.h"
#include "train_checks.h"

namespace torsor {
namespace {

TrainOptions quasi_newton(Index steps) {
  TrainOptions options = short_training("ssbroyden", steps);
  options.network.widths = {16};
  options.points.interior = 300;
  options.log_every = 50;
  options.weights.given["ic"] = 10;
  return options;
}

void train(WindowTraining& training) {
  SilentProgress progress;
  training.run(progress, {}, {}, 1e9);
}

Problem standing_wave() {
  const ProblemDefinition definition{"standing-wave", "", [](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; t in [0, 1.5] time");
    p.field("u");
    p.exact("u", "sin(pi*x)*cos(pi*t)");
    p.residual("pde", "u_tt = u_xx");
    p.boundary("bc", "u = 0");
    p.initial("ic", "u = u_exact");
    p.initial("velocity", "u_t = 0");
  }};
  return make_problem(definition, {});
}

TEST(WindowTraining, EachWindowGoesOnFromTheOneBefore) {
  const std::vector<Problem> tasks{standing_wave()};
  WindowTraining training(tasks, quasi_newton(1500), 3);
  train(training);
  const Solution solution = training.solution(0, false);
  ASSERT_EQ(solution.windows().size(), 3U);
  const Index t = tasks[0].time();
  const Coordinate& time = tasks[0].coordinates[static_cast<size_t>(t)];
  EXPECT_EQ(training.reached(), time.high);
  EXPECT_EQ(solution.windows().front().start, time.low);
  EXPECT_EQ(solution.windows().back().end, time.high);
  Eigen::MatrixXd points(50, 2);
  const Coordinate& space = tasks[0].coordinates[static_cast<size_t>(1 - t)];
  points.col(1 - t).setLinSpaced(space.low, space.high);
  // The wave equation is of second order in time: value and rate go on.
  for (size_t w = 0; w < 2; ++w)
    for (const int order : {0, 1}) {
      MultiIndex orders(2, 0);
      orders[static_cast<size_t>(t)] = order;
      points.col(t).setConstant(solution.windows()[w].end);
      const auto at = [&](const Window& window) { return window.ansatz->jets(points, {{0, orders}}, window.head); };
      const Eigen::MatrixXd before = at(solution.windows()[w]), after = at(solution.windows()[w + 1]);
      EXPECT_LT((after - before).norm(), 2e-3 * (1 + before.norm())) << "window " << w << ", order " << order;
    }
  const Eigen::MatrixXd inside = few_points(tasks, 400).front().points;
  const std::vector<FieldJet> value{{0, {0, 0}}};
  const Eigen::MatrixXd exact = tasks[0].exact_jets(inside, value);
  EXPECT_LT((solution.jets(inside, value) - exact).norm(), 2e-3 * exact.norm());
}

TEST(WindowTraining, ARestartInAnyWindowGivesTheSameBits) {
  const std::vector<Problem> tasks{shipped("heat", {}, 1), shipped("heat", {}, 2)};
  TrainOptions options = quasi_newton(12);
  options.log_every = 4;
  options.points.change = "rad";
  options.points.every = 5;
  // The states at every log entry, as checkpoints would catch them.
  std::vector<State> states;
  WindowTraining whole(tasks, options, 3);
  SilentProgress progress;
  whole.run(progress, {}, [&](const WindowTraining& now) { states.push_back(now.state()); }, -1);
  ASSERT_GE(states.size(), 9U);
  for (const State& state : states) {
    WindowTraining again(tasks, options, 3);
    again.restore(state);
    train(again);
    EXPECT_EQ(again.steps_taken(), whole.steps_taken());
    EXPECT_EQ(again.endings(), whole.endings());
    for (size_t w = 0; w < 3; ++w)
      EXPECT_EQ(again.solution(1, false).windows()[w].head, whole.solution(1, false).windows()[w].head);
    const auto history = again.history(), expected = whole.history();
    ASSERT_EQ(history.size(), expected.size());
    EXPECT_EQ(history.at("loss").steps, expected.at("loss").steps);
    EXPECT_EQ(history.at("loss").values, expected.at("loss").values);
  }
}

TEST(WindowTraining, OneWindowIsPlainTraining) {
  const std::vector<Problem> tasks{shipped("burgers", {{"nu", 0.1}})};
  TrainOptions options = short_training("adam", 30);
  WindowTraining windows(tasks, options, 1);
  train(windows);
  Trainer plain(tasks, options);
  while (plain.step()) {
  }
  EXPECT_EQ(windows.now().parameters(), plain.parameters());
}

TEST(WindowTraining, WindowsNeedTime) {
  EXPECT_THROW(WindowTraining({shipped("poisson")}, short_training("adam", 1), 2), InputError);
}

}  // namespace
}  // namespace torsor
