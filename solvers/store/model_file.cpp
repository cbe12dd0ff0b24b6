#include "solvers/store/model_file.h"

#include <numeric>
#include <stdexcept>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr int kDeepest = 64;  // a damaged file may hold a group that contains itself

void write_node(const ModelNode& node, Hdf5Group group) {
  for (const auto& [name, value] : node.attributes())
    std::visit([&, &key = name](const auto& v) { group.set(key, v); }, value);
  for (const auto& [name, entry] : node.arrays())
    std::visit([&, &key = name](const auto& a) { group.write(key, a.values.data(), a.shape); }, entry);
  for (const auto& [name, child] : node.children()) write_node(child, group.create_group(name));
}

void read_attributes(const Hdf5Group& group, ModelNode& node) {
  for (const std::string& name : group.attributes()) {
    switch (group.attribute_kind(name)) {
      case Hdf5Object::Kind::number:
        node.set(name, group.number(name));
        break;
      case Hdf5Object::Kind::integer:
        node.set(name, group.integer(name));
        break;
      case Hdf5Object::Kind::text:
        node.set(name, group.text(name));
        break;
    }
  }
}

void read_arrays(const Hdf5Group& group, ModelNode& node) {
  for (const std::string& name : group.datasets()) {
    if (group.dataset_kind(name) == Hdf5Object::Kind::integer)
      node.set(name, group.read<std::int64_t>(name));
    else
      node.set(name, group.read<double>(name));
  }
}

void read_node(const Hdf5Group& group, ModelNode& node, int depth) {
  if (depth > kDeepest) throw InputError(group.place() + ": the groups are nested too deeply");
  read_attributes(group, node);
  read_arrays(group, node);
  for (const std::string& name : group.groups()) read_node(group.group(name), node.child(name), depth + 1);
}

std::string shape_text(const std::vector<long>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

}  // namespace

void ModelNode::check_name(const std::string& name) const {
  if (name.empty() || name == "." || name.find('/') != std::string::npos)
    throw std::invalid_argument(place_ + ": '" + name + "' cannot name an entry");
}

ModelNode& ModelNode::child(const std::string& name) {
  check_name(name);
  if (has_array(name)) throw std::invalid_argument(place_ + ": '" + name + "' is an array already");
  return children_.try_emplace(name, place_ + (place_.back() == '/' ? "" : "/") + name).first->second;
}

void ModelNode::put_attribute(const std::string& name, Attribute value) {
  check_name(name);
  attributes_.insert_or_assign(name, std::move(value));
}

void ModelNode::put_array(const std::string& name, Entry entry) {
  check_name(name);
  if (has_child(name)) throw std::invalid_argument(place_ + ": '" + name + "' is a node already");
  std::visit(
      [&](const auto& a) {
        const long n = std::accumulate(a.shape.begin(), a.shape.end(), 1L, std::multiplies<>());
        if (n != static_cast<long>(a.values.size()))
          throw std::invalid_argument(place_ + ": array '" + name + "' has " +
                                      std::to_string(a.values.size()) + " values for the shape " +
                                      shape_text(a.shape));
      },
      entry);
  arrays_.insert_or_assign(name, std::move(entry));
}

const ModelNode& ModelNode::at(const std::string& child_name) const {
  const auto found = children_.find(child_name);
  if (found == children_.end()) throw InputError(place_ + ": group '" + child_name + "' is missing");
  return found->second;
}

const ModelNode::Attribute& ModelNode::attribute(const std::string& name) const {
  const auto found = attributes_.find(name);
  if (found == attributes_.end()) throw InputError(place_ + ": attribute '" + name + "' is missing");
  return found->second;
}

const ModelNode::Entry& ModelNode::array(const std::string& name) const {
  const auto found = arrays_.find(name);
  if (found == arrays_.end()) throw InputError(place_ + ": dataset '" + name + "' is missing");
  return found->second;
}

double ModelNode::number(const std::string& name) const {
  const Attribute& value = attribute(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  throw InputError(place_ + ": attribute '" + name + "' must hold a number");
}

std::int64_t ModelNode::integer(const std::string& name) const {
  if (const auto* value = std::get_if<std::int64_t>(&attribute(name))) return *value;
  throw InputError(place_ + ": attribute '" + name + "' must hold an integer");
}

const std::string& ModelNode::text(const std::string& name) const {
  if (const auto* value = std::get_if<std::string>(&attribute(name))) return *value;
  throw InputError(place_ + ": attribute '" + name + "' must hold text");
}

const Array<double>& ModelNode::numbers(const std::string& name) const {
  if (const auto* found = std::get_if<Array<double>>(&array(name))) return *found;
  throw InputError(place_ + ": dataset '" + name + "' must hold floating-point numbers");
}

const Array<double>& ModelNode::numbers(const std::string& name, const std::vector<long>& shape) const {
  const Array<double>& found = numbers(name);
  if (found.shape != shape)
    throw InputError(place_ + ": dataset '" + name + "' must have the shape " + shape_text(shape) + ", not " +
                     shape_text(found.shape));
  return found;
}

const Array<std::int64_t>& ModelNode::integers(const std::string& name) const {
  if (const auto* found = std::get_if<Array<std::int64_t>>(&array(name))) return *found;
  throw InputError(place_ + ": dataset '" + name + "' must hold integers");
}

void write_model(const ModelNode& root, const std::string& path) {
  Hdf5File file = Hdf5File::create(path, kModelFileType);
  // Below a group of its own: the root's attributes say what the file is.
  write_node(root, file.root().create_group("model"));
  file.save();
}

ModelNode read_model(const std::string& path) {
  const Hdf5File file = Hdf5File::open(path, kModelFileType);
  const Hdf5Group group = file.root().group("model");
  ModelNode root(group.place());
  read_node(group, root, 0);
  return root;
}

}  // namespace torsor
