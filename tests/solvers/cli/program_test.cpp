// The program from the command line: runs and their files, every command on them, bad input with its exit
// code and message, and an interrupted run.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <regex>
#include <thread>

#include "problems/builder.h"
#include "program_run.h"
#include "solvers/store/points_file.h"
#include "solvers/store/run_file.h"

namespace torsor {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The number of a "key": NUMBER in JSON, the first one after `from`.
double number_in(const std::string& json, const std::string& key) {
  std::smatch match;
  if (!std::regex_search(json, match, std::regex("\"" + key + "\":\\s*([-+0-9.eE]+)"))) {
    ADD_FAILURE() << key << " is not a number in\n" << json;
    return NAN;
  }
  return std::stod(match[1]);
}

bool is_balanced(const std::string& json) {
  std::string open;
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"' && (i == 0 || json[i - 1] != '\\')) quoted = !quoted;
    if (quoted) continue;
    if (c == '{' || c == '[') open += c;
    if (c == '}' || c == ']') {
      if (open.empty() || open.back() != (c == '}' ? '{' : '[')) return false;
      open.pop_back();
    }
  }
  return open.empty() && !quoted;
}

// A temporary folder for each test.
class Program : public testing::Test {
 protected:
  Program() {
    std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    folder = fs::temp_directory_path() / ("torsor_program_" + std::to_string(getpid()) + "_" + name);
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  ~Program() override { fs::remove_all(folder); }

  std::string at(const std::string& name) const { return (folder / name).string(); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return at(name);
  }

  // Solves a configuration into the folder `out`; fast unless the text says otherwise.
  ProgramOutcome solve(const std::string& text, const std::string& out = "run",
                std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"solve", write(out + ".cfg", text), "--out", at(out)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  void expect_refused(const std::string& text, const std::vector<std::string>& parts) const {
    const ProgramOutcome outcome = solve(text, "refused");
    EXPECT_EQ(outcome.code, 2) << text << outcome.err;
    expect_contains(outcome.err, parts);
    EXPECT_FALSE(fs::exists(at("refused/run.h5")));
  }

  fs::path folder;
};

using ProgramBadInput = Program;
using ProgramBadFiles = Program;
using ProgramSlow = Program;

const std::string kQuick =
    "[head]\nfeatures = 200\nbandwidth = 9\nboundary_weight = 10\n[output]\ngrid = 21\n";
const std::string kPoisson = "[problem]\nname = poisson\nparameter.waves = 2\n" + kQuick;

std::string equation(const std::string& residual, const std::string& more = "") {
  return "[problem]\nname = mine\ncoordinates = x in [0, 1]; y in [0, 1]\nunknowns = u\nresidual = " +
         residual + "\n" + more + kQuick;
}

TEST_F(Program, ListsEverything) {
  const ProgramOutcome all = run({"list"});
  EXPECT_EQ(all.code, 0);
  expect_contains(all.out, {"problems:", "models:", "references:", "burgers", "sine", "mlp", "etdrk4"});
  const ProgramOutcome problems = run({"list", "problems"});
  expect_contains(problems.out, {"heat", "poisson-holes"});
  EXPECT_EQ(problems.out.find("etdrk4"), std::string::npos);
  const ProgramOutcome json = run({"list", "--json"});
  EXPECT_EQ(json.code, 0);
  EXPECT_TRUE(is_balanced(json.out));
  expect_contains(json.out, {"\"problems\"", "\"advection\"", "\"combiners\"", "\"optimisers\""});
}

TEST_F(Program, DescribesEveryProblem) {
  for (const auto& definition : problem_definitions()) {
    const ProgramOutcome outcome = run({"describe", definition.name});
    EXPECT_EQ(outcome.code, 0);
    expect_contains(outcome.out, {definition.name + ":", "coordinates", "parameters", "terms", "references"});
  }
  expect_contains(run({"describe", "heat"}).out, {"alpha", "0.2", "u_t - alpha*u_xx = 0", "exact"});
}

TEST_F(Program, HelpAndVersion) {
  EXPECT_EQ(run({}).code, 2);
  const ProgramOutcome help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  expect_contains(help.out,
                  {"torsor solve", "torsor adapt", "torsor compare", "torsor evaluate", "torsor report"});
  EXPECT_EQ(run({"help"}).out, help.out);
  const ProgramOutcome version = run({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_TRUE(std::regex_search(version.out, std::regex("^torsor [0-9]+\\.[0-9]+\\.[0-9]+ "))) << version.out;
  for (const char* command : {"solve", "adapt", "compare"}) {
    const ProgramOutcome own = run({command, "--help"});
    EXPECT_EQ(own.code, 0);
    expect_contains(own.out, {std::string("torsor ") + command + " "});
  }
  const ProgramOutcome keys = run({"solve", "--help-config"});
  EXPECT_EQ(keys.code, 0);
  expect_contains(keys.out, {"[problem]", "[head]", "features", "rcond", "[output]"});
}

TEST_F(Program, SolveWritesEverything) {
  const std::string json_path = at("run.json");
  const ProgramOutcome outcome = solve(kPoisson, "run", {"--set", "problem.tasks=2", "--json", json_path});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* name : {"run.h5", "run.xdmf", "report.html", "model.h5"})
    EXPECT_GT(fs::file_size(folder / "run" / name), 0U) << name;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    EXPECT_EQ(entry.path().string().find(".part"), std::string::npos) << entry.path();
  expect_contains(outcome.out, {"poisson", "seed=0", "seed=1", "rel L2", "hold-out", "written to"});
  expect_contains(outcome.err, {"LibTorch", "BLAS", "threads", "float64"});
  const std::string json = content(json_path);
  EXPECT_TRUE(is_balanced(json)) << json;
  for (const char* key : {"problem",
                          "version",
                          "git_hash",
                          "date",
                          "precision",
                          "threads",
                          "seed",
                          "tasks",
                          "name",
                          "task",
                          "errors",
                          "residuals",
                          "seconds",
                          "head",
                          "reference",
                          "rel_l2",
                          "rel_l1",
                          "max",
                          "rel_max",
                          "rms",
                          "rows",
                          "features",
                          "rank",
                          "condition",
                          "cut_off",
                          "residual_fit",
                          "residual_holdout",
                          "boundary_weight",
                          "bandwidth",
                          "windows",
                          "patches",
                          "newton_iterations",
                          "message",
                          "train",
                          "total"})
    EXPECT_NE(json.find("\"" + std::string(key) + "\""), std::string::npos) << key;
  EXPECT_LT(number_in(json, "rel_l2"), 1e-5);
  EXPECT_GE(number_in(json, "rank"), 100);
  EXPECT_GT(number_in(json, "rows"), number_in(json, "features"));

  const RunRecord stored = read_run(at("run"));
  EXPECT_EQ(stored.problem, "poisson");
  ASSERT_EQ(stored.tasks.size(), 2U);
  EXPECT_EQ(stored.tasks[1].seed, 1U);
  EXPECT_EQ(stored.tasks[0].sample.shape(), (std::vector<long>{21, 21}));
  EXPECT_EQ(stored.tasks[0].reference_name, "exact");
  EXPECT_FALSE(stored.tasks[0].head->singular_values.empty());
  expect_contains(stored.config_text, {"tasks = 2", "waves = 2"});
  expect_contains(stored.command, {"torsor solve", "--set"});
  expect_contains(content(folder / "run/run.xdmf"), {"<Xdmf", "run.h5"});
  expect_contains(content(folder / "run/report.html"), {"<html", "poisson"});
}

TEST_F(Program, OneTaskHasItsFiguresAtTheTopOfTheJson) {
  const std::string json_path = at("run.json");
  ASSERT_EQ(solve(kPoisson, "run", {"--json", json_path}).code, 0);
  const std::string json = content(json_path);
  EXPECT_LT(json.find("\"errors\""), json.find("\"tasks\""));
  EXPECT_LT(json.find("\"seconds\""), json.find("\"tasks\""));
}

const std::string kKinetic =
    "[problem]\nname = mine\ncoordinates = x in [0, 1] periodic; t in [0, 0.1] time\nvelocity = v in gauss(4)\n"
    "unknowns = rho, g(v) zero-mean\nresidual.macro = rho_t + mean(v*g_x) = 0\n"
    "residual.micro = g_t + v*g_x - mean(v*g_x) + v*rho_x + g = 0\ninitial.a = rho = 1 + cos(2*pi*x)\n"
    "initial.b = g = 0*v\nderived.flux = mean(v*g)\nderived.f = rho + g\n" +
    kQuick;

TEST_F(Program, KineticRunsStoreQuantitiesOfTheVelocity) {
  const std::string json_path = at("run.json");
  const ProgramOutcome outcome = solve(kKinetic, "run", {"--json", json_path});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_contains(content(json_path), {"\"rho\"", "\"flux\"", "\"f\""});
  const RunRecord stored = read_run(at("run"));
  ASSERT_EQ(stored.tasks[0].fields.size(), 2u);
  ASSERT_EQ(stored.tasks[0].velocity_fields.size(), 2u);
  const VelocityFieldRecord& f = stored.tasks[0].velocity_fields[1];
  EXPECT_EQ(f.name, "f");
  // <f> = rho at every sample.
  const Eigen::VectorXd& rho = stored.tasks[0].fields[0].prediction;
  for (Index i = 0; i < rho.size(); ++i)
    EXPECT_NEAR(f.prediction.segment(4 * i, 4).dot(f.weights), rho[i], 1e-12);
}

TEST_F(Program, DerivedQuantitiesOfShippedProblems) {
  ASSERT_EQ(solve(kPoisson, "run", {"--set", "problem.derived.twice=2*u"}).code, 0);
  const RunRecord stored = read_run(at("run"));
  ASSERT_EQ(stored.tasks[0].fields.size(), 2u);
  EXPECT_EQ(stored.tasks[0].fields[1].name, "twice");
  EXPECT_TRUE(stored.tasks[0].fields[1].prediction == 2 * stored.tasks[0].fields[0].prediction);
}

TEST_F(Program, EvaluateGivesTheExactSolutionAtPoints) {
  const std::string text =
      "[problem]\nname = mine\ncoordinates = x in [0, 1]; y in [0, 2]\nunknowns = u\n"
      "exact = sin(2*x)*cos(y) + x\nresidual = lap(u) + u - manufactured\nboundary = u = u_exact\n" +
      kQuick;
  ASSERT_EQ(solve(text).code, 0);
  const std::string points = write("points.csv", "y, x\n0.25,0.5\n1.75,0.125\n0,1\n2,0.3\n");
  const ProgramOutcome outcome = run({"evaluate", at("run"), "--points", points, "--out", at("values.csv")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Eigen::MatrixXd values = read_points(at("values.csv"), {"x", "y", "u"});
  ASSERT_EQ(values.rows(), 4);
  EXPECT_EQ(values(1, 0), 0.125);
  for (Index k = 0; k < 4; ++k)
    EXPECT_NEAR(values(k, 2), std::sin(2 * values(k, 0)) * std::cos(values(k, 1)) + values(k, 0), 1e-7);
  // The same through HDF5.
  ASSERT_EQ(run({"evaluate", at("run"), "--points", points, "--out", at("values.h5")}).code, 0);
  EXPECT_EQ(read_points(at("values.h5"), {"x", "y", "u"}), values);
}

TEST_F(Program, EvaluateIsTheStoredFieldOnItsGrid) {
  ASSERT_EQ(
      solve(
          "[problem]\nname = heat\n[head]\nfeatures = 150\nbandwidth = 8\nwindows = 1\nboundary_weight = 10\n"
          "[output]\ngrid = 5\n")
          .code,
      0);
  const RunRecord stored = read_run(at("run"));
  const auto& task = stored.tasks.front();
  Eigen::MatrixXd points(task.sample.size(), 2);
  for (long i = 0; i < 2; ++i) points.col(i) = task.sample.coordinate(i);
  write_points(at("points.h5"), {"x", "t"}, points);
  ASSERT_EQ(run({"evaluate", at("run"), "--points", at("points.h5"), "--out", at("u.h5")}).code, 0);
  const Eigen::VectorXd u = read_points(at("u.h5"), {"x", "t", "u"}).col(2);
  EXPECT_LT((u - task.fields[0].prediction).cwiseAbs().maxCoeff(), 1e-12);
}

TEST_F(Program, AdaptSolvesAnotherSeedWithTheSameBodies) {
  ASSERT_EQ(solve(kPoisson).code, 0);
  const std::string json_path = at("adapted.json");
  const ProgramOutcome outcome = run({"adapt", "--model", at("run/model.h5"), write("b.cfg", kPoisson), "--set",
                               "problem.seed=9", "--out", at("adapted"), "--json", json_path});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_LT(number_in(content(json_path), "rel_l2"), 1e-5);
  EXPECT_EQ(read_run(at("adapted")).tasks.front().seed, 9U);
}

TEST_F(Program, CompareMeasuresTheDifferenceOfTwoRuns) {
  ASSERT_EQ(solve(kPoisson, "a").code, 0);
  ASSERT_EQ(solve(kPoisson, "b", {"--set", "output.grid=33"}).code, 0);
  ASSERT_EQ(solve(kPoisson, "c", {"--set", "problem.seed=5"}).code, 0);
  const auto difference = [&](const std::string& first, const std::string& second) {
    const ProgramOutcome outcome = run({"compare", at(first), at(second), "--json", at("d.json")});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(is_balanced(content(at("d.json"))));
    return number_in(content(at("d.json")), "rel_l2");
  };
  EXPECT_EQ(difference("a", "a/run.h5"), 0);
  EXPECT_LT(difference("a", "b"), 1e-3);  // another grid: interpolated
  EXPECT_LT(difference("b", "a"), 1e-3);
  EXPECT_GT(difference("a", "b"), 0);
  EXPECT_GT(difference("a", "c"), 0.1);
  EXPECT_EQ(number_in(content(at("d.json")), "points"), 441);
}

TEST_F(Program, ReportIsWrittenAgain) {
  ASSERT_EQ(solve(kPoisson, "run", {"--set", "output.report=no"}).code, 0);
  EXPECT_FALSE(fs::exists(at("run/report.html")));
  ASSERT_EQ(run({"report", at("run")}).code, 0);
  const std::string first = content(at("run/report.html"));
  expect_contains(first, {"<html", "poisson", "</html>"});
  ASSERT_EQ(run({"report", at("run")}).code, 0);
  EXPECT_EQ(content(at("run/report.html")), first);
}

TEST_F(Program, ReferenceAloneIsARun) {
  const std::string config = write("r.cfg", "[problem]\nname = poisson-gauss\n[output]\ngrid = 17\n");
  const ProgramOutcome outcome = run({"reference", config, "--out", at("r"), "--set", "reference.tolerance=1e-3"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const RunRecord stored = read_run(at("r"));
  EXPECT_FALSE(stored.tasks.front().head.has_value());
  EXPECT_FALSE(stored.tasks.front().reference_name.empty());
}

TEST_F(Program, ParametersMakeTasks) {
  const ProgramOutcome outcome = solve("[problem]\nname = helmholtz\nparameter.k = 2, pi\n" + kQuick, "run",
                                {"--set", "problem.tasks=1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const RunRecord stored = read_run(at("run"));
  ASSERT_EQ(stored.tasks.size(), 2U);
  EXPECT_EQ(stored.tasks[1].parameters.front().second, std::numbers::pi);
  for (const auto& task : stored.tasks) EXPECT_LT(task.fields[0].errors->rel_l2, 1e-5);
}

TEST_F(Program, HardConstraintsAreStoredWithTheModel) {
  const std::string text = kPoisson + "[head.hard_constraint]\nu = x*(1 - x)*y*(1 - y)\n";
  ASSERT_EQ(solve(text).code, 0);
  const std::string points = write("p.csv", "0, 0.3\n1, 0.7\n0.4, 1\n");
  ASSERT_EQ(run({"evaluate", at("run"), "--points", points, "--out", at("u.csv")}).code, 0);
  EXPECT_EQ(read_points(at("u.csv"), {"x", "y", "u"}).col(2), Eigen::VectorXd::Zero(3));
}

TEST_F(Program, SingularSystemsGiveTheMinimumNorm) {
  // u_x = cos x leaves a function of y free.
  const ProgramOutcome outcome = solve(equation("u_x = cos(x)"), "run", {"--json", at("run.json")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string json = content(at("run.json"));
  EXPECT_LT(number_in(json, "rank"), number_in(json, "features"));
  EXPECT_LT(number_in(json, "residual_holdout"), 1e-3);
  expect_contains(outcome.out, {"complete orthogonal decomposition"});
}

TEST_F(Program, MoreFeaturesThanRowsIsSaid) {
  const ProgramOutcome outcome =
      solve(kPoisson, "run", {"--set", "head.points=50", "--set", "head.boundary_points=40"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_contains(outcome.out, {"minimum-norm"});
}

TEST_F(ProgramBadInput, KeysAndSections) {
  expect_refused(kPoisson + "[head]\nfeaturs = 3\n", {"head.featurs", "head.features", "line"});
  expect_refused("[hed]\nfeatures = 3\n", {"[hed]", "[head]"});
  expect_refused(kPoisson + "[head]\nfeatures = many\n", {"features"});
  expect_refused("[problem]\nname = poisson\n[head]\nfeatures = many\n",
                 {"head.features", "many", "integer", "line 4"});
  expect_refused("[problem]\nname = poisson\n[head]\nfeatures = -3\n", {"head.features", "-3", ">= 1"});
  expect_refused("[problem]\nname = poisson\n[head]\npoints = 0\n", {"head.points", "0", ">= 1"});
  expect_refused("[problem]\nname = poisson\ntasks = 0\n", {"problem.tasks", "0", ">= 1"});
  expect_refused("[problem]\nname = poisson\n[head]\nrcond = 2\n", {"head.rcond", "2", "[0, 1)"});
  expect_refused("[problem]\nname = poisson\n[model]\nbody = sines\n",
                 {"model.body", "sines", "did you mean 'sine'"});
  expect_refused("[problem]\nname = poisson\n[head]\npatches = 1.5, 2\n", {"head.patches", "whole numbers"});
  expect_refused("[problem]\nname = poisson\n[head]\npatches = 2\n", {"head.patches"});
  expect_refused("[problem]\nname = poisson\n[head]\nbandwidth = 1, 2, 3\n", {"head.bandwidth"});
  expect_refused("[problem]\nname = poisson\n[head]\nlift.u = x\n",
                 {"head.lift.u", "head.hard_constraint.u"});
  expect_refused("[head]\nfeatures = 10\n", {"problem.name", "missing"});
}

TEST_F(ProgramBadInput, ProblemsAndParameters) {
  expect_refused("[problem]\nname = poison\n", {"poison", "did you mean 'poisson'"});
  expect_refused("[problem]\nname = burgers\nparameter.mu = 1\n", {"problem.parameter.mu", "'nu'"});
  expect_refused("[problem]\nname = burgers\nparameter.nu = -1\n", {"problem.parameter.nu", "outside"});
  expect_refused("[problem]\nname = burgers\nparameter.nu = x\n", {"problem.parameter.nu"});
  expect_refused("[problem]\nname = heat\nresidual = u_t = 0\n", {"problem.name", "heat", "another name"});
}

TEST_F(ProgramBadInput, Equations) {
  expect_refused(equation("lap(u) + kk*u = 1"), {"problem.residual.pde", "position 10", "'kk'"});
  expect_refused(equation("lap(u) + * 2"), {"problem.residual", "position 10"});
  expect_refused(equation("lap(v) = 1"), {"problem.residual.pde", "'v'", "position 5"});
  expect_refused(equation("lap(u) = 1", "boundary.x_lo = u = 0\n"), {"problem.boundary.x_lo", "'x_low'"});
  expect_refused(equation("lap(u) = 1", "boundary.lid = u = 0\npieces.lid = y_top\n"),
                 {"problem.boundary.lid", "'y_top'", "y_high"});
  expect_refused(equation("lap(u) = 1", "pieces.lid = y_high\n"),
                 {"problem.pieces.lid", "problem.boundary.lid"});
  expect_refused(equation("lap(u) = 1", "initial = u = 0\n"), {"problem.initial", "time"});
  expect_refused(equation("lap(u) - manufactured"), {"manufactured", "exact"});
  expect_refused(equation("lap(u) = 1", "domain = box minus disk(0.5, 0.5)\n"), {"disk"});
  expect_refused(equation("lap(u) = 1", "domain = box minus disc(0.5, 0.5, 0.1)\n"),
                 {"disc", "disk", "position"});
  expect_refused(equation("lap(u) = 1", "[reference]\nsolver = etdrk5\n"), {"etdrk5", "etdrk4"});
}

TEST_F(ProgramBadInput, KineticEquations) {
  const auto changed = [](const std::string& from, const std::string& to) {
    std::string text = kKinetic;
    return text.replace(text.find(from), from.size(), to);
  };
  expect_refused(changed("v in gauss(4)", "v in gaus(4)"), {"'gaus'", "'gauss'"});
  expect_refused(changed("v in gauss(4)", "v in gauss(2.5)"), {"2.5", "whole number"});
  expect_refused(changed("g(v) zero-mean", "g(w) zero-mean"), {"g(w)", "velocity is v"});
  expect_refused(changed("g(v) zero-mean", "g(v) zeromean"), {"'zeromean'", "'zero-mean'"});
  expect_refused(changed("velocity = v in gauss(4)\n", ""), {"g(v)", "problem.velocity"});
  expect_refused(changed("rho + g\n", "rho*g\n"), {"problem.derived.f", "linear"});
  expect_refused(changed("g = 0*v", "g = 1"), {"problem.initial.b", "moment 0"});
  expect_refused(equation("lap(u) + mean(u) = 1"), {"mean", "velocities"});
}

TEST_F(ProgramBadInput, AnEmptyInteriorIsRefused) {
  const ProgramOutcome outcome = solve(equation("lap(u) = 1", "domain = box minus disk(0.5, 0.5, 2)\n"));
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_FALSE(fs::exists(at("run/run.h5")));
}

TEST_F(ProgramBadInput, DataThatAreNotFiniteNameTermAndPoint) {
  const ProgramOutcome outcome = solve(equation("lap(u) = log(x - 2)", "boundary = u = 0\n"));
  EXPECT_EQ(outcome.code, 1) << outcome.err;
  expect_contains(outcome.err, {"'pde'", "log(x - 2)", "not finite", "x = ", "y = "});
  EXPECT_FALSE(fs::exists(at("run/run.h5")));
  const ProgramOutcome boundary = solve(equation("lap(u) = 1", "boundary = u = sqrt(x - 0.5)\n"));
  EXPECT_EQ(boundary.code, 1) << boundary.err;
  expect_contains(boundary.err, {"'bc'", "not finite"});
}

TEST_F(ProgramBadInput, OptionsAndArguments) {
  const auto expect = [](const std::vector<std::string>& arguments, const std::vector<std::string>& parts) {
    const ProgramOutcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    expect_contains(outcome.err, parts);
  };
  const std::string config = write("p.cfg", kPoisson);
  expect({"slove"}, {"slove", "did you mean 'solve'"});
  expect({"solve"}, {"CONFIG", "missing"});
  expect({"solve", config, "--ot", "x"}, {"--ot", "--out"});
  expect({"solve", config, "--out"}, {"out"});
  expect({"solve", config, "more"}, {"too many arguments"});
  expect({"solve", config, "--set", "head.features"}, {"head.features"});
  expect({"solve", config, "--set", "head.featurs=3"}, {"head.featurs", "head.features"});
  expect({"solve", at("none.cfg")}, {"none.cfg", "no such file"});
  expect({"solve", folder.string()}, {"directory"});
  expect({"list", "problms"}, {"problms", "problems"});
  expect({"describe"}, {"NAME", "missing"});
  expect({"describe", "heet"}, {"'heet'", "'heat'"});
  expect({"adapt", config}, {"--model"});
  expect({"compare", at("a.h5")}, {"B", "missing"});
  expect({"evaluate", at("run")}, {"--points"});
  expect({"evaluate", at("run"), "--points", "p"}, {"--out"});
}

TEST_F(ProgramBadFiles, OutputThatIsAFile) {
  write("run", "a file");
  const ProgramOutcome outcome = solve(kPoisson);
  EXPECT_EQ(outcome.code, 2);
  expect_contains(outcome.err, {at("run")});
  EXPECT_EQ(content(at("run")), "a file");
}

TEST_F(ProgramBadFiles, PointsThatDoNotFit) {
  ASSERT_EQ(solve(kPoisson).code, 0);
  const auto expect = [&](const std::string& points, const std::vector<std::string>& parts) {
    const ProgramOutcome outcome = run({"evaluate", at("run"), "--points", points, "--out", at("u.csv")});
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    expect_contains(outcome.err, parts);
    EXPECT_FALSE(fs::exists(at("u.csv")));
  };
  expect(write("one.csv", "0.5\n0.25\n"), {"one.csv"});
  expect(write("three.csv", "1,2,3\n"), {"three.csv"});
  expect(write("named.csv", "x,z\n1,2\n"), {"named.csv", "y"});
  expect(write("text.csv", "0.5,0.5\n0.5,half\n"), {"text.csv", "line 2"});
  expect(write("empty.csv", ""), {"empty.csv"});
  expect(at("none.csv"), {"none.csv"});
  const std::string good = write("good.csv", "0.5,0.5\n");
  const ProgramOutcome nowhere = run({"evaluate", at("run"), "--points", good, "--out", at("no/such/folder/u.csv")});
  EXPECT_EQ(nowhere.code, 2);
  expect_contains(nowhere.err, {"no/such/folder"});
}

TEST_F(ProgramBadFiles, StoredRunsThatAreNone) {
  ASSERT_EQ(solve(kPoisson).code, 0);
  const std::string config = at("run.cfg"), points = write("p.csv", "0.5,0.5\n");
  const auto expect_all_refuse = [&](const std::string& name) {
    SCOPED_TRACE(name);
    const std::string path = at(name);
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"compare", path + "/run.h5", at("run")},
             {"compare", at("run"), path + "/run.h5"},
             {"report", path},
             {"evaluate", path, "--points", points, "--out", at("u.csv")},
             {"adapt", "--model", path + "/model.h5", config, "--out", at("adapted")}}) {
      const ProgramOutcome outcome = run(arguments);
      EXPECT_EQ(outcome.code, 2) << arguments[0] << ": " << outcome.err;
      expect_contains(outcome.err, {name});
    }
    EXPECT_FALSE(fs::exists(at("u.csv")));
    EXPECT_FALSE(fs::exists(at("adapted/run.h5")));
  };
  expect_all_refuse("missing");

  fs::create_directories(folder / "text");
  write("text/run.h5", "not a run\n");
  write("text/model.h5", "not a model\n");
  expect_all_refuse("text");

  // Each is an HDF5 file, but of the other kind.
  fs::create_directories(folder / "swapped");
  fs::copy_file(at("run/run.h5"), at("swapped/model.h5"));
  fs::copy_file(at("run/model.h5"), at("swapped/run.h5"));
  expect_all_refuse("swapped");

  for (const double part : {0.01, 0.5, 0.9}) {
    fs::create_directories(folder / "truncated");
    for (const char* name : {"run.h5", "model.h5"}) {
      const std::string whole = content(folder / "run" / name);
      std::ofstream(folder / "truncated" / name, std::ios::binary)
          << whole.substr(0, static_cast<size_t>(part * static_cast<double>(whole.size())));
    }
    expect_all_refuse("truncated");
  }
}

TEST_F(ProgramBadFiles, ModelsOfOtherProblems) {
  ASSERT_EQ(solve(kPoisson).code, 0);
  const auto expect = [&](const std::string& text, const std::string& part) {
    const ProgramOutcome outcome =
        run({"adapt", "--model", at("run/model.h5"), write("o.cfg", text), "--out", at("o")});
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    expect_contains(outcome.err, {part});
  };
  expect("[problem]\nname = poisson-5d\n", "coordinates");
  expect("[problem]\nname = reaction-diffusion\n", "the model covers x");
}

TEST_F(ProgramSlow, AnInterruptedRunLeavesNothing) {
  const std::string program = program_path();
  if (program.empty()) GTEST_SKIP() << "TORSOR_PROGRAM is not set";
  const std::string config = write("long.cfg", "[problem]\nname = burgers\nparameter.nu = 1e-3\n"),
                    out = at("out"), log = at("log");
  for (const int signal : {SIGINT, SIGTERM}) {
    fs::remove_all(out);
    const pid_t child = fork();
    if (child == 0) {
      if (!std::freopen(log.c_str(), "w", stderr) || !std::freopen("/dev/null", "w", stdout)) _exit(126);
      execl(program.c_str(), "torsor", "solve", config.c_str(), "--out", out.c_str(), nullptr);
      _exit(127);
    }
    ASSERT_GT(child, 0);
    // The folder is made just before the solve begins.
    for (int i = 0; i < 600 && !fs::exists(out); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ASSERT_TRUE(fs::exists(out)) << content(log);
    std::this_thread::sleep_for(std::chrono::milliseconds(1000));
    ASSERT_EQ(kill(child, signal), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 130) << content(log);
    expect_contains(content(log), {"nothing was written"});
    EXPECT_FALSE(fs::exists(out));
  }
}

TEST_F(ProgramSlow, AnEquationWrittenInAConfig) {
  const fs::path source = TORSOR_SOURCE_FOLDER;
  const fs::path config = source / "problems/fisher.cfg";
  if (!fs::exists(config)) GTEST_SKIP() << config << " is not there";
  const ProgramOutcome outcome = run(
      {"solve", config.string(), "--out", at("fisher"), "--json", at("f.json"), "--set", "output.grid=33"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_LT(number_in(content(at("f.json")), "rel_l2"), 1e-5);
}

}  // namespace
}  // namespace torsor
