#include "solvers/option.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "physics/error.h"

namespace torsor {
namespace {

// The whole text as a number, or false.
template <class Number>
bool read_number(const std::string& text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_yes(const std::string& text) {
  return text == "yes" || text == "true" || text == "on" || text == "1";
}

bool is_no(const std::string& text) {
  return text == "no" || text == "false" || text == "off" || text == "0";
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

double bound(std::string text) {
  std::erase(text, ' ');
  double value = 0;
  if (!read_number(text, value)) throw std::logic_error("'" + text + "' is no bound of an option");
  return value;
}

// "in [A, B]", with "(" or ")" where an end is excluded.
bool in_interval(double value, const std::string& interval) {
  const size_t comma = interval.find(',');
  if (interval.size() < 5 || comma == std::string::npos)
    throw std::logic_error("'" + interval + "' is no interval of an option");
  const double low = bound(interval.substr(1, comma - 1));
  const double high = bound(interval.substr(comma + 1, interval.size() - comma - 2));
  return (interval.front() == '[' ? value >= low : value > low) &&
         (interval.back() == ']' ? value <= high : value < high);
}

constexpr std::string_view kOrAuto = "auto or ";

bool keeps_bound(double value, const std::string& rule) {
  if (rule.starts_with(kOrAuto)) return keeps_bound(value, rule.substr(kOrAuto.size()));
  if (rule.empty()) return true;
  if (rule.starts_with("in ")) return in_interval(value, rule.substr(3));
  if (rule.starts_with(">=")) return value >= bound(rule.substr(2));
  if (rule.starts_with("<=")) return value <= bound(rule.substr(2));
  if (rule.starts_with(">")) return value > bound(rule.substr(1));
  if (rule.starts_with("<")) return value < bound(rule.substr(1));
  throw std::logic_error("the rule '" + rule + "' of an option cannot be read");
}

bool is_choice(const std::string& value, const std::string& rule) {
  const std::string start = "one of: ";
  if (!rule.starts_with(start)) throw std::logic_error("the rule '" + rule + "' of a choice cannot be read");
  const auto choices = split(rule.substr(start.size()), '|');
  return std::find(choices.begin(), choices.end(), value) != choices.end();
}

// The rule that the value breaks; empty: none.
std::string broken_rule(const Option& option, const std::string& value) {
  double real = 0;
  long integer = 0;
  if (value == "auto" && option.rule.starts_with(kOrAuto)) return "";
  if (option.type == "real") {
    if (!read_number(value, real) || !std::isfinite(real)) return "a finite number";
    return keeps_bound(real, option.rule) ? "" : option.rule;
  }
  if (option.type == "integer") {
    if (!read_number(value, integer)) return "an integer";
    return keeps_bound(static_cast<double>(integer), option.rule) ? "" : option.rule;
  }
  if (option.type == "boolean") return is_yes(value) || is_no(value) ? "" : "yes or no";
  if (option.type == "choice") return is_choice(value, option.rule) ? "" : option.rule;
  if (option.type == "text") return "";
  throw std::logic_error("the option '" + option.name + "' has the unknown type '" + option.type + "'");
}

}  // namespace

OptionValues::OptionValues(const std::vector<Option>& options) {
  for (const auto& option : options) {
    if (!broken_rule(option, option.default_value).empty())
      throw std::logic_error("the default of the option '" + option.name + "' breaks its rule");
    entries_[option.name] = {option, option.default_value};
  }
}

void OptionValues::set(const std::string& name, const std::string& value) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    std::vector<std::string> known;
    for (const auto& [key, entry] : entries_) known.push_back(key);
    throw InputError(unknown_name_message("option", name, known));
  }
  const std::string rule = broken_rule(found->second.option, value);
  if (!rule.empty()) throw InputError("the option '" + name + "' is '" + value + "', but must be " + rule);
  found->second.value = value;
}

const OptionValues::Entry& OptionValues::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw std::logic_error("the option '" + name + "' was not declared");
  return found->second;
}

double OptionValues::real(const std::string& name) const {
  double value = 0;
  read_number(entry(name).value, value);
  return value;
}

long OptionValues::integer(const std::string& name) const {
  long value = 0;
  read_number(entry(name).value, value);
  return value;
}

bool OptionValues::boolean(const std::string& name) const {
  return is_yes(entry(name).value);
}

const std::string& OptionValues::text(const std::string& name) const {
  return entry(name).value;
}

}  // namespace torsor
