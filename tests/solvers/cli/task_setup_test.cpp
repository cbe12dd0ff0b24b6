#include "solvers/cli/task_setup.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "solvers/cli/schema.h"
#include "solvers/reference/references.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

std::vector<Task> tasks_of(const std::string& text) {
  return make_tasks(Config::parse("[problem]\n" + text, "test", config_schema()));
}

std::string refusal(const std::string& text) {
  return error_of([&] { tasks_of(text); });
}

const std::string kDrawn = "name = q\ncoordinates = x in [0, 1]\nunknowns = u\nresidual = u_x + a*b*c = 0\nboundary = u = 0\n";
const std::string kSlab =
    "name = slab\nparameter.eps = 0.1\ncoordinates = x in [0, 1]; t in [0, 1] time\nvelocity = v in gauss(4)\n";
const std::string kData = "boundary.x_low = f = 1\nboundary.x_high = f = 0\ninitial = f = 0\n";

TEST(DrawnParameters, AreDrawnBySeedAndName) {
  const std::string ranges = "parameter.a = uniform(-1, 1)\nparameter.b = log_uniform(1e-6, 1)\n";
  const auto tasks = tasks_of(kDrawn + "tasks = 200\nseed = 3\nparameter.c = 2, 5\n" + ranges);
  ASSERT_EQ(tasks.size(), 400u);
  std::set<double> values;
  double mean = 0.0, mean_log = 0.0;
  for (size_t i = 0; i < 200; ++i) {
    const auto& p = tasks[i].input.parameters;
    EXPECT_EQ(p.at("c"), 2.0);
    EXPECT_EQ(p.at("a"), tasks[200 + i].input.parameters.at("a"));  // the seed's, whatever c
    EXPECT_TRUE(p.at("a") >= -1.0 && p.at("a") < 1.0);
    EXPECT_TRUE(p.at("b") >= 1e-6 && p.at("b") < 1.0);
    values.insert(p.at("a"));
    mean += p.at("a") / 200;
    mean_log += std::log10(p.at("b")) / 200;
  }
  EXPECT_EQ(values.size(), 200u);
  EXPECT_LT(std::abs(mean), 4 * std::sqrt(1.0 / 3 / 200));
  EXPECT_LT(std::abs(mean_log + 3.0), 4 * std::sqrt(3.0 / 200));
  // Another parameter before it changes nothing, nor does the number of tasks.
  const auto other = tasks_of(kDrawn + "seed = 4\nparameter.c = uniform(0, 1)\n" + ranges);
  EXPECT_EQ(other.front().input.parameters.at("a"), tasks[1].input.parameters.at("a"));
  EXPECT_EQ(other.front().problem.parameters.back().value, other.front().input.parameters.at("b"));
}

TEST(DrawnParameters, RefuseBadRanges) {
  const auto with = [](const std::string& a) {
    return refusal(kDrawn + "parameter.b = 1\nparameter.c = 1\nparameter.a = " + a + "\n");
  };
  EXPECT_TRUE(says(with("uniform(1, -1)"), "low < high"));
  EXPECT_TRUE(says(with("uniform(1)"), "two numbers"));
  EXPECT_TRUE(says(with("log_uniform(0, 1)"), "low > 0"));
  EXPECT_TRUE(says(with("normal(0, 1)"), "normal"));
  EXPECT_TRUE(says(with("x"), "uniform(low, high)"));
}

TEST(TransportKeys, ChooseTheUnknowns) {
  for (const auto& [transport, fields] : {std::pair{"micro-macro", "rho g1 g2 g3"}, {"even-odd", "rho r2 j1 j3"},
      {"distribution", "f0 f1 f2 f3"}}) {
    const Problem problem = tasks_of(kSlab + kData + "transport = " + transport + "\n").front().problem;
    std::string names;
    for (const Field& field : problem.fields) names += (names.empty() ? "" : " ") + field.name;
    EXPECT_EQ(names, fields);
  }
}

TEST(TransportKeys, RefuseWhatDoesNotFit) {
  EXPECT_TRUE(says(refusal(kSlab + kData + "transport = odd-even\n"), "problem.transport"));
  EXPECT_TRUE(says(refusal(kSlab + kData + "transport = even-odd\nunknowns = f(v)\n"),
      "problem.unknowns must not be given"));
  EXPECT_TRUE(says(refusal(kSlab + kData + "transport = even-odd\nresidual.a = rho = 0\n"),
      "problem.residual must not be given"));
  EXPECT_TRUE(says(refusal(kSlab + kData + "transport = even-odd\nexact = 1\n"), "exact.rho"));
  EXPECT_TRUE(says(refusal(kSlab + kData + "unknowns = f(v)\nresidual = f_t + v*f_x = 0\nscattering = 2\n"),
      "needs problem.transport"));
  EXPECT_TRUE(says(refusal(kSlab + "boundary = f = 1\ninitial.a = rho = 1\ntransport = even-odd\n"),
      "problem.initial = f = DATA"));
  EXPECT_TRUE(says(refusal(kSlab + kData + "transport = micro-macro\nscattering = 1 + v\n"), "the velocity occurs"));
}

Config shipped(const std::string& name) {
  return Config::read(std::filesystem::path(TORSOR_SOURCE_FOLDER) / "problems" / name, config_schema());
}

TEST(ShippedConfigurations, MakeTasks) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(TORSOR_SOURCE_FOLDER) / "problems")) {
    if (entry.path().extension() != ".cfg") continue;
    EXPECT_NO_THROW(make_tasks(shipped(entry.path().filename().string()))) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 30);
}

TEST(ShippedConfigurations, OfTransportHaveReferencesInEachDecomposition) {
  for (const auto& [name, solver] : {std::pair{"transport-inflow.cfg", "transport-laplace"},
                                     {"transport-homogeneous.cfg", "transport-laplace"},
                                     {"transport-two-material.cfg", "diffusion-synthetic"},
                                     {"transport-uncertain.cfg", "transport-laplace"},
                                     {"transport-plane.cfg", "transport-modes"},
                                     {"transport-line-source.cfg", "transport-modes"}})
    for (const std::string decomposition : {"micro-macro", "even-odd"}) {
      Config config = shipped(name);
      config.set("problem.transport=" + decomposition);
      EXPECT_EQ(applicable_references(make_tasks(config).front().problem).front(), solver) << name << decomposition;
    }
}

TEST(ShippedConfigurations, UncertainTransportDrawsTwentyParameters) {
  Config config = shipped("transport-uncertain.cfg");
  const auto tasks = make_tasks(config);
  ASSERT_EQ(tasks.size(), 4u);
  std::set<double> drawn;
  for (const Task& task : tasks)
    for (int i = 1; i <= 20; ++i) drawn.insert(task.input.parameters.at("z" + std::to_string(i)));
  EXPECT_EQ(drawn.size(), 80u);
}

}  // namespace
}  // namespace torsor
