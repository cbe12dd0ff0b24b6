#include <unistd.h>

#include <cstdlib>

#include "solvers/cli/commands.h"

// OpenMP's threads spin at every barrier by default. On a machine whose cores are shared that makes the many short
// parallel regions of a head solve tens of times slower; sleeping costs microseconds. The run-time library reads its
// setting before main() begins, so the program sets it and starts itself once more.
static void wait_passively(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  execv("/proc/self/exe", argv);
  // Where this is not possible the program goes on as it is.
}

int main(int argc, char** argv) {
  wait_passively(argv);
  return torsor::run_program(argc, argv);
}
