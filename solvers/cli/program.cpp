// The program: from the command's name to the command, from exceptions to exit codes.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <new>
#include <sstream>

#include "physics/error.h"
#include "solvers/cli/commands.h"
#include "solvers/cli/version.h"
#include "solvers/progress.h"

namespace torsor {
namespace {

constexpr const char* kUsage =
    "torsor list [problems|models|combiners|optimisers|references] [--json]\n"
    "torsor describe PROBLEM|COMBINER|OPTIMISER\n"
    "torsor solve CONFIG [--set section.key=value]... [--out DIR] [--json FILE]\n"
    "torsor solve --help-config\n"
    "torsor adapt --model MODEL.h5 CONFIG [--set ...] [--out DIR] [--json FILE]\n"
    "torsor reference CONFIG [--set ...] [--out DIR] [--json FILE]\n"
    "torsor compare A.h5 B.h5 [--json FILE]\n"
    "torsor evaluate RUN_DIR --points FILE --out FILE\n"
    "torsor resume DIR [--set section.key=value]... [--json FILE]\n"
    "torsor report DIR\n";

const std::map<std::string, std::function<int(const Arguments&)>>& commands() {
  static const std::map<std::string, std::function<int(const Arguments&)>> table{
      {"list", command_list},           {"describe", command_describe}, {"solve", command_solve},
      {"adapt", command_adapt},         {"reference", command_reference}, {"compare", command_compare},
      {"evaluate", command_evaluate},   {"resume", command_resume},     {"report", command_report}};
  return table;
}

/// The lines of the usage that belong to one command.
std::string usage_of(const std::string& command) {
  std::istringstream lines(kUsage);
  std::string text;
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("torsor " + command + " ", 0) == 0) text += line + "\n";
  return text;
}

bool asks_for_help(const Arguments& arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const std::string& argument) { return argument == "--help" || argument == "-h"; });
}

int dispatch(const Arguments& arguments) {
  if (arguments.empty() || arguments.front() == "--help" || arguments.front() == "-h" ||
      arguments.front() == "help") {
    std::printf("%s", kUsage);
    return arguments.empty() ? 2 : 0;
  }
  if (arguments.front() == "--version") {
    std::printf("torsor %s (%s)\n", torsor_version().c_str(), torsor_git_hash().c_str());
    return 0;
  }
  const auto command = commands().find(arguments.front());
  if (command == commands().end()) {
    std::vector<std::string> known;
    for (const auto& entry : commands()) known.push_back(entry.first);
    throw InputError(unknown_name_message("command", arguments.front(), known));
  }
  if (asks_for_help(arguments)) {
    std::printf("%s", usage_of(arguments.front()).c_str());
    return 0;
  }
  return command->second({arguments.begin() + 1, arguments.end()});
}

}  // namespace

int run_program(int argc, char** argv) {
  std::signal(SIGINT, [](int) { request_stop(); });
  std::signal(SIGTERM, [](int) { request_stop(); });
  try {
    return dispatch({argv + 1, argv + argc});
  } catch (const InputError& error) {
    std::fprintf(stderr, "torsor: %s\n", error.what());
    return 2;
  } catch (const NumericalError& error) {
    std::fprintf(stderr, "torsor: %s\n", error.what());
    return 1;
  } catch (const Interrupted& error) {
    std::fprintf(stderr, "torsor: %s\n", error.what());
    return 130;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "torsor: out of memory: the system does not fit; ask for fewer features or points\n");
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "torsor: internal error: %s\n", error.what());
    return 1;
  }
}

}  // namespace torsor
