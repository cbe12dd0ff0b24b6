#include "solvers/cli/version.h"

#include "torsor_version.h"

namespace torsor {

std::string torsor_version() { return TORSOR_VERSION; }

std::string torsor_git_hash() { return TORSOR_GIT_HASH; }

}  // namespace torsor
