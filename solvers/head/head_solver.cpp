#include "solvers/head/head_solver.h"

#include <algorithm>
#include <optional>

#include "physics/error.h"
#include "physics/random.h"
#include "solvers/head/global_head.h"
#include "solvers/head/time_march.h"
#include "solvers/head/time_window.h"

namespace torsor {
namespace {

void check_options(const Problem& problem, const HeadOptions& options) {
  const auto d = static_cast<size_t>(problem.dimension());
  if (!options.patches.empty() && options.patches.size() != d)
    throw InputError("head.patches has " + std::to_string(options.patches.size()) + " values; give one for each of the " +
                     std::to_string(d) + " coordinates");
  if (problem.time() < 0 && options.windows > 1)
    throw InputError("head.windows = " + std::to_string(options.windows) + ": the problem has no time coordinate");
  for (const auto& entry : options.constraints) problem.field_index(entry.first);
}

HeadResult solve_one(const Problem& problem, const HeadOptions& options, Progress& progress) {
  if (problem.time() < 0 || options.windows == 1) return solve_global_head({&problem}, options, progress);
  return solve_time_march(problem, options, progress);
}

std::vector<PartitionAxis> axes_of(const Window& window) { return window.ansatz->patchwork(0).axes(); }

/// Heads of one window, and what they leave at points that the fit has not seen.
struct AdaptedWindow {
  Eigen::MatrixXd heads;
  NewtonReport newton;
  std::vector<Holdout> holdouts;
  double worst = 0;
  double boundary_weight = 1;
};

struct WindowSystem {
  const Window& old;
  std::shared_ptr<const Ansatz> ansatz;  ///< the old one; linear in its head
  std::vector<const Problem*> tasks;  ///< on this window
  std::vector<TermPoints> points, unseen;
  NewtonOptions newton;
  std::vector<double> boundary_weights;  ///< to choose from
};

bool is_trained(const Ansatz& ansatz) { return ansatz.patchwork(0).body(0).is_trained(); }

/// The features for which points are chosen. Few trained ones have structures as fine as many random ones (a shock in
/// 90 features), and points between which they hide leave the head undetermined.
Index features_to_resolve(const Ansatz& ansatz) {
  constexpr Index kTrained = 800;
  const auto& patchwork = ansatz.patchwork(0);
  const Index features = patchwork.features() / patchwork.patches();
  return is_trained(ansatz) ? std::max(features, kTrained) : features;
}

/// One factorisation for all tasks, with rows of equal norm or rows as they are.
AdaptedWindow adapt_window(WindowSystem system, bool equalise, double boundary_weight) {
  for (auto& set : system.points) set.equalise = equalise;
  system.newton.boundary_weight = boundary_weight;
  AdaptedWindow result;
  result.boundary_weight = boundary_weight;
  const Ansatz& ansatz = *system.ansatz;
  // The pretrained head is a field of the same family: a better start for Newton than zero.
  result.heads = solve_newton(system.tasks, ansatz, system.points, field_of(*system.old.ansatz, system.old.head),
                              system.newton, result.newton);
  for (size_t t = 0; t < system.tasks.size(); ++t) {
    const Eigen::VectorXd head = result.heads.col(static_cast<Index>(t));
    result.holdouts.push_back(evaluate_holdout(*system.tasks[t], system.unseen, field_of(ansatz, head)));
    result.worst = std::max(result.worst, result.holdouts.back().worst);
  }
  require_solved(result.newton, result.worst);
  return result;
}

/// Random features are of one size, and rows of equal norm are their measure. Those of a trained network are steep where
/// the field is: there rows of equal norm can hide a layer, and boundary rows weigh less than they should. The hold-out
/// residual decides; the systems are small.
AdaptedWindow adapt_best(const WindowSystem& system) {
  if (!is_trained(*system.ansatz)) return adapt_window(system, true, system.boundary_weights.front());
  std::optional<AdaptedWindow> best;
  std::string trouble;
  for (const bool equalise : {true, false})
    for (const double weight : system.boundary_weights) {
      try {
        AdaptedWindow next = adapt_window(system, equalise, weight);
        if (!best || next.worst < best->worst) best = std::move(next);
      } catch (const NumericalError& error) {
        trouble = error.what();
      }
    }
  if (!best) throw NumericalError(trouble);
  return *best;
}

/// The loss of training at points that neither it nor the head has seen: sum over the terms of the mean of r^2.
double loss_of(const Problem& problem, const std::vector<TermPoints>& unseen, const FieldFunction& field) {
  double loss = 0;
  for (const auto& set : unseen) {
    const Term& term = problem.terms[static_cast<size_t>(set.term)];
    Eigen::MatrixXd points = set.points;
    grade_time(problem, default_time_grading(problem), points);
    loss += evaluate_residual(problem, term, points, set.normals, field(points, term.jets)).squaredNorm() /
            static_cast<double>(points.rows());
  }
  return loss;
}

/// Losses that differ by less say nothing about errors: a head may lower its own by jumps where no point sees them. Measured on
/// problems/transport-inflow-trained.cfg, where heads with a third of the network's loss had errors up to 70 times its own.
constexpr double kMuchSmaller = 0.1;

/// Puts the pretrained head back where the solved one is not much better, neither by its loss nor by the worst hold-out residual,
/// which sees equations that are small in the loss.
bool keep_pretrained(const WindowSystem& system, AdaptedWindow& adapted) {
  const Problem& problem = *system.tasks.front();
  const FieldFunction old = field_of(*system.old.ansatz, system.old.head);
  const Holdout pretrained = evaluate_holdout(problem, system.unseen, old);
  if (adapted.worst < kMuchSmaller * pretrained.worst) return false;
  const double solved = loss_of(problem, system.unseen, field_of(*system.ansatz, adapted.heads.col(0)));
  if (solved < kMuchSmaller * loss_of(problem, system.unseen, old)) return false;
  adapted.heads.col(0) = system.old.head;
  adapted.holdouts = {pretrained};
  return true;
}

/// The tasks share their operator, and with it one factorisation for each window.
std::vector<HeadResult> adapt_together(const std::vector<const Problem*>& tasks, const Solution& pretrained,
                                       const HeadOptions& options, Progress& progress) {
  std::vector<HeadResult> results(tasks.size());
  std::vector<std::vector<Window>> windows(tasks.size());
  const auto count = static_cast<double>(pretrained.windows().size());
  for (const auto& old : pretrained.windows()) {
    throw_if_stopped();
    std::vector<Problem> problems;
    for (size_t t = 0; t < tasks.size(); ++t) {
      const auto before = windows[t].empty() ? nullptr : std::make_shared<const Window>(windows[t].back());
      problems.push_back(tasks[t]->time() < 0 ? *tasks[t] : window_problem(*tasks[t], old.start, old.end, before));
    }
    const auto axes = axes_of(old);
    const auto& patchwork = old.ansatz->patchwork(0);
    CollocationOptions collocation = options.collocation;
    collocation.seed = stream_seed(options.seed, 1);
    const Index resolved = features_to_resolve(*old.ansatz);
    const auto ansatz = old.ansatz->is_linear() ? old.ansatz : old.ansatz->linear();
    WindowSystem system{old, ansatz, {}, collocation_points(problems.front(), axes, resolved, collocation),
                        holdout_points(problems.front(), axes, resolved, collocation), options.newton, {1, 10, 100}};
    for (const auto& problem : problems) system.tasks.push_back(&problem);
    if (options.boundary_weight > 0) system.boundary_weights = {options.boundary_weight};
    AdaptedWindow adapted = adapt_best(system);
    const bool kept = options.keep_better && keep_pretrained(system, adapted);
    for (size_t t = 0; t < tasks.size(); ++t) {
      windows[t].push_back({old.start, old.end, kept ? old.ansatz : ansatz, adapted.heads.col(static_cast<Index>(t))});
      HeadResult& result = results[t];
      result.kept_pretrained = result.kept_pretrained || kept;
      const Holdout& holdout = adapted.holdouts[t];
      if (holdout.worst >= result.holdout) {
        result.newton = adapted.newton;
        result.holdouts = {holdout};
      }
      result.holdout = std::max(result.holdout, holdout.worst);
      result.features = patchwork.features() / patchwork.patches();
      result.patches = std::max(result.patches, patchwork.patches());
      result.boundary_weight = adapted.boundary_weight;
    }
    progress.update(static_cast<double>(windows.front().size()) / count, "hold-out residual");
  }
  for (size_t t = 0; t < tasks.size(); ++t) {
    results[t].solutions.emplace_back(tasks[t]->time(), std::move(windows[t]));
    results[t].reached_tolerance = options.tolerance == 0 || results[t].holdout <= options.tolerance;
  }
  return results;
}

}  // namespace

void check_adaptable(const Problem& task, const Solution& pretrained, bool more_fields) {
  const auto axes = axes_of(pretrained.windows().front());
  const Index fields = pretrained.windows().front().ansatz->fields(), wanted = static_cast<Index>(task.fields.size());
  if (static_cast<Index>(axes.size()) != task.dimension() || (more_fields ? fields > wanted : fields != wanted))
    throw InputError("the model has " + std::to_string(axes.size()) + " coordinates and " + std::to_string(fields) +
                     " fields; problem '" + task.name + "' has " + std::to_string(task.dimension()) + " and " + std::to_string(wanted));
  for (Index i = 0; i < task.dimension(); ++i) {
    const auto& c = task.coordinates[static_cast<size_t>(i)];
    const bool time = i == task.time();
    const double low = time ? pretrained.windows().front().start : axes[static_cast<size_t>(i)].edges().front();
    const double high = time ? pretrained.windows().back().end : axes[static_cast<size_t>(i)].edges().back();
    const double slack = 1e-9 * (c.high - c.low);
    if (std::abs(low - c.low) > slack || std::abs(high - c.high) > slack)
      throw InputError("the model covers " + c.name + " in [" + std::to_string(low) + ", " + std::to_string(high) +
                       "], the problem [" + std::to_string(c.low) + ", " + std::to_string(c.high) + "]");
  }
}

bool share_operator(const std::vector<const Problem*>& tasks) {
  const Problem& first = *tasks.front();
  std::vector<TermPoints> probe;
  const auto axes = whole_domain(first);
  const auto points = collocation_points(first, axes, 16, {});
  if (!is_linear(first, points)) return false;
  return std::all_of(tasks.begin() + 1, tasks.end(), [&](const Problem* task) {
    if (task->terms.size() != first.terms.size() || task->domain->describe() != first.domain->describe()) return false;
    for (size_t t = 0; t < first.terms.size(); ++t)
      if (!(task->terms[t].jets == first.terms[t].jets)) return false;
    return equal_operators(first, *task, points);
  });
}

std::vector<HeadResult> solve_heads(const std::vector<Problem>& tasks, const HeadOptions& options,
                                    Progress& progress) {
  for (const auto& task : tasks) check_options(task, options);
  std::vector<const Problem*> pointers;
  for (const auto& task : tasks) pointers.push_back(&task);
  if (tasks.size() > 1 && (tasks.front().time() < 0 || options.windows == 1) && share_operator(pointers)) {
    const HeadResult together = solve_global_head(pointers, options, progress);
    std::vector<HeadResult> results(tasks.size(), together);
    for (size_t t = 0; t < tasks.size(); ++t) {
      results[t].solutions = {together.solutions[t]};
      results[t].holdouts = {together.holdouts[t]};
      results[t].holdout = together.holdouts[t].worst;
    }
    return results;
  }
  std::vector<HeadResult> results;
  for (size_t t = 0; t < tasks.size(); ++t) {
    const auto n = static_cast<double>(tasks.size());
    PartOfProgress part(progress, static_cast<double>(t) / n, static_cast<double>(t + 1) / n);
    results.push_back(solve_one(tasks[t], options, part));
  }
  return results;
}

std::vector<HeadResult> adapt_heads(const std::vector<Problem>& tasks, const Solution& pretrained,
                                    const HeadOptions& options, Progress& progress) {
  std::vector<const Problem*> pointers;
  for (const auto& task : tasks) {
    check_adaptable(task, pretrained);
    pointers.push_back(&task);
  }
  if (tasks.size() == 1 || share_operator(pointers)) return adapt_together(pointers, pretrained, options, progress);
  std::vector<HeadResult> results;
  const auto n = static_cast<double>(tasks.size());
  for (const auto* task : pointers) {
    const auto done = static_cast<double>(results.size());
    PartOfProgress part(progress, done / n, (done + 1) / n);
    results.push_back(adapt_together({task}, pretrained, options, part).front());
  }
  return results;
}

HeadResult join_head(const Problem& task, const Solution& pretrained, const HeadOptions& options, Progress& progress) {
  const bool one_window = task.time() < 0 || options.windows == 1;
  check_adaptable(task, pretrained, !one_window);
  const auto& ansatz = pretrained.windows().front().ansatz;
  if (pretrained.windows().size() > 1 || ansatz->patchwork(0).patches() > 1)
    throw InputError("head.resolve = joined: the model has windows or cells of its own; random features join a network that covers everything");
  std::vector<Ansatz::FieldPart> parts = ansatz->linear()->parts();
  // Hard constraints are for all of time; a window takes over what is before it.
  if (!one_window)
    for (auto& part : parts) part.constraint.reset();
  HeadOptions joined = options;
  joined.joined = std::make_shared<Ansatz>(std::move(parts));
  return solve_heads({task}, joined, progress).front();
}

void add_singular_values(const Problem& task, const HeadOptions& options, HeadResult& result) {
  constexpr Index kMostColumns = 1500;
  const auto& windows = result.solutions.front().windows();
  const Ansatz& ansatz = *windows.front().ansatz;
  if (windows.size() > 1 || ansatz.groups() > 1 || ansatz.columns() > kMostColumns) return;
  const auto axes = axes_of(windows.front());
  const Index features = ansatz.patchwork(0).features() / ansatz.patchwork(0).patches();
  CollocationOptions collocation = options.collocation;
  collocation.seed = stream_seed(options.seed, 1);
  const auto points = collocation_points(task, axes, features, collocation);
  NewtonOptions newton = options.newton;
  newton.boundary_weight = result.boundary_weight;
  newton.least_squares.singular_values = true;
  NewtonReport report;
  solve_newton({&task}, ansatz, points, field_of(ansatz, windows.front().head), newton, report);
  result.newton.head.singular_values = report.head.singular_values;
}

}  // namespace torsor
