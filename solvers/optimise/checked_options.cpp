#include "solvers/optimise/checked_options.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "physics/error.h"

namespace torsor {
namespace {

template <class Value>
std::string broken(const std::string& key, const Value& value, const std::string& rule) {
  std::ostringstream text;
  text << key << " = " << value << " must be " << rule;
  return text.str();
}

}  // namespace

double CheckedOptions::real(const std::string& name, bool (*holds)(double), const char* rule) const {
  const double value = values_.real(name);
  if (!std::isfinite(value) || !holds(value)) throw InputError(broken(method_ + "." + name, value, rule));
  return value;
}

double CheckedOptions::positive(const std::string& name) const {
  return real(name, [](double x) { return x > 0; }, "> 0");
}

double CheckedOptions::not_negative(const std::string& name) const {
  return real(name, [](double x) { return x >= 0; }, ">= 0");
}

double CheckedOptions::decay(const std::string& name) const {
  return real(name, [](double x) { return x >= 0 && x < 1; }, "in [0, 1)");
}

double CheckedOptions::between(const std::string& name, double low, double high) const {
  const double value = values_.real(name);
  if (value > low && value < high) return value;
  std::ostringstream rule;
  rule << "in (" << low << ", " << high << ")";
  throw InputError(broken(method_ + "." + name, value, rule.str()));
}

long CheckedOptions::at_least(const std::string& name, long least) const {
  const long value = values_.integer(name);
  if (value < least) throw InputError(broken(method_ + "." + name, value, ">= " + std::to_string(least)));
  return value;
}

const std::string& CheckedOptions::choice(const std::string& name, const std::vector<std::string>& known) const {
  const std::string& value = values_.text(name);
  if (std::find(known.begin(), known.end(), value) == known.end())
    throw InputError(unknown_name_message(method_ + "." + name, value, known));
  return value;
}

}  // namespace torsor
