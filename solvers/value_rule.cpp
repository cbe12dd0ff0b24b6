#include "solvers/value_rule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "physics/error.h"
#include "physics/expression.h"

namespace torsor {
namespace {

// In a function, so that schemas may be built before main.
const std::vector<std::string>& types() {
  static const std::vector<std::string> names = {"text",   "integer",       "real",       "boolean",
                                                 "choice", "list-of-reals", "expression", "equation"};
  return names;
}

bool contains(const std::vector<std::string>& list, const std::string& entry) {
  return std::find(list.begin(), list.end(), entry) != list.end();
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end = text.find(separator); end != std::string::npos; end = text.find(separator, begin)) {
    parts.push_back(trimmed(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  parts.push_back(trimmed(text.substr(begin)));
  return parts;
}

// At the commas that are not inside parentheses: "1, max(2, 3)" has two entries.
std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> entries(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == ',' && depth == 0) {
      entries.emplace_back();
    } else {
      entries.back() += c;
    }
  }
  for (auto& entry : entries) entry = trimmed(entry);
  return entries;
}

struct Rule {
  bool admits_auto = false;
  std::optional<double> low, high;
  bool low_included = true, high_included = true;
  std::vector<std::string> choices;
  std::string text;  // without "auto or"

  bool has_bounds() const { return low || high; }
  bool holds(double value) const {
    if (low && (low_included ? value < *low : value <= *low)) return false;
    return !(high && (high_included ? value > *high : value >= *high));
  }
};

[[noreturn]] void bad_rule(const std::string& text) {
  throw std::logic_error("the rule '" + text + "' cannot be read");
}

double bound(const std::string& text, const std::string& rule) {
  try {
    return Expression::parse(text).constant_value();
  } catch (const InputError&) {
    bad_rule(rule);
  }
}

void read_interval(const std::string& interval, Rule& rule) {
  const size_t comma = interval.find(',');
  if (interval.size() < 2 || comma == std::string::npos) bad_rule(rule.text);
  const char open = interval.front();
  const char close = interval.back();
  if ((open != '[' && open != '(') || (close != ']' && close != ')')) bad_rule(rule.text);
  rule.low_included = open == '[';
  rule.high_included = close == ']';
  rule.low = bound(interval.substr(1, comma - 1), rule.text);
  rule.high = bound(interval.substr(comma + 1, interval.size() - comma - 2), rule.text);
}

void read_bound(Rule& rule) {
  const bool included = rule.text.size() > 1 && rule.text[1] == '=';
  const double value = bound(rule.text.substr(included ? 2 : 1), rule.text);
  if (rule.text[0] == '>') {
    rule.low = value;
    rule.low_included = included;
  } else {
    rule.high = value;
    rule.high_included = included;
  }
}

Rule read_rule(const std::string& text) {
  const std::string automatic = "auto or ";
  const std::string interval = "in ";
  const std::string choice = "one of:";
  Rule rule;
  rule.admits_auto = text == "auto" || text.starts_with(automatic);
  if (text.empty() || text == "auto") return rule;
  rule.text = trimmed(rule.admits_auto ? text.substr(automatic.size()) : text);
  if (rule.text.starts_with(choice)) {
    rule.choices = split(rule.text.substr(choice.size()), '|');
    if (contains(rule.choices, "")) bad_rule(text);
  } else if (rule.text.starts_with(interval)) {
    read_interval(trimmed(rule.text.substr(interval.size())), rule);
  } else if (rule.text.starts_with('<') || rule.text.starts_with('>')) {
    read_bound(rule);
  } else {
    bad_rule(text);
  }
  return rule;
}

void check_choice(const std::string& value, const Rule& rule) {
  if (contains(rule.choices, value)) return;
  throw InputError("must be " + rule.text + "; did you mean '" + nearest_name(value, rule.choices) + "'?");
}

void check_bounds(double value, const Rule& rule) {
  if (!rule.holds(value)) throw InputError("must be " + rule.text);
}

}  // namespace

std::string trimmed(const std::string& text) {
  const char* const space = " \t\r\n";
  const size_t begin = text.find_first_not_of(space);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

std::int64_t read_integer(const std::string& text) {
  const char* begin = text.data() + (text.starts_with('+') && !text.starts_with("+-") ? 1 : 0);
  const char* end = text.data() + text.size();
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) throw InputError("must be an integer within 64 bits");
  if (error != std::errc() || stop != end) throw InputError("must be an integer");
  return value;
}

double read_real(const std::string& text) {
  double value = 0;
  try {
    value = Expression::parse(text).constant_value();
  } catch (const InputError& error) {
    throw InputError(std::string("must be a number or a constant formula: ") + error.what());
  }
  if (!std::isfinite(value)) throw InputError("must be a finite number");
  return value;
}

std::vector<double> read_reals(const std::string& text) {
  std::vector<double> values;
  for (const auto& entry : split_list(text)) {
    if (entry.empty()) throw InputError("must be numbers separated by commas, with none left out");
    values.push_back(read_real(entry));
  }
  return values;
}

bool read_boolean(const std::string& text) {
  if (contains({"true", "yes", "on", "1"}, text)) return true;
  if (contains({"false", "no", "off", "0"}, text)) return false;
  throw InputError("must be true or false (also yes/no, on/off, 1/0)");
}

bool admits_auto(const std::string& rule) { return read_rule(rule).admits_auto; }

void check_value(const std::string& type, const std::string& rule_text, const std::string& value) {
  const Rule rule = read_rule(rule_text);
  if (rule.admits_auto && value == "auto") return;
  try {
    if (type == "integer") check_bounds(static_cast<double>(read_integer(value)), rule);
    if (type == "real") check_bounds(read_real(value), rule);
    if (type == "list-of-reals") {
      for (const double entry : read_reals(value)) check_bounds(entry, rule);
    }
    if (type == "boolean") read_boolean(value);
    if (type == "choice") check_choice(value, rule);
    if (type == "expression") Expression::parse(value);
    if (type == "equation") Expression::equation(value);
  } catch (const InputError& error) {
    throw InputError((rule.admits_auto ? "unless it is auto, " : "") + std::string(error.what()));
  }
}

// Unknown types and rules that say nothing about their type are mistakes of the program.
void check_declaration(const std::string& what, const std::string& type, const std::string& rule_text,
                       const std::string& default_value) {
  const auto mistake = [&](const std::string& problem) { throw std::logic_error(what + ": " + problem); };
  if (!contains(types(), type)) mistake("unknown type '" + type + "'");
  const Rule rule = read_rule(rule_text);
  const bool numeric = type == "integer" || type == "real" || type == "list-of-reals";
  if (rule.has_bounds() && !numeric) mistake("bounds need numbers");
  if (rule.choices.empty() == (type == "choice")) mistake("'one of:' and the type choice go together");
  if (default_value.empty()) return;
  try {
    check_value(type, rule_text, default_value);
  } catch (const InputError& error) {
    mistake(std::string("its default breaks its rule: ") + error.what());
  }
}

}  // namespace torsor
