// Coordinates: the text form, the checks, the errors.
#include "physics/coordinates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "physics/error.h"
#include "tests/error_checks.h"

namespace torsor {
namespace {

/// Stands in for the constant expressions: numbers, and multiples of pi written "N*pi".
double number(const std::string& text) {
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "max(1, 2)") return 2;
  const size_t star = text.find("*pi");
  if (star != std::string::npos) return std::stod(text.substr(0, star)) * M_PI;
  if (text.find_first_not_of("0123456789.-") != std::string::npos)
    throw InputError("bad number '" + text + "'");
  return std::stod(text);
}

std::string error_of(const std::string& text) {
  return torsor::error_of([&] { parse_coordinates(text, number); });
}

TEST(Coordinates, ReadsRangesUnitsAndWords) {
  const auto c =
      parse_coordinates(" x in [-1, 1] m periodic; t in [0, 2*pi] s time , y_1 in [0,max(1, 2)]\n", number);
  ASSERT_EQ(c.size(), 3U);
  EXPECT_EQ(c[0].name, "x");
  EXPECT_EQ(c[0].low, -1);
  EXPECT_EQ(c[0].high, 1);
  EXPECT_EQ(c[0].unit, "m");
  EXPECT_TRUE(c[0].periodic);
  EXPECT_FALSE(c[0].time);
  EXPECT_EQ(c[1].high, 2 * M_PI);
  EXPECT_EQ(c[1].unit, "s");
  EXPECT_TRUE(c[1].time);
  EXPECT_EQ(c[2].high, 2);
  EXPECT_EQ(c[2].unit, "");
  EXPECT_EQ(time_index(c), 1);
  EXPECT_EQ(coordinate_names(c), (std::vector<std::string>{"x", "t", "y_1"}));
  EXPECT_EQ(coordinate_box(c)(1, 0), 0);
  EXPECT_EQ(coordinate_box(c)(2, 1), 2);
}

TEST(Coordinates, NothingIsTimeUnlessSaid) {
  const auto c = parse_coordinates("t in [0, 1] periodic", number);
  EXPECT_EQ(time_index(c), -1);
  EXPECT_TRUE(c[0].periodic);
  EXPECT_EQ(c[0].unit, "");
}

TEST(Coordinates, UnitsMayBeAnyOneWord) {
  for (const std::string unit : {"m/s", "kg*m^2", "kelvin", "radian", "light_years", "m", "min"}) {
    EXPECT_EQ(parse_coordinates("x in [0, 1] " + unit, number)[0].unit, unit);
  }
}

TEST(Coordinates, BadTextNamesTheItemAndTheRule) {
  EXPECT_NE(error_of("x in [0, 1]; y [0, 1]").find("coordinate 'y [0, 1]': write it as"), std::string::npos);
  EXPECT_NE(error_of("x in 0, 1").find("write it as"), std::string::npos);
  EXPECT_NE(error_of("x in [0 1]").find("two bounds"), std::string::npos);
  EXPECT_NE(error_of("x in [0, 1, 2]").find("two bounds"), std::string::npos);
  EXPECT_NE(error_of("x in [, 1]").find("two bounds"), std::string::npos);
  EXPECT_NE(error_of("x in [a, 1]").find("bad number 'a'"), std::string::npos);
  EXPECT_NE(error_of("x in [0, 1] m seconds").find("both taken as a unit"), std::string::npos);
  EXPECT_NE(error_of("x in [0, 1] peroidic").find("did you mean 'periodic'?"), std::string::npos);
  EXPECT_NE(error_of("x in [0, 1] tme").find("did you mean 'time'?"), std::string::npos);
  EXPECT_NE(error_of(" ; ").find("no coordinates"), std::string::npos);
}

TEST(Coordinates, ChecksRangesAndNames) {
  EXPECT_NE(error_of("x in [1, 1]").find("range is [1, 1]; the lower bound must be below"),
            std::string::npos);
  EXPECT_NE(error_of("x in [0, inf]").find("finite"), std::string::npos);
  EXPECT_NE(error_of("x in [0, 1]; x in [0, 2]").find("used twice"), std::string::npos);
  EXPECT_NE(error_of("2x in [0, 1]").find("letters, digits"), std::string::npos);
  EXPECT_NE(error_of("a in [0, 1] time; b in [0, 1] time").find("'a' is time already"), std::string::npos);
  EXPECT_THROW(check_coordinates({{.name = "x", .low = NAN, .high = 1}}), InputError);
  EXPECT_THROW(check_coordinates({{.name = "", .low = 0, .high = 1}}), InputError);
  EXPECT_NO_THROW(check_coordinates({{.name = "x"}, {.name = "t", .low = 0, .high = 2, .time = true}}));
}

}  // namespace
}  // namespace torsor
