#include "solvers/store/points_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string_view>

#include "physics/error.h"
#include "solvers/store/atomic_file.h"
#include "solvers/store/hdf5_file.h"

namespace torsor {
namespace {

const FileType kPointsFileType{"torsor points", 1, 0};

using Tokens = std::vector<std::string_view>;

// ---- lines and cells -------------------------------------------------------------------------------------

constexpr std::string_view kBlanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

Tokens split_at(std::string_view line, char separator) {
  Tokens cells;
  for (size_t begin = 0;;) {
    const size_t end = line.find(separator, begin);
    cells.push_back(trimmed(line.substr(begin, end - begin)));
    if (end == std::string_view::npos) return cells;
    begin = end + 1;
  }
}

Tokens split_at_blanks(std::string_view line) {
  Tokens cells;
  for (size_t begin = line.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    cells.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return cells;
}

Tokens split(std::string_view line) {
  // A semicolon wins, so that a decimal comma is refused as a number and not taken for a separator.
  for (const char separator : {';', ','})
    if (line.find(separator) != std::string_view::npos) return split_at(line, separator);
  return split_at_blanks(line);
}

std::optional<double> parse_number(std::string_view cell) {
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') cell.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size() || cell.empty()) return std::nullopt;
  // Beyond the range of a double: too small is zero, too large is caught as not finite.
  if (error == std::errc::result_out_of_range) return std::strtod(std::string(cell).c_str(), nullptr);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::string at_line(const std::string& path, long line) {
  return "'" + path + "', line " + std::to_string(line);
}

double number_at(std::string_view cell, const std::string& path, long line) {
  const std::optional<double> value = parse_number(cell);
  if (!value) throw InputError(at_line(path, line) + ": '" + std::string(cell) + "' is not a number");
  return *value;
}

// ---- text tables -----------------------------------------------------------------------------------------

struct Row {
  long line;  // counted from 1
  Tokens cells;
};

/// The rows of a text file, views into its content.
struct TextTable {
  std::vector<Row> rows;
  std::string_view last_comment;  // before the first row, without the mark
};

TextTable split_table(std::string_view content) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (content.substr(0, kByteOrderMark.size()) == kByteOrderMark)
    content.remove_prefix(kByteOrderMark.size());
  TextTable table;
  for (long line = 1; !content.empty(); ++line) {
    const size_t end = std::min(content.find('\n'), content.size());
    const std::string_view whole = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    const size_t mark = whole.find_first_of("#%");
    const std::string_view data = trimmed(whole.substr(0, mark));
    if (!data.empty())
      table.rows.push_back({line, split(data)});
    else if (mark != std::string_view::npos && table.rows.empty())
      table.last_comment =
          trimmed(whole.substr(std::min(whole.find_first_not_of("#% \t", mark), whole.size())));
  }
  return table;
}

std::string_view unquoted(std::string_view name) {
  const bool quoted =
      name.size() >= 2 && name.front() == name.back() && (name.front() == '"' || name.front() == '\'');
  return quoted ? trimmed(name.substr(1, name.size() - 2)) : name;
}

bool names_all(const Tokens& header, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(header.begin(), header.end(), name) != header.end();
  });
}

/// Takes the header off the table when it has one.
std::optional<Tokens> take_header(TextTable& table, const std::vector<std::string>& names) {
  Tokens header = table.rows.front().cells;
  if (std::none_of(header.begin(), header.end(), [](auto cell) { return parse_number(cell).has_value(); })) {
    table.rows.erase(table.rows.begin());
  } else {
    header = split(table.last_comment);
    if (!names_all(header, names)) return std::nullopt;
  }
  for (std::string_view& name : header) name = unquoted(name);
  return header;
}

std::string quoted_list(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

/// For each wanted name its column in the header.
std::vector<size_t> columns_of(const Tokens& header, const std::vector<std::string>& names,
                               const std::string& path) {
  std::vector<size_t> columns;
  for (const std::string& name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end())
      throw InputError("'" + path + "': no column '" + name + "' in the header (" +
                       quoted_list({header.begin(), header.end()}) + "); wanted: " + quoted_list(names));
    if (std::find(found + 1, header.end(), name) != header.end())
      throw InputError("'" + path + "': column '" + name + "' appears twice in the header");
    columns.push_back(static_cast<size_t>(found - header.begin()));
  }
  return columns;
}

void check_width(const Row& row, size_t width, const std::string& expected, const std::string& path) {
  if (row.cells.size() == width) return;
  throw InputError(at_line(path, row.line) + ": " + std::to_string(row.cells.size()) + " column" +
                   (row.cells.size() == 1 ? "" : "s") + ", expected " + std::to_string(width) + " (" +
                   expected + ")");
}

Eigen::MatrixXd read_text_points(const std::string& path, const std::vector<std::string>& names) {
  const std::string content = read_whole_file(path);
  TextTable table = split_table(content);
  if (table.rows.empty()) throw InputError("'" + path + "' holds no points");
  const std::optional<Tokens> header = take_header(table, names);
  if (table.rows.empty()) throw InputError("'" + path + "' holds no points below its header");

  const Tokens shown = header ? *header : Tokens(names.begin(), names.end());
  const std::vector<size_t> columns = columns_of(shown, names, path);
  const std::string expected = quoted_list({shown.begin(), shown.end()});
  Eigen::MatrixXd points(static_cast<long>(table.rows.size()), static_cast<long>(names.size()));
  for (long i = 0; i < points.rows(); ++i) {
    const Row& row = table.rows[static_cast<size_t>(i)];
    check_width(row, shown.size(), expected, path);
    for (long k = 0; k < points.cols(); ++k) {
      points(i, k) = number_at(row.cells[columns[static_cast<size_t>(k)]], path, row.line);
      if (!std::isfinite(points(i, k)))
        throw InputError(at_line(path, row.line) + ": coordinate '" + names[static_cast<size_t>(k)] +
                         "' is not finite");
    }
  }
  return points;
}

// ---- HDF5 ------------------------------------------------------------------------------------------------

Eigen::MatrixXd read_points_matrix(const Hdf5Group& root, const std::string& path, long dimension) {
  const Array<double> array = root.read<double>("points");
  if (array.shape.size() != 2 || array.shape[1] != dimension)
    throw InputError("'" + path + "': dataset 'points' must have the shape (N, " + std::to_string(dimension) +
                     ")");
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(array.values.data(), array.shape[0], dimension);
}

Eigen::MatrixXd read_named_columns(const Hdf5Group& root, const std::string& path,
                                   const std::vector<std::string>& names) {
  Eigen::MatrixXd points;
  for (size_t k = 0; k < names.size(); ++k) {
    const Array<double> array = root.read<double>(names[k]);
    const long n = static_cast<long>(array.values.size());
    if (k == 0) points.resize(n, static_cast<long>(names.size()));
    if (n != points.rows() || array.shape.size() != 1)
      throw InputError("'" + path + "': the datasets " + quoted_list(names) +
                       " must be lists of the same length");
    points.col(static_cast<long>(k)) = Eigen::Map<const Eigen::VectorXd>(array.values.data(), n);
  }
  return points;
}

Eigen::MatrixXd read_hdf5_points(const std::string& path, const std::vector<std::string>& names) {
  const Hdf5File file = Hdf5File::open_foreign(path);
  const Hdf5Group root = file.root();
  const auto present = [&](const std::string& name) { return root.has(name); };
  const bool as_columns = std::all_of(names.begin(), names.end(), present);
  if (!as_columns && !root.has("points"))
    throw InputError("'" + path + "' must hold the datasets " + quoted_list(names) +
                     ", or 'points' of shape (N, " + std::to_string(names.size()) + ")");
  Eigen::MatrixXd points = as_columns ? read_named_columns(root, path, names)
                                      : read_points_matrix(root, path, static_cast<long>(names.size()));
  if (points.rows() == 0) throw InputError("'" + path + "' holds no points");
  for (long i = 0; i < points.rows(); ++i)
    if (!points.row(i).allFinite())
      throw InputError("'" + path + "': point " + std::to_string(i) + " (counted from 0) is not finite");
  return points;
}

bool named_as_hdf5(const std::string& path) {
  const auto ends_with = [&](std::string_view end) {
    return path.size() >= end.size() && path.compare(path.size() - end.size(), end.size(), end) == 0;
  };
  return ends_with(".h5") || ends_with(".hdf5");
}

void write_hdf5_points(const std::string& path, const std::vector<std::string>& names,
                       const Eigen::MatrixXd& columns) {
  Hdf5File file = Hdf5File::create(path, kPointsFileType);
  Hdf5Group root = file.root();
  for (long k = 0; k < columns.cols(); ++k)
    root.write(names[static_cast<size_t>(k)], columns.col(k).data(), {columns.rows()});
  file.save();
}

std::string csv_text(const std::vector<std::string>& names, const Eigen::MatrixXd& columns) {
  std::string text;
  for (size_t k = 0; k < names.size(); ++k) text += (k ? "," : "") + names[k];
  text += '\n';
  char digits[40];
  for (long i = 0; i < columns.rows(); ++i) {
    for (long k = 0; k < columns.cols(); ++k) {
      const auto end =
          std::to_chars(digits, digits + sizeof digits, columns(i, k), std::chars_format::general, 17);
      text.append(k ? "," : "").append(digits, end.ptr);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

Eigen::MatrixXd read_points(const std::string& path, const std::vector<std::string>& names) {
  if (names.empty()) throw std::invalid_argument("read_points: no coordinates are named");
  return is_hdf5(path) || named_as_hdf5(path) ? read_hdf5_points(path, names) : read_text_points(path, names);
}

void write_points(const std::string& path, const std::vector<std::string>& names,
                  const Eigen::MatrixXd& columns) {
  if (static_cast<long>(names.size()) != columns.cols())
    throw std::invalid_argument("write_points: " + std::to_string(names.size()) + " names for " +
                                std::to_string(columns.cols()) + " columns");
  if (named_as_hdf5(path)) return write_hdf5_points(path, names, columns);
  write_atomically(path, csv_text(names, columns));
}

Eigen::MatrixXd read_table(const std::string& path) {
  const std::string content = read_whole_file(path);
  const TextTable table = split_table(content);
  if (table.rows.empty()) throw InputError("'" + path + "' holds no numbers");
  const size_t width = table.rows.front().cells.size();
  Eigen::MatrixXd values(static_cast<long>(table.rows.size()), static_cast<long>(width));
  for (long i = 0; i < values.rows(); ++i) {
    const Row& row = table.rows[static_cast<size_t>(i)];
    check_width(row, width, "as in line " + std::to_string(table.rows.front().line), path);
    for (long k = 0; k < values.cols(); ++k)
      values(i, k) = number_at(row.cells[static_cast<size_t>(k)], path, row.line);
  }
  return values;
}

}  // namespace torsor
