#include "solvers/report/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "solvers/report/png.h"
#include "solvers/store/markup.h"

namespace torsor {
namespace {

constexpr size_t kMostPoints = 1500;       // of a drawn curve
constexpr double kMostDecades = 5;         // of a map with colours by decades
constexpr double kMostDecadesOfPlot = 20;  // of a logarithmic axis: a single zero-like value must not rule it

// Okabe and Ito's colours, distinct for colour-blind readers.
constexpr std::array kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[512];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

// ---- scales and ticks ------------------------------------------------------------------------------------

/// Values to pixels along one axis.
struct Scale {
  Range range;
  bool log;
  double first, last;  // pixels of the ends of the range

  double operator()(double value) const {
    const double part = log ? std::log(value / range.low) / std::log(range.high / range.low)
                            : (value - range.low) / range.length();
    return first + part * (last - first);
  }
};

std::vector<double> linear_ticks(Range range) {
  const double rough = range.length() / 4;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough < 1.5 * power   ? 1
                               : rough < 3.5 * power ? 2
                               : rough < 7.5 * power ? 5
                                                     : 10);
  std::vector<double> ticks;
  const double margin = 1e-9 * range.length();
  for (double i = std::ceil((range.low - margin) / step); i * step <= range.high + margin; ++i)
    ticks.push_back(i == 0 ? 0 : i * step);  // not -0
  return ticks;
}

std::vector<double> log_ticks(Range range) {
  const double first = std::ceil(std::log10(range.low) - 1e-9),
               last = std::floor(std::log10(range.high) + 1e-9);
  if (last - first < 1) return linear_ticks(range);
  std::vector<double> ticks;
  const double step = std::ceil((last - first) / 6);
  for (double power = first; power <= last; power += step) ticks.push_back(std::pow(10, power));
  return ticks;
}

std::vector<double> ticks_of(const Scale& scale) {
  return scale.log ? log_ticks(scale.range) : linear_ticks(scale.range);
}

std::string tick_label(double tick) {
  const bool plain = tick == 0 || (std::abs(tick) < 1e5 && std::abs(tick) >= 1e-3);
  std::string label = plain ? format("%.5g", tick) : format("%.3g", tick);
  const size_t exponent = label.find('e');
  if (exponent != std::string::npos && label[exponent + 2] == '0') label.erase(exponent + 2, 1);  // 1e-07
  return label;
}

/// The extent of values on a logarithmic axis, within `decades` below the largest.
Range log_range(const std::vector<double>& values, double decades) {
  double low = INFINITY, high = 0;
  for (const double value : values) {
    if (!std::isfinite(value) || value <= 0) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (high == 0) return {1e-16, 1};
  low = std::max(low, high * std::pow(10, -decades));
  return low < high * 0.999 ? Range{low, high} : Range{high / 3, high * 3};
}

Range padded(Range range, bool log, double part) {
  if (log)
    return {range.low / std::pow(range.high / range.low, part),
            range.high * std::pow(range.high / range.low, part)};
  return {range.low - part * range.length(), range.high + part * range.length()};
}

// ---- parts of a figure -----------------------------------------------------------------------------------

struct Box {
  double left, top, width, height;
  double right() const { return left + width; }
  double bottom() const { return top + height; }
};

std::string text_at(double x, double y, const char* anchor, const std::string& text,
                    const char* css_class = "") {
  return format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor, css_class) +
         escape_markup(text) + "</text>";
}

std::string frame(const Box& box) {
  return format("<rect class=\"frame\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", box.left,
                box.top, box.width, box.height);
}

std::string x_axis(const Scale& scale, const Box& box, const std::string& label, bool grid_lines) {
  std::string out;
  for (const double tick : ticks_of(scale)) {
    const double x = scale(tick), top = grid_lines ? box.top : box.bottom();
    out += format("<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, top, box.bottom() + 4);
    out += text_at(x, box.bottom() + 16, "middle", tick_label(tick));
  }
  return out + text_at(box.left + box.width / 2, box.bottom() + 33, "middle", label);
}

std::string y_axis(const Scale& scale, const Box& box, const std::string& label, bool grid_lines) {
  std::string out;
  for (const double tick : ticks_of(scale)) {
    const double y = scale(tick), right = grid_lines ? box.right() : box.left;
    out += format("<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", box.left - 4, y, right);
    out += text_at(box.left - 7, y + 4, "end", tick_label(tick));
  }
  const double middle = box.top + box.height / 2;
  return out + format("<g transform=\"translate(13 %.1f) rotate(-90)\">", middle) +
         text_at(0, 0, "middle", label) + "</g>";
}

std::string figure(double width, double height, const std::string& title, const std::string& content) {
  return format("<svg viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" height=\"%.0f\" role=\"img\">", width, height,
                width, height) +
         "<title>" + escape_markup(title) + "</title>" + text_at(width / 2, 15, "middle", title, "title") +
         content + "</svg>\n";
}

// ---- curves ----------------------------------------------------------------------------------------------

bool drawable(double value, bool log) {
  return std::isfinite(value) && (!log || value > 0);
}

struct Pixel {
  double x, y;
  bool after_gap;
};

std::vector<Pixel> pixels_of(const Curve& curve, const Scale& x, const Scale& y) {
  std::vector<Pixel> pixels;
  bool gap = true;
  const size_t count = std::min(curve.x.size(), curve.y.size());
  const size_t stride = std::max<size_t>(1, (count + kMostPoints - 1) / kMostPoints);
  for (size_t i = 0; i < count; i += stride) {
    if (stride > 1 && i + stride >= count) i = count - 1;  // the end of the curve always shows
    const bool shown = drawable(curve.x[i], x.log) && drawable(curve.y[i], y.log);
    if (shown) pixels.push_back({x(curve.x[i]), y(curve.y[i]), gap});
    gap = !shown;
  }
  return pixels;
}

std::string draw_curve(const Curve& curve, const Scale& x, const Scale& y, const char* colour) {
  std::string line, dots;
  for (const Pixel& pixel : pixels_of(curve, x, y)) {
    line += format("%c%.1f %.1f", pixel.after_gap ? 'M' : 'L', pixel.x, pixel.y);
    dots += format("M%.1f %.1fh0", pixel.x, pixel.y);
  }
  std::string out;
  if (curve.style != Curve::Style::dots)
    out += format("<path class=\"curve\" stroke=\"%s\"%s d=\"", colour,
                  curve.style == Curve::Style::dashed ? " stroke-dasharray=\"6 4\"" : "") +
           line + "\"/>";
  if (curve.style == Curve::Style::dots || curve.style == Curve::Style::marked)
    out += format("<path class=\"dots\" stroke=\"%s\" stroke-width=\"%d\" d=\"", colour,
                  curve.style == Curve::Style::marked ? 6 : 3) +
           dots + "\"/>";
  return out;
}

std::string legend(const std::vector<Curve>& curves, const Box& box) {
  std::string out;
  double y = box.top + 15;
  for (size_t i = 0; i < curves.size(); ++i) {
    if (curves[i].name.empty()) continue;
    const char* dash = curves[i].style == Curve::Style::dashed ? " stroke-dasharray=\"6 4\"" : "";
    out += format("<path class=\"curve\" stroke=\"%s\"%s d=\"M%.1f %.1fh22\"/>",
                  kColours[i % kColours.size()], dash, box.right() - 30, y - 4);
    out += text_at(box.right() - 36, y, "end", curves[i].name, "halo");
    y += 16;
  }
  return out;
}

bool has_legend(const std::vector<Curve>& curves) {
  return std::any_of(curves.begin(), curves.end(), [](const Curve& curve) { return !curve.name.empty(); });
}

Range extent(const LinePlot& plot, bool of_x) {
  const bool log = of_x ? plot.log_x : plot.log_y;
  std::vector<double> values;
  for (const Curve& curve : plot.curves) {
    const std::vector<double>& part = of_x ? curve.x : curve.y;
    values.insert(values.end(), part.begin(), part.end());
  }
  if (log) return log_range(values, kMostDecadesOfPlot);
  return range_of(Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<long>(values.size())));
}

// ---- maps ------------------------------------------------------------------------------------------------

std::string colour_bar(const Scale& scale, const Box& box) {
  constexpr int kStrips = 48;
  std::string out;
  for (int i = 0; i < kStrips; ++i) {
    const double height = box.height / kStrips;
    out += format("<rect x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\" fill=\"%s\"/>", box.left,
                  box.bottom() - (i + 1) * height, box.width, height + 0.4,
                  hex_colour(viridis((i + 0.5) / kStrips)).c_str());
  }
  for (const double tick : ticks_of(scale)) {
    out += format("<path class=\"grid\" d=\"M%.1f %.1fh4\"/>", box.right(), scale(tick));
    out += text_at(box.right() + 7, scale(tick) + 4, "start", tick_label(tick));
  }
  return out + frame(box);
}

/// The colour map's argument of each pixel.
Eigen::MatrixXd levels_of(const Eigen::MatrixXd& values, const Scale& scale) {
  const Scale unit{scale.range, scale.log, 0, 1};
  return values.unaryExpr([&](double value) {
    if (!std::isfinite(value)) return std::nan("");
    return std::clamp(unit(scale.log ? std::max(value, scale.range.low) : value), 0.0, 1.0);
  });
}

}  // namespace

