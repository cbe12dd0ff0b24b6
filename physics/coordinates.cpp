// Coordinates of a problem: see coordinates.h.
#include "physics/coordinates.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <locale>
#include <set>
#include <sstream>

#include "physics/error.h"

namespace torsor {
namespace {

std::string trim(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string number_text(double value) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out << value;
  return out.str();
}

bool is_identifier(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

/// Splits at the separators that stand outside every bracket.
std::vector<std::string> split_outside_brackets(const std::string& text, const std::string& separators) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (depth == 0 && separators.find(c) != std::string::npos) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

[[noreturn]] void fail(const std::string& item, const std::string& rule) {
  throw InputError("coordinate '" + item + "': " + rule);
}

/// Whether `word` has the letters of `keyword` but for at most `slips` dropped, added or changed ones, in any
/// order.
bool looks_like(std::string word, std::string keyword, size_t slips) {
  std::sort(word.begin(), word.end());
  std::sort(keyword.begin(), keyword.end());
  std::string difference;
  std::set_symmetric_difference(word.begin(), word.end(), keyword.begin(), keyword.end(),
                                std::back_inserter(difference));
  return difference.size() <= slips;
}

void read_words(const std::string& item, const std::string& text, Coordinate& coordinate) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == "periodic") {
      coordinate.periodic = true;
    } else if (word == "time") {
      coordinate.time = true;
    } else if (looks_like(word, "periodic", 2) || looks_like(word, "time", 1)) {
      fail(item, unknown_name_message("word", word, {"periodic", "time"}));
    } else if (!coordinate.unit.empty()) {
      fail(item, "'" + coordinate.unit + "' and '" + word +
                     "' are both taken as a unit; write one unit without spaces, and 'periodic' or 'time'");
    } else {
      coordinate.unit = word;
    }
  }
}

Coordinate read_item(const std::string& item, const std::function<double(const std::string&)>& number) {
  static const std::string form = "write it as 'x in [low, high] unit', the unit optional";
  const size_t open = item.find('[');
  const size_t close = item.rfind(']');
  if (open == std::string::npos || close == std::string::npos || close < open) fail(item, form);

  Coordinate coordinate;
  std::istringstream head(item.substr(0, open));
  std::string word_in, extra;
  head >> coordinate.name >> word_in;
  if (word_in != "in" || head >> extra) fail(item, form);

  const auto bounds = split_outside_brackets(item.substr(open + 1, close - open - 1), ",");
  if (bounds.size() != 2 || trim(bounds[0]).empty() || trim(bounds[1]).empty()) {
    fail(item, "the brackets must hold two bounds, [low, high]");
  }
  coordinate.low = number(trim(bounds[0]));
  coordinate.high = number(trim(bounds[1]));
  read_words(item, item.substr(close + 1), coordinate);
  return coordinate;
}

void check_range(const Coordinate& c) {
  const std::string range = "the range is [" + number_text(c.low) + ", " + number_text(c.high) + "]; ";
  if (!std::isfinite(c.low) || !std::isfinite(c.high)) fail(c.name, range + "both bounds must be finite");
  if (c.low >= c.high) fail(c.name, range + "the lower bound must be below the upper one");
}

}  // namespace

void check_coordinates(const std::vector<Coordinate>& coordinates) {
  if (coordinates.empty()) throw InputError("no coordinates; at least one is needed");
  std::set<std::string> names;
  std::string time_name;
  for (const Coordinate& c : coordinates) {
    if (!is_identifier(c.name)) {
      fail(c.name, "a name must be letters, digits and '_' and not start with a digit");
    }
    if (!names.insert(c.name).second) fail(c.name, "the name is used twice; names must differ");
    check_range(c);
    if (c.time && !time_name.empty()) {
      fail(c.name, "'" + time_name + "' is time already; at most one coordinate may be");
    }
    if (c.time) time_name = c.name;
  }
}

std::vector<Coordinate> parse_coordinates(const std::string& text,
                                          const std::function<double(const std::string&)>& number) {
  std::vector<Coordinate> coordinates;
  for (const std::string& part : split_outside_brackets(text, ";,")) {
    const std::string item = trim(part);
    if (item.empty()) continue;
    coordinates.push_back(read_item(item, number));
  }
  check_coordinates(coordinates);
  return coordinates;
}

std::vector<std::string> coordinate_names(const std::vector<Coordinate>& coordinates) {
  std::vector<std::string> names;
  for (const Coordinate& c : coordinates) names.push_back(c.name);
  return names;
}

Eigen::MatrixXd coordinate_box(const std::vector<Coordinate>& coordinates) {
  Eigen::MatrixXd box(static_cast<Eigen::Index>(coordinates.size()), 2);
  for (Eigen::Index i = 0; i < box.rows(); ++i) {
    box(i, 0) = coordinates[static_cast<size_t>(i)].low;
    box(i, 1) = coordinates[static_cast<size_t>(i)].high;
  }
  return box;
}

Eigen::Index time_index(const std::vector<Coordinate>& coordinates) {
  const auto found =
      std::find_if(coordinates.begin(), coordinates.end(), [](const Coordinate& c) { return c.time; });
  return found == coordinates.end() ? -1 : static_cast<Eigen::Index>(found - coordinates.begin());
}

}  // namespace torsor
