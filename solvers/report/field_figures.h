// Pictures of the fields of one task, chosen by the dimension of its sample set.
#pragma once

#include <string>

#include "solvers/store/run_record.h"

namespace torsor {

/// SVG elements for every field (prediction, reference, |error|) and every stored residual: curves in one
/// dimension; maps in two; a slice through the middle of the others and prediction against reference in more.
/// Axes of a single value do not count as dimensions.
std::string field_figures(const TaskRecord& task);

/// "NAME [UNIT]", or the name alone without a unit.
std::string with_unit(const std::string& name, const std::string& unit);

}  // namespace torsor
