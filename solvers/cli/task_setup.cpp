#include "solvers/cli/task_setup.h"

#include <algorithm>
#include <cmath>

#include "physics/error.h"

namespace torsor {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (const char c : text + ",") {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ',' && depth == 0) {
      const auto first = part.find_first_not_of(" \t"), last = part.find_last_not_of(" \t");
      if (first != std::string::npos) parts.push_back(part.substr(first, last - first + 1));
      part.clear();
    } else {
      part += c;
    }
  }
  return parts;
}

std::string last_part(const std::string& key) { return key.substr(key.find('.', key.find('.') + 1) + 1); }

double constant(const Config& config, const std::string& key, const std::string& text) {
  const Expression formula = Expression::parse(text);
  if (!formula.is_constant()) throw config.error(key, "must be a number or numbers separated by commas");
  return formula.constant_value();
}

const std::string kLogSpaced = "log_spaced(";

/// The values of log_spaced(low, high, n): low (high/low)^(i/(n-1)).
std::vector<double> log_spaced(const Config& config, const std::string& key, const std::string& text) {
  constexpr double kMost = 1e4;
  const auto parts = split(text.substr(kLogSpaced.size(), text.size() - kLogSpaced.size() - 1));
  std::vector<double> given;
  for (const auto& part : parts) given.push_back(constant(config, key, part));
  if (given.size() != 3 || !(given[0] > 0) || !(given[1] > given[0]) || !(given[2] >= 2 && given[2] <= kMost) ||
      given[2] != std::floor(given[2]))
    throw config.error(key, "log_spaced(low, high, n) needs 0 < low < high and a whole n >= 2");
  const auto n = static_cast<int>(given[2]);
  std::vector<double> values;
  for (int i = 0; i < n; ++i)
    values.push_back(i + 1 == n ? given[1] : given[0] * std::pow(given[1] / given[0], i / static_cast<double>(n - 1)));
  return values;
}

std::vector<double> parameter_values(const Config& config, const std::string& key) {
  std::vector<double> values;
  for (const auto& text : split(config.text(key))) {
    if (text.rfind(kLogSpaced, 0) == 0 && text.back() == ')')
      for (const double value : log_spaced(config, key, text)) values.push_back(value);
    else
      values.push_back(constant(config, key, text));
  }
  if (values.empty()) throw config.error(key, "must have at least one value");
  return values;
}

const std::vector<std::string>& equation_keys() {
  static const std::vector<std::string> keys{"problem.title",    "problem.coordinates", "problem.domain",
                                             "problem.unknowns", "problem.residual",    "problem.boundary",
                                             "problem.initial",  "problem.exact",       "problem.velocity"};
  return keys;
}

/// Calls use(name, key) for the plain key (with the given name) and for each KEY.NAME.
void for_each_named(const Config& config, const std::string& key, const std::string& plain_name,
                    const std::function<void(const std::string&, const std::string&)>& use) {
  if (config.has(key)) use(plain_name, key);
  for (const auto& named : config.keys_under(key)) use(last_part(named), named);
}

bool writes_equation(const Config& config) {
  return std::any_of(equation_keys().begin(), equation_keys().end(), [&](const std::string& key) {
    return config.has(key) || (key != "problem.title" && !config.keys_under(key).empty());
  });
}

void define_derived(const Config& config, ProblemBuilder& builder) {
  for (const auto& key : config.keys_under("problem.derived")) builder.derived(last_part(key), config.text(key));
}

void define_from_config(const Config& config, ProblemBuilder& builder) {
  constexpr double kAnything = 1e300;
  builder.title(config.has("problem.title") ? config.text("problem.title") : "equation of the configuration");
  for (const auto& key : config.keys_under("problem.parameter"))
    builder.parameter(last_part(key), parameter_values(config, key).front(), -kAnything, kAnything,
                      "given in the configuration");
  builder.coordinates(config.text("problem.coordinates"));
  builder.domain(config.text("problem.domain"));
  if (config.has("problem.velocity")) builder.velocity(config.text("problem.velocity"));
  for (const auto& field : split(config.text("problem.unknowns"))) builder.field(field);
  for (const auto& key : config.keys_under("problem.define")) builder.define(last_part(key), config.text(key));
  const auto fields = split(config.text("problem.unknowns"));
  for_each_named(config, "problem.exact", fields.empty() ? "" : fields.front(),
                 [&](const std::string& field, const std::string& key) { builder.exact(field, config.text(key)); });
  for_each_named(config, "problem.residual", "pde",
                 [&](const std::string& term, const std::string& key) { builder.residual(term, config.text(key)); });
  if (config.has("problem.boundary")) builder.boundary("bc", config.text("problem.boundary"));
  for (const auto& key : config.keys_under("problem.boundary")) {
    const std::string term = last_part(key), pieces = "problem.pieces." + term;
    builder.boundary(term, config.text(key), config.has(pieces) ? split(config.text(pieces)) : std::vector{term});
  }
  for_each_named(config, "problem.initial", "ic",
                 [&](const std::string& term, const std::string& key) { builder.initial(term, config.text(key)); });
  define_derived(config, builder);
}

void check_pieces_have_conditions(const Config& config) {
  for (const auto& key : config.keys_under("problem.pieces")) {
    const auto conditions = config.keys_under("problem.boundary");
    if (std::find(conditions.begin(), conditions.end(), "problem.boundary." + last_part(key)) == conditions.end())
      throw config.error(key, "there is no condition problem.boundary." + last_part(key));
  }
}

