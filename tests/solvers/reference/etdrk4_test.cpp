#include "solvers/reference/etdrk4.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "physics/error.h"
#include "solvers/reference/spectral_time.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

constexpr double kPi = std::numbers::pi;
using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

std::vector<MatrixXd> scalars(const std::vector<double>& linear) {
  std::vector<MatrixXd> matrices;
  for (double l : linear) matrices.push_back(MatrixXd::Constant(1, 1, l));
  return matrices;
}

// u_t = nu u_xx - u u_x, smooth.
SemilinearProblem burgers() {
  SemilinearProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.linear = scalars({0.0, 0.0, 0.05});
  p.nonlinear_order = 1;
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) { return ArrayXd(-j.col(0) * j.col(1)); };
  p.initial = [](const ArrayXd& x) { return ArrayXd(-(kPi * x).sin()); };
  return p;
}

SemilinearProblem korteweg_de_vries() {
  SemilinearProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.linear = scalars({0.0, 0.0, 0.0, -0.0025});
  p.nonlinear_order = 1;
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) { return ArrayXd(-j.col(0) * j.col(1)); };
  p.initial = [](const ArrayXd& x) { return ArrayXd((kPi * x).cos()); };
  return p;
}

TEST(Etdrk4, FourthOrderInTime) {
  SemilinearOptions options;
  options.nodes = 128;
  options.time_pieces = 1;
  auto at_end = [&](double h) {
    options.time_step = h;
    return VectorXd(solve_semilinear_at(burgers(), options).nodal(1.0));
  };
  const VectorXd exact = at_end(1.0 / 4096);
  double before = 0.0;
  for (double h : {1.0 / 128, 1.0 / 256, 1.0 / 512}) {
    const double error = (at_end(h) - exact).cwiseAbs().maxCoeff();
    if (before > 0.0) {
      EXPECT_NEAR(std::log2(before / error), 4.0, 0.25) << "h = " << h;
    }
    before = error;
  }
}

TEST(Etdrk4, LinearPartIsExact) {
  // N = 0: u_t = -u_xxx + 0.1 u_xx of one mode, whatever the step.
  SemilinearProblem p = burgers();
  p.linear = scalars({0.0, 0.0, 0.1, -1.0});
  p.nonlinear = [](double, const ArrayXd& x, const ArrayXXd&) { return ArrayXd(ArrayXd::Zero(x.size())); };
  SemilinearOptions options;
  options.nodes = 16;
  options.time_step = 1.0;
  options.time_pieces = 200;
  const SpaceTimeSolution s = solve_semilinear_at(p, options);
  for (double t : {0.1234, 1.0}) {
    const double w = kPi, x = 0.3;
    const MatrixXd point = (MatrixXd(1, 2) << x, t).finished();
    // -sin(w x) travels at the speed -w^2 under -u_xxx.
    EXPECT_NEAR(s.evaluate(point)(0, 0), -std::sin(w * x + w * w * w * t) * std::exp(-0.1 * w * w * t),
                1e-11);
  }
}

TEST(Etdrk4, ConvergesExponentiallyInSpace) {
  SemilinearOptions options;
  options.time_step = 2e-3;
  options.dealias = false;
  auto run = [&](int nodes) {
    options.nodes = nodes;
    return solve_semilinear_at(burgers(), options);
  };
  const SpaceTimeSolution exact = run(256);
  const double at32 = relative_change(run(32), exact), at64 = relative_change(run(64), exact);
  EXPECT_LT(at64, 0.03 * at32);
  EXPECT_LT(relative_change(run(128), exact), 0.03 * at64);
}

TEST(Etdrk4, SolitonOfKorteweg) {
  // u_t + u u_x + u_xxx = 0 has u = 3 c sech^2(sqrt(c)/2 (x - c t)); on a period of 40 its tail is 1e-16.
  SemilinearProblem p = korteweg_de_vries();
  p.a = -20.0;
  p.b = 20.0;
  p.linear[3].setConstant(-1.0);
  const double c = 4.0;
  p.initial = [c](const ArrayXd& x) { return ArrayXd(3.0 * c / (0.5 * std::sqrt(c) * x).cosh().square()); };
  const SpaceTimeSolution s = solve_semilinear(p);
  MatrixXd points(2, 2);
  points << 2.5, 0.77, 4.1, 1.0;
  const MatrixXd u = s.evaluate(points);
  for (int i = 0; i < 2; ++i)
    EXPECT_NEAR(u(i, 0),
                3.0 * c / std::pow(std::cosh(0.5 * std::sqrt(c) * (points(i, 0) - c * points(i, 1))), 2),
                1e-7);
}

