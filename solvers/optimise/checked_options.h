// Options of an optimiser, read with their rules checked: "adam.b1 = 1.5 must be in [0, 1)".
#pragma once

#include <string>

#include "solvers/option.h"

namespace torsor {

/// Every function throws InputError for a value that breaks the rule it is named after, and for not finite ones.
class CheckedOptions {
 public:
  /// `values` must outlive the object.
  CheckedOptions(std::string method, const OptionValues& values) : method_(std::move(method)), values_(values) {}

  double positive(const std::string& name) const;
  double not_negative(const std::string& name) const;
  /// In [0, 1).
  double decay(const std::string& name) const;
  /// In (low, high).
  double between(const std::string& name, double low, double high) const;
  long at_least(const std::string& name, long least) const;
  bool boolean(const std::string& name) const { return values_.boolean(name); }
  /// One of `known`; throws with the nearest name otherwise.
  const std::string& choice(const std::string& name, const std::vector<std::string>& known) const;

 private:
  double real(const std::string& name, bool (*holds)(double), const char* rule) const;

  std::string method_;
  const OptionValues& values_;
};

}  // namespace torsor
