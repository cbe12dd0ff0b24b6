// A check of XML and HTML text: tags close in order, attributes are quoted.
#pragma once

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

namespace torsor {

inline void expect_well_formed(const std::string& text) {
  static const std::set<std::string> empty_in_html{"meta", "br", "!DOCTYPE", "?xml"};
  static const std::regex tag("(/?)([?!A-Za-z0-9]+)((\\s+[A-Za-z:-]+(=\"[^\"<]*\")?)*)\\s*([/?]?)");
  std::vector<std::string> open;
  for (size_t begin = text.find('<'); begin != std::string::npos; begin = text.find('<', begin + 1)) {
    const size_t end = text.find('>', begin);
    ASSERT_NE(end, std::string::npos);
    const std::string inside = text.substr(begin + 1, end - begin - 1);
    if (inside.rfind("!--", 0) == 0) continue;
    if (inside.find("base64,") != std::string::npos) {  // too long for the expression
      EXPECT_EQ(inside.back(), '/');
      continue;
    }
    std::smatch match;
    ASSERT_TRUE(std::regex_match(inside, match, tag)) << inside;
    if (match[1] == "/") {
      ASSERT_FALSE(open.empty()) << inside;
      EXPECT_EQ(open.back(), match[2]);
      open.pop_back();
    } else if (match[6] == "" && empty_in_html.count(match[2]) == 0) {
      open.push_back(match[2]);
    }
  }
  EXPECT_TRUE(open.empty());
}

}  // namespace torsor
