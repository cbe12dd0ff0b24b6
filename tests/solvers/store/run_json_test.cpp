#include "solvers/store/run_json.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <memory>

#include "solvers/store/json_writer.h"
#include "tests/solvers/store/sample_run.h"

namespace torsor {
namespace {

/// A parsed JSON value: a token, or the members of an object or array.
struct Json {
  std::string token;  // numbers, literals and the raw inside of strings
  std::map<std::string, Json> members;
  std::vector<Json> items;
  const Json& operator[](const std::string& name) const { return members.at(name); }
};

/// A strict parser of what RFC 8259 allows; throws on anything else.
class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  Json whole() {
    const Json json = value();
    skip();
    if (at_ != text_.size()) throw std::runtime_error("text after the value");
    return json;
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  char peek() {
    skip();
    return text_.at(at_);
  }
  void take(char c) {
    if (peek() != c) throw std::runtime_error(std::string("expected ") + c + " at " + std::to_string(at_));
    ++at_;
  }
  std::string string() {
    take('"');
    const size_t begin = at_;
    for (; text_.at(at_) != '"'; ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) throw std::runtime_error("raw control character");
      if (text_[at_] == '\\') ++at_;
    }
    return text_.substr(begin, at_++ - begin);
  }
  Json object() {
    Json json;
    take('{');
    while (peek() != '}') {
      if (!json.members.empty()) take(',');
      skip();
      const std::string name = string();
      take(':');
      if (!json.members.emplace(name, value()).second) throw std::runtime_error("member twice: " + name);
    }
    take('}');
    return json;
  }
  Json array() {
    Json json;
    take('[');
    while (peek() != ']') {
      if (!json.items.empty()) take(',');
      json.items.push_back(value());
    }
    take(']');
    return json;
  }
  Json value() {
    const char c = peek();
    if (c == '{') return object();
    if (c == '[') return array();
    Json json;
    if (c == '"') {
      json.token = string();
      return json;
    }
    while (at_ < text_.size() &&
           std::string("+-.eE").append("0123456789truefalsn").find(text_[at_]) != std::string::npos)
      json.token += text_[at_++];
    if (json.token.empty()) throw std::runtime_error("no value");
    return json;
  }

  const std::string& text_;
  size_t at_ = 0;
};

TEST(JsonWriter, EscapesStrings) {
  JsonWriter json;
  json.value(std::string("a\"b\\c\n\t\x01\xCF\x80\xFF"));
  EXPECT_EQ(json.text(), "\"a\\\"b\\\\c\\n\\t\\u0001\xCF\x80\xEF\xBF\xBD\"");
}

TEST(JsonWriter, WritesNumbersExactly) {
  JsonWriter json;
  json.value(std::vector<double>{0.1, 1e-300, -0.0, 1e22, std::nan(""), INFINITY});
  EXPECT_EQ(json.text(), "[\n  0.1,\n  1e-300,\n  -0,\n  1e+22,\n  null,\n  null\n]");
}

TEST(RunJson, HoldsTheFiguresOfEveryTask) {
  const RunRecord run = sample_run();
  const std::string text = run_json(run);
  const Json json = Parser(text).whole();
  EXPECT_EQ(json["problem"].token, "burgers <1-D> & \\\"co\\\"");
  EXPECT_EQ(json["threads"].token, "2");
  EXPECT_EQ(json.members.count("errors"), 0u);
  ASSERT_EQ(json["tasks"].items.size(), 2u);
  const Json& task = json["tasks"].items[0];
  EXPECT_EQ(task["task"]["nu"].token, "0.1");
  EXPECT_EQ(std::stod(task["errors"]["u"]["rel_l2"].token), run.tasks[0].fields[0].errors->rel_l2);
  EXPECT_EQ(std::stod(task["errors"]["u"]["max"].token), run.tasks[0].fields[0].errors->max);
  for (const char* name : {"train", "head", "reference", "total"})
    EXPECT_NO_THROW(std::stod(task["seconds"][name].token));
  for (const char* name : {"rows", "features", "rank", "condition", "cut_off", "residual_holdout"})
    EXPECT_NO_THROW(std::stod(task["head"][name].token)) << name;
  EXPECT_EQ(task["seed"].token, "18446744073709551615");
  EXPECT_EQ(task["residuals"]["pde"]["rms"].token, "1e-05");
}

TEST(RunJson, SingleTaskAlsoStandsAtTheTop) {
  RunRecord run = sample_run();
  run.tasks.resize(1);
  run.tasks[0].head->condition = INFINITY;
  const std::string text = run_json(run);
  const Json json = Parser(text).whole();
  for (const char* name : {"problem", "task", "errors", "seconds", "head", "seed", "threads"})
    EXPECT_EQ(json.members.count(name), 1u) << name;
  EXPECT_EQ(json["head"]["condition"].token, "null");
  EXPECT_EQ(json["seed"].token, "18446744073709551615");
}

TEST(RunJson, UnsolvedAndUncomparedIsNullOrEmpty) {
  RunRecord run = sample_run();
  run.tasks[0].head.reset();
  run.tasks[0].fields[0].errors.reset();
  run.tasks[0].reference_name.clear();
  const std::string text = run_json(run);
  const Json json = Parser(text).whole();
  EXPECT_EQ(json["tasks"].items[0]["head"].token, "null");
  EXPECT_EQ(json["tasks"].items[0]["reference"].token, "null");
  EXPECT_TRUE(json["tasks"].items[0]["errors"].members.empty());
  const std::string empty = run_json(RunRecord{});
  EXPECT_TRUE(Parser(empty).whole()["tasks"].items.empty());
}

}  // namespace
}  // namespace torsor
