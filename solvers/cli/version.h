// What this build of torsor is.
#pragma once

#include <string>

namespace torsor {

/// "0.1.0".
std::string torsor_version();

/// The commit of the sources, 12 digits; "unknown" when they were not built from a git repository.
std::string torsor_git_hash();

}  // namespace torsor
