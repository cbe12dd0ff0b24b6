#include "solvers/cli/solution_store.h"

#include "operators/body_data.h"
#include "operators/decaying_body.h"
#include "operators/enrichment.h"
#include "physics/error.h"
#include "solvers/head/global_head.h"
#include "solvers/store/model_file.h"

namespace torsor {
namespace {

Array<double> vector_array(const Eigen::VectorXd& values) {
  return {{static_cast<long>(values.size())}, {values.data(), values.data() + values.size()}};
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> names;
  std::string name;
  for (const char c : text + ",") {
    if (c != ',') {
      name += c;
      continue;
    }
    if (!name.empty()) names.push_back(name);
    name.clear();
  }
  return names;
}

void write_body(const Body& body, ModelNode& node) {
  if (const auto* joined = dynamic_cast<const JoinedBody*>(&body)) {
    node.set("kind", "joined");
    node.set("parts", static_cast<std::int64_t>(joined->bodies().size()));
    for (size_t i = 0; i < joined->bodies().size(); ++i)
      write_body(*joined->bodies()[i], node.child("part" + std::to_string(i)));
    return;
  }
  if (const auto* decaying = dynamic_cast<const DecayingBody*>(&body)) {
    node.set("kind", decaying->kind());
    node.set("time", static_cast<std::int64_t>(decaying->time()));
    node.set("start", decaying->start());
    node.set("rate", decaying->rate());
    write_body(*decaying->body(), node.child("body"));
    return;
  }
  const BodyData data = describe_body(body);
  node.set("kind", data.kind);
  ModelNode& texts = node.child("text");
  for (const auto& [name, text] : data.text) texts.set(name, text);
  ModelNode& arrays = node.child("arrays");
  for (const auto& [name, array] : data.arrays)
    arrays.set(name, Array<double>{{array.first.begin(), array.first.end()}, array.second});
}

std::shared_ptr<const Body> read_body(const ModelNode& node) {
  const std::string kind = node.text("kind");
  if (kind == "joined") {
    std::vector<std::shared_ptr<const Body>> parts;
    for (std::int64_t i = 0; i < node.integer("parts"); ++i)
      parts.push_back(read_body(node.at("part" + std::to_string(i))));
    return std::make_shared<JoinedBody>(std::move(parts));
  }
  if (kind == "decaying")
    return std::make_shared<DecayingBody>(read_body(node.at("body")), static_cast<Index>(node.integer("time")),
                                          node.number("start"), node.number("rate"));
  BodyData data;
  data.kind = kind;
  for (const auto& entry : node.at("text").attributes()) data.text[entry.first] = node.at("text").text(entry.first);
  for (const auto& entry : node.at("arrays").arrays()) {
    const auto& array = node.at("arrays").numbers(entry.first);
    data.arrays[entry.first] = {{array.shape.begin(), array.shape.end()}, array.values};
  }
  return body_from_data(data);
}

void write_patchwork(const Patchwork& patchwork, ModelNode& node) {
  node.set("chain", static_cast<std::int64_t>(patchwork.chain_coordinate()));
  for (size_t i = 0; i < patchwork.axes().size(); ++i) {
    const auto& axis = patchwork.axes()[i];
    ModelNode& own = node.child("axis" + std::to_string(i));
    own.set("edges", Array<double>{{static_cast<long>(axis.edges().size())}, axis.edges()});
    own.set("periodic", static_cast<std::int64_t>(axis.periodic() ? 1 : 0));
  }
  for (Index p = 0; p < patchwork.patches(); ++p)
    write_body(patchwork.body(p), node.child("body" + std::to_string(patchwork.tensor_cell(p))));
}

std::shared_ptr<const Patchwork> read_patchwork(const ModelNode& node, size_t dimension) {
  std::vector<PartitionAxis> axes;
  size_t cells = 1;
  for (size_t i = 0; i < dimension; ++i) {
    const ModelNode& own = node.at("axis" + std::to_string(i));
    axes.emplace_back(own.numbers("edges").values, own.integer("periodic") != 0);
    cells *= static_cast<size_t>(axes.back().cells());
  }
  std::vector<std::shared_ptr<const Body>> bodies;
  for (size_t p = 0; p < cells; ++p) bodies.push_back(read_body(node.at("body" + std::to_string(p))));
  return std::make_shared<Patchwork>(std::move(axes), node.integer("chain"), std::move(bodies));
}

void write_window(const Window& window, const StoredModel& model, ModelNode& node) {
  node.set("start", window.start);
  node.set("end", window.end);
  node.set("head", vector_array(window.head));
  for (size_t f = 0; f < model.fields.size(); ++f) {
    ModelNode& field = node.child("field" + std::to_string(f));
    write_patchwork(window.ansatz->patchwork(static_cast<Index>(f)), field);
    if (window.ansatz->positive(static_cast<Index>(f))) field.set("positive", std::int64_t{1});
    const auto& constraint = window.ansatz->parts()[f].constraint;
    if (!constraint) continue;
    field.set("factor", constraint->factor_formula.str());
    field.set("lift", constraint->lift_formula.str());
  }
}

Window read_window(const ModelNode& node, const StoredModel& model) {
  Window window;
  window.start = node.number("start");
  window.end = node.number("end");
  const auto& head = node.numbers("head");
  window.head = Eigen::Map<const Eigen::VectorXd>(head.values.data(), static_cast<Index>(head.values.size()));
  std::vector<Ansatz::FieldPart> parts;
  for (size_t f = 0; f < model.fields.size(); ++f) {
    const ModelNode& field = node.at("field" + std::to_string(f));
    Ansatz::FieldPart part{read_patchwork(field, model.coordinates.size()), std::nullopt, field.has_attribute("positive")};
    if (field.has_attribute("factor"))
      part.constraint = formula_constraint(model.coordinates, Expression::parse(field.text("factor")),
                                           Expression::parse(field.text("lift")));
    parts.push_back(std::move(part));
  }
  window.ansatz = std::make_shared<Ansatz>(std::move(parts));
  if (window.head.size() != window.ansatz->columns())
    throw InputError(node.place() + ": the head has " + std::to_string(window.head.size()) + " numbers for " +
                     std::to_string(window.ansatz->columns()) + " features");
  return window;
}

void write_inputs(const StoredModel& model, ModelNode& root) {
  root.set("inputs", static_cast<std::int64_t>(model.inputs.size()));
  root.set("trained_heads", std::int64_t{model.trained_heads});
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    ModelNode& node = root.child("input" + std::to_string(i));
    node.set("name", model.inputs[i].name);
    node.set("low", model.inputs[i].low);
    node.set("high", model.inputs[i].high);
    node.set("logarithmic", std::int64_t{model.inputs[i].logarithmic});
  }
}

/// Nothing in files that were written before there were inputs.
void read_inputs(const ModelNode& root, StoredModel& model) {
  if (!root.has_attribute("inputs")) return;
  model.trained_heads = root.integer("trained_heads") != 0;
  for (std::int64_t i = 0; i < root.integer("inputs"); ++i) {
    const ModelNode& node = root.at("input" + std::to_string(i));
    model.inputs.push_back({node.text("name"), node.number("low"), node.number("high"), node.integer("logarithmic") != 0});
  }
}

}  // namespace

