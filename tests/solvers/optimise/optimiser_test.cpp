// What holds for every optimiser: the registry, descent, saving and restoring, errors.
#include "solvers/optimise/optimiser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "physics/error.h"
#include "tests/solvers/optimise/functions.h"

namespace torsor {
namespace {

using namespace testing;

std::vector<std::string> names() {
  std::vector<std::string> list;
  for (const OptimiserInfo& info : optimisers()) list.push_back(info.name);
  return list;
}

const std::vector<std::pair<Index, Index>> kBlocks{{3, 2}, {3, 1}, {1, 3}};  // 12 parameters

TEST(Optimisers, AreRegisteredAndDescribed) {
  const std::vector<std::string> expected{"adam", "gauss-newton", "lbfgs", "sgd", "soap", "ssbfgs", "ssbroyden"};
  EXPECT_EQ(names(), expected);
  for (const OptimiserInfo& info : optimisers()) {
    EXPECT_FALSE(info.title.empty() || info.formula.empty() || info.source.empty() || info.caveats.empty()) << info.name;
    for (const Option& option : info.options)
      EXPECT_FALSE(option.type.empty() || option.default_value.empty() || option.help.empty()) << option.name;
    EXPECT_EQ(info.make(OptionValues(info.options), kBlocks)->first_order(), info.first_order) << info.name;
  }
}

TEST(Optimisers, UnknownNamesAreErrorsWithASuggestion) {
  try {
    find_optimiser("ssbroiden");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'ssbroyden'"), std::string::npos) << error.what();
  }
}

TEST(Optimisers, ReachTheMinimumOfAQuadratic) {
  for (const std::string& name : names()) {
    const VectorXd minimiser = random_matrix(12, 1, 3);
    LeastSquares f = quadratic(minimiser, 100, 4);
    VectorXd x = VectorXd::Zero(12);
    const auto optimiser = make_optimiser(name, {}, kBlocks);
    const double start = f.value(x);
    double rate = 0.05;
    // Gradient descent makes its own steps smaller; the others need a rate that goes to zero.
    for (int k = 0; k < 6000; ++k, rate *= name == "sgd" ? 1 : 0.998)
      if (take_step(*optimiser, f, x, rate).stopped) break;
    EXPECT_LT(f.value(x), 1e-7 * start) << name;
  }
}

TEST(Optimisers, SecondOrderMethodsNeverGoUp) {
  for (const std::string& name : names()) {
    if (find_optimiser(name).first_order) continue;
    for (KnownMinimum& problem : known_minima()) {
      const auto optimiser = make_optimiser(name);
      VectorXd x = problem.start;
      double last = problem.objective.value(x);
      for (int k = 0; k < 100; ++k) {
        optimiser->objective_changed();
        if (optimiser->step(problem.objective, x).stopped) break;
        const double value = problem.objective.value(x);
        EXPECT_LE(value, last * (1 + 1e-5)) << name << ", " << problem.name << ", step " << k;
        last = value;
      }
    }
  }
}

TEST(Optimisers, SecondOrderMethodsReachKnownMinimaAndSayWhyTheyStop) {
  for (const std::string& name : names()) {
    if (find_optimiser(name).first_order) continue;
    for (KnownMinimum& problem : known_minima()) {
      const auto optimiser = make_optimiser(name);
      VectorXd x = problem.start;
      const StepReport report = minimise(*optimiser, problem.objective, x, 3000);
      EXPECT_NEAR(problem.objective.value(x), problem.minimum, 1e-12) << name << ", " << problem.name;
      EXPECT_TRUE(!report.stopped || !report.reason.empty()) << name << ", " << problem.name;
    }
  }
}

// Also with a change of the points in between, which drops what is remembered of the last point.
TEST(Optimisers, RestoredStateGivesTheSameBits) {
  for (const std::string& name : names()) {
    for (int saved_at : {0, 1, 2, 7, 25}) {
      LeastSquares f = brown_almost_linear(12);
      const auto first = make_optimiser(name, {}, kBlocks), second = make_optimiser(name, {}, kBlocks);
      VectorXd x = VectorXd::Constant(12, 0.5);
      for (int k = 0; k < saved_at; ++k) take_step(*first, f, x, 1e-4);
      if (saved_at == 7) first->objective_changed();
      VectorXd y = x;
      second->restore(first->state());
      for (int k = 0; k < 12; ++k) {
        take_step(*first, f, x, 1e-4);
        take_step(*second, f, y, 1e-4);
      }
      EXPECT_EQ(std::memcmp(x.data(), y.data(), sizeof(double) * 12), 0) << name << " saved at " << saved_at;
    }
  }
}

TEST(Optimisers, NotFiniteInputIsANumericalError) {
  for (const std::string& name : names()) {
    const auto optimiser = make_optimiser(name, {}, kBlocks);
    LeastSquares f(12, 12, [](const VectorXd& x, VectorXd& r, MatrixXd&) { r = x.array().log(); });
    VectorXd x = VectorXd::Constant(12, -1);
    EXPECT_THROW(take_step(*optimiser, f, x, 0.1), NumericalError) << name;
    EXPECT_EQ(x, VectorXd::Constant(12, -1)) << name;
  }
}

TEST(Optimisers, AnotherNumberOfParametersIsALogicError) {
  for (const char* name : {"adam", "sgd", "soap", "lbfgs", "ssbfgs", "ssbroyden"}) {
    LeastSquares f = brown_almost_linear(12), g = brown_almost_linear(5);
    const auto optimiser = make_optimiser(name, {}, kBlocks);
    VectorXd x = VectorXd::Constant(12, 0.5), y = VectorXd::Constant(5, 0.5);
    take_step(*optimiser, f, x, 0.1);
    EXPECT_THROW(take_step(*optimiser, g, y, 0.1), std::logic_error) << name;
  }
}

TEST(Optimisers, TheOtherKindOfStepIsALogicError) {
  LeastSquares f = rosenbrock();
  VectorXd x = Eigen::Vector2d(0, 0);
  for (const std::string& name : names()) {
    const auto optimiser = make_optimiser(name);
    if (optimiser->first_order()) EXPECT_THROW(optimiser->step(f, x), std::logic_error) << name;
    else EXPECT_THROW(optimiser->update(x, 0.1, x), std::logic_error) << name;
  }
}

TEST(Optimisers, OptionsThatBreakTheirRuleAreErrors) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"adam", "b1=1"},          {"adam", "b2=-0.1"},       {"adam", "epsilon=0"},         {"adam", "weight_decay=-1"},
      {"sgd", "momentum=1.5"},   {"soap", "frequency=0"},   {"soap", "max_size=0"},        {"soap", "shampoo_beta=nan"},
      {"lbfgs", "history=0"},    {"lbfgs", "c1=0.7"},       {"lbfgs", "c2=1e-5"},          {"ssbfgs", "rounding=-1"},
      {"ssbroyden", "c2=1"},     {"ssbroyden", "patience=0"}, {"ssbroyden", "max_evaluations=0"},
      {"gauss-newton", "cut_off=0"}, {"gauss-newton", "damping=some"}, {"gauss-newton", "scale=none"},
      {"gauss-newton", "initial_damping=0"}};
  for (const auto& [name, option] : wrong) {
    try {
      make_optimiser(name, {option});
      ADD_FAILURE() << name << " took " << option;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(option.substr(0, option.find('='))), std::string::npos)
          << error.what();
    }
  }
}

}  // namespace
}  // namespace torsor
