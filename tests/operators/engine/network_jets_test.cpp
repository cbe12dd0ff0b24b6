// The fused backend against the tensor backend, the tensor backend against nested gradients, and bad
// requests.
#include "engine_checks.h"

namespace torsor {
namespace {

using torch::Tensor;

void expect_backends_agree(const Sample& sample, double tolerance) {
  const auto fused = evaluate(sample, JetBackend::fused), tensor = evaluate(sample, JetBackend::tensor);
  EXPECT_LT(channel_difference(fused.jets, tensor.jets), tolerance);
  EXPECT_LT(difference(fused.parameters, tensor.parameters), tolerance);
  if (tensor.constants.defined()) {
    EXPECT_LT(difference(fused.constants, tensor.constants), tolerance);
  }
}

TEST(NetworkJets, BackendsAgreeInFloat64OverSampledNetworks) {
  for (const auto& name : engine::instruction_sets()) {
    const InstructionSet set(name);
    for (uint64_t seed = 0; seed < 72; ++seed) {
      SCOPED_TRACE(name + ", seed " + std::to_string(seed));
      expect_backends_agree(Sample(seed, 37), 1e-12);
    }
  }
}

TEST(NetworkJets, BackendsAgreeInFloat32OverSampledNetworks) {
  for (const auto& name : engine::instruction_sets()) {
    const InstructionSet set(name);
    for (uint64_t seed = 0; seed < 72; ++seed) {
      SCOPED_TRACE(name + ", seed " + std::to_string(seed));
      // Against float64: the tensor backend in float32 rounds as much as the fused one.
      const Sample sample(seed, 21, torch::kFloat32), exact(seed, 21);
      const auto fused = evaluate(sample, JetBackend::fused), reference = evaluate(exact, JetBackend::tensor);
      EXPECT_LT(channel_difference(fused.jets.to(torch::kFloat64), reference.jets), 1e-5);
      EXPECT_LT(difference(fused.parameters.to(torch::kFloat64), reference.parameters), 1e-5);
    }
  }
}

TEST(NetworkJets, BackendsAgreeForEveryNumberOfPoints) {
  NetworkShape shape = sampled_shape(7);
  const JetRequest request = sampled_request(shape.coordinates, 7);
  const Index block = JetEngine<double>(shape, request).block_points();
  for (const Index count : {Index{0}, Index{1}, Index{2}, block - 1, block, block + 1, 5 * block + 3}) {
    SCOPED_TRACE(count);
    expect_backends_agree(Sample(shape, request, count, 7), 1e-12);
  }
}

TEST(NetworkJets, BackendsAgreeForWidthsAroundTheVectors) {
  for (const Index width : {7, 8, 9, 16, 17, 31, 32, 33, 64, 130}) {
    SCOPED_TRACE(width);
    NetworkShape shape;
    shape.coordinates = 2;
    shape.inputs = raw_inputs(Eigen::Vector2d(0, 0));
    shape.widths = {width, width};
    expect_backends_agree(Sample(shape, {{{0, 0}}, {0, 1}}, 50, 1), 1e-12);
  }
}

TEST(NetworkJets, BackendsAgreeForThePlainLaplacianOfEveryActivation) {
  for (const auto& activation : activation_names())
    for (Index d = 1; d <= 4; ++d)
      for (const Skip skip : {Skip::none, Skip::residual}) {
        SCOPED_TRACE(activation + ", " + std::to_string(d) + " coordinates");
        NetworkShape shape;
        shape.coordinates = d;
        shape.inputs = raw_inputs(Eigen::VectorXd::Zero(d));
        shape.widths = {12, 12, 12};
        shape.activation = activation_from_name(activation);
        shape.skip = skip;
        JetRequest request{{MultiIndex(static_cast<size_t>(d), 0)}, {}};
        for (Index i = 0; i < d; ++i) request.laplacian.push_back(i);
        expect_backends_agree(Sample(shape, request, 40, 11), 1e-12);
      }
}

TEST(NetworkJets, TheWidestNetworkAgrees) {
  NetworkShape shape;
  shape.coordinates = 1;
  shape.inputs = raw_inputs(Eigen::VectorXd::Zero(1));
  shape.widths = {512, 511, 512};
  expect_backends_agree(Sample(shape, {{{0}, {1}, {2}}, {}}, 40, 5), 1e-12);
}

TEST(NetworkJets, JetsAreNestedGradients) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    const Sample sample(seed, 9);
    const Index d = sample.shape.coordinates;
    const NetworkJets fused(sample.shape, sample.request);
    const NetworkJets value(sample.shape, {{MultiIndex(static_cast<size_t>(d), 0)}, {}}, JetBackend::tensor);
    const Tensor jets = fused(sample.parameters, sample.points, sample.constants);
    const auto nested = [&](const MultiIndex& a) {
      const Tensor x = sample.points.detach().clone().requires_grad_(true);
      Tensor u = value(sample.parameters, x, sample.constants).select(1, 0).select(1, 0);
      for (size_t i = 0; i < a.size(); ++i)
        for (int order = 0; order < a[i]; ++order)
          u = torch::autograd::grad({u.sum()}, {x}, {}, true, true)[0].select(1, static_cast<int64_t>(i));
      return u.detach();
    };
    for (size_t c = 0; c < sample.request.derivatives.size(); ++c)
      EXPECT_LT(difference(jets.select(1, static_cast<int64_t>(c)).select(1, 0),
                           nested(sample.request.derivatives[c])),
                1e-10);
    if (sample.request.laplacian.empty()) continue;
    Tensor sum = torch::zeros({9}, torch::kFloat64);
    for (const Index i : sample.request.laplacian) {
      MultiIndex a(static_cast<size_t>(d), 0);
      a[static_cast<size_t>(i)] = 2;
      sum += nested(a);
    }
    EXPECT_LT(difference(jets.select(1, -1).select(1, 0), sum), 1e-10);
  }
}

