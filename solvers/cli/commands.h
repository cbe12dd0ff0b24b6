// The commands of the program. Each takes its arguments (without the command's name) and returns the exit code.
// All throw InputError (exit code 2) and NumericalError (exit code 1).
#pragma once

#include <string>
#include <vector>

namespace torsor {

using Arguments = std::vector<std::string>;

int command_list(const Arguments& arguments);
int command_describe(const Arguments& arguments);
int command_solve(const Arguments& arguments);
int command_adapt(const Arguments& arguments);
int command_reference(const Arguments& arguments);
int command_compare(const Arguments& arguments);
int command_evaluate(const Arguments& arguments);
int command_resume(const Arguments& arguments);
int command_report(const Arguments& arguments);

/// Runs the program: parses the command's name, maps exceptions to exit codes and messages.
int run_program(int argc, char** argv);

}  // namespace torsor
