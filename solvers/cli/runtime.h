// The machine's libraries and threads, stated at start-up.
#pragma once

#include <string>

namespace torsor {

struct Runtime {
  std::string libtorch;  ///< version
  std::string blas;      ///< name and configuration as far as it tells
  bool reference_blas = false;
  std::string precision = "float64";
  int threads = 1;
};

/// Sets the threads of LibTorch, OpenMP and BLAS (OMP_NUM_THREADS if given, else every core this process may use) and
/// reports what is loaded.
Runtime start_runtime();

}  // namespace torsor
