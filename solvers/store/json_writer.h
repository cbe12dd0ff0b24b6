// JSON text, written member by member (RFC 8259).
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace torsor {

/// Builds one JSON value with two spaces of indentation. Numbers are written with the fewest digits that read
/// back exactly; NaN and the infinities, which JSON lacks, as null; broken UTF-8 as U+FFFD.
///   JsonWriter json; json.begin_object(); json.member("rank", 300); json.end(); json.text();
class JsonWriter {
 public:
  void begin_object() { open('{', '}'); }
  void begin_array() { open('[', ']'); }
  void end();  // of the innermost object or array
  void key(std::string_view name);

  void value(double number);
  void value(std::signed_integral auto number) { put(std::to_string(number)); }
  void value(std::unsigned_integral auto number) { put(std::to_string(number)); }
  void value(bool truth) { put(truth ? "true" : "false"); }
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  template <class T>
  void value(const std::vector<T>& list) {
    begin_array();
    for (const T& item : list) value(item);
    end();
  }

  template <class T>
  void member(std::string_view name, const T& content) {
    key(name);
    value(content);
  }

  const std::string& text() const { return out_; }

 private:
  struct Level {
    char close;
    bool empty;
  };
  void open(char begin, char close);
  void put(std::string_view token);  // with the comma and line break before it
  void separate();
  void break_line();

  std::string out_;
  std::vector<Level> levels_;
  bool after_key_ = false;
};

}  // namespace torsor
