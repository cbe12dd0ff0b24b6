#include "solvers/cli/config.h"

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <charconv>
#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>

namespace torsor {
namespace {

constexpr size_t max_file_size = size_t{1} << 20;

// In a function, so that schemas may be built before main.
const std::vector<std::string>& types() {
  static const std::vector<std::string> names = {"text",   "integer",       "real",       "boolean",
                                                 "choice", "list-of-reals", "expression", "equation"};
  return names;
}

bool contains(const std::vector<std::string>& list, const std::string& entry) {
  return std::find(list.begin(), list.end(), entry) != list.end();
}

std::string trimmed(const std::string& text) {
  const char* const space = " \t\r\n";
  const size_t begin = text.find_first_not_of(space);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(space) - begin + 1);
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

bool is_pattern(const std::string& name) {
  return name.ends_with(".*");
}
std::string pattern_prefix(const std::string& name) {
  return name.substr(0, name.size() - 1);
}
std::string section_of(const std::string& name) {
  return name.substr(0, name.find('.'));
}

// ---------------------------------------------------------------------------------------------------------
// Rules

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

// ---------------------------------------------------------------------------------------------------------
// Values: each reader throws InputError with the broken rule alone; the caller adds key, value and place

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

void check_choice(const std::string& value, const Rule& rule) {
  if (contains(rule.choices, value)) return;
  throw InputError("must be " + rule.text + "; did you mean '" + nearest_name(value, rule.choices) + "'?");
}

void check_bounds(double value, const Rule& rule) {
  if (!rule.holds(value)) throw InputError("must be " + rule.text);
}

void check_value(const ConfigKey& key, const std::string& value) {
  const Rule rule = read_rule(key.rule);
  if (rule.admits_auto && value == "auto") return;
  try {
    if (key.type == "integer") check_bounds(static_cast<double>(read_integer(value)), rule);
    if (key.type == "real") check_bounds(read_real(value), rule);
    if (key.type == "list-of-reals") {
      for (const double entry : read_reals(value)) check_bounds(entry, rule);
    }
    if (key.type == "boolean") read_boolean(value);
    if (key.type == "choice") check_choice(value, rule);
    if (key.type == "expression") Expression::parse(value);
    if (key.type == "equation") Expression::equation(value);
  } catch (const InputError& error) {
    throw InputError((rule.admits_auto ? "unless it is auto, " : "") + std::string(error.what()));
  }
}

// Unknown types and rules that say nothing about their type are mistakes of the program.
void check_declaration(const ConfigKey& key) {
  const auto mistake = [&](const std::string& problem) {
    throw std::logic_error("configuration key '" + key.name + "': " + problem);
  };
  if (key.name.find('.') == std::string::npos) mistake("needs a section");
  if (!contains(types(), key.type)) mistake("unknown type '" + key.type + "'");
  const Rule rule = read_rule(key.rule);
  const bool numeric = key.type == "integer" || key.type == "real" || key.type == "list-of-reals";
  if (rule.has_bounds() && !numeric) mistake("bounds need numbers");
  if (rule.choices.empty() == (key.type == "choice")) mistake("'one of:' and the type choice go together");
  if (key.default_value.empty()) return;
  try {
    check_value(key, key.default_value);
  } catch (const InputError& error) {
    mistake(std::string("its default breaks its rule: ") + error.what());
  }
}

// ---------------------------------------------------------------------------------------------------------
// Lines

struct Line {
  std::string text;
  int number = 0;  // of the first line of a continued one
};

// Lines without comments, continued ones joined. A comment goes before the backslash is looked for, so that
// a comment can follow it and cannot end in one.
std::vector<Line> logical_lines(const std::string& text, const std::string& origin) {
  std::vector<Line> lines;
  std::istringstream stream(text);
  std::string physical;
  bool continued = false;
  for (int number = 1; std::getline(stream, physical); ++number) {
    std::string content = trimmed(physical.substr(0, physical.find('#')));
    if (!continued) lines.push_back({"", number});
    continued = content.ends_with('\\');
    if (continued) content = trimmed(content.substr(0, content.size() - 1));
    std::string& joined = lines.back().text;
    joined += (joined.empty() || content.empty() ? "" : " ") + content;
  }
  if (continued) {
    throw InputError("line " + std::to_string(lines.back().number) + " of " + origin +
                     " ends in a backslash, but no line follows");
  }
  return lines;
}

void check_is_text(const std::string& content, const std::string& origin) {
  for (size_t i = 0; i < content.size(); ++i) {
    const auto c = static_cast<unsigned char>(content[i]);
    if (c >= 0x20 || c == '\t' || c == '\r' || c == '\n') continue;
    throw InputError("cannot read " + origin + ": not a text file (byte " + std::to_string(i) +
                     " is a control character)");
  }
}

bool is_section(const std::string& line) {
  return line.starts_with('[') && line.ends_with(']');
}

std::string quoted_section(const std::string& name) {
  return "[" + name + "]";
}

// A section is known when a key lies below it: [problem], and [problem.parameter] as well.
void check_section(const std::string& name, const ConfigSchema& schema, const std::string& place) {
  std::vector<std::string> sections;
  for (const auto& key : schema.keys()) {
    if (!name.empty() && key.name.starts_with(name + ".")) return;
    const std::string section = section_of(key.name);
    if (!contains(sections, section)) sections.push_back(section);
  }
  std::string text = "unknown section '" + quoted_section(name) + "' (" + place + ")";
  if (!sections.empty()) text += "; did you mean '" + quoted_section(nearest_name(name, sections)) + "'?";
  throw InputError(text);
}

bool is_key_name(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return std::all_of(name.begin(), name.end(), fits) && name.find("..") == std::string::npos &&
         !name.starts_with('.') && !name.ends_with('.');
}

// The known keys, patterns filled with the last part of the name that is looked for.
std::vector<std::string> suggestions(const ConfigSchema& schema, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& key : schema.keys()) {
    names.push_back(is_pattern(key.name) ? pattern_prefix(key.name) + name.substr(name.rfind('.') + 1)
                                         : key.name);
  }
  return names;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------

void ConfigSchema::add(const ConfigKey& key) {
  check_declaration(key);
  for (const auto& other : keys_) {
    if (other.name == key.name)
      throw std::logic_error("configuration key '" + key.name + "' is declared twice");
  }
  keys_.push_back(key);
}

void ConfigSchema::add(const std::vector<ConfigKey>& keys) {
  for (const auto& key : keys) add(key);
}

const ConfigKey* ConfigSchema::find(const std::string& name) const {
  const ConfigKey* pattern = nullptr;
  for (const auto& key : keys_) {
    if (key.name == name && !is_pattern(name)) return &key;
    if (!is_pattern(key.name)) continue;
    const std::string prefix = pattern_prefix(key.name);
    const bool covers = name.starts_with(prefix) && name.size() > prefix.size();
    if (covers && (!pattern || pattern->name.size() < key.name.size())) pattern = &key;
  }
  return pattern;
}

std::string ConfigSchema::help() const {
  std::vector<std::string> sections;
  std::map<std::string, std::vector<std::vector<std::string>>> rows;
  std::vector<size_t> width = {3, 4, 7, 4};
  for (const auto& key : keys_) {
    const std::string section = section_of(key.name);
    if (!contains(sections, section)) sections.push_back(section);
    const auto shown = [](const std::string& text) { return text.empty() ? "-" : text; };
    const std::string name = key.name.substr(section.size() + 1);
    const std::vector<std::string> row = {is_pattern(key.name) ? pattern_prefix(name) + "NAME" : name,
                                          key.type, shown(key.default_value), shown(key.rule), key.help};
    for (size_t i = 0; i < width.size(); ++i) width[i] = std::max(width[i], row[i].size());
    rows[section].push_back(row);
  }
  const auto line = [&](const std::vector<std::string>& row) {
    std::string text = "  ";
    for (size_t i = 0; i < width.size(); ++i) text += row[i] + std::string(width[i] - row[i].size() + 2, ' ');
    return text + row.back() + "\n";
  };
  std::string text;
  for (const auto& section : sections) {
    if (!text.empty()) text += "\n";
    text += quoted_section(section) + "\n";
    text += line({"key", "type", "default", "rule", "meaning"});
    for (const auto& row : rows[section]) text += line(row);
  }
  return text;
}

Config Config::read(const std::filesystem::path& path, const ConfigSchema& schema) {
  const std::string name = path.string();
  const auto refuse = [&](const std::string& why) { throw InputError("cannot read " + name + ": " + why); };
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) refuse("no such file");
  if (std::filesystem::is_directory(path, ignored)) refuse("it is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse("no permission");
  std::string content(max_file_size + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad()) refuse("reading failed");
  content.resize(static_cast<size_t>(file.gcount()));
  if (content.size() > max_file_size) refuse("it is longer than 1 MiB");
  return parse(content, name, schema);
}

// Boost reads one line at a time, below its section: it keeps no line numbers for the messages itself.
Config::Entry Config::read_entry(const std::string& section, const std::string& line,
                                 const std::string& place) {
  namespace options = boost::program_options;
  std::istringstream stream((section.empty() ? "" : quoted_section(section) + "\n") + line + "\n");
  options::parsed_options read(nullptr);
  try {
    read = options::parse_config_file(stream, options::options_description(), true);
  } catch (const options::invalid_config_file_syntax&) {
    throw InputError(place + " is neither '[section]' nor 'key = value': " + line);
  }
  const auto& option = read.options.at(0);
  if (section.empty()) {
    throw InputError("key '" + option.string_key + "' stands before the first section (" + place + ")");
  }
  return {option.string_key, option.value.at(0), place};
}

Config Config::parse(const std::string& text, const std::string& origin, const ConfigSchema& schema) {
  const std::string mark = "\xEF\xBB\xBF";  // that some editors put at the start of UTF-8 text
  check_is_text(text, origin);
  Config config(schema);
  std::string section;
  for (const auto& [line, number] : logical_lines(text.starts_with(mark) ? text.substr(3) : text, origin)) {
    const std::string place = "line " + std::to_string(number) + " of " + origin;
    if (is_section(line)) {
      section = trimmed(line.substr(1, line.size() - 2));
      check_section(section, schema, place);
    } else if (!line.empty()) {
      const Entry entry = read_entry(section, line, place);
      if (const Entry* first = config.given(entry.key))
        throw broken(entry, "the key is already given in " + first->place);
      config.check(entry);
      config.entries_.push_back(entry);
    }
  }
  return config;
}

void Config::set(const std::string& assignment) {
  const std::string place = "--set";
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos)
    throw InputError("--set wants section.key=value, not '" + assignment + "'");
  const Entry entry{trimmed(assignment.substr(0, equals)), trimmed(assignment.substr(equals + 1)), place};
  if (entry.value.find_first_of("#\r\n") != std::string::npos || entry.value.ends_with('\\')) {
    throw broken(entry, "a value cannot have '#', line ends, or a backslash at its end");
  }
  check(entry);
  const auto old =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == entry.key; });
  if (old == entries_.end()) {
    entries_.push_back(entry);
  } else {
    *old = entry;
  }
}

