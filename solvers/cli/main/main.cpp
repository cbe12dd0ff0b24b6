#include <unistd.h>

#include <cstdlib>

#include "solvers/cli/commands.h"

// OpenMP's threads spin for long at every barrier by default. On a machine whose cores are shared that makes the many
// short parallel regions of a head solve tens of times slower; going to sleep at once makes them twice as slow on an
// idle one. A short spin (about 50 microseconds) costs little on either. The run-time library reads its setting before
// main() begins, so the program sets it and starts itself once more.
static void spin_briefly(char** argv) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "1000", 1);
  execv("/proc/self/exe", argv);
  // Where this is not possible the program goes on as it is.
}

int main(int argc, char** argv) {
  spin_briefly(argv);
  return torsor::run_program(argc, argv);
}
