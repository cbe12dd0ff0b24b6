// The configuration of a run: an INI file, checked key by key against a declared schema.
//
//   [head]                      # a comment runs to the end of the line
//   features = 2000             # the key head.features
//   [problem]
//   parameter.nu = 0.01/pi      # the key problem.parameter.nu, also nu under [problem.parameter]
//   residual.u = u_t + u*u_x \  # a backslash at the end joins the next line
//                = nu*u_xx      # values keep their '=' signs
//
// The lines are read by Boost.Program_options. Nothing is ignored: unknown sections and keys, repeated keys
// and values that break their key's rule are errors that name the key, the value, the rule, the file and the
// line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "physics/error.h"
#include "physics/expression.h"

namespace torsor {

/// One key of the configuration, or all keys below a prefix.
struct ConfigKey {
  /// "head.features", or "problem.parameter.*" for every problem.parameter.NAME.
  std::string name;
  /// text           anything
  /// integer        digits with an optional sign, within 64 bits
  /// real           a constant formula with a finite value: 1e-4, 0.01/pi
  /// boolean        true/false, yes/no, on/off, 1/0
  /// choice         one of the names of the rule
  /// list-of-reals  reals separated by commas
  /// expression     a formula (Expression::parse)
  /// equation       a formula or "lhs = rhs" (Expression::equation)
  std::string type;
  /// Used where the configuration does not give the key; empty: there is none.
  std::string default_value;
  std::string help;
  /// Empty, "auto", a bound ("< B", "<= B", "> B", ">= B"), an interval ("in [A, B]", with "(" or ")" where
  /// an end is excluded), or "one of: a|b|c"; a bound, an interval or a choice also as "auto or ...". Bounds
  /// hold for integers, reals and each entry of a list. "auto" admits the value auto.
  std::string rule = {};
};

/// The keys that a program knows. Declaring one twice, an unknown type, a rule that cannot be read or does
/// not fit the type, and a default that breaks its own rule throw std::logic_error.
class ConfigSchema {
 public:
  ConfigSchema() = default;
  explicit ConfigSchema(const std::vector<ConfigKey>& keys) { add(keys); }

  void add(const ConfigKey& key);
  void add(const std::vector<ConfigKey>& keys);

  const std::vector<ConfigKey>& keys() const { return keys_; }

  /// The declaration of a key: its own, else the longest pattern that covers it; nullptr when unknown.
  const ConfigKey* find(const std::string& name) const;

  /// All keys with type, default, rule and help, grouped by section in the order of declaration.
  std::string help() const;

 private:
  std::vector<ConfigKey> keys_;
};

class Config {
 public:
  /// Reads a file. Throws InputError when it is missing, a directory, unreadable, longer than 1 MiB or not
  /// text, and what `parse` throws.
  static Config read(const std::filesystem::path& path, const ConfigSchema& schema);

  /// Reads a text; `origin` is its name in messages. Throws InputError for lines that are neither a section
  /// nor a key, keys before the first section, unknown sections and keys (with the nearest known one),
  /// repeated keys, a continuation without a next line, and values that break their type or rule.
  static Config parse(const std::string& text, const std::string& origin, const ConfigSchema& schema);

  /// Overrides (or adds) one key by "section.key=value", as --set does; the last override counts. Throws
  /// InputError as `parse`, and for values that a file could not hold (with '#', line ends, or a backslash
  /// at the end).
  void set(const std::string& assignment);

  /// The value as written, or the default. All getters throw InputError when there is neither, and
  /// std::logic_error when the schema does not declare the key with that type.
  std::string text(const std::string& key) const;
  std::int64_t integer(const std::string& key) const;
  double real(const std::string& key) const;
  bool boolean(const std::string& key) const;
  std::vector<double> reals(const std::string& key) const;
  /// Of the types expression and equation (the latter as lhs - rhs).
  Expression expression(const std::string& key) const;

  /// Whether the value, given or default, is auto; the typed getters above throw std::logic_error then.
  bool is_auto(const std::string& key) const;

  /// Whether the configuration gives the key; defaults do not count. Throws std::logic_error for a key that
  /// is not declared, as is_auto does.
  bool has(const std::string& key) const;

  /// The given keys "prefix.NAME", whole, in the order they were given.
  std::vector<std::string> keys_under(const std::string& prefix) const;

  /// For checks that the schema cannot express: "KEY = VALUE (line 3 of FILE): PROBLEM".
  InputError error(const std::string& key, const std::string& problem) const;

  /// The given keys after overrides, by section: a configuration that reads back as this one.
  std::string text() const;

  const ConfigSchema& schema() const { return schema_; }

 private:
  struct Entry {
    std::string key;
    std::string value;
    std::string place;  // "line 12 of x.cfg" or "--set"
  };

  explicit Config(ConfigSchema schema) : schema_(std::move(schema)) {}

  static Entry read_entry(const std::string& section, const std::string& line, const std::string& place);
  static InputError broken(const Entry& entry, const std::string& problem);
  void check(const Entry& entry) const;
  const ConfigKey& declared(const std::string& key) const;
  const Entry* given(const std::string& key) const;
  Entry entry(const std::string& key) const;
  std::string typed(const std::string& key, const std::string& type) const;

  ConfigSchema schema_;
  std::vector<Entry> entries_;
};

}  // namespace torsor
