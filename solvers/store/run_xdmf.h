// The XDMF 3 description of a stored run: which datasets of run.h5 are meshes and which are fields on them.
#pragma once

#include <Eigen/Core>
#include <string>

#include "solvers/store/run_record.h"

namespace torsor {

using PointMatrix = Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>;

/// Where the samples appear in space, (M, 3), missing coordinates 0, a fourth and further ones left out. The
/// time axis of a grid (beside others) is not in it: M counts the samples of one moment.
PointMatrix display_geometry(const SampleSet& sample);

/// For task `i` the first task with an equal sample set: its group holds the geometry of both.
size_t geometry_owner(const RunRecord& run, size_t i);

/// XDMF text that refers to `h5_name`, a file beside it. Grids become structured meshes with explicit points,
/// so that the first coordinate points to the right although it varies slowest; a time axis becomes a
/// temporal collection; clouds and grids of more than three space coordinates become clouds of vertices.
std::string run_xdmf(const RunRecord& run, const std::string& h5_name);

}  // namespace torsor
