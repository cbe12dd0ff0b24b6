// How a long computation reports where it is and learns that it should stop.
#pragma once

#include <string>

namespace torsor {

class Progress {
 public:
  virtual ~Progress() = default;
  /// `fraction` of the whole in [0, 1]; `text` says what is being done.
  virtual void update(double fraction, const std::string& text) = 0;
};

/// Reports nothing.
class SilentProgress : public Progress {
 public:
  void update(double, const std::string&) override {}
};

/// Asks every running computation to stop after its current step; callable from a signal handler.
void request_stop() noexcept;
/// Throws Interrupted when a stop was requested.
void throw_if_stopped();

}  // namespace torsor
