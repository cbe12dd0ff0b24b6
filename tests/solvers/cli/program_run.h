// The program's commands from tests: in this process, and as a program of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "solvers/cli/commands.h"

namespace torsor {

/// Exit code and what was printed.
struct ProgramOutcome {
  int code = -1;
  std::string out, err;
};

inline ProgramOutcome run(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "torsor");
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  ProgramOutcome outcome;
  outcome.code = run_program(static_cast<int>(pointers.size()), pointers.data());
  std::fflush(nullptr);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

inline void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const auto& part : parts) EXPECT_NE(text.find(part), std::string::npos) << text << "\nlacks: " << part;
}

// The program itself: TORSOR_PROGRAM from the environment or the build, or beside the tests' folder.
inline std::string program_path() {
  if (const char* given = std::getenv("TORSOR_PROGRAM")) return given;
#ifdef TORSOR_PROGRAM
  return TORSOR_PROGRAM;
#else
  const std::filesystem::path beside = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "torsor";
  return std::filesystem::is_regular_file(beside) ? beside.string() : "";
#endif
}

}  // namespace torsor