TEST(NetworkJets, AgreesWithTheMlpBody) {
  Mlp::Options options;
  options.widths = {11, 9};
  options.bandwidth = Eigen::Vector2d(2, 3);
  options.centre = Eigen::Vector2d(-0.5, 1);
  options.period = Eigen::Vector2d(0, 2.5);
  options.harmonics = 2;
  options.concatenate = true;
  const Mlp body(options);
  const NetworkShape shape = shape_of(body, 1);
  const Tensor head = sampled_tensor({body.features()}, 4), points = sampled_tensor({13, 2}, 5);
  std::vector<Tensor> weights;
  for (const auto& parameter : body.parameters()) weights.push_back(parameter.flatten());
  weights.push_back(head);
  weights.push_back(torch::zeros({1}, torch::kFloat64));
  const auto indices = supported_indices(2);
  const Tensor jets = NetworkJets(shape, {indices, {}})(torch::cat(weights), points);
  const auto features = tensor_jets(body, points, indices);
  for (size_t c = 0; c < indices.size(); ++c)
    EXPECT_LT(difference(jets.select(1, static_cast<int64_t>(c)).select(1, 0), torch::mv(features[c], head)),
              1e-12);
}

TEST(NetworkJets, GradientsMatchDifferencesOfSecondOrder) {
  const Sample sample(8, 11);
  const NetworkJets fused(sample.shape, sample.request);
  const auto result = evaluate(sample, JetBackend::fused);
  const Tensor direction = sampled_tensor({sample.shape.parameters()}, 42);
  const double exact = torch::dot(result.parameters, direction).item<double>();
  const auto error = [&](double h) {
    const auto value = [&](double step) {
      return (fused(sample.parameters + step * direction, sample.points, sample.constants) * sample.adjoints)
          .sum();
    };
    return std::abs(((value(h) - value(-h)) / (2 * h)).item<double>() - exact);
  };
  const double coarse = error(2e-3), fine = error(1e-3);
  EXPECT_NEAR(std::log2(coarse / fine), 2, 0.1);
}