void write_solutions(const StoredModel& model, const std::string& path) {
  ModelNode root;
  root.set("problem", model.problem);
  root.set("coordinates", join(model.coordinates));
  root.set("fields", join(model.fields));
  root.set("boundary_weight", model.boundary_weight);
  write_inputs(model, root);
  root.set("tasks", static_cast<std::int64_t>(model.tasks.size()));
  for (size_t t = 0; t < model.tasks.size(); ++t) {
    ModelNode& task = root.child("task" + std::to_string(t));
    const auto& solution = model.tasks[t].solution;
    task.set("name", model.tasks[t].name);
    task.set("time", static_cast<std::int64_t>(solution.time()));
    task.set("windows", static_cast<std::int64_t>(solution.windows().size()));
    for (size_t w = 0; w < solution.windows().size(); ++w)
      write_window(solution.windows()[w], model, task.child("window" + std::to_string(w)));
  }
  write_model(root, path);
}

StoredModel read_solutions(const std::string& path) {
  const ModelNode root = read_model(path);
  StoredModel model;
  model.problem = root.text("problem");
  model.coordinates = split(root.text("coordinates"));
  model.fields = split(root.text("fields"));
  model.boundary_weight = root.number("boundary_weight");
  read_inputs(root, model);
  for (std::int64_t t = 0; t < root.integer("tasks"); ++t) {
    const ModelNode& task = root.at("task" + std::to_string(t));
    std::vector<Window> windows;
    for (std::int64_t w = 0; w < task.integer("windows"); ++w)
      windows.push_back(read_window(task.at("window" + std::to_string(w)), model));
    if (windows.empty()) throw InputError(task.place() + ": no windows");
    model.tasks.push_back({task.text("name"), Solution(task.integer("time"), std::move(windows))});
  }
  return model;
}

}  // namespace torsor
