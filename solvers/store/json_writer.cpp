#include "solvers/store/json_writer.h"

#include <charconv>
#include <cmath>

#include "solvers/store/markup.h"

namespace torsor {
namespace {

std::string escaped(char c) {
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(c);
  if (code >= 0x20) return std::string(1, c);
  constexpr std::string_view digits = "0123456789abcdef";
  return std::string("\\u00") + digits[code >> 4] + digits[code & 15];
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : valid_utf8(text)) out += escaped(c);
  return out + '"';
}

}  // namespace

void JsonWriter::break_line() {
  out_ += '\n' + std::string(2 * levels_.size(), ' ');
}

void JsonWriter::separate() {
  if (after_key_ || levels_.empty()) return;
  if (!levels_.back().empty) out_ += ',';
  levels_.back().empty = false;
  break_line();
}

void JsonWriter::put(std::string_view token) {
  separate();
  after_key_ = false;
  out_ += token;
}

void JsonWriter::open(char begin, char close) {
  put(std::string_view(&begin, 1));
  levels_.push_back({close, true});
}

void JsonWriter::end() {
  const Level level = levels_.back();
  levels_.pop_back();
  if (!level.empty) break_line();
  out_ += level.close;
}

void JsonWriter::key(std::string_view name) {
  put(quoted(name) + ": ");
  after_key_ = true;
}

void JsonWriter::value(double number) {
  if (!std::isfinite(number)) return put("null");
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof digits, number);
  put(std::string_view(digits, static_cast<size_t>(result.ptr - digits)));
}

void JsonWriter::value(std::string_view text) {
  put(quoted(text));
}

}  // namespace torsor