void Config::check(const Entry& entry) const {
  const ConfigKey* key = is_key_name(entry.key) ? schema_.find(entry.key) : nullptr;
  if (!key) {
    const std::string nearest = nearest_name(entry.key, suggestions(schema_, entry.key));
    throw InputError("unknown key '" + entry.key + "' (" + entry.place + ")" +
                     (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  }
  try {
    check_value(*key, entry.value);
  } catch (const InputError& error) {
    throw broken(entry, error.what());
  }
}

InputError Config::broken(const Entry& entry, const std::string& problem) {
  return InputError(entry.key + " = " + entry.value + " (" + entry.place + "): " + problem);
}

const Config::Entry* Config::given(const std::string& key) const {
  const auto found =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.key == key; });
  return found == entries_.end() ? nullptr : &*found;
}

const ConfigKey& Config::declared(const std::string& key) const {
  const ConfigKey* declaration = schema_.find(key);
  if (!declaration) throw std::logic_error("configuration key '" + key + "' is not declared");
  return *declaration;
}

Config::Entry Config::entry(const std::string& key) const {
  const ConfigKey& declaration = declared(key);
  if (const Entry* entry = given(key)) return *entry;
  if (declaration.default_value.empty())
    throw InputError("key '" + key + "' is missing: " + declaration.help);
  return {key, declaration.default_value, "default"};
}

