#include "solvers/train/trainer.h"

#include <algorithm>
#include <cmath>

#include "physics/error.h"
#include "physics/random.h"
#include "solvers/clock.h"
#include "solvers/combine/task_groups.h"
#include "solvers/combine/task_moments.h"
#include "solvers/train/inner_head.h"

namespace torsor {
namespace {

/// A growing function of the loss and its derivative.
struct LossScale {
  double (*value)(double);
  double (*slope)(double);
};

const LossScale* loss_scale(const std::string& objective) {
  static constexpr double kLeast = 1e-300;
  static const LossScale root{[](double loss) { return std::sqrt(loss); },
                              [](double loss) { return 0.5 / std::sqrt(std::max(loss, kLeast)); }};
  static const LossScale logarithm{[](double loss) { return std::log(std::max(loss, kLeast)); },
                                   [](double loss) { return 1 / std::max(loss, kLeast); }};
  return objective == "root" ? &root : objective == "logarithm" ? &logarithm : nullptr;
}

/// The weighted sum of all losses, for optimisers that ask the objective themselves.
class TotalLoss : public Objective {
 public:
  /// `scale`: null for the sum itself.
  TotalLoss(const TaskLosses& losses, const Eigen::VectorXd& factors, Index size, const LossScale* scale)
      : losses_(losses), factors_(factors), size_(size), scale_(scale), one_group_(losses.sets().size(), 0) {}

  Index size() const override { return size_; }
  Index residuals() const override { return scale_ ? 0 : losses_.residual_count(); }

  double value(const Eigen::VectorXd& x) override {
    return or_infinite([&] { return scaled(losses_.losses(x).dot(factors_)); });
  }
  double value_and_gradient(const Eigen::VectorXd& x, Eigen::VectorXd& gradient) override {
    return or_infinite([&] {
      auto result = losses_.gradients(x, factors_, one_group_, 1);
      gradient = std::move(result.gradients);
      set_losses = std::move(result.losses);
      const double loss = set_losses.dot(factors_);
      if (scale_) gradient *= scale_->slope(loss);
      return scaled(loss);
    });
  }
  void residual_blocks(const Eigen::VectorXd& x,
                       const std::function<void(Eigen::Ref<Eigen::VectorXd>, Eigen::Ref<Eigen::MatrixXd>)>& take) override {
    losses_.residual_blocks(x, factors_, take);
  }

  /// What the last gradient saw.
  Eigen::VectorXd set_losses;
  /// The last residual that was not finite.
  std::string trouble;

 private:
  double scaled(double loss) const { return scale_ ? scale_->value(loss) : loss; }

  /// A line search steps back from residuals that are not finite.
  template <class Action>
  double or_infinite(const Action& action) {
    try {
      return action();
    } catch (const NumericalError& error) {
      trouble = error.what();
      return INFINITY;
    }
  }

