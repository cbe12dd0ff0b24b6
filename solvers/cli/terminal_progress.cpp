#include "solvers/cli/terminal_progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace torsor {
namespace {

constexpr double kTerminalInterval = 0.1;  // seconds between two drawings of the bar
constexpr double kPlainInterval = 5;       // and between two lines in a log

double seconds(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

TerminalProgress::TerminalProgress(std::string title)
    : title_(std::move(title)), terminal_(isatty(STDERR_FILENO) != 0), start_(Clock::now()), last_(start_) {}

TerminalProgress::~TerminalProgress() {
  if (terminal_) std::fprintf(stderr, "\r\033[K");
}

void TerminalProgress::update(double fraction, const std::string& text) {
  const auto now = Clock::now();
  if (seconds(now - last_) < (terminal_ ? kTerminalInterval : kPlainInterval)) return;
  last_ = now;
  fraction = std::clamp(fraction, 0.0, 1.0);
  const double elapsed = seconds(now - start_), left = fraction > 0.02 ? elapsed * (1 - fraction) / fraction : 0;
  if (!terminal_) {
    std::fprintf(stderr, "%s: %3.0f %%, %.0f s, about %.0f s left: %s\n", title_.c_str(), 100 * fraction, elapsed, left,
                 text.c_str());
    return;
  }
  constexpr int kWidth = 30;
  std::string bar(static_cast<size_t>(kWidth * fraction), '#');
  bar.resize(kWidth, '.');
  std::fprintf(stderr, "\r\033[K%s [%s] %3.0f %% %.0f s left  %.60s", title_.c_str(), bar.c_str(), 100 * fraction, left,
               text.c_str());
  std::fflush(stderr);
}

}  // namespace torsor
