// Checkpoints of training runs: DIR/checkpoint.h5 holds the configuration and everything that training goes on from.
#pragma once

#include <string>

#include "solvers/state.h"

namespace torsor {

struct Checkpoint {
  std::string config;   ///< the given keys, as Config::text
  std::string command;  ///< that started the run
  State state;          ///< of the trainer
};

/// The file of a run's folder.
std::string checkpoint_path(const std::string& folder);

/// Writes it in one atomic step. Throws InputError when it cannot be written.
void write_checkpoint(const Checkpoint& checkpoint, const std::string& folder);

/// Throws InputError for a missing, foreign or damaged file.
Checkpoint read_checkpoint(const std::string& folder);

}  // namespace torsor