TEST(NetworkJets, GroupGradientsAreThoseOfTheGroupsAlone) {
  for (const uint64_t seed : {3, 8, 19}) {
    SCOPED_TRACE(seed);
    const Sample sample(seed, 101);
    const NetworkJets fused(sample.shape, sample.request);
    std::vector<int64_t> labels;
    Random random(seed);
    for (int k = 0; k < 101; ++k)
      labels.push_back(static_cast<int64_t>(random.below(5) + 1));  // 0 and 6 stay empty
    const Tensor groups = torch::tensor(labels, torch::kInt64);
    const auto gradients =
        fused.group_gradients(sample.parameters, sample.points, sample.adjoints, groups, 7, sample.constants);
    if (sample.constants.defined()) {
      EXPECT_LT(difference(gradients.constants, evaluate(sample, JetBackend::tensor).constants), 1e-12);
    }
    for (int64_t g = 0; g < 7; ++g) {
      Sample own = sample;
      own.adjoints = sample.adjoints * (groups == g).to(torch::kFloat64).view({-1, 1, 1});
      EXPECT_LT(difference(gradients.parameters[g], evaluate(own, JetBackend::tensor).parameters), 1e-12)
          << "group " << g;
    }
  }
}

TEST(NetworkJets, JacobianRowsAreTheGradientsOfSinglePoints) {
  for (uint64_t seed = 0; seed < 24; ++seed) {
    SCOPED_TRACE(seed);
    const Sample sample(seed, 23);
    const Tensor rows = NetworkJets(sample.shape, sample.request)
                            .jacobian(sample.parameters, sample.points, sample.adjoints, sample.constants);
    EXPECT_LT(difference(rows.sum(0), evaluate(sample, JetBackend::tensor).parameters), 1e-12);
    Sample single = sample;
    single.adjoints = torch::zeros_like(sample.adjoints);
    single.adjoints[17] = sample.adjoints[17];
    EXPECT_LT(difference(rows[17], evaluate(single, JetBackend::tensor).parameters), 1e-12);
  }
}

TEST(NetworkJets, NotANumberGoesThrough) {
  for (const auto& activation : activation_names()) {
    Sample sample(0, 20);
    sample.shape.activation = activation_from_name(activation);
    sample.points[11][0] = NAN;
    const Tensor jets = evaluate(sample, JetBackend::fused).jets;
    EXPECT_TRUE(torch::isnan(jets[11]).any().item<bool>()) << activation;
    EXPECT_FALSE(torch::isnan(jets[10]).any().item<bool>()) << activation;
  }
}

TEST(NetworkJets, BadTensorsAreNamed) {
  const Sample sample(0, 5);
  const NetworkJets fused(sample.shape, sample.request);
  const auto call = [&](const Tensor& parameters, const Tensor& points, const Tensor& constants) {
    return error_of([&] { fused(parameters, points, constants); });
  };
  EXPECT_NE(
      call(sample.parameters.slice(0, 1), sample.points, sample.constants).find("parameters of shape ["),
      std::string::npos);
  EXPECT_NE(call(sample.parameters.to(torch::kFloat32), sample.points, sample.constants).find("type"),
            std::string::npos);
  EXPECT_NE(call(sample.parameters, sample.points.t(), sample.constants).find("points must be"),
            std::string::npos);
  EXPECT_NE(call(sample.parameters, sample.points, torch::zeros({5, 9}, torch::kFloat64))
                .find("constants of shape [5, 9]"),
            std::string::npos);
  EXPECT_NE(call(sample.parameters, sample.points.detach().clone().requires_grad_(true), sample.constants)
                .find("no gradient by the points"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              fused.group_gradients(sample.parameters, sample.points, sample.adjoints,
                                    torch::full({5}, 3, torch::kInt64), 3, sample.constants);
            }).find("that of point 0 = 3 must be 0 ... 2"),
            std::string::npos);
}

TEST(NetworkJets, SecondDerivativesByTheWeightsAreRefused) {
  const Sample sample(0, 5);
  const Tensor parameters = sample.parameters.detach().clone().requires_grad_(true);
  const Tensor jets = NetworkJets(sample.shape, sample.request)(parameters, sample.points, sample.constants);
  EXPECT_NE(error_of([&] {
              torch::autograd::grad({(jets * jets).sum()}, {parameters}, {}, true, true);
            }).find("differentiable once"),
            std::string::npos);
}

}  // namespace
}  // namespace torsor
