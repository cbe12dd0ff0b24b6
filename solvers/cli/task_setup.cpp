#include "solvers/cli/task_setup.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "physics/error.h"
#include "physics/random.h"
#include "problems/transport_equation.h"

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
  if (!formula.is_constant())
    throw config.error(key, "must be a number, numbers separated by commas, log_spaced(low, high, n), uniform(low, high) or "
                            "log_uniform(low, high)");
  return formula.constant_value();
}

/// "NAME(number, number, ...)" of one of the generators of values, or nothing.
struct Generator {
  std::string name;
  std::vector<double> numbers;
};

std::optional<Generator> generator_of(const Config& config, const std::string& key, const std::string& text) {
  const auto open = text.find('(');
  if (open == std::string::npos || text.back() != ')') return std::nullopt;
  Generator generator{text.substr(0, text.find_last_not_of(" \t", open - 1) + 1), {}};
  const bool spaced = generator.name == "log_spaced";
  if (!spaced && generator.name != "uniform" && generator.name != "log_uniform") return std::nullopt;
  const std::string form = generator.name + (spaced ? "(low, high, n)" : "(low, high)");
  for (const auto& part : split(text.substr(open + 1, text.size() - open - 2)))
    generator.numbers.push_back(constant(config, key, part));
  const auto& numbers = generator.numbers;
  if (numbers.size() != (spaced ? 3 : 2)) throw config.error(key, form + " takes " + (spaced ? "three" : "two") + " numbers");
  if (!(numbers[0] < numbers[1])) throw config.error(key, form + " needs low < high");
  if (generator.name != "uniform" && !(numbers[0] > 0)) throw config.error(key, form + " needs low > 0");
  return generator;
}

/// The values of log_spaced(low, high, n): low (high/low)^(i/(n-1)).
std::vector<double> log_spaced(const Config& config, const std::string& key, const Generator& generator) {
  constexpr double kMost = 1e4;
  const double low = generator.numbers[0], high = generator.numbers[1], count = generator.numbers[2];
  if (!(count >= 2 && count <= kMost) || count != std::floor(count))
    throw config.error(key, "log_spaced(low, high, n) needs a whole n >= 2");
  const auto n = static_cast<int>(count);
  std::vector<double> values;
  for (int i = 0; i < n; ++i)
    values.push_back(i + 1 == n ? high : low * std::pow(high / low, i / static_cast<double>(n - 1)));
  return values;
}

// The stream of a task's seed that belongs to a parameter: by name, so that others may come and go.
uint64_t parameter_stream(uint64_t seed, const std::string& name) {
  uint64_t stream = 0;
  for (const char c : name) stream = stream_seed(stream, static_cast<unsigned char>(c));
  return stream_seed(seed, stream);
}

double drawn(const Generator& generator, uint64_t seed, const std::string& key) {
  Random random(parameter_stream(seed, last_part(key)));
  const double low = generator.numbers[0], high = generator.numbers[1];
  if (generator.name == "uniform") return random.uniform(low, high);
  return std::exp(random.uniform(std::log(low), std::log(high)));
}

// The values of a parameter for the tasks of one seed.
std::vector<double> parameter_values(const Config& config, const std::string& key, uint64_t seed) {
  std::vector<double> values;
  for (const auto& text : split(config.text(key))) {
    const auto generator = generator_of(config, key, text);
    if (!generator) values.push_back(constant(config, key, text));
    else if (generator->name != "log_spaced") values.push_back(drawn(*generator, seed, key));
    else for (const double value : log_spaced(config, key, *generator)) values.push_back(value);
  }
  if (values.empty()) throw config.error(key, "must have at least one value");
  return values;
}

const std::vector<std::string>& equation_keys() {
  static const std::vector<std::string> keys{"problem.title",    "problem.coordinates", "problem.domain",
                                             "problem.unknowns", "problem.residual",    "problem.boundary",
                                             "problem.initial",  "problem.exact",       "problem.velocity",
                                             "problem.transport"};
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
  if (config.has("problem.conserved"))
    for (const auto& quantity : split(config.text("problem.conserved"))) builder.conserved(quantity);
}

// The equation of a medium, where problem.transport names the unknowns of it.
std::optional<TransportEquation> transport_equation(const Config& config) {
  const std::vector<std::string> medium{"problem.knudsen", "problem.scattering", "problem.absorption",
                                        "problem.source"};
  if (!config.has("problem.transport")) {
    for (const auto& key : medium)
      if (config.has(key)) throw config.error(key, "needs problem.transport");
    return std::nullopt;
  }
  for (const std::string key : {"problem.unknowns", "problem.residual"})
    if (config.has(key) || !config.keys_under(key).empty())
      throw config.error("problem.transport", "writes unknowns and residuals itself; " + key + " must not be given");
  if (config.has("problem.exact"))
    throw config.error("problem.exact", "with problem.transport name the unknown: exact.rho");
  return TransportEquation(config.text("problem.transport"), {config.text(medium[0]), config.text(medium[1]),
                                                              config.text(medium[2]), config.text(medium[3])});
}