TEST(Etdrk4, AgreesWithTheMethodOfLines) {
  EvolutionProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.periodic = true;
  p.initial = [](const VectorXd& x) { return MatrixXd(-(kPi * x.array()).sin()); };
  p.rhs = [](double, const VectorXd&, const MatrixXd& j) {
    return MatrixXd(0.05 * j.col(2).array() - j.col(0).array() * j.col(1).array());
  };
  const SpaceTimeSolution lines = solve_evolution_at(p, 128), etd = solve_semilinear(burgers());
  EXPECT_LT(relative_change(lines, etd), 2e-9);
}

TEST(Etdrk4, KortewegDeVriesOfZabuskyAndKruskal) {
  SemilinearOptions options;
  options.time_step = 1e-3;
  const SpaceTimeSolution s = solve_semilinear(korteweg_de_vries(), options);
  EXPECT_LE(s.error_estimate, 1e-8);
  // Mass and int u^2 are conserved: 0 and 1 (the trapezoidal rule is spectrally accurate).
  const ArrayXd u = s.nodal(1.0).col(0).array();
  EXPECT_NEAR(u.mean(), 0.0, 1e-12);
  EXPECT_NEAR(2.0 * u.square().mean(), 1.0, 1e-7);
}

TEST(Etdrk4Slow, AllenCahnWithAKinkInTheData) {
  // u_t = 1e-4 u_xx + 5 u - 5 u^3, u0 = x^2 cos(pi x): u0' jumps at +-1.
  SemilinearProblem p;
  p.a = -1.0;
  p.b = 1.0;
  p.linear = scalars({5.0, 0.0, 1e-4});
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) { return ArrayXd(-5.0 * j.col(0).cube()); };
  p.initial = [](const ArrayXd& x) { return ArrayXd(x.square() * (kPi * x).cos()); };
  SemilinearOptions options;
  options.nodes = 1024;
  options.time_step = 4e-3;
  options.compare_from = 0.05;
  options.initial_oversampling = 256;
  const SpaceTimeSolution s = solve_semilinear(p, options);
  EXPECT_LE(s.error_estimate, 1e-8);
  // The even solution also solves the problem on [0, 1] with Neumann sides, where Chebyshev clusters at the
  // kink.
  EvolutionProblem lines;
  lines.initial = [](const VectorXd& x) { return MatrixXd(x.array().square() * (kPi * x.array()).cos()); };
  lines.rhs = [](double, const VectorXd&, const MatrixXd& j) {
    return MatrixXd(1e-4 * j.col(2).array() + 5.0 * j.col(0).array() - 5.0 * j.col(0).array().cube());
  };
  lines.conditions = {{0, false, {0.0, 1.0}, {}}, {0, true, {0.0, 1.0}, {}}};
  EvolutionOptions lines_options;
  lines_options.relative_tolerance = 1e-10;
  lines_options.absolute_tolerance = 1e-12;
  const SpaceTimeSolution other = solve_evolution_at(lines, 800, lines_options);
  MatrixXd points(400, 2);
  std::srand(9);
  points = (MatrixXd::Random(400, 2).array() + 1.0) / 2.0;
  points.col(1) = (0.05 + 0.95 * points.col(1).array()).matrix();
  const double difference = (s.evaluate(points) - other.evaluate(points)).cwiseAbs().maxCoeff();
  EXPECT_LT(difference, 1e-6);
}

TEST(Etdrk4, RefusesAndReports) {
  SemilinearOptions options;
  options.nodes = 7;
  EXPECT_THROW(solve_semilinear(burgers(), options), InputError);
  SemilinearProblem p = burgers();  // u_t = u^2 from 3: blow-up at t = 1/3
  p.linear = scalars({0.0});
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) { return ArrayXd(j.col(0).square()); };
  p.initial = [](const ArrayXd& x) { return ArrayXd(ArrayXd::Constant(x.size(), 3.0)); };
  EXPECT_THROW(solve_semilinear_at(p), NumericalError);
  options.nodes = 16;
  options.max_nodes = 32;
  EXPECT_THROW(solve_semilinear(korteweg_de_vries(), options), NumericalError);
}

// ---- systems ------------------------------------------------------------------------------------

// i h_t + h_xx/2 + |h|^2 h = 0 for h = u + i v.
SemilinearProblem schroedinger(const std::function<std::complex<double>(double x)>& initial) {
  SemilinearProblem p;
  p.a = -20.0;
  p.b = 20.0;
  p.n_fields = 2;
  p.linear = {MatrixXd::Zero(2, 2), MatrixXd::Zero(2, 2), MatrixXd{{0.0, -0.5}, {0.5, 0.0}}};
  p.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) {
    const ArrayXd density = j.square().rowwise().sum();
    ArrayXXd n(j.rows(), 2);
    n << -density * j.col(1), density * j.col(0);
    return n;
  };
  p.initial = [initial](const ArrayXd& x) {
    ArrayXXd h(x.size(), 2);
    for (Eigen::Index i = 0; i < x.size(); ++i) h.row(i) << initial(x(i)).real(), initial(x(i)).imag();
    return h;
  };
  return p;
}

