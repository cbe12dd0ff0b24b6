// Methods that weigh losses: their update rules, worked out here by hand over a few steps of sampled losses.
#include <gtest/gtest.h>

#include <numeric>

#include "combine_test_tools.h"
#include "physics/error.h"

namespace torsor::combine_test {
namespace {

VectorXd softmax_of(const VectorXd& x) {
  const VectorXd powers = x.array().exp();
  return powers / powers.sum();
}

// Adam as in torch.optim, for a vector.
struct Adam {
  double rate;
  VectorXd m, v;
  int t = 0;
  VectorXd step(const VectorXd& x, const VectorXd& g) {
    if (t++ == 0) m = v = VectorXd::Zero(x.size());
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g.cwiseAbs2();
    return x - rate * (m / (1 - std::pow(0.9, t)))
                          .cwiseQuotient(((v / (1 - std::pow(0.999, t))).cwiseSqrt().array() + 1e-8).matrix());
  }
};

Sample with_losses(Sampler& sampler, Index m) {
  return sampler.make(Kind::random, m);
}

TEST(Ls, IsTheSum) {
  Sampler sampler(1);
  const Sample sample = with_losses(sampler, 4);
  EXPECT_LE((combine("ls", sample).direction - sample.gradients.rowwise().sum()).norm(), 1e-13);
}

TEST(Uw, LearnsTheLogarithmsOfTheLosses) {
  Sampler sampler(2);
  const Sample sample = with_losses(sampler, 3);
  auto method = make("uw", {{"learning_rate", "0.01"}});
  Adam adam{0.01, {}, {}};
  VectorXd s = VectorXd::Constant(3, -0.5);
  for (Index step = 0; step < 3000; ++step) {
    const Combination result = combine(*method, sample, step);
    if (step < 20) {
      ASSERT_LE((result.weights - (-s).array().exp().matrix() / 2).norm(), 1e-10) << step;
    }
    s = adam.step(s, (0.5 * (1 - sample.losses.array() * (-s).array().exp())).matrix());
  }
  const VectorXd found = combine(*method, sample).weights, optimal = (2 * sample.losses).cwiseInverse();
  EXPECT_LE((found - optimal).norm(), 1e-2 * optimal.norm());
}

TEST(Dwa, FollowsTheRatioOfTheLastTwoEpochs) {
  Sampler sampler(3);
  auto method = make("dwa", {{"epoch", "2"}, {"temperature", "3"}});
  const MatrixXd g = sampler.normal(5, 3);
  std::vector<VectorXd> losses;
  for (Index step = 0; step < 9; ++step) {
    losses.push_back(sampler.normal(3, 1).cwiseAbs());
    const Combination result = combine(*method, {Kind::random, g, losses.back()}, step);
    VectorXd expected = VectorXd::Ones(3);
    if (step >= 4) {
      const size_t begin = static_cast<size_t>(step / 2 * 2);
      const VectorXd last = losses[begin - 2] + losses[begin - 1], before = losses[begin - 4] + losses[begin - 3];
      expected = 3 * softmax_of(last.cwiseQuotient(before) / 3);
    }
    ASSERT_LE((result.weights - expected).norm(), 1e-12) << step;
  }
}

TEST(Rlw, DrawsSoftmaxOfNormals) {
  Sampler sampler(4);
  const Sample sample = with_losses(sampler, 2);
  auto method = make("rlw");
  // The log ratio of two softmax weights is a difference of normals: mean 0, variance 2.
  double sum = 0, squares = 0;
  for (int n = 0; n < 10000; ++n) {
    const VectorXd w = combine(*method, sample, n).weights;
    ASSERT_NEAR(w.sum(), 1, 1e-14);
    const double ratio = std::log(w[0] / w[1]);
    sum += ratio, squares += ratio * ratio;
  }
  EXPECT_NEAR(sum / 10000, 0, 0.06);
  EXPECT_NEAR(squares / 10000, 2, 0.1);
}

TEST(GradNorm, BringsWeightedNormsTogether) {
  Sampler sampler(5);
  Sample sample = with_losses(sampler, 4);
  for (Index i = 0; i < 4; ++i) sample.gradients.col(i) *= std::pow(2.0, static_cast<double>(i));
  auto method = make("gradnorm", {{"learning_rate", "0.01"}});
  Adam adam{0.01, {}, {}};
  VectorXd w = VectorXd::Ones(4);
  const VectorXd norms = sample.gradients.colwise().norm();
  for (Index step = 0; step < 2000; ++step) {
    const Combination result = combine(*method, sample, step);
    if (step < 10) {
      ASSERT_LE((result.weights - w).norm(), 1e-12) << step;
    }
    const VectorXd weighted = w.cwiseProduct(norms);
    const VectorXd sign = (weighted.array() - weighted.mean()).sign();
    w = adam.step(w, sign.cwiseProduct(norms));
    w *= 4 / w.sum();
  }
  const VectorXd weighted = combine(*method, sample).weights.cwiseProduct(norms);
  EXPECT_LE(weighted.maxCoeff() / weighted.minCoeff(), 1.2);  // equal losses: equal norms
  EXPECT_NEAR(combine(*method, sample).weights.sum(), 4, 1e-12);
}

TEST(GradNorm, GivesMoreToTasksThatLagBehind) {
  Sampler sampler(6);
  Sample sample = with_losses(sampler, 2);
  sample.gradients = units(sample.gradients);
  auto method = make("gradnorm");
  combine(*method, sample, 0);
  sample.losses[1] *= 0.1;
  for (Index step = 1; step < 5; ++step) combine(*method, sample, step);
  const VectorXd w = combine(*method, sample, 5).weights;
  EXPECT_GT(w[0], w[1]);
}

TEST(Famo, FollowsItsEquations) {
  Sampler sampler(7);
  auto method = make("famo");
  ASSERT_TRUE(method->observes());
  EXPECT_THROW(method->observe(VectorXd::Ones(3)), std::logic_error);  // nothing to compare with
  const MatrixXd g = sampler.normal(5, 3);
  VectorXd x = VectorXd::Zero(3);
  Adam adam{0.025, {}, {}};
  for (Index step = 0; step < 20; ++step) {
    const VectorXd before = sampler.normal(3, 1).cwiseAbs(), after = sampler.normal(3, 1).cwiseAbs();
    const VectorXd z = softmax_of(x);
    const VectorXd expected = z.cwiseQuotient(before) / z.cwiseQuotient(before).sum();
    ASSERT_LE((combine(*method, {Kind::random, g, before}, step).weights - expected).norm(), 1e-6) << step;
    method->observe(after);
    const VectorXd delta = ((before.array() + 1e-8) / (after.array() + 1e-8)).log();
    const MatrixXd jacobian = MatrixXd(z.asDiagonal()) - z * z.transpose();
    x = adam.step(x, jacobian.transpose() * delta + 1e-3 * x);
  }
}

TEST(Igb, FollowsTheGapToTheBase) {
  Sampler sampler(8);
  auto method = make("igb", {{"base_steps", "2"}});
  const MatrixXd g = sampler.normal(5, 3);
  const VectorXd a = sampler.normal(3, 1).cwiseAbs(), b = sampler.normal(3, 1).cwiseAbs(),
                 c = sampler.normal(3, 1).cwiseAbs();
  EXPECT_LE((combine(*method, {Kind::random, g, a}, 0).weights - a.cwiseInverse()).norm(), 1e-12);
  EXPECT_LE((combine(*method, {Kind::random, g, b}, 1).weights - b.cwiseInverse()).norm(), 1e-12);
  const VectorXd expected = 3 * softmax_of(c.cwiseQuotient((a + b) / 2)).cwiseQuotient(c);
  EXPECT_LE((combine(*method, {Kind::random, g, c}, 2).weights - expected).norm(), 1e-12 * expected.norm());
}

// The weights are the derivatives of m mu log sum exp(log(L/nadir)/mu) by the losses.
TEST(Stch, WeighsByTheDerivativeOfItsLoss) {
  Sampler sampler(9);
  auto method = make("stch", {{"warm_up", "1"}, {"mu", "0.3"}});
  const MatrixXd g = sampler.normal(5, 4);
  const VectorXd nadir = sampler.normal(4, 1).cwiseAbs(), losses = sampler.normal(4, 1).cwiseAbs();
  combine(*method, {Kind::random, g, nadir}, 0);
  const VectorXd weights = combine(*method, {Kind::random, g, losses}, 1).weights;
  const auto loss = [&](const VectorXd& l) {
    return 4 * 0.3 * std::log((l.cwiseQuotient(nadir)).array().pow(1 / 0.3).sum());
  };
  for (Index i = 0; i < 4; ++i) {
    const VectorXd step = 1e-6 * losses[i] * VectorXd::Unit(4, i);
    EXPECT_NEAR((loss(losses + step) - loss(losses - step)) / (2e-6 * losses[i]), weights[i], 1e-5 * weights.norm());
  }
}

TEST(Relobralo, FollowsItsEquations) {
  Sampler sampler(10);
  const MatrixXd g = sampler.normal(5, 3);
  for (const bool look_back : {false, true}) {
    auto method = make("relobralo", {{"rho", look_back ? "0" : "1"}, {"beta", "0.8"}, {"tau", "0.5"}});
    std::vector<VectorXd> losses;
    VectorXd w = VectorXd::Ones(3);
    for (size_t step = 0; step < 6; ++step) {
      losses.push_back((sampler.normal(3, 1).cwiseAbs().array() + 0.1).matrix());
      if (step > 0) {
        const VectorXd last = 3 * softmax_of(losses[step].cwiseQuotient(losses[step - 1]) / 0.5);
        const VectorXd first = 3 * softmax_of(losses[step].cwiseQuotient(losses[0]) / 0.5);
        w = 0.8 * (look_back ? first : w) + 0.2 * last;
      }
      const VectorXd found = combine(*method, {Kind::random, g, losses.back()}, static_cast<Index>(step)).weights;
      ASSERT_LE((found - w).norm(), 1e-11) << step;
    }
  }
}

TEST(Lra, BringsTypicalEntriesToTheLargestOfTheReference) {
  Sampler sampler(11);
  const Sample sample = with_losses(sampler, 3);
  const VectorXd w = combine("lra", sample, {{"beta", "0"}, {"reference", "1"}}).weights;
  const double largest = sample.gradients.col(1).cwiseAbs().maxCoeff();
  EXPECT_EQ(w[1], 1);
  for (const Index i : {0, 2}) EXPECT_NEAR(w[i] * sample.gradients.col(i).cwiseAbs().mean(), largest, 1e-12);
  EXPECT_THROW(combine("lra", sample, {{"reference", "3"}}), InputError);
}

TEST(Weighters, RefuseLossesThatAreNotPositive) {
  for (const std::string name : {"dwa", "famo", "igb", "stch", "relobralo", "gradnorm", "db-mtl"}) {
    Sample sample = Sampler(12).make(Kind::random, 3);
    sample.losses[2] = -1;
    EXPECT_THROW(combine(name, sample), NumericalError) << name;
  }
}

}  // namespace
}  // namespace torsor::combine_test
