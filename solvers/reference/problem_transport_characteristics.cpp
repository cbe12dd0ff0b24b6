// Problems for the integral equation of transport along characteristics (transport_characteristics.h): with time and
// inflow, up to 20 mean free times (beyond, the schemes of problem_transport_march.cpp are better). Cells, steps and
// nodes in v are raised together until two solutions agree to the tolerance or the next would take too long, and the
// last two are extrapolated (second order). As the solver keeps v continuous, the estimate is the larger of
//
//   - what the extrapolation changes rho, j and f by, at 600 points, in the L2 norm relative to each (it leaves a
//     quarter or less of that), and
//   - the distance of rho from the mean of f over the Problem's velocity nodes, which do not resolve fronts;
//
// `detail` names that of rho alone, which is what holds for rho whatever the Problem's nodes.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "physics/error.h"
#include "solvers/reference/cubic_stencil.h"
#include "solvers/reference/problem_adapters.h"
#include "solvers/reference/transport_characteristics.h"
#include "solvers/reference/transport_form.h"
#include "solvers/reference/velocity_interpolation.h"

namespace torsor {
namespace {

using Eigen::MatrixXd;
using Eigen::RowVectorXd;
using Eigen::VectorXd;

constexpr double kMostFreeTimes = 20.0;
constexpr double kSeconds = 20.0;  // of all solutions
constexpr int kFirstSteps = 24;
constexpr Index kTable = 1025;     // nodes of tables of given data
constexpr Index kCompared = 600;   // points of two solutions

double free_times(const TransportForm& form, const Problem& problem) {
  const double sigma = form.medium(probe_points(problem)(Eigen::all, problem.space())).leftCols(2).maxCoeff();
  return form.duration() * sigma / (form.eps() * form.eps());
}

std::string obstacle(const Problem& problem) {
  if (const std::string reason = TransportForm::obstacle_in_slab(problem); !reason.empty()) return reason;
  const TransportForm form(std::make_shared<const Problem>(problem));
  const double times = free_times(form, problem);
  return times <= kMostFreeTimes ? "" : "there are " + scientific(times) + " mean free times, 20 at most are followed";
}

// A function of p and v from its values at equal steps of p and at velocity nodes.
class Tabulated {
 public:
  Tabulated(double low, double high, MatrixXd values, std::function<RowVectorXd(double v)> weights)
      : low_(low), h_((high - low) / static_cast<double>(values.rows() - 1)), values_(std::move(values)),
        weights_(std::move(weights)) {
    const double largest = values_.cwiseAbs().maxCoeff();
    isotropic_ = (values_.colwise() - values_.col(0)).cwiseAbs().maxCoeff() <= 1e-14 * largest;
  }

  double operator()(double p, double v) const {
    const CubicStencil at = cubic_stencil(low_, h_, values_.rows(), p);
    const Index columns = isotropic_ ? 1 : values_.cols();
    RowVectorXd row = RowVectorXd::Zero(columns);
    for (Index k = 0; k < 4; ++k)
      row += at.weights[static_cast<size_t>(k)] * values_.row(at.first + k).head(columns);
    return isotropic_ ? row(0) : row.dot(weights_(v));
  }

