#include "solvers/cli/train_setup.h"

#include <cmath>
#include <numeric>
#include <sstream>

#include "physics/error.h"
#include "solvers/combine/task_groups.h"
#include "solvers/value_rule.h"

namespace torsor {
namespace {

void add_options(const std::string& prefix, const std::vector<Option>& options, std::vector<ConfigKey>& keys) {
  for (const auto& option : options)
    keys.push_back({prefix + option.name, option.type, option.default_value, option.help, option.rule});
}

/// The options of one method: the defaults, and what the configuration gives below "prefix".
OptionValues values_of(const Config& config, const std::string& prefix, const std::vector<Option>& options) {
  OptionValues values(options);
  for (const auto& option : options) {
    const std::string key = prefix + option.name;
    if (config.has(key)) values.set(option.name, config.text(key));
  }
  return values;
}

std::vector<std::string> names(const std::string& list) {
  std::vector<std::string> result;
  std::istringstream stream(list);
  for (std::string name; std::getline(stream, name, ',');) result.push_back(trimmed(name));
  return result;
}

std::vector<Index> counts(const Config& config, const std::string& key) {
  std::vector<Index> result;
  for (const double value : config.reals(key)) {
    if (value != std::floor(value)) throw config.error(key, "must be whole numbers");
    result.push_back(static_cast<Index>(value));
  }
  return result;
}

Index count(const Config& config, const std::string& key) {
  return config.is_auto(key) ? 0 : static_cast<Index>(config.integer(key));
}

NetworkOptions network_options(const Config& config) {
  NetworkOptions options;
  if (config.is_auto("model.widths"))
    options.widths.assign(static_cast<size_t>(config.integer("model.layers")), 64);
  else
    options.widths = counts(config, "model.widths");
  options.activation = activation_from_name(config.text("model.activation"));
  const std::string skip = config.text("model.skip");
  options.skip = skip == "residual" ? Skip::residual : skip == "concatenate" ? Skip::concatenate : Skip::none;
  options.harmonics = static_cast<Index>(config.integer("model.harmonics"));
  options.modes = static_cast<Index>(config.integer("model.modes"));
  if (config.has("model.positive")) options.positive = names(config.text("model.positive"));
  options.task_inputs = config.text("model.task_inputs") == "heads" ? TaskInputs::heads : TaskInputs::parameters;
  options.velocity = velocity_shape_from_name(config.text("model.velocity"));
  options.products = static_cast<Index>(config.integer("model.products"));
  return options;
}

PointOptions point_options(const Config& config) {
  PointOptions options;
  options.interior = count(config, "train.points");
  options.boundary = count(config, "train.boundary_points");
  options.sampler = config.text("train.sampler");
  options.change = config.text("train.change");
  options.every = static_cast<Index>(config.integer("train.change_every"));
  options.added = count(config, "train.added");
  options.candidates = static_cast<Index>(config.integer("train.candidates"));
  options.power = config.real("train.rad_power");
  options.constant = config.real("train.rad_constant");
  options.time_grading = config.is_auto("train.time_grading") ? 0 : config.real("train.time_grading");
  return options;
}

LossWeightOptions weight_options(const Config& config) {
  LossWeightOptions options;
  options.factors = config.text("train.weights");
  for (const auto& key : config.keys_under("train.weight"))
    options.given[key.substr(std::string("train.weight.").size())] = config.real(key);
  options.every = static_cast<Index>(config.integer("train.weights_every"));
  options.points = config.text("train.point_weights");
  options.causal_epsilon = config.real("train.causal_epsilon");
  options.causal_slices = static_cast<Index>(config.integer("train.causal_slices"));
  options.rba_decay = config.real("train.rba_decay");
  options.rba_rate = config.real("train.rba_rate");
  options.ascent_rate = config.real("train.ascent_rate");
  return options;
}

std::vector<TrainPhase> phases(const Config& config) {
  const auto optimisers = names(config.text("train.optimiser"));
  const auto steps = counts(config, "train.steps");
  if (optimisers.size() != steps.size())
    throw config.error("train.steps", std::to_string(steps.size()) + " numbers for " +
                                          std::to_string(optimisers.size()) + " optimisers (train.optimiser)");
  std::vector<TrainPhase> result;
  for (size_t i = 0; i < steps.size(); ++i) {
    const OptimiserInfo& info = find_optimiser(optimisers[i]);
    result.push_back({info.name, values_of(config, "train." + info.name + ".", info.options), steps[i]});
  }
  return result;
}

}  // namespace

std::vector<ConfigKey> train_keys() {
  std::vector<ConfigKey> keys{
      {"model.widths", "list-of-reals", "auto", "hidden layers of a trained network; auto: model.layers of 64", "auto or in [1, 512]"},
      {"model.skip", "choice", "none", "skip connections of a trained network", "one of: none|residual|concatenate"},
      {"model.harmonics", "integer", "1", "cosines and sines of a periodic coordinate in a trained network", "in [1, 64]"},
      {"model.modes", "integer", "0",
       "harmonics of a periodic coordinate as factors, sum_k e_k(x) a_k(t): a trained network of the other coordinates has an "
       "output for each; 0: model.harmonics as inputs", "in [0, 64]"},
      {"model.task_inputs", "choice", "heads", "how a task enters: a head of its own, or its parameters as inputs",
       "one of: heads|parameters"},
      {"model.velocity", "choice", "moments",
       "how an unknown of the velocity is made: an output for each moment, products a_k(x) b_k(v), or the velocity as an input, at every node",
       "one of: moments|products|nodes"},
      {"model.products", "integer", "8", "products of an unknown of the velocity", ">= 1"},

      {"model.positive", "text", "", "trained fields that are positive, u = exp(network), separated by commas"},

      {"train.steps", "list-of-reals", "0", "steps of each optimiser; 0: nothing is trained", ">= 0"},
      {"train.optimiser", "text", "adam", "optimisers one after the other, separated by commas (torsor list optimisers)"},
      {"train.windows", "integer", "1", "time windows of equal length, trained one after the other", ">= 1"},
      {"train.combiner", "text", "ls", "how first-order optimisers combine gradients (torsor list combiners)"},
      {"train.gradients", "choice", "auto",
       "what has a gradient of its own; auto: tasks where there are several, else terms; place: interior, boundary and "
       "initial terms; conditions: equations and conditions",
       "one of: auto|task|term|both|place|conditions"},
      {"train.tasks_per_step", "integer", "auto",
       "tasks in a step of a first-order method, one of each stratum of the sorted parameters; auto: all", "auto or >= 1"},
      {"train.objective", "choice", "loss", "what quasi-Newton methods minimise: the loss, its root or its logarithm",
       "one of: loss|root|logarithm"},
      {"train.head", "choice", "trained", "heads trained, or solved in closed form in every step",
       "one of: trained|closed-form"},
      {"train.resolve", "boolean", "no", "solve the heads again on the features of all trained hidden layers"},
      {"train.seconds", "real", "0", "most seconds of training; 0: no limit", ">= 0"},
      {"train.seed", "integer", "auto", "seed of weights and points; auto: problem.seed", "auto or >= 0"},
      {"train.points", "integer", "auto", "interior points of each task", "auto or >= 1"},
      {"train.boundary_points", "integer", "auto", "points on the boundary and on the initial face", "auto or >= 1"},
      {"train.sampler", "choice", "sobol", "how points are spread", "one of: auto|grid|grid-ends|uniform|latin|sobol"},
      {"train.time_grading", "real", "auto",
       "points denser early: t = s^p in the first window, s spread evenly; auto: 2 for kinetic equations, else 1",
       "auto or >= 1"},
      {"train.change", "choice", "fixed", "how points change: drawn again, refined (rar), redistributed (rad)",
       "one of: fixed|resampled|rar|rad"},
      {"train.change_every", "integer", "1000", "steps between changes of the points", ">= 1"},
      {"train.added", "integer", "auto", "points that rar adds", "auto or >= 1"},
      {"train.candidates", "integer", "10", "candidates for each interior point, of rar and rad", ">= 2"},
      {"train.rad_power", "real", "1", "k of rad", ">= 0"},
      {"train.rad_constant", "real", "1", "c of rad", ">= 0"},
      {"train.weights", "choice", "fixed", "factors of the terms: as given, or times those of the tangent kernel",
       "one of: fixed|ntk"},
      {"train.weight.*", "real", "1", "factor of a term", "> 0"},
      {"train.weights_every", "integer", "1000", "steps between new factors, 0: at the start only; and between new point weights of quasi-Newton methods", ">= 0"},
      {"train.point_weights", "choice", "none", "weights of the points", "one of: none|causal|rba|self-adaptive"},
      {"train.causal_epsilon", "real", "1", "how much later times wait for earlier ones", "> 0"},
      {"train.causal_slices", "integer", "32", "slices of time", ">= 2"},
      {"train.rba_decay", "real", "0.999", "decay of residual-based attention", "in [0, 1)"},
      {"train.rba_rate", "real", "0.01", "rate of residual-based attention", "> 0"},
      {"train.ascent_rate", "real", "0.01", "rate of self-adaptive weights", "> 0"},
      {"train.flat_radius", "real", "0", "radius of flat-region (sharpness-aware) steps; 0: none", ">= 0"},
      {"train.moving_share", "real", "1", "share of the shared neurons that move (sparse training)", "in (0, 1]"},
      {"train.task_moments", "boolean", "no", "combine first moments of each task's gradient"},
      {"train.task_groups", "boolean", "no", "tasks that disagree take turns (graph colouring)"},
      {"train.log_every", "integer", "20", "steps between entries of the history", ">= 1"},
      {"train.checkpoint_seconds", "real", "60", "seconds between checkpoints", ">= 0"},
  };
  add_options("train.learning_rate.", schedule_options(), keys);
  add_options("train.task_groups.", task_group_options(), keys);
  for (const auto& combiner : combiners()) add_options("train." + combiner.name + ".", combiner.options, keys);
  for (const auto& optimiser : optimisers()) add_options("train." + optimiser.name + ".", optimiser.options, keys);
  return keys;
}

bool trains(const Config& config) {
  const auto steps = config.reals("train.steps");
  return std::accumulate(steps.begin(), steps.end(), 0.0) > 0;
}

TrainOptions train_options(const Config& config) {
  TrainOptions options;
  options.seed = static_cast<uint64_t>(config.integer(config.is_auto("train.seed") ? "problem.seed" : "train.seed"));
  options.network = network_options(config);
  options.network.seed = options.seed;
  options.points = point_options(config);
  options.points.seed = options.seed;
  options.weights = weight_options(config);
  options.phases = phases(config);
  options.schedule = make_schedule(values_of(config, "train.learning_rate.", schedule_options()), 1'000'000'000);
  const CombinerInfo& combiner = find_combiner(config.text("train.combiner"));
  options.combiner = combiner.name;
  options.combiner_options = values_of(config, "train." + combiner.name + ".", combiner.options);
  options.task_moments = config.boolean("train.task_moments");
  options.task_groups = config.boolean("train.task_groups");
  options.task_group_options = values_of(config, "train.task_groups.", task_group_options());
  options.gradients = config.text("train.gradients");
  options.tasks_per_step = count(config, "train.tasks_per_step");
  options.objective = config.text("train.objective");
  options.solve_heads = config.text("train.head") == "closed-form";
  options.flat_radius = config.real("train.flat_radius");
  options.moving_share = config.real("train.moving_share");
  options.seconds = config.real("train.seconds");
  options.log_every = static_cast<Index>(config.integer("train.log_every"));
  return options;
}

}  // namespace torsor
