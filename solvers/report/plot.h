// Figures of the report as SVG elements for HTML: curves, and maps with a colour bar.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "solvers/report/raster.h"

namespace torsor {

/// `value` with three significant digits; a dash when it is unknown (not finite).
std::string short_number(double value);

struct Curve {
  enum class Style { line, dashed, marked, dots };  // marked: a line with a dot at each point
  std::string name;                                 // in the legend; empty: not there
  std::vector<double> x, y;                         // not finite: a gap
  Style style = Style::line;
};

struct LinePlot {
  std::string title, x_label, y_label;
  std::vector<Curve> curves;
  bool log_x = false;  // values that are not positive are left out
  bool log_y = false;
  bool diagonal = false;  // draw y = x
};

struct MapPlot {
  std::string title, x_label, y_label;
  Raster raster;
  bool log = false;              // colours by decades, at most five of them
  double aspect = 1;             // height / width of the map
  std::optional<Range> colours;  // what the colours span; empty: the values of the raster
};

/// An `svg` element. Curves of many points are thinned.
std::string svg(const LinePlot& plot);

/// An `svg` element with the map as an embedded PNG.
std::string svg(const MapPlot& plot);

}  // namespace torsor
