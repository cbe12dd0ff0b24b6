// Every key of a configuration, with default, rule and help.
#pragma once

#include "solvers/cli/config.h"

namespace torsor {

/// The keys of sections [problem] [model] [train] [head] [reference] [output].
const ConfigSchema& config_schema();

}  // namespace torsor