// A sech(A (x - c t)) exp(i (c x + (A^2 - c^2) t/2)); c = 2 pi/20 has the period 40, the tail is 1e-13.
std::complex<double> soliton(double x, double t) {
  const double a = 1.5, c = kPi / 10.0;
  return a / std::cosh(a * (x - c * t)) *
         std::exp(std::complex<double>(0.0, c * x + 0.5 * (a * a - c * c) * t));
}

TEST(Etdrk4Systems, FourthOrderOnASoliton) {
  const SemilinearProblem p = schroedinger([](double x) { return soliton(x, 0.0); });
  SemilinearOptions options;
  options.nodes = 512;
  options.time_pieces = 1;
  const MatrixXd exact = schroedinger([](double x) {
                           return soliton(x, 1.0);
                         }).initial(SpectralBasis{-20.0, 20.0, true, 512}.nodes());
  double before = 0.0;
  for (double h : {1.0 / 128, 1.0 / 256, 1.0 / 512}) {
    options.time_step = h;
    const double error = (solve_semilinear_at(p, options).nodal(1.0) - exact).cwiseAbs().maxCoeff();
    if (before > 0.0) {
      EXPECT_NEAR(std::log2(before / error), 4.0, 0.25) << "h = " << h;
    }
    before = error;
  }
  EXPECT_LT(before, 1e-9);
}

TEST(Etdrk4Systems, ReportsTheErrorOfASoliton) {
  const SpaceTimeSolution s = solve_semilinear(schroedinger([](double x) { return soliton(x, 0.0); }));
  EXPECT_EQ(s.n_fields, 2);
  const MatrixXd points{{0.3, 0.21}, {-1.2, 0.77}, {0.9, 1.0}};
  const MatrixXd h = s.evaluate(points);
  for (int i = 0; i < 3; ++i) {
    const std::complex<double> exact = soliton(points(i, 0), points(i, 1));
    EXPECT_NEAR(h(i, 0), exact.real(), 1e-7);
    EXPECT_NEAR(h(i, 1), exact.imag(), 1e-7);
  }
}

TEST(Etdrk4Systems, ConservesMassAndEnergy) {
  // A bound state of two solitons, disturbed.
  const SemilinearProblem p = schroedinger([](double x) {
    return 2.0 / std::cosh(x) * std::exp(std::complex<double>(0.0, 0.3 * std::sin(kPi / 10.0 * x)));
  });
  SemilinearOptions options;
  options.nodes = 1024;
  options.time_step = 2.5e-4;
  const SpaceTimeSolution s = solve_semilinear_at(p, options);
  const MatrixXd derivative = s.basis.differentiation(1);
  const auto mass = [&](double t) { return 40.0 * s.nodal(t).array().square().rowwise().sum().mean(); };
  const auto energy = [&](double t) {  // int (|h_x|^2 - |h|^4)/2
    const MatrixXd h = s.nodal(t), slope = derivative * h;
    return 20.0 *
           (slope.array().square().rowwise().sum() - h.array().square().rowwise().sum().square()).mean();
  };
  EXPECT_NEAR(mass(0.0), 8.0, 1e-9);
  for (double t : {0.137, 0.5, 1.0}) {
    EXPECT_NEAR(mass(t), mass(0.0), 1e-8 * mass(0.0)) << t;
    EXPECT_NEAR(energy(t), energy(0.0), 1e-7 * std::abs(energy(0.0))) << t;
  }
}

struct LinearSystem {
  std::vector<MatrixXd> linear;
  Eigen::Vector2d start;                           // times cos(w x)
  std::function<Eigen::Vector2d(double t)> exact;  // times cos(w x)
};

