// Progress on standard error: a bar with time left on a terminal, a plain line now and then otherwise.
#pragma once

#include <chrono>
#include <string>

#include "solvers/progress.h"

namespace torsor {

class TerminalProgress : public Progress {
 public:
  explicit TerminalProgress(std::string title);
  ~TerminalProgress() override;
  void update(double fraction, const std::string& text) override;

 private:
  using Clock = std::chrono::steady_clock;
  std::string title_;
  bool terminal_;
  Clock::time_point start_, last_;
};

}  // namespace torsor
