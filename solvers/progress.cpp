#include "solvers/progress.h"

#include <atomic>

#include "physics/error.h"

namespace torsor {
namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

}  // namespace

void request_stop() noexcept { stop_requested = true; }

void throw_if_stopped() {
  if (stop_requested) throw Interrupted("stopped on request; nothing was written");
}

}  // namespace torsor