std::string task_name(const TaskInput& input, const std::vector<std::string>& varied, bool seeds) {
  std::string name;
  for (const auto& parameter : varied) {
    char value[32];
    std::snprintf(value, sizeof value, "%.6g", input.parameters.at(parameter));
    name += (name.empty() ? "" : ",") + parameter + "=" + value;
  }
  if (seeds || name.empty()) name += (name.empty() ? "seed=" : ",seed=") + std::to_string(input.seed);
  return name;
}

}  // namespace

ProblemDefinition problem_definition(const Config& config) {
  if (!config.has("problem.name")) throw InputError("problem.name is missing");
  const std::string name = config.text("problem.name");
  if (!writes_equation(config)) {
    ProblemDefinition definition = find_problem(name);
    definition.define = [config, define = definition.define](ProblemBuilder& builder) {
      define(builder);
      define_derived(config, builder);
    };
    return definition;
  }
  for (const auto& definition : problem_definitions())
    if (definition.name == name)
      throw config.error("problem.name", "is a shipped problem; an equation written in a configuration needs another name");
  check_pieces_have_conditions(config);
  return {name, "equation of the configuration",
          [config](ProblemBuilder& builder) { define_from_config(config, builder); }};
}

std::vector<Task> make_tasks(const Config& config) {
  const ProblemDefinition definition = problem_definition(config);
  std::vector<TaskInput> inputs{TaskInput{}};
  std::vector<std::string> varied;
  for (const auto& key : config.keys_under("problem.parameter")) {
    const auto values = parameter_values(config, key);
    if (values.size() > 1) varied.push_back(last_part(key));
    std::vector<TaskInput> product;
    for (const auto& input : inputs)
      for (const double value : values) {
        product.push_back(input);
        product.back().parameters[last_part(key)] = value;
      }
    inputs = std::move(product);
  }
  std::vector<Task> tasks;
  const auto seeds = config.integer("problem.tasks");
  for (const auto& input : inputs)
    for (std::int64_t i = 0; i < seeds; ++i) {
      Task task;
      task.input = input;
      task.input.seed = static_cast<uint64_t>(config.integer("problem.seed") + i);
      task.name = task_name(task.input, varied, seeds > 1);
      task.problem = make_problem(definition, task.input);
      tasks.push_back(std::move(task));
    }
  return tasks;
}

std::vector<HeadOptions::Constraints> hard_constraints(const Config& config, const std::vector<Task>& tasks) {
  for (const auto& key : config.keys_under("head.lift"))
    if (!config.has("head.hard_constraint." + last_part(key)))
      throw config.error(key, "needs head.hard_constraint." + last_part(key));
  std::vector<HeadOptions::Constraints> result(tasks.size());
  const auto keys = config.keys_under("head.hard_constraint");
  if (keys.empty()) return result;
  const ProblemDefinition definition = problem_definition(config);
  for (size_t t = 0; t < tasks.size(); ++t) {
    ProblemBuilder builder(definition.name, tasks[t].input);
    definition.define(builder);
    builder.build();
    for (const auto& key : keys) {
      const std::string unknown = last_part(key), lift = "head.lift." + unknown;
      const Expression factor = builder.in_coordinates(key, config.text(key));
      const std::string lift_text = config.has(lift) ? config.text(lift) : "0";
      for (auto& [field, value] : builder.value_of_unknown(lift, unknown, lift_text)) result[t][field] = {factor, value};
    }
  }
  return result;
}

void check_common_constraints(const std::vector<HeadOptions::Constraints>& constraints) {
  for (const auto& task : constraints)
    for (const auto& [field, constraint] : task) {
      const auto& first = constraints.front().at(field);
      if (constraint.factor.str() != first.factor.str() || constraint.lift.str() != first.lift.str())
        throw InputError("head.hard_constraint." + field + ": it or its lift differs between the tasks; solve them one by one");
    }
}

HeadOptions head_options(const Config& config, const std::vector<Task>& tasks) {
  HeadOptions options;
  const auto count = [&](const std::string& key) {
    return config.is_auto(key) ? Index{0} : static_cast<Index>(config.integer(key));
  };
  const auto number = [&](const std::string& key) { return config.is_auto(key) ? 0.0 : config.real(key); };
  options.body = {config.text("model.body"), config.text("model.activation"),
                  static_cast<Index>(config.integer("model.layers")), config.boolean("model.concatenate")};
  options.features = count("head.features");
  options.max_features = count("head.max_features");
  options.windows = count("head.windows");
  options.boundary_weight = number("head.boundary_weight");
  options.decay_rate = number("head.decay_rate");
  options.tolerance = number("head.tolerance");
  options.enrich = config.boolean("head.enrich");
  if (!config.is_auto("head.bandwidth")) {
    const auto values = config.reals("head.bandwidth");
    options.bandwidth = Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Index>(values.size()));
  }
  if (!config.is_auto("head.patches"))
    for (const double cells : config.reals("head.patches")) {
      if (cells != std::floor(cells)) throw config.error("head.patches", "must be whole numbers");
      options.patches.push_back(static_cast<Index>(cells));
    }
  options.collocation.sampler = config.text("head.sampler");
  options.collocation.interior = count("head.points");
  options.collocation.boundary = count("head.boundary_points");
  options.collocation.oversampling = config.real("head.oversampling");
  options.newton.max_iterations = static_cast<int>(config.integer("head.newton_iterations"));
  options.newton.tolerance = config.real("head.newton_tolerance");
  options.newton.least_squares.rcond = config.real("head.rcond");
  options.newton.least_squares.ridge = config.real("head.ridge");
  options.seed = static_cast<uint64_t>(config.integer("problem.seed"));
  options.constraints = hard_constraints(config, tasks).front();
  return options;
}

ReferenceOptions reference_options(const Config& config) {
  ReferenceOptions options;
  options.solver = config.text("reference.solver");
  options.tolerance = config.real("reference.tolerance");
  return options;
}

}  // namespace torsor
