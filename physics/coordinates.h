// Coordinates of a problem: names, ranges [low, high], units, and which one is time.
//
// Text form, items separated by ';' or by ',' outside brackets:
//   NAME in [LOW, HIGH] [UNIT] [periodic] [time]      e.g.  x in [-1, 1] m; t in [0, 2*pi] s time
#pragma once

#include <Eigen/Core>
#include <functional>
#include <string>
#include <vector>

namespace torsor {

/// One independent variable and its range, in `unit` (empty: dimensionless or not said).
struct Coordinate {
  std::string name;
  double low = 0;
  double high = 1;
  std::string unit = {};
  bool periodic = false;
  bool time = false;
};

/// Throws InputError unless there is at least one coordinate, names are identifiers (letters, digits and '_',
/// not starting with a digit) and differ, every range is finite with low < high, and at most one coordinate
/// is time.
void check_coordinates(const std::vector<Coordinate>& coordinates);

/// Reads the text form above and checks it. `number` turns the text of a bound into its value (a plain number
/// or a constant expression such as "2*pi") and may throw InputError itself. Words after the range may come
/// in any order: "periodic", "time", and at most one unit without spaces ("m/s"). Nothing is time unless the
/// word says so, whatever its name. Throws InputError naming the item and the rule; a unit one slip away from
/// "periodic" or "time" is an error.
std::vector<Coordinate> parse_coordinates(const std::string& text,
                                          const std::function<double(const std::string&)>& number);

/// The names, in order.
std::vector<std::string> coordinate_names(const std::vector<Coordinate>& coordinates);

/// The box of the ranges, d x 2: column 0 holds the lower bounds, column 1 the upper ones.
Eigen::MatrixXd coordinate_box(const std::vector<Coordinate>& coordinates);

/// The position of the time coordinate, -1 when there is none.
Eigen::Index time_index(const std::vector<Coordinate>& coordinates);

}  // namespace torsor
