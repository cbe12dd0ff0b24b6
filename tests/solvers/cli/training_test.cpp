// Training from the command line: files and figures, restarts to the same bits also after kill -9, and bad input.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "program_run.h"
#include "solvers/cli/checkpoint.h"
#include "solvers/combine/combiner.h"
#include "solvers/optimise/optimiser.h"
#include "solvers/store/run_file.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = R"(
[problem]
name = poisson
tasks = 3
[model]
widths = 12, 12
[train]
steps = 60, 20
optimiser = adam, ssbroyden
combiner = hrgrad
points = 80
change = rad
change_every = 7
log_every = 5
checkpoint_seconds = 0
[output]
report = no
)";

class Training : public testing::Test {
 protected:
  Training() : folder(fs::temp_directory_path() / ("torsor_training_" + std::to_string(getpid()))) {
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  ~Training() override { fs::remove_all(folder); }

  std::string at(const std::string& name) const { return (folder / name).string(); }

  std::string write(const std::string& text) const {
    std::ofstream(folder / "run.cfg") << text;
    return at("run.cfg");
  }
  ProgramOutcome solve(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"solve", write(kConfig), "--out", at(out)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  /// Parameters and histories but for the clock, bit by bit.
  void expect_same_state(const std::string& a, const std::string& b) const {
    const Checkpoint first = read_checkpoint(at(a)), second = read_checkpoint(at(b));
    ASSERT_EQ(first.state.arrays().size(), second.state.arrays().size());
    for (const auto& [name, matrix] : first.state.arrays()) {
      if (name == "trainer.seconds") continue;
      const Eigen::MatrixXd& other = second.state.matrix(name);
      ASSERT_EQ(matrix.rows(), other.rows()) << name;
      ASSERT_EQ(matrix.cols(), other.cols()) << name;
      EXPECT_TRUE(matrix == other) << name;
    }
    EXPECT_EQ(first.state.texts(), second.state.texts());
  }

  fs::path folder;
};

using TrainingSlow = Training;

TEST_F(Training, WritesHistoriesErrorsAndAModel) {
  const ProgramOutcome outcome = solve("run", {"--json", at("run.json")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_contains(outcome.out, {"trained: 80 steps", "ssbroyden: all steps taken after 20 steps", "error.u.2 of the network"});
  const RunRecord record = read_run(at("run"));
  std::vector<std::string> names;
  for (const auto& history : record.history) {
    names.push_back(history.name);
    EXPECT_EQ(history.steps.size(), history.values.size());
  }
  for (const char* name : {"loss", "loss.pde.0", "cosine.0.1", "angle.0", "error.u.0", "learning_rate"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  EXPECT_GT(record.tasks[0].seconds.train, 0);
  const ProgramOutcome adapted = run({"adapt", "--model", at("run/model.h5"), at("run.cfg"), "--set", "problem.seed=7", "--set",
                               "problem.tasks=1", "--set", "train.steps=0", "--out", at("adapted")});
  EXPECT_EQ(adapted.code, 0) << adapted.err;
  EXPECT_TRUE(fs::exists(at("adapted/run.h5")));
}

TEST_F(Training, HeadsSolvedAgainAreBetter) {
  const std::vector<std::string> more{"--set", "train.steps=100, 200", "--set", "model.widths=24, 24", "--set", "train.points=400",
                                      "--json", at("a.json")};
  ASSERT_EQ(solve("trained", more).code, 0);
  std::vector<std::string> resolved = more;
  resolved.insert(resolved.end(), {"--set", "train.resolve=yes"});
  ASSERT_EQ(solve("resolved", resolved).code, 0);
  const auto error = [&](const std::string& name) { return read_run(at(name)).tasks[0].fields[0].errors->rel_l2; };
  EXPECT_LT(error("resolved"), error("trained"));
}

TEST_F(Training, MoreStepsGoOnWhereTheOthersEnded) {
  ASSERT_EQ(solve("whole").code, 0);
  ASSERT_EQ(solve("parts", {"--set", "train.steps=60, 5"}).code, 0);
  const ProgramOutcome outcome = run({"resume", at("parts"), "--set", "train.steps=60, 20"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Checkpoint whole = read_checkpoint(at("whole")), parts = read_checkpoint(at("parts"));
  EXPECT_TRUE(whole.state.matrix("trainer.parameters") == parts.state.matrix("trainer.parameters"));
}

TEST_F(Training, WindowsWithExactDataGoOnAfterAStop) {
  const std::string config = write(R"(
[problem]
name = heat
[model]
widths = 30
[head]
hard_constraint.u = t*x*(1 - x)
lift.u = sin(pi*x) + 0.5*sin(3*pi*x)
[train]
steps = 200
optimiser = ssbroyden
points = 200
windows = 3
log_every = 50
[output]
report = no
)");
  const ProgramOutcome outcome = run({"solve", config, "--out", at("whole")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_contains(outcome.out, {"trained: 600 steps", "window 3: ssbroyden"});
  const RunRecord record = read_run(at("whole"));
  const auto loss = std::find_if(record.history.begin(), record.history.end(), [](const auto& h) { return h.name == "loss"; });
  ASSERT_NE(loss, record.history.end());
  EXPECT_EQ(loss->steps.size(), 12U);
  EXPECT_EQ(loss->steps.back(), 550);
  EXPECT_LT(record.tasks[0].fields[0].errors->rel_l2, 0.02);
  const ProgramOutcome again = run({"resume", at("whole")});
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_run(at("whole")).tasks[0].fields[0].errors->rel_l2, record.tasks[0].fields[0].errors->rel_l2);
  const ProgramOutcome other = run({"resume", at("whole"), "--set", "train.windows=2"});
  EXPECT_EQ(other.code, 2);
  expect_contains(other.err, {"train.windows = 2", "3"});
  // The stored model has all windows and its constraint.
  const ProgramOutcome adapted =
      run({"adapt", "--model", at("whole/model.h5"), config, "--set", "train.steps=0", "--out", at("adapted")});
  ASSERT_EQ(adapted.code, 0) << adapted.err;
  EXPECT_LT(read_run(at("adapted")).tasks[0].fields[0].errors->rel_l2, 0.1);
}

constexpr const char* kFamily = R"(
[problem]
name = decay
parameter.eps = 0.001, 0.01, 0.1, 1
coordinates = x in [0, 1] periodic; t in [0, 1] time
unknowns = u
residual = u_t + 0.1*u_x = -u*(1 - log(eps)/10)
initial = u = 1 + 0.5*cos(2*pi*x)
exact = (1 + 0.5*cos(2*pi*(x - 0.1*t)))*exp(-t*(1 - log(eps)/10))
[model]
widths = 16, 16
positive = u
task_inputs = parameters
[train]
steps = 60, 250
optimiser = adam, ssbroyden
combiner = hrgrad
tasks_per_step = 2
points = 120
log_every = 20
[output]
report = no
grid = 17
)";

double error_of(const std::string& folder, size_t task = 0) { return read_run(folder).tasks[task].fields[0].errors->rel_l2; }

// A network of the parameters is evaluated where it was not trained, or its head is solved again there.
TEST_F(Training, OneNetworkServesOtherParameters) {
  const std::string config = write(kFamily);
  ASSERT_EQ(run({"solve", config, "--out", at("family")}).code, 0);
  ASSERT_LT(error_of(at("family"), 1), 0.02);
  const auto adapt = [&](const std::string& eps, const std::string& out, std::vector<std::string> more) {
    std::vector<std::string> arguments{"adapt", "--model", at("family/model.h5"), config, "--set", "problem.parameter.eps=" + eps,
                                       "--out", at(out)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  // Where it was trained: the stored fields, to the bit.
  ASSERT_EQ(adapt("0.01", "same", {"--set", "head.resolve=no"}).code, 0);
  EXPECT_EQ(read_run(at("same")).tasks[0].fields[0].prediction, read_run(at("family")).tasks[1].fields[0].prediction);
  EXPECT_GT(read_run(at("same")).tasks[0].fields[0].prediction.minCoeff(), 0);
  // Elsewhere.
  const ProgramOutcome other = adapt("0.03, 0.3", "other", {"--set", "head.resolve=no"});
  ASSERT_EQ(other.code, 0) << other.err;
  EXPECT_EQ(other.err.find("warning: eps"), std::string::npos) << other.err;
  for (const size_t task : {0U, 1U}) EXPECT_LT(error_of(at("other"), task), 0.03);
  EXPECT_NE(read_run(at("other")).tasks[0].fields[0].prediction, read_run(at("other")).tasks[1].fields[0].prediction);
  // What was evaluated is a model of its own.
  const ProgramOutcome again = run({"adapt", "--model", at("other/model.h5"), config, "--set", "problem.parameter.eps=0.01",
                                    "--set", "head.resolve=no", "--out", at("again")});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(read_run(at("again")).tasks[0].fields[0].prediction, read_run(at("same")).tasks[0].fields[0].prediction);
  // Solved again, linearly, on the body with its parameter.
  ASSERT_EQ(adapt("0.03, 0.3", "resolved", {}).code, 0);
  for (const size_t task : {0U, 1U}) EXPECT_LT(error_of(at("resolved"), task), 0.02);
  expect_contains(adapt("5", "outside", {"--set", "head.resolve=no"}).err, {"warning: eps is outside of [0.001, 1]"});
  // With random features beside them, in one window, where the head may meet the data exactly.
  ASSERT_EQ(adapt("0.03", "one", {"--set", "head.resolve=joined", "--set", "head.windows=1", "--set", "head.features=40", "--set",
                                  "head.hard_constraint.u=t", "--set", "head.lift.u=1 + 0.5*cos(2*pi*x)"}).code, 0);
  EXPECT_LT(error_of(at("one")), 1e-2);
  const auto one = read_run(at("one"));
  for (const auto& residual : one.tasks[0].residuals)
    if (residual.term.rfind("initial", 0) == 0) EXPECT_LT(residual.max, 1e-12);
}

// The same in one command: training, then the tasks of [adapt].
TEST_F(Training, SolveAdaptsToParametersThatItWasNotTrainedOn) {
  const std::string config = write(kFamily);
  const ProgramOutcome outcome =
      run({"solve", config, "--set", "adapt.parameter.eps=0.03, 0.3", "--out", at("family")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto adapted = read_run(at("family/adapted"));
  ASSERT_EQ(adapted.tasks.size(), 2U);
  for (const size_t task : {0U, 1U}) EXPECT_LT(error_of(at("family/adapted"), task), 0.02);
  // What is wrong with them is said before the training.
  const ProgramOutcome unknown = run({"solve", config, "--set", "adapt.parameter.esp=0.03", "--out", at("bad")});
  EXPECT_EQ(unknown.code, 2);
  expect_contains(unknown.err, {"'esp'", "'eps'"});
  EXPECT_EQ(unknown.err.find("train:"), std::string::npos) << unknown.err;
}

// Constraints that name parameters and the velocity: the data hold exactly for every task, also where it was not trained.
TEST_F(Training, KineticDataHoldExactlyForEveryParameter) {
  const std::string config = write(R"(
[problem]
name = slab
parameter.eps = log_spaced(1e-3, 1, 3)
coordinates = x in [0, 1] periodic; t in [0, 0.1] time
velocity = v in gauss(4)
unknowns = rho, g(v) zero-mean
define.free = exp(-t/eps^2)*(2 + cos(2*pi*(x - v*t/eps)))*(1 + v^2)
residual.macro = rho_t + mean(v*g_x) = 0
residual.micro = eps^2*g_t + eps*(v*g_x - mean(v*g_x)) + v*rho_x + g = 0
initial.density = rho = mean(free)
initial.deviation = eps*g = free - mean(free)
derived.f = rho + eps*g
[model]
widths = 8, 8
task_inputs = parameters
[head]
hard_constraint.rho = t
lift.rho = 4/3*(2 + cos(2*pi*x))
hard_constraint.g = 1 - exp(-t/eps^2)
lift.g = (free - mean(free))/eps
[train]
steps = 20
combiner = hrgrad
tasks_per_step = 2
points = 40
[output]
report = no
grid = 9
)");
  ASSERT_EQ(run({"solve", config, "--out", at("slab")}).code, 0);
  ASSERT_EQ(run({"adapt", "--model", at("slab/model.h5"), config, "--set", "problem.parameter.eps=0.02, 0.4", "--set",
                 "head.resolve=no", "--out", at("network")}).code, 0);
  ASSERT_EQ(run({"adapt", "--model", at("slab/model.h5"), config, "--set", "problem.parameter.eps=0.4", "--out", at("solved")}).code, 0);
  for (const char* name : {"slab", "network", "solved"})
    for (const auto& task : read_run(at(name)).tasks)
      for (const auto& residual : task.residuals)
        if (residual.term.rfind("density", 0) == 0 || residual.term.rfind("deviation", 0) == 0)
          EXPECT_LT(residual.max, 1e-10) << name << " " << task.name << " " << residual.term;
  // Closed-form heads: task by task.
  const ProgramOutcome together = run({"solve", config, "--set", "train.steps=0", "--out", at("bad")});
  EXPECT_EQ(together.code, 2);
  expect_contains(together.err, {"head.hard_constraint.g", "differs between the tasks"});
  EXPECT_EQ(run({"solve", config, "--set", "train.steps=0", "--set", "problem.parameter.eps=1", "--set", "head.features=40",
                 "--out", at("head")}).code, 0);
  const auto expect = [&](const std::string& override, const std::vector<std::string>& parts) {
    const ProgramOutcome outcome = run({"solve", config, "--set", override, "--out", at("bad")});
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    expect_contains(outcome.err, parts);
  };
  expect("head.hard_constraint.g=v*t", {"head.hard_constraint.g", "'v'"});
  expect("head.lift.rho=v", {"head.lift.rho", "'v'"});
  expect("head.lift.h=t", {"head.lift.h", "head.hard_constraint.h"});
}

// However the velocity enters: what is stored is the trained network, for its parameters and for others.
TEST_F(Training, ShapesOfTheVelocityAreStoredAndAdapted) {
  const std::string config = write(R"(
[problem]
name = slab
parameter.eps = 0.3, 1
parameter.nodes = 4
coordinates = x in [0, 1] periodic; t in [0, 0.1] time
velocity = v in gauss(nodes)
unknowns = rho, g(v) zero-mean
residual.macro = rho_t + mean(v*g_x) = 0
residual.micro = eps^2*g_t + eps*(v*g_x - mean(v*g_x)) + v*rho_x + g = 0
initial.density = rho = 2 + cos(2*pi*x)
initial.deviation = g = 0*v
[model]
widths = 8, 8
task_inputs = parameters
products = 2
[train]
steps = 20, 10
optimiser = adam, ssbroyden
points = 40
[output]
report = no
grid = 9
)");
  for (const std::string shape : {"products", "nodes"}) {
    const std::string velocity = "model.velocity=" + shape;
    ASSERT_EQ(run({"solve", config, "--set", velocity, "--out", at(shape)}).code, 0);
    const auto adapt = [&](const std::string& eps, const std::string& resolve) {
      return run({"adapt", "--model", at(shape + "/model.h5"), config, "--set", velocity, "--set", "problem.parameter.eps=" + eps,
                  "--set", "head.resolve=" + resolve, "--out", at("adapted")}).code;
    };
    ASSERT_EQ(adapt("0.3", "no"), 0);
    EXPECT_EQ(read_run(at("adapted")).tasks[0].fields[0].prediction, read_run(at(shape)).tasks[0].fields[0].prediction);
    ASSERT_EQ(adapt("0.5", "no"), 0);
    const double alone = error_of(at("adapted"));
    ASSERT_EQ(adapt("0.5", "yes"), 0);
    EXPECT_LT(error_of(at("adapted")), alone) << shape;
  }
  // Joined by random features the head may have more moments than the network.
  const auto joined = [&](const std::string& resolve) {
    return run({"adapt", "--model", at("products/model.h5"), config, "--set", "problem.parameter.nodes=6", "--set", "head.resolve=" + resolve,
                "--set", "problem.parameter.eps=0.5", "--out", at("adapted")});
  };
  ASSERT_EQ(joined("joined").code, 0);
  EXPECT_LT(error_of(at("adapted")), 1e-6);
  EXPECT_EQ(joined("yes").code, 2);
}

TEST_F(Training, HeadsThatBelongToTasksAreNoOthers) {
  const std::string config = write(kFamily);
  const auto train = [&](const std::string& out, std::vector<std::string> more) {
    std::vector<std::string> arguments{"solve", config, "--out", at(out), "--set", "train.steps=2, 2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    ASSERT_EQ(run(arguments).code, 0);
    const ProgramOutcome outcome =
        run({"adapt", "--model", at(out + "/model.h5"), config, "--set", "head.resolve=no", "--out", at("adapted")});
    EXPECT_EQ(outcome.code, 2);
    expect_contains(outcome.err, {"head.resolve", "model.task_inputs = parameters", "train.resolve = no"});
  };
  train("heads", {"--set", "model.task_inputs=heads", "--set", "train.tasks_per_step=auto"});
  train("solved", {"--set", "train.resolve=yes"});
}

TEST_F(Training, BadInputIsNamed) {
  const auto expect = [&](std::vector<std::string> more, const std::vector<std::string>& parts) {
    const ProgramOutcome outcome = solve("bad", more);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    expect_contains(outcome.err, parts);
  };
  expect({"--set", "train.combiner=hrgard"}, {"'hrgard'", "'hrgrad'"});
  expect({"--set", "train.optimiser=adm, ssbroyden"}, {"'adm'", "'adam'"});
  expect({"--set", "train.steps=5"}, {"train.steps", "1 numbers for 2 optimisers"});
  expect({"--set", "train.hrgrad.lambda=-1"}, {"train.hrgrad.lambda"});
  expect({"--set", "train.hrgrad.lamda=1"}, {"train.hrgrad.lamda", "train.hrgrad.lambda"});
  expect({"--set", "train.weight.bcc=1"}, {"'bcc'", "'bc'"});
  expect({"--set", "train.point_weights=causal"}, {"train.point_weights", "time"});
  expect({"--set", "model.task_inputs=parameters"}, {"model.task_inputs"});
  expect({"--set", "train.windows=2"}, {"train.windows = 2", "time"});
  expect({"--set", "train.tasks_per_step=4"}, {"train.tasks_per_step = 4", "3 tasks"});
  expect({"--set", "train.tasks_per_step=2"}, {"train.tasks_per_step = 2", "model.task_inputs = parameters"});
  expect({"--set", "train.tasks_per_step=0"}, {"train.tasks_per_step"});
  expect({"--set", "model.positive=v"}, {"'v'"});
  expect({"--set", "problem.parameter.waves=log_spaced(1, 2)"}, {"problem.parameter.waves", "log_spaced(low, high, n)"});
  expect({"--set", "problem.parameter.waves=log_spaced(0, 2, 4)"}, {"problem.parameter.waves", "log_spaced(low, high, n)"});
  expect({"--set", "problem.parameter.waves=log_spaced(1, 2, 1.5)"}, {"problem.parameter.waves", "log_spaced(low, high, n)"});
  expect({"--set", "model.positive=u", "--set", "train.steps=0, 0"}, {"model.positive", "train.steps"});
  expect({"--set", "model.positive=u", "--set", "train.head=closed-form", "--set", "train.optimiser=adam", "--set",
          "train.steps=5"}, {"train.head", "model.positive = u"});
  expect({"--set", "head.hard_constraint.v=x"}, {"'v'"});
  expect({"--set", "problem.tasks=1", "--set", "problem.parameter.waves=1, 2", "--set", "head.hard_constraint.u=waves*x",
          "--set", "train.steps=0, 0"}, {"head.hard_constraint.u", "differs between the tasks"});
  expect({"--set", "train.optimiser=adam, gauss-newton", "--set", "train.objective=root"}, {"gauss-newton", "sum of squares"});
  const ProgramOutcome nothing = run({"resume", at("nowhere")});
  EXPECT_EQ(nothing.code, 2);
  expect_contains(nothing.err, {"nowhere/checkpoint.h5"});
}

TEST_F(Training, DivergenceNamesTheStepAndTheTask) {
  const ProgramOutcome outcome =
      solve("diverged", {"--set", "train.learning_rate.rate=1e200", "--set", "train.learning_rate.schedule=constant"});
  EXPECT_EQ(outcome.code, 1);
  expect_contains(outcome.err, {"training, step", "task ", "not finite"});
}

TEST_F(Training, MethodsDescribeThemselves) {
  for (const auto& method : combiners()) {
    const ProgramOutcome outcome = run({"describe", method.name});
    EXPECT_EQ(outcome.code, 0);
    expect_contains(outcome.out, {method.title, "formula", "source"});
  }
  for (const auto& method : optimisers()) expect_contains(run({"describe", method.name}).out, {method.title, "source"});
  expect_contains(run({"describe", "hrgrad"}).out, {"never fires", "train.hrgrad.", "lambda", "guard"});
  expect_contains(run({"list", "combiners"}).out, {"hrgrad", "config", "pcgrad"});
}

/// Starts the program in a process of its own.
pid_t start(const std::vector<std::string>& arguments) {
  const std::string program = program_path();
  const pid_t child = fork();
  if (child != 0) return child;
  std::vector<char*> pointers;
  std::vector<std::string> words = arguments;
  words.insert(words.begin(), program);
  for (auto& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  if (!std::freopen("/dev/null", "w", stdout) || !std::freopen("/dev/null", "w", stderr)) _exit(126);
  execv(program.c_str(), pointers.data());
  _exit(127);
}

int wait_for(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(TrainingSlow, KilledRunsGoOnToTheSameBits) {
  if (program_path().empty()) GTEST_SKIP() << "TORSOR_PROGRAM is not set";
  // Long enough to be killed in the middle.
  const std::vector<std::string> config{"solve", write(kConfig), "--set", "train.steps=1500, 200"};
  const auto to = [&](const std::string& name) {
    auto arguments = config;
    arguments.insert(arguments.end(), {"--out", at(name)});
    return arguments;
  };
  ASSERT_EQ(wait_for(start(to("whole"))), 0);
  pid_t child = start(to("killed"));
  int kills = 0;
  for (const int milliseconds : {30, 110, 190, 60, 240}) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!fs::exists(at("killed/checkpoint.h5")) && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    kill(child, SIGKILL);
    if (wait_for(child) == -1) ++kills;
    child = start({"resume", at("killed")});
  }
  EXPECT_EQ(wait_for(child), 0);
  EXPECT_GT(kills, 0);
  expect_same_state("whole", "killed");
}

TEST_F(TrainingSlow, AnInterruptLeavesACheckpoint) {
  if (program_path().empty()) GTEST_SKIP() << "TORSOR_PROGRAM is not set";
  const pid_t child = start({"solve", write(kConfig), "--set", "train.steps=100000, 10", "--out", at("stopped")});
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!fs::exists(at("stopped/checkpoint.h5")) && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  kill(child, SIGINT);
  EXPECT_EQ(wait_for(child), 130);
  EXPECT_GT(read_checkpoint(at("stopped")).state.number("trainer.step"), 0);
}

}  // namespace
}  // namespace torsor
