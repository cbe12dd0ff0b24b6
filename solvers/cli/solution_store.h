// Solved heads in model.h5: windows, partitions, bodies and heads, so that fields can be evaluated later and bodies
// reused for other tasks.
#pragma once

#include "solvers/cli/task_setup.h"
#include "solvers/head/solution.h"
#include "solvers/train/parameter_inputs.h"

namespace torsor {

struct StoredTask {
  std::string name;
  Solution solution;
};

/// What a model file holds.
struct StoredModel {
  std::string problem;
  std::vector<std::string> coordinates, fields;
  std::vector<StoredTask> tasks;
  double boundary_weight = 1;
  std::vector<ParameterInput> inputs;  ///< parameters that the network takes; none without a network or with own heads
  bool trained_heads = false;          ///< the heads are the network's last layer, for all values of the inputs
};

/// Writes FOLDER/model.h5 in one atomic step. Throws InputError when it cannot be written.
void write_solutions(const StoredModel& model, const std::string& path);

/// Reads it back; every field has the same value at every point, to the bit. Throws InputError for a missing, foreign or
/// damaged file.
StoredModel read_solutions(const std::string& path);

}  // namespace torsor
