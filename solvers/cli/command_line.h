// What the commands' argument lists share.
#pragma once

#include <boost/program_options.hpp>

#include "solvers/cli/commands.h"
#include "solvers/cli/config.h"

namespace torsor {

/// Parses options and positional arguments. Throws InputError for unknown options (with the nearest known one), missing
/// or superfluous arguments.
boost::program_options::variables_map parse_arguments(const Arguments& arguments,
                                                      const boost::program_options::options_description& options,
                                                      const std::vector<std::string>& positional);

/// --set, --out, --json: what every command that runs a configuration takes.
boost::program_options::options_description run_options();

/// The configuration with its --set overrides and --out.
Config read_config(const boost::program_options::variables_map& given);

/// The words of the command line, for provenance.
std::string command_text(const std::string& command, const Arguments& arguments);

/// The output folder of a configuration.
std::string output_folder(const Config& config);

}  // namespace torsor
