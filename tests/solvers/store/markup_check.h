// A check of XML and HTML text: tags close in order, attributes are quoted.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>
#include <vector>

namespace torsor {

/// Are the attributes `name="value"`, or names alone, without '<' in a value?
inline bool attributes_are_sound(const std::string& attributes) {
  size_t at = 0;
  const auto skip_while = [&](auto condition) {
    while (at < attributes.size() && condition(static_cast<unsigned char>(attributes[at]))) ++at;
  };
  for (skip_while(isspace); at < attributes.size(); skip_while(isspace)) {
    const size_t name = at;
    skip_while([](unsigned char c) { return std::isalpha(c) || c == '-' || c == ':'; });
    if (at == name) return false;
    if (at == attributes.size() || attributes[at] != '=') continue;
    const size_t end = attributes.find('"', at + 2);
    if (attributes[at + 1] != '"' || end == std::string::npos) return false;
    if (attributes.substr(at, end - at).find('<') != std::string::npos) return false;
    at = end + 1;
  }
  return true;
}

inline void expect_well_formed(const std::string& text) {
  static const std::set<std::string> empty_in_html{"meta", "br", "!DOCTYPE", "?xml"};
  std::vector<std::string> open;
  for (size_t begin = text.find('<'); begin != std::string::npos; begin = text.find('<', begin + 1)) {
    const size_t end = text.find('>', begin);
    ASSERT_NE(end, std::string::npos);
    std::string inside = text.substr(begin + 1, end - begin - 1);
    if (inside.rfind("!--", 0) == 0) continue;
    const bool closing = inside.front() == '/';
    const bool complete = inside.back() == '/' || inside.back() == '?';
    inside = inside.substr(closing, inside.size() - closing - complete);
    const std::string name = inside.substr(0, inside.find_first_of(" \n"));
    ASSERT_TRUE(attributes_are_sound(inside.substr(name.size()))) << inside.substr(0, 200);
    if (closing) {
      ASSERT_FALSE(open.empty()) << name;
      EXPECT_EQ(open.back(), name);
      open.pop_back();
    } else if (!complete && empty_in_html.count(name) == 0) {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty());
}

}  // namespace torsor
