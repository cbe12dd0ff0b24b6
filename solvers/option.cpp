#include "solvers/option.h"

#include <stdexcept>

#include "physics/error.h"
#include "solvers/value_rule.h"

namespace torsor {

OptionValues::OptionValues(const std::vector<Option>& options) {
  for (const auto& option : options) {
    check_declaration("the option '" + option.name + "'", option.type, option.rule, option.default_value);
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
  try {
    check_value(found->second.option.type, found->second.option.rule, value);
  } catch (const InputError& error) {
    throw InputError("the option '" + name + "' is '" + value + "', but " + error.what());
  }
  found->second.value = value;
}

const OptionValues::Entry& OptionValues::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw std::logic_error("the option '" + name + "' was not declared");
  return found->second;
}

double OptionValues::real(const std::string& name) const { return read_real(entry(name).value); }

long OptionValues::integer(const std::string& name) const { return read_integer(entry(name).value); }

bool OptionValues::boolean(const std::string& name) const { return read_boolean(entry(name).value); }

const std::string& OptionValues::text(const std::string& name) const { return entry(name).value; }

}  // namespace torsor
