// Kinetic problems: equations, data and boundary conditions with a velocity in them.
#include <gtest/gtest.h>

#include <set>

#include "physics/error.h"
#include "physics/transport_exact.h"
#include "problems/quantities.h"
#include "tests/error_checks.h"
#include "tests/problems/kinetic_problems.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;

using kinetic_problems::Unknowns;

void define(ProblemBuilder& p, Unknowns unknowns) {
  kinetic_problems::Transport transport;
  transport.unknowns = unknowns;
  define_equation(p, transport);
}

ProblemBuilder slab(const std::string& velocity, bool periodic) {
  ProblemBuilder p("slab", {});
  p.parameter("eps", 0.1, 1e-8, 1, "Knudsen number");
  p.coordinates(periodic ? "x in [0, 1] periodic; t in [0, 1] time" : "x in [0, 1]; t in [0, 1] time");
  p.velocity(velocity);
  define(p, Unknowns::micro_macro);
  p.initial("density", "rho = 1");
  p.initial("deviation", "eps*g = v");
  return p;
}

std::set<std::string> names(const Problem& problem, Place place) {
  std::set<std::string> found;
  for (const auto& term : problem.terms)
    if (term.place == place) found.insert(term.name);
  return found;
}

TEST(KineticBuilder, OneEquationForEachUnknownMoment) {
  ProblemBuilder p = slab("v in gauss(6)", true);
  const Problem problem = p.build();
  EXPECT_EQ(problem.fields.size(), 6u);
  EXPECT_EQ(names(problem, Place::interior),
            (std::set<std::string>{"macro", "micro[1]", "micro[2]", "micro[3]", "micro[4]", "micro[5]"}));
  EXPECT_EQ(names(problem, Place::initial).size(), 6u);
}

TEST(KineticBuilder, BoundaryDataHoldForIncomingVelocities) {
  ProblemBuilder p = slab("v in gauss(6)", false);
  p.boundary("walls", "rho + eps*g = where(v > 0, 1, 0)");
  const Problem problem = p.build();
  int left = 0, right = 0;
  for (const auto& term : problem.terms) {
    if (term.place != Place::boundary) continue;
    ASSERT_EQ(term.pieces.size(), 1u);
    const Index node = std::stoi(term.name.substr(6));
    const bool low = term.pieces.front() == "x_low";
    EXPECT_EQ(problem.velocity->nodes(node, 0) > 0, low);
    (low ? left : right) += 1;
    // At rho = 1, g = 0 what is left is 1 - data.
    std::map<std::string, double> values;
    for (const auto& use : term.formula->names()) values[use.name] = use.name == "rho" ? 1 : 0;
    EXPECT_NEAR(term.formula->evaluate(values), low ? 0 : 1, 1e-14);
  }
  EXPECT_EQ(left, 3);
  EXPECT_EQ(right, 3);
}

// The exact eigenmode in three ways of writing the same equation: all residuals vanish.
struct Decomposition {
  const char* name;
  std::function<void(ProblemBuilder&)> write;
};

class EveryDecomposition : public testing::TestWithParam<Decomposition> {};

