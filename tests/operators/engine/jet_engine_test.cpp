// Repeatable bits, the residual's block-by-block path, and errors of the engine itself.
#include "operators/engine/jet_engine.h"

#include <omp.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <optional>

#include "engine_checks.h"

namespace torsor {
namespace {

using torch::Tensor;

/// Loss sum of (2 k + 1) / 2 jets^2 over everything, k the position of the point: adjoints (2 k + 1) jets.
struct SquareResidual {
  Index size;
  void operator()(const JetBlock<double>& block) const {
    for (Index k = 0; k < block.count; ++k) {
      const double weight = 2 * static_cast<double>(block.points[k]) + 1;
      block.losses[k] = 0;
      for (Index i = k * size; i < (k + 1) * size; ++i) {
        block.adjoints[i] = weight * block.jets[i];
        block.losses[k] += weight / 2 * block.jets[i] * block.jets[i];
      }
    }
  }
};

struct Result {
  std::vector<double> losses;
  Tensor gradients, constants;
};

Result value_and_gradients(const Sample& sample, int threads, const std::vector<Index>& groups,
                           Index group_count) {
  const JetEngine<double> engine(sample.shape, sample.request, threads);
  Result result{std::vector<double>(static_cast<size_t>(group_count)),
                torch::empty({group_count, sample.shape.parameters()}, torch::kFloat64),
                torch::empty({sample.points.size(0), sample.shape.constants}, torch::kFloat64)};
  JetBatch<double> batch = sample.batch();
  batch.groups = groups.empty() ? nullptr : groups.data();
  batch.group_count = group_count;
  engine.value_and_gradients(
      batch, sample.weights(), SquareResidual{sample.request.channels() * sample.shape.outputs},
      result.losses.data(), result.gradients.data_ptr<double>(), result.constants.data_ptr<double>());
  return result;
}

std::vector<Index> mixed_groups(Index count, uint64_t group_count) {
  Random random(5);
  std::vector<Index> groups;
  for (Index k = 0; k < count; ++k) groups.push_back(static_cast<Index>(random.below(group_count)));
  return groups;
}

TEST(JetEngine, TheResidualsPathGivesTheGradientsOfItsLoss) {
  for (const uint64_t seed : {1, 4, 10, 15}) {
    SCOPED_TRACE(seed);
    const Sample sample(seed, 150);
    const auto result = value_and_gradients(sample, 2, {}, 1);
    const Tensor parameters = sample.parameters.detach().clone().requires_grad_(true);
    Tensor constants = sample.constants;
    if (constants.defined()) constants = constants.detach().clone().requires_grad_(true);
    const Tensor jets =
        NetworkJets(sample.shape, sample.request, JetBackend::tensor)(parameters, sample.points, constants);
    const Tensor weights = 2 * torch::arange(150, torch::kFloat64) + 1;
    const Tensor loss = (weights.view({-1, 1, 1}) * jets * jets).sum() / 2;
    loss.backward();
    EXPECT_NEAR(result.losses[0] / loss.item<double>(), 1, 1e-12);
    EXPECT_LT(difference(result.gradients[0], parameters.grad()), 1e-11);
    if (constants.defined()) {
      EXPECT_LT(difference(result.constants, constants.grad()), 1e-11);
    }
  }
}

TEST(JetEngine, GroupsAddUpToTheWhole) {
  const Sample sample(4, 203);
  const auto whole = value_and_gradients(sample, 2, {}, 1);
  const auto parts = value_and_gradients(sample, 2, mixed_groups(203, 8), 8);
  EXPECT_LT(difference(parts.gradients.sum(0), whole.gradients[0]), 1e-12);
  double sum = 0;
  for (const double loss : parts.losses) sum += loss;
  EXPECT_NEAR(sum / whole.losses[0], 1, 1e-13);
  EXPECT_EQ(difference(parts.constants, whole.constants), 0);
}

TEST(JetEngine, TwoCallsGiveTheSameBits) {
  for (const int threads : {1, 2, 3}) {
    const Sample sample(4, 777);
    const auto groups = mixed_groups(777, 4);
    const auto first = value_and_gradients(sample, threads, groups, 4);
    for (int repetition = 0; repetition < 3; ++repetition) {
      const auto again = value_and_gradients(sample, threads, groups, 4);
      EXPECT_EQ(std::memcmp(first.gradients.data_ptr(), again.gradients.data_ptr(), first.gradients.nbytes()),
                0);
      EXPECT_EQ(std::memcmp(first.constants.data_ptr(), again.constants.data_ptr(), first.constants.nbytes()),
                0);
      EXPECT_EQ(first.losses, again.losses);
    }
  }
}

TEST(JetEngine, RunsInsideAParallelRegion) {
  const Sample sample(4, 120);
  const auto alone = value_and_gradients(sample, 1, {}, 1);
  std::atomic<int> wrong{0};
#pragma omp parallel num_threads(3)
  {
    const auto inside = value_and_gradients(sample, 0, {}, 1);
    if (std::memcmp(alone.gradients.data_ptr(), inside.gradients.data_ptr(), alone.gradients.nbytes()) != 0)
      ++wrong;
  }
  EXPECT_EQ(wrong, 0);
}

/// The most memory held since the last call of this function, in bytes; nothing where Linux does not tell.
std::optional<double> peak_memory() {
  std::optional<double> peak;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) peak = 1024 * std::stod(line.substr(6));
  std::ofstream reset("/proc/self/clear_refs");
  reset << "5" << std::flush;  // the peak begins again at what is held now
  return reset ? peak : std::nullopt;
}

// Beyond inputs and outputs, which are there before: a block's activations and a gradient for each thread.
TEST(JetEngine, MemoryDoesNotGrowWithThePoints) {
  constexpr Index few = 1000, many = 1000000;
  const auto shape = [] {
    NetworkShape s;
    s.coordinates = 2;
    s.inputs = raw_inputs(Eigen::Vector2d(0, 0));
    s.widths = {16, 16};
    return s;
  }();
  const JetEngine<double> engine(shape, {{}, {0, 1}}, 2);
  const Tensor parameters = sampled_parameters(shape, 1);
  const std::vector<double> points(2 * many, 0.25);
  std::vector<double> jets(many, 1.0), gradient(static_cast<size_t>(shape.parameters())), losses(1);
  const auto run = [&](Index count) {
    const JetBatch<double> batch{count, points.data(), nullptr, nullptr, 1};
    const auto* weights = parameters.data_ptr<double>();
    engine.jets(batch, weights, jets.data());
    engine.gradients(batch, weights, jets.data(), gradient.data());
    engine.value_and_gradients(batch, weights, SquareResidual{1}, losses.data(), gradient.data());
  };
  run(few);
  if (!peak_memory()) GTEST_SKIP() << "the system does not tell the peak of memory";
  run(few);
  const double before = *peak_memory();
  run(many);
  // Storing one number for each point would take 8 MB, the activations of these 512 MB.
  EXPECT_LT(*peak_memory() - before, 2e6);
}

TEST(JetEngine, WhatTheResidualThrowsArrives) {
  const Sample sample(4, 200);
  const JetEngine<double> engine(sample.shape, sample.request, 2);
  std::vector<double> losses(1), gradients(static_cast<size_t>(sample.shape.parameters()));
  const auto residual = [](const JetBlock<double>&) { throw NumericalError("residual: not finite"); };
  EXPECT_THROW(
      engine.value_and_gradients(sample.batch(), sample.weights(), residual, losses.data(), gradients.data()),
      NumericalError);
}

TEST(JetEngine, BadShapesAndBatchesAreNamed) {
  const auto shape_error = [](const auto& change) {
    NetworkShape shape;
    shape.coordinates = 2;
    shape.inputs = raw_inputs(Eigen::Vector2d(0, 0));
    shape.widths = {8, 8};
    change(shape);
    return error_of([&] { JetEngine<double>(shape, {{{0, 0}}, {}}); });
  };
  EXPECT_EQ(shape_error([](NetworkShape&) {}), "no error");
  EXPECT_EQ(shape_error([](NetworkShape& s) { s.widths[1] = 513; }),
            "network: width = 513 must be 1 ... 512");
  EXPECT_EQ(shape_error([](NetworkShape& s) { s.coordinates = 5; }),
            "network: coordinates = 5 must be 1, 2, 3 or 4");
  EXPECT_EQ(shape_error([](NetworkShape& s) { s.outputs = 0; }), "network: outputs = 0 must be >= 1");
  EXPECT_EQ(shape_error([](NetworkShape& s) { s.constants = -1; }), "network: constants = -1 must be >= 0");
  EXPECT_EQ(shape_error([](NetworkShape& s) { s.widths.clear(); }),
            "network: hidden layers = 0 must be >= 1");
  EXPECT_EQ(shape_error([](NetworkShape& s) { s.inputs.clear(); }), "network: inputs = 0 must be >= 1");
  EXPECT_EQ(shape_error([](NetworkShape& s) { s.inputs[0].frequency[0] = NAN; }),
            "network: the frequencies and phases of the inputs must be finite");
  EXPECT_EQ(shape_error([](NetworkShape& s) {
              s.skip = Skip::residual;
              s.widths[1] = 9;
            }),
            "network: width = 9 must be 8, that of the first layer, with residual skips");
  EXPECT_EQ(error_of([] { periodic_inputs(Eigen::Vector2d(0, 0), Eigen::Vector2d(0, 1), 0); }),
            "network: harmonics = 0 must be >= 1");
  EXPECT_EQ(shape_error([](NetworkShape& s) { s.constants = 2; }), "no error");
  Sample lacking(4, 3);
  lacking.shape.constants = 2;
  lacking.parameters = sampled_parameters(lacking.shape, 1);
  lacking.constants = Tensor();
  EXPECT_EQ(error_of([&] { value_and_gradients(lacking, 1, {}, 1); }),
            "constants: 2 for each point must be given");
  const Sample sample(0, 3);
  EXPECT_EQ(error_of([&] { JetEngine<double>(sample.shape, sample.request, -1); }),
            "threads = -1 must be >= 0");
  EXPECT_EQ(error_of([&] {
              value_and_gradients(sample, 1, {0, 2, 1}, 2);
            }),
            "groups: that of point 1 = 2 must be 0 ... 1");
  EXPECT_EQ(error_of([&] { value_and_gradients(sample, 1, {}, 0); }), "groups: count = 0 must be >= 1");
}

}  // namespace
}  // namespace torsor