std::string short_number(double value) {
  return std::isfinite(value) ? format("%.3g", value) : "–";
}

std::string svg(const LinePlot& plot) {
  const double width = 400, height = 270;
  const Box box{66, 26, width - 66 - 16, height - 26 - 46};
  Range x_range = extent(plot, true), y_range = padded(extent(plot, false), plot.log_y, 0.05);
  if (has_legend(plot.curves)) y_range.high = padded(y_range, plot.log_y, 0.2).high;
  if (plot.diagonal) {
    x_range = y_range = {std::min(x_range.low, y_range.low), std::max(x_range.high, y_range.high)};
  }
  const Scale x{padded(x_range, plot.log_x, 0.02), plot.log_x, box.left, box.right()};
  const Scale y{y_range, plot.log_y, box.bottom(), box.top};
  std::string content = x_axis(x, box, plot.x_label, true) + y_axis(y, box, plot.y_label, true);
  if (plot.diagonal)
    content += format("<path class=\"grid\" d=\"M%.1f %.1fL%.1f %.1f\"/>", x(x_range.low), y(x_range.low),
                      x(x_range.high), y(x_range.high));
  for (size_t i = 0; i < plot.curves.size(); ++i)
    content += draw_curve(plot.curves[i], x, y, kColours[i % kColours.size()]);
  content += frame(box) + legend(plot.curves, box);
  return figure(width, height, plot.title, content);
}

std::string svg(const MapPlot& plot) {
  const Box box{60, 26, 210, 210 * plot.aspect};
  const Box bar{box.right() + 12, box.top, 12, box.height};
  const double width = bar.right() + 62, height = box.bottom() + 46;
  const Eigen::MatrixXd& values = plot.raster.values;
  const Range range = plot.log ? log_range({values.data(), values.data() + values.size()}, kMostDecades)
                               : plot.colours.value_or(range_of(values.reshaped()));
  const Scale colours{range, plot.log, bar.bottom(), bar.top};
  const Scale x{plot.raster.x, false, box.left, box.right()}, y{plot.raster.y, false, box.bottom(), box.top};
  const std::string content =
      format("<image x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" preserveAspectRatio=\"none\"",
             box.left, box.top, box.width, box.height) +
      " href=\"data:image/png;base64," + base64(encode_png(levels_of(values, colours))) + "\"/>" +
      frame(box) + x_axis(x, box, plot.x_label, false) + y_axis(y, box, plot.y_label, false) +
      colour_bar(colours, bar);
  return figure(width, height, plot.title, content);
}

}  // namespace torsor
