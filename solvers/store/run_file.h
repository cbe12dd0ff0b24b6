// The stored run: `run.h5` with everything in a RunRecord, and `run.xdmf`, which shows it to ParaView.
//
// Layout of run.h5, format 1.0 (groups and attributes keep their order):
//   /                       attributes filetype, format_version, problem, description, config_text, command,
//                           version, git_hash, date, libtorch, blas, precision, threads, seed
//   /history/NAME           step, value
//   /task/NAME              attributes name, seed, reference_name, reference_error_estimate, grid, time
//     parameters, seconds   attributes
//     AXIS                  coordinates, one dataset each, with `units`: the dimension scales of a grid;
//                           for a cloud of points all have the one dimension `point`
//     inside                1 inside, 0 in holes; only for perforated sets
//     geometry              (N, 3) for XDMF; tasks with equal sample sets share that of the first
//     field/NAME            prediction, reference, error; attributes name, unit, rel_l2, rel_l1, max, rel_max
//     residual/NAME         values (when stored on the set); attributes term, rms, max
//     head                  singular_values, newton_residuals; attributes; bandwidth with attributes
#pragma once

#include <string>

#include "solvers/store/hdf5_file.h"
#include "solvers/store/run_record.h"

namespace torsor {

inline const FileType kRunFileType{"torsor run", 1, 0};

/// Writes FOLDER/run.h5 and FOLDER/run.xdmf, each in one atomic step; makes the folder when needed. Throws
/// InputError when the folder cannot be written, std::invalid_argument when the record contradicts itself.
void write_run(const RunRecord& run, const std::string& folder);

/// Reads a run.h5, or the one in the folder `path`. Throws InputError, naming file and object, when it is
/// missing, foreign, damaged, incomplete or of a newer version.
RunRecord read_run(const std::string& path);

}  // namespace torsor
