// Values written as text, with the types and rules that ConfigKey (solvers/cli/config.h) describes: for keys of a
// configuration and for options of methods.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace torsor {

/// Without blanks at the ends.
std::string trimmed(const std::string& text);

/// Each reader throws InputError with the broken rule alone ("must be an integer"); the caller adds key, value and place.
/// Reals may be constant formulas: 0.01/pi.
std::int64_t read_integer(const std::string& text);
double read_real(const std::string& text);
std::vector<double> read_reals(const std::string& text);
bool read_boolean(const std::string& text);

/// Whether the rule lets a value be "auto". Throws std::logic_error for a rule that cannot be read.
bool admits_auto(const std::string& rule);

/// Throws InputError with the rule that the value breaks, std::logic_error for a rule that cannot be read.
void check_value(const std::string& type, const std::string& rule, const std::string& value);

/// Throws std::logic_error, beginning with `what`, for an unknown type, a rule that cannot be read or does not fit the
/// type, and a default that breaks its own rule.
void check_declaration(const std::string& what, const std::string& type, const std::string& rule,
                       const std::string& default_value);

}  // namespace torsor
