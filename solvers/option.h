// Options of methods that are chosen by name (combiners, optimisers): declared once beside the method, then keys of
// the configuration (train.METHOD.OPTION), with their rules checked, and part of `torsor describe METHOD`.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace torsor {

/// Type, default and rule are written as those of a ConfigKey (solvers/cli/config.h): "real", "0.5", "in [0, 1)";
/// "integer", "3", ">= 1"; "boolean", "yes"; "choice", "pairwise", "one of: pairwise|threshold|literal".
struct Option {
  std::string name, type, default_value, help, rule;
};

/// Values of a method's options, each its default unless set.
class OptionValues {
 public:
  OptionValues() = default;
  /// A default that breaks its own type or rule throws std::logic_error.
  explicit OptionValues(const std::vector<Option>& options);

  /// Throws InputError with option, value and rule for a name that was not declared (with the nearest that was), and
  /// for a text that breaks the option's type or rule. Reals may be
  /// constant formulas.
  void set(const std::string& name, const std::string& value);

  /// Throw std::logic_error for a name that was not declared.
  double real(const std::string& name) const;
  long integer(const std::string& name) const;
  bool boolean(const std::string& name) const;
  const std::string& text(const std::string& name) const;

 private:
  struct Entry {
    Option option;
    std::string value;
  };
  const Entry& entry(const std::string& name) const;

  std::map<std::string, Entry> entries_;
};

}  // namespace torsor
