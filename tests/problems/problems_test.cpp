// Every shipped problem: exact solutions fulfil every term, derivatives by the jets are right, parameters are
// checked.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "physics/error.h"
#include "physics/random.h"
#include "problems/builder.h"
#include "solvers/head/collocation.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

// Random points where each term holds, with normals on boundaries.
std::vector<TermPoints> random_points(const Problem& problem, uint64_t seed) {
  std::vector<PartitionAxis> axes;
  for (const auto& c : problem.coordinates) axes.emplace_back(std::vector<double>{c.low, c.high}, c.periodic);
  CollocationOptions options;
  options.sampler = "uniform";
  options.seed = seed;
  return collocation_points(problem, axes, 20, options);
}

// Counts take whole numbers only.
bool accepts(const ProblemDefinition& definition, const std::string& parameter, double value, uint64_t seed) {
  try {
    make_problem(definition, {{{parameter, value}}, seed});
    return true;
  } catch (const InputError& error) {
    EXPECT_TRUE(value != std::round(value) || std::string(error.what()).find("larger than") != std::string::npos)
        << error.what();
    return false;
  }
}

// The default task, and tasks with each parameter inside its range, also at the default's own size.
std::vector<TaskInput> tasks_of(const ProblemDefinition& definition, uint64_t seed) {
  std::vector<TaskInput> tasks{{{}, seed}};
  const Problem base = make_problem(definition, tasks.front());
  for (const auto& p : base.parameters)
    for (const double value : {0.6 * p.value, p.low + 0.37 * (p.high - p.low), p.low, std::min(p.high, 10.0)})
      if (value >= p.low && value <= p.high && accepts(definition, p.name, value, seed))
        tasks.push_back({{{p.name, value}}, seed});
  return tasks;
}

std::string describe(const ProblemDefinition& definition, const TaskInput& task) {
  std::string text = definition.name + " seed " + std::to_string(task.seed);
  for (const auto& [name, value] : task.parameters) text += " " + name + "=" + std::to_string(value);
  return text;
}

void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const auto& part : parts) EXPECT_NE(text.find(part), std::string::npos) << text << "\nlacks: " << part;
}

TEST(Problems, AllShippedAreListedInOrder) {
  std::vector<std::string> names;
  for (const auto& definition : problem_definitions()) names.push_back(definition.name);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const char* name : {"advection", "allen-cahn", "bratu", "burgers", "diffusion", "heat", "helmholtz",
                           "kdv", "nonlinear-poisson", "poisson", "poisson-5d", "poisson-gauss",
                           "poisson-holes", "reaction-diffusion", "wave"})
    EXPECT_TRUE(std::count(names.begin(), names.end(), name) == 1) << name;
}

TEST(Problems, AreComplete) {
  for (const auto& definition : problem_definitions()) {
    SCOPED_TRACE(definition.name);
    const Problem problem = make_problem(definition, {});
    EXPECT_EQ(problem.name, definition.name);
    EXPECT_FALSE(problem.title.empty());
    EXPECT_FALSE(definition.summary.empty());
    EXPECT_EQ(problem.exact.size(), problem.fields.size());
    EXPECT_EQ(problem.domain->dimension(), static_cast<Index>(problem.space().size()));
    EXPECT_GE(problem.order(), 1);
    for (const auto& p : problem.parameters) {
      EXPECT_LE(p.low, p.value) << p.name;
      EXPECT_LE(p.value, p.high) << p.name;
      EXPECT_EQ(p.value, p.default_value) << p.name;
    }
    // A condition for every d/dt, and boundary conditions wherever there is a boundary.
    for (Index f = 0; f < static_cast<Index>(problem.fields.size()) && problem.time() >= 0; ++f)
      EXPECT_EQ(std::count_if(problem.terms.begin(), problem.terms.end(),
                              [](const Term& t) { return t.place == Place::initial; }),
                problem.time_order(f));
    size_t covered = 0;
    for (const auto& term : problem.terms)
      if (term.place == Place::boundary) covered += problem.pieces_of(term).size();
    EXPECT_EQ(covered, problem.pieces.size());
  }
}

TEST(Problems, ExactSolutionsFulfilEveryTerm) {
  int checked = 0;
  for (const auto& definition : problem_definitions())
    for (const uint64_t seed : {0, 1, 7})
      for (const auto& task : tasks_of(definition, seed)) {
        SCOPED_TRACE(describe(definition, task));
        const Problem problem = make_problem(definition, task);
        if (!problem.has_exact()) continue;
        for (const auto& set : random_points(problem, seed)) {
          const Term& term = problem.terms[static_cast<size_t>(set.term)];
          const Eigen::MatrixXd jets = problem.exact_jets(set.points, term.jets);
          const LinearizedTerm at_exact = linearize(problem, term, set.points, set.normals, jets);
          const double scale = at_exact.coefficients.cwiseProduct(jets).cwiseAbs().rowwise().sum().maxCoeff();
          // "u = 0" on the boundary compares with the size of the field, not with its zeros there.
          EXPECT_LE(at_exact.residual.cwiseAbs().maxCoeff(), 1e-10 * std::max(scale, 1.0)) << term.name;
          EXPECT_EQ(evaluate_residual(problem, term, set.points, set.normals, jets), at_exact.residual);
          ++checked;
        }
      }
  EXPECT_GT(checked, 100);
}

