// Losses and gradients of all tasks: finite differences, groups against separate ones, the rows of Gauss-Newton, exact
// solutions' residuals through the network's own solution.
#include "solvers/train/task_losses.h"

#include <Eigen/SVD>

#include "operators/engine/jet_engine.h"
#include "solvers/head/global_head.h"
#include "solvers/train/inner_head.h"
#include "tests/error_checks.h"
#include "tests/problems/kinetic_problems.h"
#include "train_checks.h"

namespace torsor {
namespace {

struct Case {
  std::vector<Problem> tasks;
  TaskNetwork network;
  TaskLosses losses;
  Eigen::VectorXd parameters, factors;

  Case(std::vector<Problem> family, TaskInputs inputs) : Case(std::move(family), small_network(inputs)) {}

  Case(std::vector<Problem> family, const NetworkOptions& options)
      : tasks(std::move(family)), network(tasks, options), losses(tasks, network) {
    losses.set_points(few_points(tasks));
    parameters = network.initial_parameters();
    parameters.array() += 0.1;  // biases away from zero
    factors = Eigen::VectorXd::LinSpaced(static_cast<Index>(losses.sets().size()), 0.5, 2);
    losses.set_weights(0, Eigen::VectorXd::LinSpaced(losses.sets()[0].points.rows(), 0.1, 3));
  }