void define_unknowns(const Config& config, ProblemBuilder& builder) {
  const auto fields = split(config.text("problem.unknowns"));
  for (const auto& field : fields) builder.field(field);
  for_each_named(config, "problem.residual", "pde",
                 [&](const std::string& term, const std::string& key) { builder.residual(term, config.text(key)); });
  if (config.has("problem.exact")) builder.exact(fields.empty() ? "" : fields.front(), config.text("problem.exact"));
}

void define_boundary(const Config& config, const std::optional<TransportEquation>& transport, ProblemBuilder& builder) {
  const auto add = [&](const std::string& term, const std::string& key, std::vector<std::string> pieces) {
    if (transport) transport->boundary(builder, term, config.text(key), std::move(pieces));
    else builder.boundary(term, config.text(key), std::move(pieces));
  };
  if (config.has("problem.boundary")) add("bc", "problem.boundary", {});
  for (const auto& key : config.keys_under("problem.boundary")) {
    const std::string term = last_part(key), pieces = "problem.pieces." + term;
    add(term, key, config.has(pieces) ? split(config.text(pieces)) : std::vector{term});
  }
}

void define_initial(const Config& config, const std::optional<TransportEquation>& transport, ProblemBuilder& builder) {
  if (transport && !config.keys_under("problem.initial").empty())
    throw config.error(config.keys_under("problem.initial").front(),
                       "with problem.transport there is one: problem.initial = f = DATA");
  for_each_named(config, "problem.initial", "ic", [&](const std::string& term, const std::string& key) {
    if (transport) transport->initial(builder, config.text(key));
    else builder.initial(term, config.text(key));
  });
}

void define_from_config(const Config& config, ProblemBuilder& builder) {
  constexpr double kAnything = 1e300;
  const auto transport = transport_equation(config);
  builder.title(config.has("problem.title") ? config.text("problem.title") : "equation of the configuration");
  for (const auto& key : config.keys_under("problem.parameter"))
    builder.parameter(last_part(key), parameter_values(config, key, builder.seed()).front(), -kAnything, kAnything,
                      "given in the configuration");
  builder.coordinates(config.text("problem.coordinates"));
  builder.domain(config.text("problem.domain"));
  if (config.has("problem.velocity")) builder.velocity(config.text("problem.velocity"));
  for (const auto& key : config.keys_under("problem.define")) builder.define(last_part(key), config.text(key));
  if (transport) transport->declare(builder);
  else define_unknowns(config, builder);
  for (const auto& key : config.keys_under("problem.exact")) builder.exact(last_part(key), config.text(key));
  define_boundary(config, transport, builder);
  define_initial(config, transport, builder);
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

namespace {

// The product of the parameters' values, which a seed may draw.
std::vector<TaskInput> inputs_of_seed(const Config& config, uint64_t seed) {
  std::vector<TaskInput> inputs{TaskInput{{}, seed}};
  for (const auto& key : config.keys_under("problem.parameter")) {
    std::vector<TaskInput> product;
    for (const auto& input : inputs)
      for (const double value : parameter_values(config, key, seed)) {
        product.push_back(input);
        product.back().parameters[last_part(key)] = value;
      }
    inputs = std::move(product);
  }
  return inputs;
}

std::vector<std::string> varied_parameters(const Config& config) {
  std::vector<std::string> varied;
  for (const auto& key : config.keys_under("problem.parameter"))
    if (parameter_values(config, key, 0).size() > 1) varied.push_back(last_part(key));
  return varied;
}

}  // namespace

std::vector<Task> make_tasks(const Config& config) {
  const ProblemDefinition definition = problem_definition(config);
  const auto seeds = config.integer("problem.tasks");
  const auto varied = varied_parameters(config);
  std::vector<std::vector<TaskInput>> of_seeds;
  for (std::int64_t i = 0; i < seeds; ++i)
    of_seeds.push_back(inputs_of_seed(config, static_cast<uint64_t>(config.integer("problem.seed") + i)));
  std::vector<Task> tasks;
  for (size_t k = 0; k < of_seeds.front().size(); ++k)
    for (const auto& inputs : of_seeds) {
      Task task;
      task.input = inputs[k];
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
