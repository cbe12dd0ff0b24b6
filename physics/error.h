// Errors with the exit code they stand for, and the "did you mean" search.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace torsor {

/// The input is wrong (exit code 2). The text names the key, the value and the rule that was broken.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The numerics failed: diverged, not converged, not finite (exit code 1). The text says what and where.
class NumericalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user asked to stop (Ctrl-C, SIGTERM); exit code 130.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A number for a message, to two digits: "4.9e-05", "0.0065".
std::string scientific(double value);

/// The entry of `known` with the smallest edit distance (Levenshtein, case-insensitive) to `name`;
/// empty when `known` is empty.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

/// "unknown KIND 'NAME'; did you mean 'NEAREST'? Known: a, b, c".
std::string unknown_name_message(const std::string& kind, const std::string& name,
                                 const std::vector<std::string>& known);

}  // namespace torsor
