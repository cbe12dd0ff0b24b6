#include "solvers/report/png.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace torsor {
namespace {

constexpr int kColours = 255;  // palette entries; the next one is transparent

void put_big_endian(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

std::uint32_t crc32(std::string_view bytes) {  // PNG specification, annex D
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

std::uint32_t adler32(std::string_view bytes) {  // RFC 1950
  std::uint32_t a = 1, b = 0;
  for (const char byte : bytes) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

/// A zlib stream of stored blocks: the maps are small, and no compression library is needed.
std::string zlib_stored(std::string_view bytes) {
  constexpr size_t kLargestBlock = 65535;
  std::string out = "\x78\x01";
  for (size_t begin = 0; begin < bytes.size(); begin += kLargestBlock) {
    const std::string_view block = bytes.substr(begin, kLargestBlock);
    const auto length = static_cast<std::uint16_t>(block.size());
    out += static_cast<char>(begin + kLargestBlock >= bytes.size());
    for (const int value : {length & 0xFF, length >> 8, ~length & 0xFF, (~length >> 8) & 0xFF})
      out += static_cast<char>(value);
    out += block;
  }
  put_big_endian(out, adler32(bytes));
  return out;
}

std::string chunk(const std::string& type, const std::string& data) {
  std::string out;
  put_big_endian(out, static_cast<std::uint32_t>(data.size()));
  out += type + data;
  put_big_endian(out, crc32(type + data));
  return out;
}

std::string header(long width, long height) {
  std::string data;
  put_big_endian(data, static_cast<std::uint32_t>(width));
  put_big_endian(data, static_cast<std::uint32_t>(height));
  return data + std::string("\x08\x03\0\0\0", 5);  // 8 bits, palette
}

std::string palette() {
  std::string data;
  for (int i = 0; i <= kColours; ++i)
    for (const std::uint8_t part : viridis(i / (kColours - 1.0))) data += static_cast<char>(part);
  return data;
}

std::string transparency() {
  return std::string(kColours, '\xFF') + '\0';
}

std::string scan_lines(const Eigen::MatrixXd& levels) {
  std::string data;
  for (long i = 0; i < levels.rows(); ++i) {
    data += '\0';  // no filter
    for (long j = 0; j < levels.cols(); ++j) {
      const double level = std::clamp(levels(i, j), 0.0, 1.0);
      data += static_cast<char>(std::isnan(levels(i, j)) ? kColours : std::lround(level * (kColours - 1)));
    }
  }
  return data;
}

}  // namespace

Rgb viridis(double t) {
  // Polynomial of degree 6 through the table of matplotlib (fit by M. Zucker, public domain).
  constexpr double c[7][3] = {{0.2777273272234177, 0.005407344544966578, 0.3340998053353061},
                              {0.1050930431085774, 1.404613529898575, 1.384590162594685},
                              {-0.3308618287255563, 0.214847559468213, 0.09509516302823659},
                              {-4.634230498983486, -5.799100973351585, -19.33244095627987},
                              {6.228269936347081, 14.17993336680509, 56.69055260068105},
                              {4.776384997670288, -13.74514537774601, -65.35303263337234},
                              {-5.435455855934631, 4.645852612178535, 26.3124352495832}};
  t = std::isnan(t) ? 0 : std::clamp(t, 0.0, 1.0);
  Rgb colour{};
  for (size_t k = 0; k < 3; ++k) {
    double value = 0;
    for (int power = 6; power >= 0; --power) value = value * t + c[power][k];
    colour[k] = static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0)));
  }
  return colour;
}

std::string hex_colour(Rgb colour) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", colour[0], colour[1], colour[2]);
  return text;
}

std::string encode_png(const Eigen::MatrixXd& levels) {
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header(levels.cols(), levels.rows())) +
         chunk("PLTE", palette()) + chunk("tRNS", transparency()) +
         chunk("IDAT", zlib_stored(scan_lines(levels))) + chunk("IEND", "");
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace torsor
