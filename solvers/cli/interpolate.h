// Values of a sampled field at other samples.
#pragma once

#include "solvers/store/run_record.h"

namespace torsor {

/// Values at the samples `to` of a field given on the tensor grid `from`: a local polynomial of degree up to five in
/// each coordinate (Lagrange, six nearest grid points), NaN outside the grid and where a hole is touched.
/// Throws InputError when `from` is not a grid, or the coordinates' names differ.
Eigen::VectorXd interpolate(const SampleSet& from, const Eigen::VectorXd& values, const SampleSet& to);

}  // namespace torsor