std::string Config::typed(const std::string& key, const std::string& type) const {
  if (declared(key).type != type)
    throw std::logic_error("configuration key '" + key + "' is not of type " + type);
  if (is_auto(key)) throw std::logic_error("configuration key '" + key + "' is auto: ask is_auto first");
  return entry(key).value;
}

std::string Config::text(const std::string& key) const {
  return entry(key).value;
}

std::int64_t Config::integer(const std::string& key) const {
  return read_integer(typed(key, "integer"));
}

double Config::real(const std::string& key) const {
  return read_real(typed(key, "real"));
}

bool Config::boolean(const std::string& key) const {
  return read_boolean(typed(key, "boolean"));
}

std::vector<double> Config::reals(const std::string& key) const {
  return read_reals(typed(key, "list-of-reals"));
}

Expression Config::expression(const std::string& key) const {
  const bool equation = declared(key).type == "equation";
  return equation ? Expression::equation(typed(key, "equation"))
                  : Expression::parse(typed(key, "expression"));
}

bool Config::is_auto(const std::string& key) const {
  return read_rule(declared(key).rule).admits_auto && entry(key).value == "auto";
}

bool Config::has(const std::string& key) const {
  declared(key);
  return given(key) != nullptr;
}

std::vector<std::string> Config::keys_under(const std::string& prefix) const {
  std::vector<std::string> keys;
  for (const auto& entry : entries_) {
    if (entry.key.starts_with(prefix + ".")) keys.push_back(entry.key);
  }
  return keys;
}

InputError Config::error(const std::string& key, const std::string& problem) const {
  return broken(entry(key), problem);
}

std::string Config::text() const {
  std::vector<std::string> sections;
  for (const auto& key : schema_.keys()) {
    const std::string section = section_of(key.name);
    if (!contains(sections, section)) sections.push_back(section);
  }
  std::string text;
  for (const auto& section : sections) {
    std::string lines;
    for (const auto& key : keys_under(section)) {
      const std::string value = given(key)->value;
      lines += key.substr(section.size() + 1) + " =" + (value.empty() ? "" : " ") + value + "\n";
    }
    if (lines.empty()) continue;
    if (!text.empty()) text += "\n";
    text += quoted_section(section) + "\n" + lines;
  }
  return text;
}

}  // namespace torsor