  const TaskLosses& losses_;
  const Eigen::VectorXd& factors_;
  Index size_;
  const LossScale* scale_;
  std::vector<Index> one_group_;
};

std::string resolved_gradients(const TrainOptions& options, size_t tasks) {
  if (options.gradients != "auto") return options.gradients;
  return tasks > 1 ? "task" : "term";
}

/// What a set shares its gradient with, as a number of any kind.
Index label_of(const PointSet& set, const std::vector<Problem>& tasks, const TaskSampling& sampling,
               const std::string& kind) {
  const auto& terms = tasks[static_cast<size_t>(set.task)].terms;
  const Place place = terms[static_cast<size_t>(set.term)].place;
  if (kind == "task") return sampling.slot(set.task);
  if (kind == "term") return set.term;
  if (kind == "both") return sampling.slot(set.task) * static_cast<Index>(terms.size()) + set.term;
  if (kind == "conditions") return place == Place::interior ? 0 : 1;
  return static_cast<Index>(place);
}

/// A task by those of its parameters that differ between the tasks.
std::string task_text(const std::vector<Problem>& tasks, Index task) {
  std::string text;
  const auto& parameters = tasks[static_cast<size_t>(task)].parameters;
  for (size_t p = 0; p < parameters.size(); ++p) {
    const double value = parameters[p].value;
    if (std::all_of(tasks.begin(), tasks.end(), [&](const Problem& other) { return other.parameters[p].value == value; }))
      continue;
    text += (text.empty() ? "" : ", ") + parameters[p].name + " = " + scientific(value);
  }
  return text.empty() ? "task " + std::to_string(task) : text;
}

/// The first and the last task of a stratum.
std::string stratum_name(const std::vector<Problem>& tasks, const std::vector<Index>& members) {
  const std::string first = task_text(tasks, members.front());
  return members.size() == 1 ? first : first + " … " + task_text(tasks, members.back());
}

/// What the gradient of a set is of, in words.
std::string gradient_name(const PointSet& set, const std::vector<Problem>& tasks, const TaskSampling& sampling,
                          const std::string& kind) {
  const Term& term = tasks[static_cast<size_t>(set.task)].terms[static_cast<size_t>(set.term)];
  const auto task = [&] { return stratum_name(tasks, sampling.members()[static_cast<size_t>(sampling.slot(set.task))]); };
  if (kind == "task") return task();
  if (kind == "term") return term.name;
  if (kind == "both") return task() + ", " + term.name;
  if (kind == "conditions") return term.place == Place::interior ? "equations" : "conditions";
  return term.place == Place::interior ? "equations" : term.place == Place::boundary ? "boundary" : "initial";
}

/// Labels numbered without gaps, in their order.
std::vector<Index> groups_of(const std::vector<PointSet>& sets, const std::vector<Problem>& tasks,
                             const TaskSampling& sampling, const std::string& kind) {
  std::vector<Index> labels;
  for (const auto& set : sets) labels.push_back(label_of(set, tasks, sampling, kind));
  std::vector<Index> known = labels;
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  for (Index& label : labels) label = std::lower_bound(known.begin(), known.end(), label) - known.begin();
  return labels;
}

/// 1 for the rows (neurons) of the shared weights that move, 0 for the rest.
Eigen::VectorXd moving_neurons(const TaskNetwork& network, double share, uint64_t seed) {
  Eigen::VectorXd mask = Eigen::VectorXd::Ones(network.size());
  if (share >= 1) return mask;
  Random random(stream_seed(seed, 0x6d61736b));
  const NetworkShape& shape = network.shape();
  for (Index l = 0; l + 1 < shape.layers(); ++l)
    for (Index j = 0; j < shape.layer_outputs(l); ++j) {
      if (random.uniform() < share) continue;
      mask.segment(shape.weight_offset(l) + j * shape.layer_inputs(l), shape.layer_inputs(l)).setZero();
      mask[shape.bias_offset(l) + j] = 0;
    }
  return mask;
}

Eigen::MatrixXd cosines(const Eigen::MatrixXd& gram) {
  const Eigen::VectorXd norms = gram.diagonal().cwiseMax(1e-300).cwiseSqrt();
  return norms.cwiseInverse().asDiagonal() * gram * norms.cwiseInverse().asDiagonal();
}

}  // namespace

Trainer::Trainer(std::vector<Problem> tasks, TrainOptions options)
    : tasks_(std::move(tasks)),
      options_(std::move(options)),
      network_(tasks_, options_.network),
      losses_(tasks_, network_),
      points_(tasks_, options_.points),
      weights_(tasks_, options_.weights),
      sampling_(tasks_, options_.tasks_per_step, options_.seed),
      parameters_(network_.initial_parameters()),
      mask_(moving_neurons(network_, options_.moving_share, options_.seed)) {
  check();
  const auto make_combiner = [&](uint64_t stream) {
    auto made = find_combiner(options_.combiner).make(options_.combiner_options, stream_seed(options_.seed, stream));
    if (options_.task_moments) made = with_task_moments(std::move(made), {});
    if (options_.task_groups) made = with_task_groups(std::move(made), options_.task_group_options);
    return made;
  };
  combiner_ = make_combiner(1);
  if (options_.flat_radius > 0) flat_combiner_ = make_combiner(2);
  change_points();
  begin_phase();
}

/// Options that do not go together.
void Trainer::check() const {
  if (sampling_.samples() && network_.own_heads())
    throw InputError("train.tasks_per_step = " + std::to_string(options_.tasks_per_step) +
                     ": heads of their own would rarely move; needs model.task_inputs = parameters");
  if (!options_.solve_heads) return;
  if (!options_.network.positive.empty())
    throw InputError("train.head = closed-form: positive fields (model.positive = " + options_.network.positive.front() +
                     ") are not linear in their heads; use train.head = trained");
  if (options_.network.velocity != VelocityShape::moments)
    throw InputError("train.head = closed-form: needs model.velocity = moments, where every field has outputs of its own");
  for (const auto& phase : options_.phases)
    if (!find_optimiser(phase.optimiser).first_order)
      throw InputError("train.head = closed-form: the optimiser '" + phase.optimiser +
                       "' moves the heads itself; use a first-order method (adam, soap, ...)");
}

Trainer::~Trainer() = default;

void Trainer::change_points() {
  group_of_set_ = groups_of(points_.sets(), tasks_, sampling_, resolved_gradients(options_, tasks_.size()));
  groups_ = *std::max_element(group_of_set_.begin(), group_of_set_.end()) + 1;
  losses_.set_points(points_.sets(), gradients_asked());
  weights_.points_changed(losses_);
  weights_.start_points(losses_);
  drawn_ = Eigen::VectorXd::Ones(static_cast<Index>(losses_.sets().size()));
  if (optimiser_) optimiser_->objective_changed();
}

/// Of every set: gradients of each group, or that of the sum of all losses.
std::vector<Index> Trainer::gradients_asked() const {
  if (!optimiser_ || optimiser_->first_order()) return group_of_set_;
  return std::vector<Index>(group_of_set_.size(), 0);
}

void Trainer::begin_phase() {
  phase_step_ = 0;
  optimiser_.reset();
  if (phase_ >= static_cast<Index>(options_.phases.size())) return;
  const TrainPhase& phase = options_.phases[static_cast<size_t>(phase_)];
  const OptimiserInfo& info = find_optimiser(phase.optimiser);
  OptionValues options = phase.options;
  if (combiner_->averaged() && !info.average.empty()) options.set(info.average, "0");  // one average is enough
  optimiser_ = info.make(options, network_.blocks());
  losses_.share_points(gradients_asked());
}

std::string Trainer::ending(const std::string& why) const {
  const TrainPhase& phase = options_.phases[static_cast<size_t>(phase_)];
  return phase.optimiser + ": " + why + " after " + std::to_string(phase_step_) + " steps";
}

void Trainer::end_phase(const std::string& why) {
  endings_.push_back(ending(why));
  ++phase_;
  begin_phase();
}

std::vector<std::string> Trainer::endings() const {
  std::vector<std::string> result = endings_;
  if (!optimiser_) return result;
  const bool all = phase_step_ >= options_.phases[static_cast<size_t>(phase_)].steps;
  result.push_back(ending(all ? "all steps taken" : options_.seconds > 0 ? "time is up" : "goes on"));
  return result;
}

Index Trainer::steps_planned() const {
  Index sum = 0;
  for (const auto& phase : options_.phases) sum += phase.steps;
  return sum;
}

std::vector<std::string> Trainer::gradient_names() const {
  std::vector<std::string> names(static_cast<size_t>(groups_));
  const std::string kind = resolved_gradients(options_, tasks_.size());
  for (size_t s = 0; s < group_of_set_.size(); ++s)
    names[static_cast<size_t>(group_of_set_[s])] = gradient_name(points_.sets()[s], tasks_, sampling_, kind);
  return names;
}

double Trainer::total_loss() const { return losses_.losses(parameters_).dot(weights_.factors()); }

Solution Trainer::solution(Index task, bool concatenate) const {
  return network_.solution(tasks_[static_cast<size_t>(task)], task, parameters_, concatenate);
}

double Trainer::learning_rate_now() const {
  Schedule schedule = options_.schedule;
  schedule.steps = std::max<Index>(options_.phases[static_cast<size_t>(phase_)].steps, schedule.warmup + 1);
  Index step = phase_step_;
  if (options_.seconds > 0)
    step = std::max(step, static_cast<Index>(std::min(1.0, seconds_ / options_.seconds) * static_cast<double>(schedule.steps)));
  return learning_rate(schedule, step);
}

/// The tasks of the step that comes.
void Trainer::draw_tasks() {
  if (!sampling_.samples()) return;
  const auto tasks = sampling_.draw(step_);
  for (size_t s = 0; s < losses_.sets().size(); ++s)
    drawn_[static_cast<Index>(s)] =
        tasks[static_cast<size_t>(sampling_.slot(losses_.sets()[s].task))] == losses_.sets()[s].task;
}

Eigen::VectorXd Trainer::factors_of(const std::vector<Index>& groups) const {
  Eigen::VectorXd factors = weights_.factors().cwiseProduct(drawn_);
  if (groups.empty()) return factors;
  for (size_t s = 0; s < group_of_set_.size(); ++s)
    if (std::find(groups.begin(), groups.end(), group_of_set_[s]) == groups.end()) factors[static_cast<Index>(s)] = 0;
  return factors;
}

Eigen::VectorXd Trainer::group_losses(const Eigen::VectorXd& set_losses) const {
  Eigen::VectorXd result = Eigen::VectorXd::Zero(groups_);
  for (size_t s = 0; s < group_of_set_.size(); ++s)
    result[group_of_set_[s]] +=
        drawn_[static_cast<Index>(s)] * weights_.factors()[static_cast<Index>(s)] * set_losses[static_cast<Index>(s)];
  return result;
}

Eigen::MatrixXd Trainer::flat_parts(const TaskLosses::Gradients& now) const {
  Eigen::MatrixXd parts(now.gradients.rows(), groups_);
  for (Index g = 0; g < groups_; ++g) {
    const double norm = now.gradients.col(g).norm();
    const Eigen::VectorXd there = parameters_ + options_.flat_radius / std::max(norm, 1e-300) * now.gradients.col(g);
    parts.col(g) =
        losses_.gradients(there, factors_of({g}), group_of_set_, groups_).gradients.col(g) - now.gradients.col(g);
  }
  return parts;
}

Eigen::VectorXd Trainer::direction(const TaskLosses::Gradients& now) {
  const Index shared = network_.shared();
  const Eigen::VectorXd losses = group_losses(set_losses_);
  // Copied only where neurons are left out: the combiners' own work is one pass over these columns.
  const auto moving = [&](const Eigen::MatrixXd& gradients) -> Eigen::MatrixXd {
    return mask_.head(shared).asDiagonal() * gradients.topRows(shared);
  };
  const bool sparse = options_.moving_share < 1;
  const Eigen::MatrixXd kept = sparse ? moving(now.gradients) : Eigen::MatrixXd();
  const Eigen::Ref<const Eigen::MatrixXd> common =
      sparse ? Eigen::Ref<const Eigen::MatrixXd>(kept) : Eigen::Ref<const Eigen::MatrixXd>(now.gradients.topRows(shared));
  if (step_ % options_.log_every == 0) seen_.gram = common.transpose() * common;
  seen_.combination = combiner_->combine({common, losses, step_});
  if (!seen_.combination.fallback.empty()) ++fallbacks_;
  Eigen::VectorXd result = now.gradients.rowwise().sum();
  result.head(shared) = seen_.combination.direction;
  if (flat_combiner_) {
    const Eigen::MatrixXd parts = flat_parts(now);
    result.head(shared) += flat_combiner_->combine({moving(parts), losses, step_}).direction;
    result.tail(result.size() - shared) += parts.bottomRows(result.size() - shared).rowwise().sum();
  }
  return result;
}

void Trainer::first_order_step() {
  draw_tasks();
  if (options_.solve_heads) solve_inner_heads(tasks_, network_, losses_.sets(), factors_of({}), parameters_);
  const auto now = losses_.gradients(parameters_, factors_of(combiner_->wanted(step_, groups_)), group_of_set_, groups_);
  set_losses_.conservativeResizeLike(Eigen::VectorXd::Zero(now.losses.size()));
  for (size_t s = 0; s < now.residuals.size(); ++s)  // of sets that were left out the last known loss stays
    if (now.residuals[s].size() > 0) set_losses_[static_cast<Index>(s)] = now.losses[static_cast<Index>(s)];
  seen_.rate = learning_rate_now();
  Eigen::VectorXd move = direction(now);
  if (options_.solve_heads) {
    const NetworkShape& shape = network_.shape();
    move.tail(network_.size() - shape.weight_offset(shape.layers() - 1)).setZero();
  }
  seen_.report = optimiser_->update(move, seen_.rate, parameters_);
  seen_.report.gradient_norm = move.norm();
  if (combiner_->observes()) combiner_->observe(group_losses(losses_.losses(parameters_)));
  weights_.update_points(losses_, now.residuals);
}

void Trainer::objective_step() {
  // Other weights make another objective: not in every step, as under first-order methods.
  if (weights_.weighs_points() && weights_.due(phase_step_)) {
    weights_.update_points(losses_, losses_.residuals(parameters_));
    optimiser_->objective_changed();
  }
  TotalLoss objective(losses_, weights_.factors(), network_.size(), loss_scale(options_.objective));
  seen_.report = optimiser_->step(objective, parameters_);
  set_losses_ = objective.set_losses;
  seen_.gram.resize(0, 0);
  seen_.combination = {};
  seen_.rate = 0;
  if (!parameters_.allFinite() || !std::isfinite(seen_.report.value))
    throw NumericalError("the loss is not finite" + (objective.trouble.empty() ? "" : ": " + objective.trouble));
}

bool Trainer::step() {
  if (!optimiser_ || (options_.seconds > 0 && seconds_ >= options_.seconds)) return false;
  const TrainPhase& phase = options_.phases[static_cast<size_t>(phase_)];
  if (phase_step_ >= phase.steps) {
    // The last phase keeps its optimiser, so that a finished run can be given more steps.
    if (phase_ + 1 == static_cast<Index>(options_.phases.size())) return false;
    end_phase("all steps taken");
    return step();
  }
  const double start = wall_seconds();
  try {
    const auto residual = [&](const PointSet& pool) {
      TaskLosses there(tasks_, network_);
      there.set_points({pool});
      return there.residuals(parameters_).front();
    };
    if (points_.update(step_, residual)) change_points();
    weights_.update_factors(step_, losses_, parameters_);
    if (optimiser_->first_order())
      first_order_step();
    else
      objective_step();
  } catch (const NumericalError& error) {
    throw NumericalError("training, step " + std::to_string(step_) + ": " + error.what());
  }
  seconds_ += wall_seconds() - start;
  if (step_ % options_.log_every == 0) record_step();
  ++step_;
  ++phase_step_;
  if (seen_.report.stopped) end_phase(seen_.report.reason);
  return true;
}

void Trainer::record(const std::string& name, double value) { record_at(step_, name, value); }

void Trainer::record_at(Index step, const std::string& name, double value) {
  auto& series = history_[name];
  series.steps.push_back(static_cast<double>(step));
  series.values.push_back(value);
}

void Trainer::record_step() {
  record("loss", set_losses_.size() > 0 ? set_losses_.dot(weights_.factors()) : seen_.report.value);
  for (Index s = 0; s < set_losses_.size(); ++s) {
    record("loss." + losses_.name(s), set_losses_[s]);
    record("factor." + losses_.name(s), weights_.factors()[s]);
  }
  record("gradient_norm", seen_.report.gradient_norm);
  record("step_norm", seen_.report.step_norm);
  if (seen_.rate > 0) record("learning_rate", seen_.rate);
  if (seen_.gram.size() > 1) {
    const Eigen::MatrixXd cosine = cosines(seen_.gram);
    for (Index i = 0; i < cosine.rows(); ++i) {
      record("gradient_norm." + std::to_string(i), std::sqrt(seen_.gram(i, i)));
      for (Index j = i + 1; j < cosine.rows(); ++j)
        record("cosine." + std::to_string(i) + "." + std::to_string(j), cosine(i, j));
    }
  }
  for (Index i = 0; i < seen_.combination.weights.size(); ++i)
    record("combiner_weight." + std::to_string(i), seen_.combination.weights[i]);
  for (Index i = 0; i < seen_.combination.angles.size(); ++i)
    record("angle." + std::to_string(i), seen_.combination.angles[i]);
  if (seen_.combination.angles.size() > 0) record("fallbacks", static_cast<double>(fallbacks_));
}

void Trainer::run(Progress& progress, const Monitor& monitor, const std::function<void(const Trainer&)>& checkpoint,
                  double checkpoint_seconds) {
  double last = wall_seconds();
  try {
    for (Index before = step_; step(); before = step_) {
      throw_if_stopped();
      if (before % options_.log_every != 0) continue;
      if (monitor)
        for (const auto& [name, value] : monitor(*this)) record_at(before, name, value);
      const double done = static_cast<double>(step_) / static_cast<double>(steps_planned());
      progress.update(options_.seconds > 0 ? std::max(done, seconds_ / options_.seconds) : done,
                      "step " + std::to_string(before) + ", loss " +
                          (history_.count("loss") ? scientific(history_.at("loss").values.back()) : "-"));
      if (checkpoint && wall_seconds() - last > checkpoint_seconds) {
        checkpoint(*this);
        last = wall_seconds();
      }
    }
  } catch (const Interrupted&) {
    if (checkpoint) checkpoint(*this);
    throw;
  }
}

State state_of(const std::map<std::string, Series>& history) {
  State state;
  for (const auto& [name, series] : history) {
    Eigen::MatrixXd columns(static_cast<Index>(series.steps.size()), 2);
    columns.col(0) = Eigen::Map<const Eigen::VectorXd>(series.steps.data(), columns.rows());
    columns.col(1) = Eigen::Map<const Eigen::VectorXd>(series.values.data(), columns.rows());
    state.set(name, columns);
  }
  return state;
}

std::map<std::string, Series> series_of(const State& state) {
  std::map<std::string, Series> history;
  for (const auto& [name, columns] : state.arrays()) {
    auto& series = history[name];
    series.steps.assign(columns.col(0).begin(), columns.col(0).end());
    series.values.assign(columns.col(1).begin(), columns.col(1).end());
  }
  return history;
}

State Trainer::state() const {
  State state;
  state.set("parameters", Eigen::MatrixXd(parameters_));
  state.set("step", static_cast<double>(step_));
  state.set("phase", static_cast<double>(phase_));
  state.set("phase_step", static_cast<double>(phase_step_));
  state.set("seconds", seconds_);
  state.set("fallbacks", static_cast<double>(fallbacks_));
  state.set("set_losses", Eigen::MatrixXd(set_losses_));
  state.set("combiner", combiner_->state());
  if (flat_combiner_) state.set("flat_combiner", flat_combiner_->state());
  if (optimiser_) state.set("optimiser", optimiser_->state());
  state.set("points", points_.state());
  state.set("weights", weights_.state());
  for (size_t s = 0; s < losses_.sets().size(); ++s)
    state.set("point_weights." + std::to_string(s), Eigen::MatrixXd(losses_.sets()[s].weights));
  state.set("history", state_of(history_));
  for (size_t i = 0; i < endings_.size(); ++i) state.set_text("endings." + std::to_string(i), endings_[i]);
  return state;
}

void Trainer::restore(const State& state) {
  parameters_ = state.vector("parameters");
  if (parameters_.size() != network_.size())
    throw InputError("the checkpoint has " + std::to_string(parameters_.size()) + " parameters, the network " +
                     std::to_string(network_.size()));
  step_ = static_cast<Index>(state.number("step"));
  phase_ = static_cast<Index>(state.number("phase"));
  begin_phase();
  phase_step_ = static_cast<Index>(state.number("phase_step"));
  seconds_ = state.number("seconds");
  fallbacks_ = static_cast<Index>(state.number("fallbacks"));
  set_losses_ = state.vector("set_losses");
  points_.restore(state.part("points"));
  change_points();
  combiner_->restore(state.part("combiner"));
  if (flat_combiner_) flat_combiner_->restore(state.part("flat_combiner"));
  if (optimiser_) optimiser_->restore(state.part("optimiser"));
  weights_.restore(state.part("weights"));
  for (size_t s = 0; s < losses_.sets().size(); ++s)
    losses_.set_weights(static_cast<Index>(s), state.vector("point_weights." + std::to_string(s)));
  history_ = series_of(state.part("history"));
  endings_.clear();
  const State endings = state.part("endings");
  for (const auto& [name, text] : endings.texts()) endings_.push_back(text);
}

}  // namespace torsor
