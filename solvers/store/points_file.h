// Points and values at points, read from and written to CSV or HDF5, and plain numeric tables.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

namespace torsor {

/// Reads N points with the coordinates `names` as an (N, d) matrix, columns in the order of `names`.
///
/// HDF5 (recognised by its content): a dataset of N numbers for each coordinate, or `points`, (N, d).
///
/// Text: a point a line; columns separated by commas, semicolons or blanks; `#` and `%` begin a comment.
/// A first line of names, or a comment right before the numbers that names every coordinate, is a header: the
/// columns may then come in any order, and others are ignored. Without a header the columns are the
/// coordinates as declared, no more and no fewer.
///
/// Throws InputError, with the line number where there is one, when the file is missing, empty, has too few
/// or too many columns, lacks a coordinate, or holds something that is not a finite number.
Eigen::MatrixXd read_points(const std::string& path, const std::vector<std::string>& names);

/// Writes `columns` (N, k) under the k `names` in one atomic step: HDF5 when the path ends in .h5 or .hdf5 (a
/// dataset for each name), else CSV with a header and 17 digits. Throws InputError when the place cannot be
/// written.
void write_points(const std::string& path, const std::vector<std::string>& names,
                  const Eigen::MatrixXd& columns);

/// Reads a table of numbers without names: columns separated as above, lines from `#` or `%` on are comments,
/// the same number of columns in each line; NaN is allowed (holes). Throws InputError as read_points() does.
Eigen::MatrixXd read_table(const std::string& path);

}  // namespace torsor
