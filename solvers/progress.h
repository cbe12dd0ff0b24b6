// How a long computation reports where it is and learns that it should stop.
#pragma once

#include <string>
#include <utility>

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

/// Passes a part [begin, end] of the whole on to another progress, every text after `prefix`.
class PartOfProgress : public Progress {
 public:
  PartOfProgress(Progress& whole, double begin, double end, std::string prefix = "")
      : whole_(whole), begin_(begin), end_(end), prefix_(std::move(prefix)) {}
  void update(double fraction, const std::string& text) override {
    whole_.update(begin_ + (end_ - begin_) * fraction, prefix_ + text);
  }

 private:
  Progress& whole_;
  double begin_, end_;
  std::string prefix_;
};

/// Asks every running computation to stop after its current step; callable from a signal handler.
void request_stop() noexcept;
/// Throws Interrupted when a stop was requested.
void throw_if_stopped();

}  // namespace torsor