  std::vector<Index> tasks_as_groups() const {
    std::vector<Index> groups;
    for (const auto& set : losses.sets()) groups.push_back(set.task);
    return groups;
  }
};

/// Burgers' equation whose initial and boundary values hold exactly.
std::unique_ptr<Case> constrained() {
  NetworkOptions options = small_network();
  options.constraints["u"] =
      {formula_constraint({"x", "t"}, Expression::parse("t*(1 - x^2)"), Expression::parse("-sin(pi*x)"))};
  return std::make_unique<Case>(families()[2], options);
}

/// Poisson's equation with positive fields, and Burgers' equation with one above its initial and boundary values.
std::vector<std::unique_ptr<Case>> positive() {
  NetworkOptions plain = small_network(), raised = plain;
  plain.positive = {"u"};
  raised.positive = {"u"};
  raised.constraints["u"] =
      {formula_constraint({"x", "t"}, Expression::parse("t*(1 - x^2)"), Expression::parse("-sin(pi*x)"))};
  std::vector<std::unique_ptr<Case>> all;
  all.push_back(std::make_unique<Case>(families()[0], plain));
  all.push_back(std::make_unique<Case>(families()[2], raised));
  return all;
}

/// Advection of sums of Fourier modes, and of one that meets its initial values.
std::vector<std::unique_ptr<Case>> modes() {
  NetworkOptions plain = small_network(), raised = plain;
  plain.modes = 2;
  raised.modes = 1;
  raised.constraints["u"] = {formula_constraint({"x", "t"}, Expression::parse("t*(2 + sin(x))"), Expression::parse("cos(x)"))};
  const std::vector<Problem> family{shipped("advection", {{"c", 1}}), shipped("advection", {{"c", 3}})};
  std::vector<std::unique_ptr<Case>> all;
  all.push_back(std::make_unique<Case>(family, plain));
  all.push_back(std::make_unique<Case>(family, raised));
  return all;
}

/// Those whose fields are linear in the heads.
std::vector<std::unique_ptr<Case>> linear_cases() {
  std::vector<std::unique_ptr<Case>> all;
  for (auto& family : families()) all.push_back(std::make_unique<Case>(family, TaskInputs::heads));
  all.push_back(std::make_unique<Case>(families()[1], TaskInputs::parameters));
  all.push_back(constrained());
  for (auto& c : modes()) all.push_back(std::move(c));
  return all;
}

std::vector<Problem> slabs() {
  kinetic_problems::Transport transport;
  transport.velocity = "v in gauss(5)";
  std::vector<Problem> tasks;
  for (const double eps : {0.3, 1.0}) {
    transport.eps = eps;
    tasks.push_back(kinetic_problems::problem_of(transport));
  }
  return tasks;
}

/// Products of moments, and nodes of a network of the velocity, which may have heads of their own; the initial values of one
/// hold exactly.
NetworkOptions with_velocity(VelocityShape shape, TaskInputs inputs) {
  NetworkOptions options = small_network(inputs);
  options.velocity = shape;
  options.products = 2;
  return options;
}

std::vector<std::unique_ptr<Case>> velocities() {
  NetworkOptions products = with_velocity(VelocityShape::products, TaskInputs::parameters);
  NetworkOptions nodes = with_velocity(VelocityShape::nodes, TaskInputs::parameters);
  nodes.constraints["rho"] = {formula_constraint({"x", "t"}, Expression::parse("t"), Expression::parse("1 + cos(4*pi*x)"))};
  NetworkOptions modes = products;
  modes.modes = 1;
  std::vector<std::unique_ptr<Case>> all;
  for (const auto& options : {products, nodes, modes, with_velocity(VelocityShape::nodes, TaskInputs::heads)})
    all.push_back(std::make_unique<Case>(slabs(), options));
  return all;
}

std::vector<std::unique_ptr<Case>> cases() {
  auto all = linear_cases();
  for (auto& c : velocities()) all.push_back(std::move(c));
  for (auto& c : positive()) all.push_back(std::move(c));
  return all;
}

TEST(TaskLosses, GradientsAreThoseOfFiniteDifferences) {
  for (const auto& c : cases()) {
    const auto result =
        c->losses.gradients(c->parameters, c->factors, std::vector<Index>(c->losses.sets().size(), 0), 1);
    EXPECT_LT((result.losses - c->losses.losses(c->parameters)).norm(), 1e-12 * result.losses.norm());
    constexpr double h = 1e-5;
    for (Index p = 0; p < c->network.size(); p += 13) {
      Eigen::VectorXd low = c->parameters, high = c->parameters;
      low[p] -= h;
      high[p] += h;
      const double difference = (c->losses.losses(high) - c->losses.losses(low)).dot(c->factors) / (2 * h);
      EXPECT_NEAR(result.gradients(p, 0), difference, 1e-6 * (1 + result.gradients.norm())) << p;
    }
  }
}

TEST(TaskLosses, GroupsAreTheSeparateGradients) {
  for (const auto& c : cases()) {
    const auto groups = c->tasks_as_groups();
    const auto m = static_cast<Index>(c->tasks.size());
    const auto together = c->losses.gradients(c->parameters, c->factors, groups, m);
    for (Index t = 0; t < m; ++t) {
      Eigen::VectorXd factors = c->factors;
      for (size_t s = 0; s < groups.size(); ++s)
        if (groups[s] != t) factors[static_cast<Index>(s)] = 0;
      const auto alone = c->losses.gradients(c->parameters, factors, std::vector<Index>(groups.size(), 0), 1);
      EXPECT_LT((together.gradients.col(t) - alone.gradients).norm(), 1e-12 * alone.gradients.norm());
    }
  }
}

TEST(TaskLosses, SetsWithoutAFactorAreLeftOut) {
  for (const auto& c : cases()) {
    const auto groups = c->tasks_as_groups();
    const auto m = static_cast<Index>(c->tasks.size());
    const auto all = c->losses.gradients(c->parameters, c->factors, groups, m);
    Eigen::VectorXd factors = c->factors;
    for (size_t s = 0; s < groups.size(); ++s)
      if (groups[s] != 1) factors[static_cast<Index>(s)] = 0;
    const auto one = c->losses.gradients(c->parameters, factors, groups, m);
    EXPECT_LT((one.gradients.col(1) - all.gradients.col(1)).norm(), 1e-12 * all.gradients.col(1).norm());
    EXPECT_EQ(one.gradients.col(0).norm(), 0);
    for (size_t s = 0; s < groups.size(); ++s) EXPECT_EQ(one.residuals[s].size() > 0, groups[s] == 1);
  }
}

TEST(TaskLosses, AHeadOfItsOwnMovesForItsTaskAlone) {
  const Case c(families()[0], TaskInputs::heads);
  const auto result = c.losses.gradients(c.parameters, c.factors, c.tasks_as_groups(), 3);
  const Index shared = c.network.shared(), inputs = c.network.shape().widths.back();
  ASSERT_LT(shared, c.network.size());
  for (Index t = 0; t < 3; ++t)
    for (Index other = 0; other < 3; ++other) {
      const double norm = result.gradients.col(t).segment(shared + other * inputs, inputs).norm();
      if (t == other)
        EXPECT_GT(norm, 0);
      else
        EXPECT_EQ(norm, 0);
    }
}

TEST(TaskLosses, RowsOfGaussNewtonGiveLossAndGradient) {
  for (const auto& c : cases()) {
    double loss = 0;
    Index rows = 0;
    Eigen::VectorXd gradient = Eigen::VectorXd::Zero(c->network.size());
    c->losses.residual_blocks(c->parameters, c->factors,
                              [&](Eigen::Ref<Eigen::VectorXd> r, Eigen::Ref<Eigen::MatrixXd> jacobian) {
                                loss += r.squaredNorm();
                                rows += r.size();
                                gradient += 2 * jacobian.transpose() * r;
                              });
    const auto whole =
        c->losses.gradients(c->parameters, c->factors, std::vector<Index>(c->losses.sets().size(), 0), 1);
    EXPECT_EQ(rows, c->losses.residual_count());
    EXPECT_NEAR(loss / whole.losses.dot(c->factors), 1, 1e-12);
    EXPECT_LT((gradient - whole.gradients).norm(), 1e-11 * gradient.norm());
  }
}

// One definition: the residuals of training are those of the solution that is handed on.
TEST(TaskLosses, TheSolutionHasTheSameResiduals) {
  for (const auto& c : cases())
    for (const bool concatenate : {false, true}) {
      const auto residuals = c->losses.residuals(c->parameters);
      for (size_t s = 0; s < residuals.size(); ++s) {
        const PointSet& set = c->losses.sets()[s];
        const Problem& task = c->tasks[static_cast<size_t>(set.task)];
        const Term& term = task.terms[static_cast<size_t>(set.term)];
        const Solution solution = c->network.solution(task, set.task, c->parameters, concatenate);
        const Eigen::VectorXd again =
            evaluate_residual(task, term, set.points, set.normals, solution.jets(set.points, term.jets));
        EXPECT_LT((again - residuals[s]).norm(), 1e-10 * (1 + residuals[s].norm()));
      }
    }
}

// Two equations and two boundary conditions at the same points: evaluated together or each by itself.
TEST(TaskLosses, SharedPointsGiveTheSame) {
  const ProblemDefinition definition{"pair", "", [](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]");
    p.field("u");
    p.field("v");
    p.residual("first", "u*u_x + v_y = lap(u)");
    p.residual("second", "u_xy - v = x");
    p.boundary("on_u", "u_n = v", {"x_low", "y_high"});
    p.boundary("on_v", "v = x*y", {"x_low", "x_high", "y_low", "y_high"});
  }};
  const std::vector<Problem> tasks{make_problem(definition, {}), make_problem(definition, {})};
  const TaskNetwork network(tasks, small_network());
  TaskLosses apart(tasks, network), together(tasks, network);
  const auto sets = few_points(tasks);
  std::vector<Index> groups;  // equations and conditions of each task
  for (const auto& set : sets)
    groups.push_back(2 * set.task + (tasks[0].terms[static_cast<size_t>(set.term)].place == Place::interior ? 0 : 1));
  apart.set_points(sets);
  together.set_points(sets, groups);
  const Eigen::VectorXd factors = Eigen::VectorXd::LinSpaced(static_cast<Index>(sets.size()), 0.5, 2);
  for (TaskLosses* losses : {&apart, &together})
    losses->set_weights(1, Eigen::VectorXd::LinSpaced(sets[1].points.rows(), 0.1, 3));
  const Eigen::VectorXd x = network.initial_parameters();
  const auto a = apart.gradients(x, factors, groups, 4), b = together.gradients(x, factors, groups, 4);
  EXPECT_LT((a.gradients - b.gradients).norm(), 1e-12 * a.gradients.norm());
  EXPECT_LT((a.losses - b.losses).norm(), 1e-13 * a.losses.norm());
  EXPECT_LT((together.losses(x) - a.losses).norm(), 1e-13 * a.losses.norm());
  for (size_t s = 0; s < sets.size(); ++s) EXPECT_LT((a.residuals[s] - b.residuals[s]).norm(), 1e-12 * (1 + a.residuals[s].norm()));
  double loss = 0;
  Eigen::VectorXd gradient = Eigen::VectorXd::Zero(network.size());
  together.residual_blocks(x, factors, [&](Eigen::Ref<Eigen::VectorXd> r, Eigen::Ref<Eigen::MatrixXd> jacobian) {
    loss += r.squaredNorm();
    gradient += 2 * jacobian.transpose() * r;
  });
  EXPECT_NEAR(loss / a.losses.dot(factors), 1, 1e-12);
  EXPECT_LT((gradient - a.gradients.rowwise().sum()).norm(), 1e-11 * gradient.norm());
}

TEST(TaskLosses, HardConstraintsHold) {
  const auto c = constrained();
  const auto residuals = c->losses.residuals(c->parameters);
  for (size_t s = 0; s < residuals.size(); ++s) {
    const bool interior = c->tasks[0].terms[static_cast<size_t>(c->losses.sets()[s].term)].place == Place::interior;
    if (interior)
      EXPECT_GT(residuals[s].norm(), 1e-3);
    else
      EXPECT_LT(residuals[s].cwiseAbs().maxCoeff(), 1e-14);
  }
}

TEST(TaskLosses, PositiveFieldsAreAboveTheirLift) {
  for (const auto& c : positive()) {
    // Far from zero in both directions: exp decides the sign, not the size.
    for (const double scale : {1.0, 20.0}) {
      const Eigen::MatrixXd points = c->losses.sets().front().points;
      const Solution solution = c->network.solution(c->tasks[0], 0, scale * c->parameters, false);
      const Eigen::VectorXd u = solution.jets(points, {{0, {0, 0}}});
      const HardConstraint* constraint = c->network.constraint(0, 0);
      const Eigen::VectorXd lift =
          constraint ? Eigen::VectorXd(constraint->lift(points, {{0, 0}})) : Eigen::VectorXd::Zero(points.rows());
      EXPECT_GE((u - lift).minCoeff(), 0);
      EXPECT_GT((u - lift).maxCoeff(), 0);
    }
  }
}

TEST(TaskLosses, APositiveFieldThatIsUnknownIsNamed) {
  NetworkOptions options = small_network();
  options.positive = {"v"};
  EXPECT_THROW(TaskNetwork(families()[2], options), InputError);
}

TEST(TaskLosses, ModesNeedAPeriodicCoordinateAndAnother) {
  NetworkOptions options = small_network();
  options.modes = 1;
  EXPECT_NE(error_of([&] { TaskNetwork(families()[0], options); }).find("no coordinate is periodic"), std::string::npos);
  options.positive = {"u"};
  EXPECT_NE(error_of([&] { TaskNetwork({shipped("advection")}, options); }).find("model.positive"), std::string::npos);
}

// The moments at random points span no more directions than there are products.
TEST(TaskLosses, ProductsHaveTheirRank) {
  const Case c(slabs(), with_velocity(VelocityShape::products, TaskInputs::parameters));
  const Eigen::MatrixXd points = c.losses.sets().front().points;
  const Solution solution = c.network.solution(c.tasks[0], 0, c.parameters, false);
  Eigen::MatrixXd moments = solution.jets(points, {{1, {0, 0}}, {2, {0, 0}}, {3, {0, 0}}, {4, {0, 0}}});
  const Eigen::VectorXd sizes = moments.jacobiSvd().singularValues();
  EXPECT_GT(sizes[1], 1e-4 * sizes[0]);
  EXPECT_LT(sizes[2], 1e-12 * sizes[0]);
}

// g at a node is the network there but for its mean, and rho is a mean.
TEST(TaskLosses, NodesAreValuesOfOneNetwork) {
  const Case c(slabs(), with_velocity(VelocityShape::nodes, TaskInputs::parameters));
  const Problem& task = c.tasks[0];
  const VelocityBasis& velocity = *task.velocity;
  const Eigen::MatrixXd points = c.losses.sets().front().points;
  std::vector<FieldJet> values;
  for (Index f = 0; f < 5; ++f) values.push_back({f, {0, 0}});
  const Eigen::MatrixXd fields = c.network.solution(task, 0, c.parameters, false).jets(points, values);
  const Eigen::MatrixXd g = fields.rightCols(4) * task.velocity_fields.front().basis.transpose();
  const NetworkShape& shape = c.network.shape();
  const JetEngine<double> engine(shape, {{{0, 0}}, {}});
  Eigen::MatrixXd outputs[2] = {g, g};  // of g and of rho
  const VelocityProducts::RowMajor rows = points;
  for (Index j = 0; j < velocity.size(); ++j) {
    VelocityProducts::RowMajor constants(points.rows(), 2), jets(points.rows(), 2);
    constants.col(0).setConstant(c.network.constants(0)[0]);
    constants.col(1).setConstant(velocity.nodes(j, 0));
    engine.jets({points.rows(), rows.data(), constants.data(), nullptr, 1}, c.parameters.data(), jets.data());
    for (Index o = 0; o < 2; ++o) outputs[o].col(j) = jets.col(o);
  }
  const Eigen::MatrixXd expected = outputs[0].colwise() - outputs[0] * velocity.weights;
  EXPECT_LT((g - expected).norm(), 1e-12 * expected.norm());
  EXPECT_LT((fields.col(0) - outputs[1] * velocity.weights).norm(), 1e-12 * fields.col(0).norm());
}

TEST(TaskLosses, ShapesOfTheVelocityThatDoNotFitAreNamed) {
  const auto error_with = [](const std::vector<Problem>& tasks, const NetworkOptions& options) {
    return error_of([&] { TaskNetwork(tasks, options); });
  };
  NetworkOptions products = with_velocity(VelocityShape::products, TaskInputs::parameters), nodes = products;
  nodes.velocity = VelocityShape::nodes;
  EXPECT_TRUE(says(error_with({shipped("advection")}, with_velocity(VelocityShape::nodes, TaskInputs::heads)), "model.velocity = nodes"));
  EXPECT_TRUE(says(error_with({shipped("advection")}, with_velocity(VelocityShape::nodes, TaskInputs::heads)), "no velocity"));
  EXPECT_TRUE(says(error_with(slabs(), with_velocity(VelocityShape::products, TaskInputs::heads)), "model.task_inputs"));
  products.products = 4;
  EXPECT_TRUE(says(error_with(slabs(), products), "model.products = 4"));
  EXPECT_TRUE(says(error_with(slabs(), products), "less than the 4 moments of g"));
  nodes.modes = 1;
  EXPECT_TRUE(says(error_with(slabs(), nodes), "model.modes"));
  nodes.modes = 0;
  nodes.positive = {"rho"};
  EXPECT_TRUE(says(error_with(slabs(), nodes), "model.positive"));
  EXPECT_TRUE(says(error_of([] { velocity_shape_from_name("node"); }), "'node'"));
  EXPECT_TRUE(says(error_of([] { velocity_shape_from_name("node"); }), "'nodes'"));
}

TEST(TaskLosses, AConstraintOnAnUnknownFieldIsNamed) {
  NetworkOptions options = small_network();
  options.constraints["v"] = {formula_constraint({"x", "t"}, Expression::parse("t"), Expression())};
  EXPECT_THROW(TaskNetwork(families()[2], options), InputError);
}

TEST(TaskLosses, TroubleNamesTaskTermAndPoint) {
  Case c(families()[2], TaskInputs::heads);
  c.parameters[0] = NAN;
  try {
    c.losses.losses(c.parameters);
    FAIL() << "nothing was thrown";
  } catch (const NumericalError& error) {
    const std::string text = error.what();
    for (const char* part : {"task 0", "term", "not finite", "x = "})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

TEST(TaskLosses, DerivativesThatTheEngineLacksAreNamed) {
  const ProblemDefinition definition{"mixed", "", [](ProblemBuilder& p) {
    p.coordinates("x in [0, 1]; y in [0, 1]");
    p.field("u");
    p.residual("pde", "u_xxyy = 1");
    p.boundary("bc", "u = 0");
  }};
  const std::vector<Problem> tasks{make_problem(definition, {})};
  const TaskNetwork network(tasks, small_network());
  try {
    const TaskLosses losses(tasks, network);
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("'pde'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("(2, 2)"), std::string::npos) << error.what();
  }
}

// At the solved heads the loss has no slope along them, so that the gradient of the rest is the whole derivative.
TEST(InnerHead, SolvedHeadsLeaveNoSlope) {
  for (const auto& c : linear_cases()) {
    const double before = c->losses.losses(c->parameters).dot(c->factors);
    for (int i = 0; i < 5; ++i)  // nonlinear terms converge linearly
      solve_inner_heads(c->tasks, c->network, c->losses.sets(), c->factors, c->parameters);
    const auto result =
        c->losses.gradients(c->parameters, c->factors, std::vector<Index>(c->losses.sets().size(), 0), 1);
    const NetworkShape& shape = c->network.shape();
    const Index heads = c->network.size() - shape.weight_offset(shape.layers() - 1);
    EXPECT_LT(result.losses.dot(c->factors), before);
    EXPECT_LT(result.gradients.col(0).tail(heads).norm(), 1e-6 * result.gradients.norm() + 1e-9);
  }
}

// The derivative through the solve, by finite differences of the solved loss.
TEST(InnerHead, TheGradientIsThatThroughTheSolve) {
  const auto all = linear_cases();
  for (const size_t which : {size_t{0}, size_t{1}}) {
    Case& c = *all[which];
    const auto solved_loss = [&](Eigen::VectorXd parameters) {
      solve_inner_heads(c.tasks, c.network, c.losses.sets(), c.factors, parameters);
      return c.losses.losses(parameters).dot(c.factors);
    };
    Eigen::VectorXd parameters = c.parameters;
    solve_inner_heads(c.tasks, c.network, c.losses.sets(), c.factors, parameters);
    const auto result =
        c.losses.gradients(parameters, c.factors, std::vector<Index>(c.losses.sets().size(), 0), 1);
    const NetworkShape& shape = c.network.shape();
    const Index hidden = shape.weight_offset(shape.layers() - 1);
    constexpr double h = 1e-4;
    for (Index p = 0; p < hidden; p += 17) {
      Eigen::VectorXd low = parameters, high = parameters;
      low[p] -= h;
      high[p] += h;
      const double difference = (solved_loss(high) - solved_loss(low)) / (2 * h);
      EXPECT_NEAR(result.gradients(p, 0), difference, 1e-3 * (result.gradients.topRows(hidden).norm())) << p;
    }
  }
}

}  // namespace
}  // namespace torsor
