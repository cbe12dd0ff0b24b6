#include "solvers/cli/runtime.h"

#include <dlfcn.h>
#include <omp.h>
#include <sched.h>
#include <torch/torch.h>

#include <cstdlib>

namespace torsor {
namespace {

int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return omp_get_num_procs();
}

int wanted_threads() {
  const char* given = std::getenv("OMP_NUM_THREADS");
  const int threads = given ? std::atoi(given) : 0;
  return threads > 0 ? threads : available_cores();
}

/// The file the matrix multiplication really comes from, whatever the program was linked with.
std::string blas_library() {
  void* symbol = dlsym(RTLD_DEFAULT, "dgemm_");
  Dl_info info{};
  if (symbol == nullptr || dladdr(symbol, &info) == 0 || info.dli_fname == nullptr) return "unknown";
  const std::string path = info.dli_fname;
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Runtime start_runtime() {
  Runtime runtime;
  runtime.libtorch = TORCH_VERSION;
  runtime.threads = wanted_threads();
  omp_set_num_threads(runtime.threads);
  at::set_num_threads(runtime.threads);
  using Config = const char* (*)();
  using SetThreads = void (*)(int);
  if (const auto set_threads = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads")))
    set_threads(runtime.threads);
  if (const auto config = reinterpret_cast<Config>(dlsym(RTLD_DEFAULT, "openblas_get_config"))) {
    runtime.blas = config();
  } else {
    runtime.blas = blas_library();
    // The reference BLAS has no entry points of its own; every tuned one is named after itself.
    runtime.reference_blas = runtime.blas.rfind("libblas", 0) == 0;
  }
  return runtime;
}

}  // namespace torsor
