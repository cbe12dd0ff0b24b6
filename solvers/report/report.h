// The report of a run: one self-contained HTML page with tables and pictures.
#pragma once

#include <string>

#include "solvers/store/run_record.h"

namespace torsor {

/// The page: equation and provenance, a table of all tasks, errors over the tasks, training curves, and for
/// up to six tasks (from the smallest to the largest error) pictures of fields, errors, residuals and the
/// head's solve. Styles and pictures are inside; nothing is loaded from elsewhere.
std::string report_html(const RunRecord& run);

/// Writes FOLDER/report.html in one atomic step; makes the folder when needed. Throws InputError when it
/// cannot be written, std::invalid_argument when the record contradicts itself.
void write_report(const RunRecord& run, const std::string& folder);

}  // namespace torsor
