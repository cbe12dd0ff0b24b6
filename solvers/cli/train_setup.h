// From a configuration to the options of training.
#pragma once

#include "solvers/cli/config.h"
#include "solvers/train/trainer.h"

namespace torsor {

/// The keys of sections [train] and, for what is trained, [model]; those of every combiner and optimiser among them.
std::vector<ConfigKey> train_keys();

/// Whether the configuration asks for training: train.steps has a number above 0.
bool trains(const Config& config);

/// Throws InputError for names, counts and options that do not fit.
TrainOptions train_options(const Config& config);

}  // namespace torsor
