// A training run from the configuration to the files, begun or continued.
#pragma once

#include "solvers/cli/checkpoint.h"
#include "solvers/cli/config.h"
#include "solvers/cli/runtime.h"

namespace torsor {

/// Trains (from `checkpoint`, unless null), compares with references, re-solves the heads where train.resolve says so,
/// and writes all files into output_folder(config), with checkpoints on the way. Throws Interrupted after a last
/// checkpoint when a stop was asked for.
void train_and_finish(const Config& config, const Runtime& runtime, const std::string& command,
                      const std::string& json_path, const Checkpoint* checkpoint);

}  // namespace torsor