TEST_P(EveryDecomposition, HoldsForTheEigenmode) {
  ProblemBuilder p("eigenmode", {});
  p.parameter("eps", 0.05, 1e-8, 1, "Knudsen number");
  p.coordinates("x in [0, 1] periodic; t in [0, 0.1] time");
  p.velocity("v in gauss(40)");
  p.define("z", "2*pi*eps");
  p.define("a", "z*cos(z)/sin(z)");
  p.define("decay", "exp((a - 1)/eps^2*t)/(a^2 + z^2*v^2)");
  p.define("even_part", "decay*a*cos(2*pi*x)");
  p.define("odd_part", "decay*z*v*sin(2*pi*x)");
  p.define("mode", "even_part + odd_part");
  GetParam().write(p);
  const Problem problem = p.build();
  Eigen::MatrixXd points(3, 2);
  points << 0.1, 0.02, 0.37, 0.05, 0.81, 0.09;
  for (const auto& term : problem.terms) {
    const auto jets = problem.exact_jets(points, term.jets);
    EXPECT_LT(evaluate_residual(problem, term, points, {}, jets).cwiseAbs().maxCoeff(), 1e-9) << term.name;
  }
  // f at the nodes, the same whatever the unknowns are.
  const TransportEigenmode exact(0.05, 2 * kPi);
  Eigen::MatrixXd values(3, static_cast<Index>(problem.fields.size()));
  for (Index f = 0; f < values.cols(); ++f) values.col(f) = problem.exact_jets(points, {{f, {0, 0}}}).col(0);
  for (const auto& quantity : quantities(problem)) {
    if (quantity.name != "f") continue;
    const Eigen::MatrixXd found = quantity.of(points, values);
    ASSERT_EQ(found.cols(), 40);
    for (Index k = 0; k < 3; ++k)
      for (Index j = 0; j < 40; ++j)
        EXPECT_NEAR(found(k, j), exact.f(points(k, 1), points(k, 0), problem.velocity->nodes(j, 0)), 1e-10);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Of, EveryDecomposition,
    testing::Values(Decomposition{"micro_macro",
                                  [](ProblemBuilder& p) {
                                    define(p, Unknowns::micro_macro);
                                    p.exact("rho", "mean(mode)");
                                    p.exact("g", "(mode - mean(mode))/eps");
                                    p.initial("density", "rho = rho_exact");
                                    p.initial("deviation", "g = g_exact");
                                  }},
                    Decomposition{"even_odd",
                                  [](ProblemBuilder& p) {
                                    define(p, Unknowns::even_odd);
                                    p.exact("rho", "mean(mode)");
                                    p.exact("r", "even_part - mean(even_part)");
                                    p.exact("j", "odd_part/eps");
                                    p.initial("rho0", "rho = rho_exact");
                                    p.initial("r0", "r = r_exact");
                                    p.initial("j0", "j = j_exact");
                                  }},
                    Decomposition{"distribution",
                                  [](ProblemBuilder& p) {
                                    define(p, Unknowns::distribution);
                                    p.exact("f", "mode");
                                    p.initial("ic", "f = f_exact");
                                  }}),
    [](const auto& one) { return std::string(one.param.name); });

TEST(KineticBuilder, TwoDimensions) {
  ProblemBuilder p("plane", {});
  p.coordinates("x in [0, 1]; y in [0, 1]; t in [0, 1] time");
  p.velocity("vx, vy in circle(8)");
  p.field("f(vx, vy)");
  p.residual("transport", "f_t + vx*f_x + vy*f_y = mean(f) - f");
  p.boundary("walls", "f = 0");
  p.initial("ic", "f = exp(-x^2 - y^2)");
  const Problem problem = p.build();
  EXPECT_EQ(problem.fields.size(), 8u);
  EXPECT_EQ(names(problem, Place::interior).size(), 8u);
  for (const auto& term : problem.terms) {
    if (term.place != Place::boundary) continue;
    EXPECT_EQ(term.pieces.size(), 2u);  // each node comes in through two sides
  }
}

TEST(KineticBuilder, BadInputIsAnInputError) {
  const auto broken = [](const std::function<void(ProblemBuilder&)>& change) {
    ProblemBuilder p = slab("v in gauss(4)", true);
    change(p);
    EXPECT_THROW(p.build(), InputError);
  };
  broken([](ProblemBuilder& p) { p.derived("q", "rho*g"); });
  broken([](ProblemBuilder& p) { p.derived("q", "rho_x"); });
  broken([](ProblemBuilder& p) { p.derived("rho", "rho"); });
  broken([](ProblemBuilder& p) { p.define("v", "1"); });
  broken([](ProblemBuilder& p) { p.initial("more", "g = 1"); });  // a mean that g has not
  broken([](ProblemBuilder& p) { p.exact("h", "v"); });
  EXPECT_THROW(ProblemBuilder("no velocity", {}).field("g(v)"), InputError);
  ProblemBuilder plain("plain", {});
  plain.coordinates("x in [0, 1]");
  plain.field("u");
  plain.residual("pde", "mean(u) = 1");
  plain.boundary("bc", "u = 0");
  EXPECT_THROW(plain.build(), InputError);
}

// A value of an unknown, given by a formula of the velocity: the moments of the formula at the nodes.
TEST(KineticBuilder, ValuesOfUnknownsAreTheMomentsOfTheirFormula) {
  ProblemBuilder p = slab("v in gauss(6)", true);
  p.define("free", "exp(-t/eps^2)*cos(2*pi*(x - v*t/eps))*(1 + v)");
  const Problem problem = p.build();
  const auto values = p.value_of_unknown("head.lift.g", "g", "(free - mean(free))/eps");
  ASSERT_EQ(values.size(), 5u);
  const Eigen::MatrixXd point = (Eigen::MatrixXd(1, 2) << 0.3, 0.004).finished();
  const double x = 0.3, t = 0.004, eps = 0.1;
  const VelocityBasis& velocity = *problem.velocity;
  const VelocityField& g = problem.velocity_fields.front();
  Eigen::VectorXd moments(5), free(6);
  for (Index l = 0; l < 5; ++l) {
    const std::string& name = problem.fields[static_cast<size_t>(g.first + l)].name;
    moments[l] = problem.evaluate(values.at(name), point)(0);
  }
  for (Index j = 0; j < 6; ++j) {
    const double v = velocity.nodes(j, 0);
    free[j] = std::exp(-t / (eps * eps)) * std::cos(2 * kPi * (x - v * t / eps)) * (1 + v);
  }
  const double mean = free.dot(velocity.weights);
  EXPECT_LT((g.basis * moments - (free.array() - mean).matrix() / eps).cwiseAbs().maxCoeff(), 1e-11);
  EXPECT_NEAR(problem.evaluate(p.value_of_unknown("head.lift.rho", "rho", "mean(free)").at("rho"), point)(0), mean, 1e-13);
}

// A kernel k(v, u) between two velocities: scattering that depends on both.
TEST(KineticBuilder, MeansOverASecondVelocity) {
  ProblemBuilder p = slab("v in double_gauss(3)", true);
  p.define("kernel", "mean(where(v < u, x*u, t + u)*exp(-u*v), u)");
  const Problem problem = p.build();
  const VelocityBasis& velocity = *problem.velocity;
  const auto values = p.value_of_unknown("head.lift.g", "g", "v*kernel_x - mean(v*kernel_x)");
  const double rho = problem.evaluate(p.value_of_unknown("head.lift.rho", "rho", "mean(v*kernel)").at("rho"),
                                      (Eigen::MatrixXd(1, 2) << 0.3, 0.2).finished())(0);
  double expected = 0;
  Eigen::VectorXd slope = Eigen::VectorXd::Zero(6), g(6);
  for (Index j = 0; j < 6; ++j)
    for (Index i = 0; i < 6; ++i) {
      const double v = velocity.nodes(j, 0), u = velocity.nodes(i, 0), decay = std::exp(-u * v) * velocity.weights[i];
      expected += velocity.weights[j] * v * decay * (v < u ? 0.3 * u : 0.2 + u);
      if (v < u) slope[j] += v * decay * u;
    }
  EXPECT_NEAR(rho, expected, 1e-14);
  const VelocityField& field = problem.velocity_fields.front();
  Eigen::VectorXd moments(field.basis.cols());
  for (Index l = 0; l < moments.size(); ++l)
    moments[l] = problem.evaluate(values.at(problem.fields[static_cast<size_t>(field.first + l)].name), Eigen::MatrixXd::Constant(1, 2, 0.5))(0);
  g = field.basis * moments;
  EXPECT_LT((g.array() - (slope.array() - slope.dot(velocity.weights))).abs().maxCoeff(), 1e-13);
}

TEST(KineticBuilder, TheNameOfASecondVelocityIsNew) {
  const auto trouble = [](const std::string& formula) {
    return error_of([&] {
      ProblemBuilder p = slab("v in gauss(4)", true);
      p.define("kernel", formula);
      p.residual("more", "kernel = 0");
      p.build();
    });
  };
  for (const char* taken : {"v", "x", "eps", "rho", "rho_x", "kernel"})
    EXPECT_TRUE(says(trouble("mean(1 + v, " + std::string(taken) + ")"), "must be new")) << taken;
  EXPECT_TRUE(says(trouble("mean(u*v, u, w)"), "2 components"));
  EXPECT_TRUE(says(trouble("mean(u*v, u) + u"), "'u'"));  // known in the mean alone
  EXPECT_TRUE(says(trouble("mean(u*v, 2)"), "the name of a component of the velocity"));
}

TEST(KineticBuilder, FormulasOfTheCoordinatesNameWhatTheyAreNot) {
  ProblemBuilder p = slab("v in gauss(6)", true);
  p.build();
  EXPECT_EQ(p.in_coordinates("factor", "1 - exp(-t/eps^2)").names().size(), 1u);
  EXPECT_THROW(p.in_coordinates("factor", "v*t"), InputError);
  EXPECT_THROW(p.in_coordinates("factor", "rho*t"), InputError);
  EXPECT_THROW(p.value_of_unknown("lift", "rho", "v"), InputError);
  EXPECT_THROW(p.value_of_unknown("lift", "h", "v"), InputError);
  EXPECT_THROW(p.value_of_unknown("lift", "g", "g*v"), InputError);
}

}  // namespace
}  // namespace torsor
