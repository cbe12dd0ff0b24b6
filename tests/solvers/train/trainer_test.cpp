// Training: losses fall, every optimiser and combiner runs, restarts give the same bits, points and weights change as
// they should, and trouble is named.
#include "solvers/train/trainer.h"

#include <algorithm>

#include "physics/error.h"
#include "train_checks.h"

namespace torsor {
namespace {

std::vector<Problem> two_tasks() { return {shipped("poisson", {}, 1), shipped("poisson", {}, 2)}; }

double train(TrainOptions options, const std::vector<Problem>& tasks) {
  Trainer trainer(tasks, std::move(options));
  const double before = trainer.total_loss();
  while (trainer.step()) {
  }
  return trainer.total_loss() / before;
}

TEST(Trainer, EveryOptimiserBringsTheLossDown) {
  for (const auto& info : optimisers()) {
    TrainOptions options = short_training(info.name, info.first_order ? 200 : 20);
    options.schedule.rate = info.name == "sgd" ? 2e-5 : 1e-2;  // plain steps by gradients of size 1e4
    EXPECT_LT(train(options, two_tasks()), 0.9) << info.name;
  }
}

TEST(Trainer, EveryCombinerBringsTheLossDown) {
  for (const auto& info : combiners()) {
    TrainOptions options = short_training("adam", 200);
    set_combiner(options, info.name);
    options.schedule.rate = 5e-3;
    EXPECT_LT(train(options, two_tasks()), 0.95) << info.name;
  }
}

TEST(Trainer, QuasiNewtonSolvesASmoothProblem) {
  for (const std::string objective : {"loss", "root", "logarithm"}) {
    TrainOptions options = short_training("ssbroyden", 1500);
    options.objective = objective;
    options.network.widths = {24};
    options.points.interior = 300;
    options.log_every = 100;
    const ProblemDefinition definition{"wave", "", [](ProblemBuilder& p) {
      p.coordinates("x in [0, 1]; y in [0, 1]");
      p.field("u");
      p.exact("u", "sin(pi*x)*sin(pi*y)");
      p.residual("pde", "-lap(u) = 2*pi^2*u_exact");
      p.boundary("bc", "u = 0");
    }};
    const Problem task = make_problem(definition, {});
    Trainer trainer({task}, options);
    while (trainer.step()) {
    }
    const Eigen::MatrixXd points = few_points({task}, 500).front().points;
    const std::vector<FieldJet> value{{0, {0, 0}}};
    const Eigen::MatrixXd exact = task.exact_jets(points, value);
    EXPECT_LT((trainer.solution(0, false).jets(points, value) - exact).norm(), 1e-4 * exact.norm()) << objective;
  }
}

TEST(Trainer, GaussNewtonNeedsTheLossItself) {
  TrainOptions options = short_training("gauss-newton", 1);
  options.objective = "root";
  Trainer trainer(two_tasks(), options);
  EXPECT_THROW(trainer.step(), InputError);
}

/// Trains `steps` with a stop in the middle; the parameters at the end.
Eigen::VectorXd interrupted(const TrainOptions& options, const std::vector<Problem>& tasks, Index stop,
                            std::map<std::string, Series>& history) {
  Trainer first(tasks, options);
  for (Index k = 0; k < stop; ++k) first.step();
  const State state = first.state();
  Trainer second(tasks, options);
  second.restore(state);
  while (second.step()) {
  }
  history = second.history();
  return second.parameters();
}

void expect_same_after_restart(const TrainOptions& options, const std::string& what,
                               const std::vector<Problem>& tasks = two_tasks()) {
  SCOPED_TRACE(what);
  Trainer whole(tasks, options);
  while (whole.step()) {
  }
  for (const Index stop : {0, 3, 7, 11}) {
    std::map<std::string, Series> history;
    const Eigen::VectorXd parameters = interrupted(options, tasks, stop, history);
    EXPECT_EQ((parameters - whole.parameters()).cwiseAbs().maxCoeff(), 0) << "stopped after " << stop;
    ASSERT_EQ(history.size(), whole.history().size());
    for (const auto& [name, series] : whole.history()) {
      EXPECT_EQ(history.at(name).steps, series.steps) << name;
      EXPECT_EQ(history.at(name).values, series.values) << name;
    }
  }
}

TEST(Trainer, ARestartGivesTheSameBits) {
  for (const auto& info : optimisers()) expect_same_after_restart(short_training(info.name, 12), info.name);
  for (const auto& info : combiners()) {
    TrainOptions options = short_training("adam", 12);
    set_combiner(options, info.name);
    expect_same_after_restart(options, info.name);
  }
  for (const std::string change : {"resampled", "rar", "rad"})
    for (const std::string weights : {"none", "rba", "self-adaptive"}) {
      TrainOptions options = short_training("adam", 12);
      options.points.change = change;
      options.points.every = 5;
      options.weights.points = weights;
      options.weights.factors = "ntk";
      options.weights.every = 4;
      expect_same_after_restart(options, change + ", " + weights);
    }
  TrainOptions phases = short_training("adam", 6);
  phases.phases.push_back({"ssbroyden", OptionValues(find_optimiser("ssbroyden").options), 6});
  phases.flat_radius = 1e-3;
  phases.moving_share = 0.5;
  phases.weights.points = "rba";
  phases.weights.every = 4;
  expect_same_after_restart(phases, "two phases");
}

TEST(Trainer, ARestartDrawsTheSameTasks) {
  std::vector<Problem> tasks;
  for (const double nu : {0.3, 0.05, 0.9, 0.1, 0.5}) tasks.push_back(shipped("burgers", {{"nu", nu}}));
  TrainOptions options = short_training("adam", 12);
  options.network.task_inputs = TaskInputs::parameters;
  options.network.positive = {"u"};
  options.tasks_per_step = 2;
  for (const std::string combiner : {"hrgrad", "m-config", "famo"}) {
    set_combiner(options, combiner);
    expect_same_after_restart(options, combiner, tasks);
  }
  options.phases = {options.phases.front(), {"ssbroyden", OptionValues(find_optimiser("ssbroyden").options), 6}};
  options.phases.front().steps = 6;
  expect_same_after_restart(options, "two phases", tasks);
}

/// Burgers' equation with seven viscosities that are not in order.
std::vector<Problem> viscosities() {
  std::vector<Problem> tasks;
  for (const double nu : {0.3, 0.05, 0.9, 0.02, 0.1, 0.5, 0.2}) tasks.push_back(shipped("burgers", {{"nu", nu}}));
  return tasks;
}

TEST(ParameterInputs, AreScaledOverTheTrainedValues) {
  const auto narrow = parameter_inputs({shipped("burgers", {{"nu", 0.1}}), shipped("burgers", {{"nu", 0.3}})});
  ASSERT_EQ(narrow.size(), 1U);
  EXPECT_FALSE(narrow[0].logarithmic);
  EXPECT_NEAR(narrow[0].scaled(0.2), 0, 1e-15);
  EXPECT_NEAR(narrow[0].scaled(0.4), 2, 1e-15);
  const auto wide = parameter_inputs({shipped("burgers", {{"nu", 1e-3}}), shipped("burgers", {{"nu", 1}})});
  EXPECT_TRUE(wide[0].logarithmic);
  EXPECT_NEAR(wide[0].scaled(1e-3), -1, 1e-15);
  EXPECT_NEAR(wide[0].scaled(std::sqrt(1e-3)), 0, 1e-14);
  EXPECT_THROW(wide[0].scaled(0), InputError);
  EXPECT_NEAR(constant_inputs(wide, shipped("burgers", {{"nu", 1}}))[0], 1, 1e-15);
  EXPECT_THROW(constant_inputs(wide, shipped("poisson")), InputError);
  EXPECT_THROW(parameter_inputs({shipped("burgers"), shipped("burgers")}), InputError);
}

TrainOptions sampled(Index per_step, Index steps) {
  TrainOptions options = short_training("adam", steps);
  options.network.task_inputs = TaskInputs::parameters;
  options.tasks_per_step = per_step;
  set_combiner(options, "hrgrad");
  return options;
}

TEST(TaskSampling, StrataAreConsecutiveAndEvenlySized) {
  const auto tasks = viscosities();
  const TaskSampling sampling(tasks, 3, 1);
  ASSERT_EQ(sampling.strata(), 3);
  double before = 0;
  Index count = 0;
  for (Index k = 0; k < 3; ++k)
    for (const Index task : sampling.members()[static_cast<size_t>(k)]) {
      EXPECT_EQ(sampling.slot(task), k);
      const double nu = tasks[static_cast<size_t>(task)].parameters.front().value;
      EXPECT_GT(nu, before);
      before = nu;
      ++count;
    }
  EXPECT_EQ(count, 7);
  for (const auto& stratum : sampling.members()) EXPECT_NEAR(static_cast<double>(stratum.size()), 7.0 / 3, 1);
}

TEST(TaskSampling, EveryStepHasOneTaskOfEachStratumAndAllTasksComeUp) {
  const TaskSampling sampling(viscosities(), 3, 1);
  constexpr Index kSteps = 600;
  std::vector<Index> drawn(7, 0);
  for (Index step = 0; step < kSteps; ++step) {
    const auto tasks = sampling.draw(step);
    ASSERT_EQ(tasks.size(), 3U);
    for (Index k = 0; k < 3; ++k) {
      EXPECT_EQ(sampling.slot(tasks[static_cast<size_t>(k)]), k);
      ++drawn[static_cast<size_t>(tasks[static_cast<size_t>(k)])];
    }
    EXPECT_EQ(tasks, sampling.draw(step));
  }
  for (Index task = 0; task < 7; ++task) {
    const auto size = static_cast<double>(sampling.members()[static_cast<size_t>(sampling.slot(task))].size());
    const double expected = kSteps / size, deviation = std::sqrt(expected * (1 - 1 / size));
    EXPECT_NEAR(static_cast<double>(drawn[static_cast<size_t>(task)]), expected, 4 * deviation) << task;
  }
  EXPECT_NE(TaskSampling(viscosities(), 3, 2).draw(0), TaskSampling(viscosities(), 3, 2).draw(1));
}

// The combiner sees as many gradients as strata, and a step's direction is that of the drawn tasks alone.
TEST(TaskSampling, AStepIsThatOfItsTasks) {
  auto tasks = viscosities();
  TrainOptions options = sampled(3, 1);
  set_combiner(options, "ls");
  options.phases = {{"sgd", OptionValues(find_optimiser("sgd").options), 1}};
  options.schedule.rate = 1e-3;
  Trainer trainer(tasks, options);
  const TaskNetwork& network = trainer.network();
  const Eigen::VectorXd before = trainer.parameters();
  TaskLosses losses(trainer.tasks(), network);
  losses.set_points(TrainingPoints(trainer.tasks(), options.points).sets());
  Eigen::VectorXd factors = Eigen::VectorXd::Zero(static_cast<Index>(losses.sets().size()));
  const auto drawn = trainer.sampling().draw(0);
  for (size_t s = 0; s < losses.sets().size(); ++s)
    if (std::find(drawn.begin(), drawn.end(), losses.sets()[s].task) != drawn.end()) factors[static_cast<Index>(s)] = 1;
  const Eigen::VectorXd gradient =
      losses.gradients(before, factors, std::vector<Index>(losses.sets().size(), 0), 1).gradients;
  ASSERT_TRUE(trainer.step());
  const Eigen::VectorXd move = trainer.parameters() - before;
  EXPECT_GT(move.norm(), 0);
  EXPECT_NEAR(-move.dot(gradient) / (move.norm() * gradient.norm()), 1, 1e-9);
  Trainer hrgrad(tasks, sampled(3, 1));
  hrgrad.step();
  EXPECT_EQ(hrgrad.history().count("cosine.1.2"), 1U);
  EXPECT_EQ(hrgrad.history().count("cosine.2.3"), 0U);
  const auto names = hrgrad.gradient_names();
  ASSERT_EQ(names.size(), 3U);  // each stratum by its first and last task
  for (const auto& name : names) EXPECT_NE(name.find(" … "), std::string::npos) << name;
}

TEST(TaskSampling, WhatDoesNotFitIsNamed) {
  EXPECT_THROW(TaskSampling(viscosities(), 8, 0), InputError);
  EXPECT_THROW(Trainer(viscosities(), sampled(8, 1)), InputError);
  TrainOptions heads = sampled(3, 1);
  heads.network.task_inputs = TaskInputs::heads;
  EXPECT_THROW(Trainer(viscosities(), heads), InputError);
  heads.tasks_per_step = 7;  // all of them
  EXPECT_NO_THROW(Trainer(viscosities(), heads));
}

TEST(Trainer, SparseTrainingLeavesNeuronsAlone) {
  TrainOptions options = short_training("adam", 20);
  options.moving_share = 0.5;
  Trainer trainer(two_tasks(), options);
  const Eigen::VectorXd before = trainer.parameters();
  while (trainer.step()) {
  }
  const Index shared = trainer.network().shared();
  const auto moved = ((trainer.parameters() - before).head(shared).array() != 0).count();
  EXPECT_GT(moved, shared / 5);
  EXPECT_LT(moved, shared * 4 / 5);
}

TEST(Trainer, ClosedFormHeadsKeepTheLossAtItsLeast) {
  TrainOptions options = short_training("adam", 40);
  options.schedule.rate = 1e-2;
  TrainOptions solved = options;
  solved.solve_heads = true;
  EXPECT_LT(train(solved, two_tasks()), 0.6 * train(options, two_tasks()));
}

TEST(Trainer, TheHistoryTellsOfConflicts) {
  TrainOptions options = short_training("adam", 5);
  set_combiner(options, "hrgrad");
  Trainer trainer(two_tasks(), options);
  while (trainer.step()) {
  }
  for (const char* name : {"loss", "loss.pde.0", "loss.pde.1", "factor.pde.0", "gradient_norm.1", "cosine.0.1", "angle.0",
                           "fallbacks", "learning_rate"}) {
    ASSERT_TRUE(trainer.history().count(name)) << name;
    EXPECT_EQ(trainer.history().at(name).steps.size(), 5u) << name;
  }
  for (const double cosine : trainer.history().at("cosine.0.1").values) EXPECT_LE(std::abs(cosine), 1 + 1e-12);
}

TEST(Trainer, ANonFiniteLossNamesTheStep) {
  TrainOptions options = short_training("adam", 50);
  options.schedule.rate = 1e200;
  Trainer trainer(two_tasks(), options);
  try {
    while (trainer.step()) {
    }
    FAIL() << "nothing was thrown";
  } catch (const NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("training, step 1"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("task "), std::string::npos) << error.what();
  }
}

TEST(Trainer, OptionsThatDoNotFitAreNamed) {
  TrainOptions options = short_training("gauss-newton", 5);
  options.solve_heads = true;
  EXPECT_THROW(Trainer(two_tasks(), options), InputError);
  TrainOptions causal = short_training("adam", 5);
  causal.weights.points = "causal";
  EXPECT_THROW(Trainer(two_tasks(), causal), InputError);
  TrainOptions term = short_training("adam", 5);
  term.weights.given["bcc"] = 2;
  EXPECT_THROW(Trainer(two_tasks(), term), InputError);
  TrainOptions inputs = short_training("adam", 5);
  inputs.network.task_inputs = TaskInputs::parameters;
  EXPECT_THROW(Trainer(two_tasks(), inputs), InputError);
  EXPECT_THROW(Trainer({shipped("poisson"), shipped("burgers")}, short_training("adam", 5)), InputError);
}

TEST(LossWeights, TangentKernelFactorsEqualiseTheTerms) {
  const std::vector<Problem> tasks{shipped("burgers")};
  const TaskNetwork network(tasks, small_network());
  TaskLosses losses(tasks, network);
  losses.set_points(few_points(tasks));
  LossWeightOptions options;
  options.factors = "ntk";
  LossWeights weights(tasks, options);
  weights.points_changed(losses);
  const Eigen::VectorXd parameters = network.initial_parameters();
  weights.update_factors(0, losses, parameters);
  for (Index s = 1; s < weights.factors().size(); ++s)
    EXPECT_NEAR(weights.factors()[s] * losses.tangent_kernel(s, parameters),
                weights.factors()[0] * losses.tangent_kernel(0, parameters),
                1e-9 * weights.factors()[0] * losses.tangent_kernel(0, parameters));
}

TEST(LossWeights, CausalWeightsFallWithTime) {
  const std::vector<Problem> tasks{shipped("burgers")};
  const TaskNetwork network(tasks, small_network());
  TaskLosses losses(tasks, network);
  losses.set_points(few_points(tasks, 400));
  LossWeightOptions options;
  options.points = "causal";
  options.causal_epsilon = 10;
  LossWeights weights(tasks, options);
  weights.points_changed(losses);
  weights.start_points(losses);
  weights.update_points(losses, losses.residuals(network.initial_parameters()));
  const PointSet& set = losses.sets()[0];
  const Index t = tasks[0].time();
  for (Index k = 1; k < set.points.rows(); ++k)
    for (Index j = 0; j < k; ++j) {
      if (set.points(j, t) < set.points(k, t) - 0.1) {
        EXPECT_GE(set.weights[j], set.weights[k]);
      }
    }
  EXPECT_LT(set.weights.minCoeff(), 0.9);
}

TEST(TrainingPoints, GradedTimesAreThePowersOfEvenOnes) {
  const std::vector<Problem> tasks{shipped("burgers")};
  PointOptions even, graded;
  even.interior = graded.interior = 200;
  graded.time_grading = 3;
  const TrainingPoints plain(tasks, even), denser(tasks, graded);
  const Coordinate& time = tasks[0].coordinates[1];
  ASSERT_TRUE(time.time);
  for (size_t s = 0; s < plain.sets().size(); ++s) {
    const Eigen::ArrayXd before = (plain.sets()[s].points.col(1).array() - time.low) / (time.high - time.low);
    const Eigen::ArrayXd after = (denser.sets()[s].points.col(1).array() - time.low) / (time.high - time.low);
    EXPECT_LT((after - before.cube()).abs().maxCoeff(), 1e-14);
    EXPECT_EQ((plain.sets()[s].points.col(0) - denser.sets()[s].points.col(0)).norm(), 0);
  }
}

TEST(TrainingPoints, RefinementGoesWhereTheResidualIs) {
  const std::vector<Problem> tasks{shipped("poisson")};
  const auto at_left = [](const PointSet& set) -> Eigen::VectorXd {
    return (set.points.col(0).array() < 0.1).cast<double>();
  };
  const auto share = [](const PointSet& set) {
    return static_cast<double>((set.points.col(0).array() < 0.1).count()) / static_cast<double>(set.points.rows());
  };
  for (const std::string change : {"rar", "rad"}) {
    PointOptions options;
    options.interior = 500;
    options.boundary = 200;
    options.change = change;
    options.every = 10;
    options.added = 100;
    TrainingPoints points(tasks, options);
    const auto before = points.sets();
    EXPECT_FALSE(points.update(5, at_left));
    EXPECT_TRUE(points.update(10, at_left));
    for (size_t s = 0; s < before.size(); ++s) {
      EXPECT_GT(share(points.sets()[s]), share(before[s]) + 0.1) << change;
      const double growth = static_cast<double>(points.sets()[s].points.rows()) / static_cast<double>(before[s].points.rows());
      EXPECT_NEAR(growth, change == "rar" ? 1.2 : 1.0, 0.02);
      // Boundary points stay on the boundary, with normals of their own side.
      const PointSet& set = points.sets()[s];
      if (set.normals.size() == 0) continue;
      ASSERT_EQ(set.normals.rows(), set.points.rows());
      for (Index k = 0; k < set.points.rows(); ++k)
        for (Index i = 0; i < 2; ++i) {
          const Coordinate& c = tasks[0].coordinates[static_cast<size_t>(i)];
          const double normal = set.normals(k, i);
          if (std::abs(normal) < 0.5) continue;
          EXPECT_NEAR(set.points(k, i), normal > 0 ? c.high : c.low, 1e-12);
        }
    }
  }
}

}  // namespace
}  // namespace torsor
