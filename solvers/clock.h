// Wall-clock time for the seconds that runs report.
#pragma once

#include <chrono>

namespace torsor {

/// Seconds since an arbitrary fixed moment; never goes back.
inline double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace torsor