TEST(Etdrk4Systems, LinearPartIsExact) {
  const double w = 3.0;
  const MatrixXd zero = MatrixXd::Zero(2, 2);
  const std::vector<LinearSystem> systems{
      // i h_t + h_xx/2 = 0
      {{zero, zero, MatrixXd{{0.0, -0.5}, {0.5, 0.0}}},
       {1.0, 0.0},
       [w](double t) { return Eigen::Vector2d(std::cos(w * w * t / 2.0), -std::sin(w * w * t / 2.0)); }},
      // u_t = 0.1 (u_xx + v_xx), v_t = 0.1 v_xx: defective for every wave number
      {{zero, zero, MatrixXd{{0.1, 0.1}, {0.0, 0.1}}},
       {1.0, 2.0},
       [w](double t) {
         return Eigen::Vector2d(Eigen::Vector2d(1.0 - 0.2 * w * w * t, 2.0) * std::exp(-0.1 * w * w * t));
       }},
      // u_t = v, v_t = u_xx: defective for the mean only
      {{MatrixXd{{0.0, 1.0}, {0.0, 0.0}}, zero, MatrixXd{{0.0, 0.0}, {1.0, 0.0}}}, {1.0, 0.0}, [w](double t) {
         return Eigen::Vector2d(std::cos(w * t), -w * std::sin(w * t));
       }}};
  for (size_t k = 0; k < systems.size(); ++k) {
    SemilinearProblem p = schroedinger([](double) { return 0.0; });
    p.a = 0.0;
    p.b = 2.0 * kPi;
    p.linear = systems[k].linear;
    p.nonlinear = [](double, const ArrayXd& x, const ArrayXXd&) {
      return ArrayXXd(ArrayXXd::Zero(x.size(), 2));
    };
    p.initial = [w, &start = systems[k].start](const ArrayXd& x) {
      return ArrayXXd((w * x).cos().matrix() * start.transpose());
    };
    SemilinearOptions options;
    options.nodes = 16;
    options.time_step = 1.0;
    options.time_pieces = 20;
    const SpaceTimeSolution s = solve_semilinear_at(p, options);
    for (double t : {0.1234, 1.0}) {
      const Eigen::Vector2d u = s.evaluate(MatrixXd{{0.4, t}}).row(0).transpose();
      EXPECT_LE((u - systems[k].exact(t) * std::cos(0.4 * w)).norm(), 1e-10)
          << "system " << k << ", t = " << t;
    }
  }
}

TEST(Etdrk4Systems, UncoupledFieldsAreScalarSolutions) {
  // Burgers and Korteweg-de Vries side by side.
  const SemilinearProblem first = burgers(), second = korteweg_de_vries();
  SemilinearProblem both = burgers();
  both.n_fields = 2;
  both.linear.assign(4, MatrixXd::Zero(2, 2));
  both.linear[2](0, 0) = 0.05;
  both.linear[3](1, 1) = -0.0025;
  both.nonlinear = [](double, const ArrayXd&, const ArrayXXd& j) {
    ArrayXXd n(j.rows(), 2);
    n << -j.col(0) * j.col(1), -j.col(2) * j.col(3);
    return n;
  };
  both.initial = [&](const ArrayXd& x) {
    ArrayXXd u(x.size(), 2);
    u << first.initial(x), second.initial(x);
    return u;
  };
  SemilinearOptions options;
  options.nodes = 128;
  options.time_pieces = 20;
  const MatrixXd u = solve_semilinear_at(both, options).nodal(0.63);
  EXPECT_LE((u.col(0) - solve_semilinear_at(first, options).nodal(0.63)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LE((u.col(1) - solve_semilinear_at(second, options).nodal(0.63)).cwiseAbs().maxCoeff(), 1e-12);
}

TEST(Etdrk4Systems, RefusesShapesThatDoNotFit) {
  const auto refusal = [](const std::function<void(SemilinearProblem&)>& spoil) {
    SemilinearProblem p = schroedinger([](double x) { return soliton(x, 0.0); });
    spoil(p);
    return error_of([&] { solve_semilinear(p); });
  };
  EXPECT_EQ(refusal([](SemilinearProblem& p) {
              p.linear = scalars({0.0, 1.0});
            }),
            "etdrk4: linear[0] is 1 x 1, must be a finite 2 x 2 matrix");
  EXPECT_EQ(refusal([](SemilinearProblem& p) { p.linear[1](0, 1) = std::nan(""); }),
            "etdrk4: linear[1] is 2 x 2, must be a finite 2 x 2 matrix");
  EXPECT_EQ(refusal([](SemilinearProblem& p) { p.n_fields = 0; }), "etdrk4: n_fields = 0 must be positive");
  EXPECT_EQ(refusal([](SemilinearProblem& p) {
              p.nonlinear = [](double, const ArrayXd& x, const ArrayXXd&) { return ArrayXXd(x); };
            }),
            "etdrk4: the values of the nonlinear term have the shape 256 x 1, must be 256 x 2");
  EXPECT_EQ(refusal([](SemilinearProblem& p) { p.initial = [](const ArrayXd& x) { return ArrayXXd(x); }; }),
            "etdrk4: the initial data have the shape 16384 x 1, must be 16384 x 2");
}

}  // namespace
}  // namespace torsor