TEST(Problems, DerivativesByTheJetsHaveAQuadraticRemainder) {
  for (const auto& definition : problem_definitions())
    for (const auto& task : tasks_of(definition, 3)) {
      SCOPED_TRACE(describe(definition, task));
      const Problem problem = make_problem(definition, task);
      for (const auto& set : random_points(problem, 5)) {
        const Term& term = problem.terms[static_cast<size_t>(set.term)];
        Random random(11);
        Eigen::MatrixXd jets(set.points.rows(), static_cast<Index>(term.jets.size())), direction = jets;
        for (auto* matrix : {&jets, &direction})
          for (Index i = 0; i < matrix->size(); ++i) matrix->data()[i] = random.uniform(-1, 1);
        const LinearizedTerm base = linearize(problem, term, set.points, set.normals, jets);
        const Eigen::VectorXd slope = base.coefficients.cwiseProduct(direction).rowwise().sum();
        const auto remainder = [&](double h) {
          return (evaluate_residual(problem, term, set.points, set.normals, jets + h * direction) -
                  base.residual - h * slope)
              .norm();
        };
        const double scale = base.residual.norm() + slope.norm();
        const double coarse = remainder(1e-2), fine = remainder(5e-3);
        EXPECT_TRUE(fine < 1e-13 * scale || (coarse / fine > 3.8 && coarse / fine < 4.2))
            << term.name << ": " << coarse << " and " << fine << " for a residual of " << scale;
        EXPECT_GT(slope.norm(), 0) << term.name;
      }
    }
}

TEST(Problems, SeedsGiveReproducibleAndDifferentData) {
  for (const char* name : {"poisson", "poisson-gauss", "reaction-diffusion"}) {
    SCOPED_TRACE(name);
    const auto& definition = find_problem(name);
    const auto data = [&](uint64_t seed) {
      const Problem problem = make_problem(definition, {{}, seed});
      const Term& term = problem.terms.front();
      Eigen::MatrixXd points(3, 2);
      points << 0.2, 0.3, 0.6, 0.1, 0.9, 0.8;
      return evaluate_residual(problem, term, points, {},
                               Eigen::MatrixXd::Zero(3, static_cast<Index>(term.jets.size())))
          .eval();
    };
    EXPECT_EQ(data(4), data(4));
    EXPECT_GT((data(4) - data(5)).norm(), 1e-3);
  }
}

TEST(Problems, RangesOfParametersAreChecked) {
  for (const auto& definition : problem_definitions()) {
    const Problem base = make_problem(definition, {});
    for (const auto& p : base.parameters)
      for (const double value :
           {std::nextafter(p.high, 1e300), p.low - 0.5 * (p.high - p.low), std::nan(""), HUGE_VAL}) {
        SCOPED_TRACE(definition.name + " " + p.name);
        expect_contains(error_of([&] {
                          make_problem(definition, {{{p.name, value}}, 0});
                        }),
                        {"problem.parameter." + p.name, "outside"});
      }
  }
}

TEST(Problems, UnknownNamesComeWithTheNearestOne) {
  expect_contains(error_of([] { find_problem("helmholz"); }), {"problem", "'helmholz'", "'helmholtz'"});
  expect_contains(error_of([] {
                    make_problem(find_problem("burgers"), {{{"mu", 0.1}}, 0});
                  }),
                  {"problem.parameter.mu", "'nu'"});
  expect_contains(error_of([] {
                    make_problem(find_problem("kdv"), {{{"delta", 0.1}}, 0});
                  }),
                  {"problem.parameter.delta", "'delta2'"});
  const Problem problem = make_problem(find_problem("heat"), {});
  expect_contains(error_of([&] { problem.jet("v_x"); }), {"'v_x'", "'u'"});
  expect_contains(error_of([&] { problem.field_index("w"); }), {"'w'", "'u'"});
}

TEST(Problems, ValuesThatAreNotFiniteNameTermAndPoint) {
  const Problem problem = make_problem(find_problem("bratu"), {});
  const Term& term = problem.terms.front();
  Eigen::MatrixXd points(2, 2);
  points << 0.25, 0.5, 0.75, 0.125;
  Eigen::MatrixXd jets = Eigen::MatrixXd::Zero(2, static_cast<Index>(term.jets.size()));
  for (size_t c = 0; c < term.jets.size(); ++c)
    if (total_order(term.jets[c].orders) == 0) jets(1, static_cast<Index>(c)) = 1e4;  // exp overflows
  for (const bool derivatives : {true, false}) {
    try {
      if (derivatives)
        linearize(problem, term, points, {}, jets);
      else
        evaluate_residual(problem, term, points, {}, jets);
      ADD_FAILURE() << "no error";
    } catch (const NumericalError& error) {
      expect_contains(error.what(), {"'pde'", "x = 0.75", "y = 0.125", "not finite"});
    }
  }
}

TEST(Problems, ProblemsWithoutExactSolutionSaySo) {
  const Problem problem = make_problem(find_problem("burgers"), {});
  EXPECT_FALSE(problem.has_exact());
  expect_contains(error_of([&] { problem.exact_jets(Eigen::MatrixXd::Zero(1, 2), {problem.jet("u")}); }),
                  {"'burgers'", "no exact solution"});
}

TEST(Problems, ParametersThatDoNotFitAreRefused) {
  const auto message = [](const std::string& problem, const std::map<std::string, double>& parameters) {
    return error_of([&] { make_problem(find_problem(problem), {parameters, 0}); });
  };
  expect_contains(message("poisson", {{"modes", 2.5}}), {"problem.parameter.modes = 2.5", "whole number"});
  expect_contains(message("poisson", {{"modes", 0}}), {"problem.parameter.modes = 0", "[1, 100]"});
  expect_contains(message("poisson-gauss", {{"width_low", 0.25}, {"width_high", 0.125}}),
                  {"width_low = 0.25", "width_high = 0.125"});
}

}  // namespace
}  // namespace torsor
