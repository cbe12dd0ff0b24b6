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

#include "solvers/value_rule.h"

namespace torsor {
namespace {

constexpr size_t max_file_size = size_t{1} << 20;

bool contains(const std::vector<std::string>& list, const std::string& entry) {
  return std::find(list.begin(), list.end(), entry) != list.end();
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

void check_key(const ConfigKey& key) {
  const std::string what = "configuration key '" + key.name + "'";
  if (key.name.find('.') == std::string::npos) throw std::logic_error(what + ": needs a section");
  check_declaration(what, key.type, key.rule, key.default_value);
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
  check_key(key);
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
    check_value(key->type, key->rule, entry.value);
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
  return admits_auto(declared(key).rule) && entry(key).value == "auto";
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
