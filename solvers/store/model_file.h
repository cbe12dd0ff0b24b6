// Files of named arrays, numbers and texts in a tree: bodies, encoders and heads (`model.h5`).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "solvers/store/hdf5_file.h"

namespace torsor {

inline const FileType kModelFileType{"torsor model", 1, 0};

/// One node of the tree. Reading a missing entry, or one of another kind, throws InputError that names the
/// file and the object. Setting an entry again replaces it.
class ModelNode {
 public:
  using Attribute = std::variant<double, std::int64_t, std::string>;
  using Entry = std::variant<Array<double>, Array<std::int64_t>>;

  explicit ModelNode(std::string place = "model") : place_(std::move(place)) {}

  // Filling. `child` makes the node when it is not there; names must not be empty or contain '/'.
  ModelNode& child(const std::string& name);
  void set(const std::string& name, double value) { put_attribute(name, value); }
  void set(const std::string& name, std::integral auto value) {
    put_attribute(name, static_cast<std::int64_t>(value));
  }
  void set(const std::string& name, std::string text) { put_attribute(name, std::move(text)); }
  void set(const std::string& name, const char* text) { put_attribute(name, std::string(text)); }
  void set(const std::string& name, Array<double> array) { put_array(name, std::move(array)); }
  void set(const std::string& name, Array<std::int64_t> array) { put_array(name, std::move(array)); }

  // Reading.
  const std::string& place() const { return place_; }  // "FILE:/path"
  bool has_child(const std::string& name) const { return children_.count(name) > 0; }
  bool has_attribute(const std::string& name) const { return attributes_.count(name) > 0; }
  bool has_array(const std::string& name) const { return arrays_.count(name) > 0; }
  const ModelNode& at(const std::string& child_name) const;
  double number(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  const Array<double>& numbers(const std::string& name) const;
  const Array<std::int64_t>& integers(const std::string& name) const;
  /// As numbers(name); throws InputError when the shape is another.
  const Array<double>& numbers(const std::string& name, const std::vector<long>& shape) const;

  const std::map<std::string, ModelNode>& children() const { return children_; }
  const std::map<std::string, Attribute>& attributes() const { return attributes_; }
  const std::map<std::string, Entry>& arrays() const { return arrays_; }

 private:
  void put_attribute(const std::string& name, Attribute value);
  void put_array(const std::string& name, Entry array);
  void check_name(const std::string& name) const;
  const Attribute& attribute(const std::string& name) const;
  const Entry& array(const std::string& name) const;

  std::string place_;
  std::map<std::string, ModelNode> children_;
  std::map<std::string, Attribute> attributes_;
  std::map<std::string, Entry> arrays_;
};

/// Writes the tree in one atomic step. Throws InputError when `path` cannot be written.
void write_model(const ModelNode& root, const std::string& path);

/// Reads the whole tree. Throws InputError when the file is missing, foreign, damaged or of a newer version.
ModelNode read_model(const std::string& path);

}  // namespace torsor
