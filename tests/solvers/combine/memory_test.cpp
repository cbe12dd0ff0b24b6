// What combiners remember: checkpoints, moments of tasks, groups of tasks; and options.
#include <gtest/gtest.h>

#include "combine_test_tools.h"
#include "physics/error.h"
#include "solvers/combine/task_groups.h"
#include "solvers/combine/task_moments.h"

namespace torsor::combine_test {
namespace {

// Sampled steps with the same sizes, the losses and gradients changing.
std::vector<Sample> steps(unsigned seed, int count, Index m) {
  Sampler sampler(seed);
  std::vector<Sample> result;
  for (int n = 0; n < count; ++n) result.push_back(sampler.make(n % 3 == 0 ? Kind::random : Kind::conflicting, m));
  return result;
}

Combination take(Combiner& combiner, const Sample& sample, Index step) {
  const Combination result = combine(combiner, sample, step);
  if (combiner.observes()) combiner.observe(0.9 * sample.losses);
  return result;
}

void expect_same_bits(const Combination& a, const Combination& b, const std::string& where) {
  EXPECT_EQ(a.direction, b.direction) << where;
  EXPECT_EQ(a.weights, b.weights) << where;
  EXPECT_EQ(a.angles, b.angles) << where;
  EXPECT_EQ(a.fallback, b.fallback) << where;
}

void expect_round_trip(const std::string& name,
                       const std::function<std::unique_ptr<Combiner>(std::uint64_t)>& make_new) {
  const auto all = steps(1, 14, 4);
  for (const Index stop : {0, 1, 7}) {
    auto uninterrupted = make_new(3);
    for (Index step = 0; step < stop; ++step) take(*uninterrupted, all[static_cast<size_t>(step)], step);
    const State state = uninterrupted->state();
    auto resumed = make_new(99);  // another seed: the state must hold the stream
    resumed->restore(state);
    for (Index step = stop; step < 14; ++step) {
      const Sample& sample = all[static_cast<size_t>(step)];
      EXPECT_EQ(uninterrupted->wanted(step, 4), resumed->wanted(step, 4)) << name;
      expect_same_bits(take(*uninterrupted, sample, step), take(*resumed, sample, step),
                       name + " step " + std::to_string(step));
    }
  }
}

TEST(State, RestoresTheSameBitsForEveryCombiner) {
  for (const auto& info : combiners()) {
    OptionValues values(info.options);
    // Short warm-ups, so that the interruption meets every phase.
    const Settings settings = {{"epoch", "3"}, {"base_steps", "3"}, {"warm_up", "3"}, {"rho", "0.5"}, {"every", "3"}};
    for (const auto& [option, value] : settings)
      for (const auto& known : info.options)
        if (known.name == option) values.set(option, value);
    expect_round_trip(info.name, [&](std::uint64_t seed) { return info.make(values, seed); });
  }
}

TEST(State, RestoresTheSameBitsForDecorators) {
  expect_round_trip("moments of pcgrad",
                    [](std::uint64_t seed) { return with_task_moments(make("pcgrad", {}, seed), {}); });
  OptionValues options(task_group_options());
  options.set("period", "3");
  expect_round_trip("groups of gradvac",
                    [&](std::uint64_t seed) { return with_task_groups(make("gradvac", {}, seed), options); });
}

TEST(State, SaysWhatIsMissing) {
  EXPECT_THROW(make("gradvac")->restore(State()), InputError);
  State state;
  state.set_text("random", "no numbers");
  EXPECT_THROW(make("pcgrad")->restore(state), InputError);
}

TEST(RandomMethods, DependOnTheirSeed) {
  const Sample sample = Sampler(2).make(Kind::conflicting, 5);
  for (const std::string name : {"rlw", "graddrop"}) {
    EXPECT_EQ(combine(*make(name, {}, 1), sample).direction, combine(*make(name, {}, 1), sample).direction);
    EXPECT_NE(combine(*make(name, {}, 1), sample).direction, combine(*make(name, {}, 2), sample).direction);
  }
}

// Adam fed with the pseudo-gradients has the combiner's direction as its corrected first moment.
TEST(TaskMoments, MakeAdamsFirstMomentTheCombination) {
  const double b = 0.8;
  for (const bool cyclic : {false, true}) {
    auto method = with_task_moments(make("config"), {.beta1 = b, .cyclic = cyclic});
    const auto all = steps(3, 20, 3);
    MatrixXd moments = MatrixXd::Zero(12, 3);
    VectorXd seen = VectorXd::Zero(3), adam = VectorXd::Zero(12);
    for (Index step = 0; step < 20; ++step) {
      Sample sample = all[static_cast<size_t>(step)];
      const auto wanted = method->wanted(step, 3);
      ASSERT_EQ(wanted.size(), cyclic ? 1u : 0u);
      if (cyclic) {
        // The other columns are not looked at.
        for (Index i = 0; i < 3; ++i)
          if (i != wanted[0]) sample.gradients.col(i).setZero();
      }
      adam = b * adam + (1 - b) * combine(*method, sample, step).direction;
      MatrixXd corrected = MatrixXd::Zero(12, 3);
      for (Index i = 0; i < 3; ++i) {
        if (!cyclic || i == step % 3) {
          moments.col(i) = b * moments.col(i) + (1 - b) * sample.gradients.col(i);
          seen[i] += 1;
        }
        if (seen[i] > 0) corrected.col(i) = moments.col(i) / (1 - std::pow(b, seen[i]));
      }
      const VectorXd expected = combine("config", {Kind::random, corrected, sample.losses}).direction;
      const VectorXd first_moment = adam / (1 - std::pow(b, static_cast<double>(step + 1)));
      ASSERT_LE((first_moment - expected).norm(), 1e-11 * expected.norm()) << step;
    }
  }
}

TEST(TaskMoments, AreThoseOfMConfig) {
  auto ours = make("m-config", {{"beta1", "0.8"}}),
       by_hand = with_task_moments(make("config"), {.beta1 = 0.8, .cyclic = true});
  const auto all = steps(4, 9, 4);
  for (Index step = 0; step < 9; ++step)
    expect_same_bits(combine(*ours, all[static_cast<size_t>(step)], step),
                     combine(*by_hand, all[static_cast<size_t>(step)], step), "");
}

TEST(TaskMoments, HrGradUsesThemUnlessToldNot) {
  const auto all = steps(5, 5, 3);
  for (const bool pseudo : {false, true}) {
    auto with = make("hrgrad", {{"second_moment", pseudo ? "pseudo" : "direction"}}),
         by_hand = with_task_moments(make("hrgrad", {{"moments", "no"}}), {.pseudo_gradient = pseudo});
    EXPECT_EQ(with->averaged(), !pseudo);
    for (Index step = 0; step < 5; ++step)
      expect_same_bits(combine(*with, all[static_cast<size_t>(step)], step),
                       combine(*by_hand, all[static_cast<size_t>(step)], step), "");
  }
  EXPECT_FALSE(make("hrgrad", {{"moments", "no"}})->averaged());
}

// Fed with the moments' combinations themselves, an optimiser steps along what the pseudo-gradients make Adam's mean.
TEST(TaskMoments, DirectionsAreTheFirstMomentsOfPseudoGradients) {
  const double b = 0.7;
  auto direct = with_task_moments(make("harmonic"), {.beta1 = b, .pseudo_gradient = false}),
       pseudo = with_task_moments(make("harmonic"), {.beta1 = b});
  const auto all = steps(6, 12, 4);
  VectorXd mean = VectorXd::Zero(12);
  for (Index step = 0; step < 12; ++step) {
    const Sample& sample = all[static_cast<size_t>(step)];
    mean = b * mean + (1 - b) * combine(*pseudo, sample, step).direction;
    const VectorXd direction = combine(*direct, sample, step).direction;
    EXPECT_LE((mean / (1 - std::pow(b, static_cast<double>(step + 1))) - direction).norm(), 1e-11 * direction.norm());
  }
}

TEST(TaskGroups, ColourGraphsProperly) {
  std::mt19937_64 engine(6);
  for (int n = 0; n < 2000; ++n) {
    const Index m = 2 + n % 9;
    Eigen::Matrix<bool, -1, -1> adjacent = Eigen::Matrix<bool, -1, -1>::Constant(m, m, false);
    Index degree = 0;
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < i; ++j) adjacent(i, j) = adjacent(j, i) = engine() % 3 == 0;
    for (Index i = 0; i < m; ++i) degree = std::max(degree, adjacent.col(i).count());
    const auto colours = greedy_colouring(adjacent);
    for (Index i = 0; i < m; ++i) {
      ASSERT_LE(colours[static_cast<size_t>(i)], degree);
      for (Index j = 0; j < m; ++j)
        if (adjacent(i, j)) {
          ASSERT_NE(colours[static_cast<size_t>(i)], colours[static_cast<size_t>(j)]);
        }
    }
  }
}

TEST(TaskGroups, TakeTurnsWhereTasksDisagree) {
  MatrixXd g(2, 3);
  g << 1, -1, 1, 0, 0, 0.1;  // tasks 0 and 2 agree, 1 is against both
  const Sample sample{Kind::random, g, VectorXd::Ones(3)};
  OptionValues options(task_group_options());
  options.set("period", "4");
  auto method = with_task_groups(make("ls"), options);
  for (Index step = 0; step < 4; ++step) {
    EXPECT_TRUE(method->wanted(step, 3).empty());
    EXPECT_EQ(combine(*method, sample, step).direction, VectorXd(g.rowwise().sum()));
  }
  const std::vector<Index> alone = {1}, pair = {0, 2};
  EXPECT_EQ(method->wanted(4, 3), alone);
  EXPECT_EQ(combine(*method, sample, 4).direction, VectorXd(g.col(1)));
  EXPECT_EQ(method->wanted(5, 3), pair);
  EXPECT_EQ(combine(*method, sample, 5).direction, VectorXd(g.col(0) + g.col(2)));
  auto scheduled = with_task_groups(make("m-config"), options);
  EXPECT_THROW(combine(*scheduled, sample, 0), InputError);
}

TEST(OptionValues, CheckTypesAndRules) {
  const std::vector<Option> options = {{"rate", "real", "0.5", "help", "in [0, 1)"},
                                       {"count", "integer", "3", "help", ">= 1"},
                                       {"fast", "boolean", "yes", "help", ""},
                                       {"kind", "choice", "a", "help", "one of: a|b"}};
  OptionValues values(options);
  EXPECT_EQ(values.real("rate"), 0.5);
  EXPECT_EQ(values.integer("count"), 3);
  EXPECT_TRUE(values.boolean("fast"));
  EXPECT_EQ(values.text("kind"), "a");
  values.set("rate", "2.5e-1");
  values.set("fast", "off");
  values.set("kind", "b");
  EXPECT_EQ(values.real("rate"), 0.25);
  EXPECT_FALSE(values.boolean("fast"));
  EXPECT_EQ(values.text("kind"), "b");
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"rate", "1"},
                                                                                    {"rate", "-0.1"},
                                                                                    {"rate", "0.5x"},
                                                                                    {"rate", "nan"},
                                                                                    {"rate", ""},
                                                                                    {"count", "0"},
                                                                                    {"count", "1.5"},
                                                                                    {"fast", "perhaps"},
                                                                                    {"kind", "c"},
                                                                                    {"kind", "a|b"},
                                                                                    {"rat", "0.5"}})
    EXPECT_THROW(values.set(name, value), InputError) << name << " = " << value;
  EXPECT_EQ(values.real("rate"), 0.25);
  EXPECT_THROW(values.real("speed"), std::logic_error);
  EXPECT_THROW(OptionValues({{"rate", "real", "2", "help", "in [0, 1)"}}), std::logic_error);
  EXPECT_THROW(OptionValues({{"rate", "number", "2", "help", ""}}), std::logic_error);
  try {
    values.set("rate", "7");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "the option 'rate' is '7', but must be in [0, 1)");
  }
}

}  // namespace
}  // namespace torsor::combine_test