 private:
  double low_, h_;
  MatrixXd values_;
  std::function<RowVectorXd(double)> weights_;
  bool isotropic_ = false;
};

Tabulated tabulated_inflow(const TransportForm& form, const std::function<double(double, double)>& inflow, bool left) {
  const VectorXd all = form.velocities().nodes.col(0);
  const Index count = left ? (all.array() > 0.0).count() : (all.array() < 0.0).count();
  const VectorXd nodes = left ? all.tail(count) : all.head(count);
  MatrixXd values(kTable, count);
  for (Index i = 0; i < kTable; ++i)
    for (Index j = 0; j < count; ++j)
      values(i, j) = inflow(form.duration() * static_cast<double>(i) / (kTable - 1), nodes(j));
  return {0.0, form.duration(), values, [nodes](double v) {
            return RowVectorXd(velocity_interpolation(nodes, VectorXd::Constant(1, v)));
          }};
}

// The problem with data that are cheap at any x, t and v.
TransportProblem tabulated(const TransportForm& form) {
  const VectorXd places = VectorXd::LinSpaced(kTable, form.space_axis().low, form.space_axis().high);
  TransportProblem problem = form.transport(places);
  problem.initial = Tabulated(problem.a, problem.b, form.initial(places), [form](double v) {
    return RowVectorXd(form.between_velocities(VectorXd::Constant(1, v)));
  });
  problem.inflow_left = tabulated_inflow(form, problem.inflow_left, true);
  problem.inflow_right = tabulated_inflow(form, problem.inflow_right, false);
  const MatrixXd medium = form.medium(places);
  const auto of_x = [&](Index column) {
    const Tabulated table(problem.a, problem.b, medium.col(column), [](double) { return RowVectorXd::Ones(1); });
    return [table](double x) { return table(x, 0.0); };
  };
  problem.scattering = [f = of_x(0)](double x) { return std::max(0.0, f(x)); };
  problem.absorption = [f = of_x(1)](double x) { return std::max(0.0, f(x)); };
  problem.source = of_x(2);
  return problem;
}

using Solution = std::shared_ptr<const TransportCharacteristics>;

// Two solutions of second order, the finer with half the steps' length, extrapolated.
struct Extrapolated {
  TransportForm form;
  Solution coarse, fine;
  MatrixXd evaluate(const MatrixXd& points) const {
    const VectorXd v = form.velocities().nodes.col(0);
    return (4.0 * fine->evaluate(points, v) - coarse->evaluate(points, v)) / 3.0;
  }
};

CharacteristicsOptions options_for(const TransportForm& form, const TransportProblem& problem, int level) {
  CharacteristicsOptions options;
  options.end = form.duration();
  const double width = form.space_axis().high - form.space_axis().low, crossings = options.end / (form.eps() * width);
  double sigma = 0.0;
  for (const double x : VectorXd::LinSpaced(101, problem.a, problem.b)) sigma = std::max(sigma, problem.scattering(x));
  const double free_times = options.end * sigma / (form.eps() * form.eps());
  options.steps = std::max(kFirstSteps, static_cast<int>(std::ceil(std::max(crossings, 0.5 * free_times)))) << level;
  // As fast as particles, but not so fine as to waste the cells, nor so coarse as to miss what varies in x.
  const double cells = std::clamp(options.steps / crossings, 1.0 * options.steps, 8.0 * options.steps);
  options.cells = static_cast<int>(cells);
  options.panel_nodes = 8 + 2 * level;
  return options;
}

struct Estimate {
  double density, all;
};

// A third of the change between two solutions: what extrapolation takes from the finer one.
Estimate estimate(const MatrixXd& coarse, const MatrixXd& fine, const VectorXd& weights) {
  const MatrixXd change = (fine - coarse) / 3.0, f = fine.rightCols(weights.size());
  const double density = relative_change(change.col(0), fine.col(0));
  return {density, std::max({density, relative_change(change.col(1), fine.col(1)),
                             relative_change(change.rightCols(weights.size()), f),
                             relative_change(f * weights - fine.col(0), fine.col(0))})};
}

struct Refined {
  Extrapolated solution;
  Estimate error;
  CharacteristicsOptions finest;
};

Refined refine(const TransportForm& form, const ReferenceOptions& options) {
  const TransportProblem problem = tabulated(form);
  const VectorXd v = form.velocities().nodes.col(0), weights = form.velocities().weights;
  const MatrixXd points = comparison_points(form, kCompared, true);
  Refined refined{{form, nullptr, nullptr}, {1.0, 1.0}, options_for(form, problem, 0)};
  refined.solution.fine = std::make_shared<const TransportCharacteristics>(problem, refined.finest);
  MatrixXd values = refined.solution.fine->evaluate(points, v);
  const auto begin = std::chrono::steady_clock::now();
  double spent = 0.0, last = 0.0;
  const auto goes_on = [&] { return refined.error.density > options.tolerance && spent + 8.0 * last <= kSeconds; };
  for (int level = 1; level == 1 || goes_on(); ++level) {
    const CharacteristicsOptions finer = options_for(form, problem, level);
    if (level > 1 && options.max_resolution > 0 && finer.steps > options.max_resolution) break;
    refined.finest = finer;
    refined.solution.coarse = refined.solution.fine;
    refined.solution.fine = std::make_shared<const TransportCharacteristics>(problem, finer);
    const MatrixXd fine = refined.solution.fine->evaluate(points, v);
    refined.error = estimate(values, fine, weights);
    values = fine;
    last = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() - spent;
    spent += last;
  }
  return refined;
}

ReferenceSolution solve(const std::shared_ptr<const Problem>& problem, const ReferenceOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const Refined refined = refine(TransportForm(problem), options);
  const Estimate& error = refined.error;
  if (options.require_convergence && !(error.all <= options.tolerance))
    throw NumericalError("transport-characteristics: a relative error of " + scientific(error.density) +
                         " of rho, and of " + scientific(error.all) + " with the velocity nodes, tolerance " +
                         scientific(options.tolerance));
  ReferenceSolution solution;
  solution.error_estimate = error.all;
  solution.evaluate = [problem, solved = refined.solution](const MatrixXd& at) {
    MatrixXd columns = space_time_columns(*problem, at);
    columns.col(1).array() -= solved.form.start();
    return solved.form.fields(solved.evaluate(columns));
  };
  solution.detail = std::to_string(refined.finest.cells) + " cells, " + std::to_string(refined.finest.steps) +
                    " steps, rho to " + scientific(error.density);
  solution.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return solution;
}

}  // namespace

ReferenceAdapter transport_characteristics_adapter() { return {"transport-characteristics", obstacle, solve}; }

}  // namespace torsor
