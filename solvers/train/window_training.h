// Training in time windows of equal length, one after the other: each has a network of its own that begins with the
// weights of the one before and takes its initial data from that one's end (Wight and Zhao, "Solving Allen-Cahn and
// Cahn-Hilliard equations using the adaptive physics informed neural networks", 2020; Wang, Sankaran, Perdikaris 2022).
// One window is plain training.
#pragma once

#include "solvers/train/trainer.h"

namespace torsor {

class WindowTraining {
 public:
  using Monitor = std::function<std::vector<std::pair<std::string, double>>(const WindowTraining&)>;

  /// Steps of every phase are those of each window; the seconds are divided among them. Throws InputError for several
  /// windows without a time coordinate, and as Trainer does.
  WindowTraining(std::vector<Problem> tasks, TrainOptions options, Index windows);

  /// As Trainer::run, over all windows.
  void run(Progress& progress, const Monitor& monitor, const std::function<void(const WindowTraining&)>& checkpoint,
           double checkpoint_seconds);

  /// Over their whole time.
  const std::vector<Problem>& tasks() const { return tasks_; }
  /// The trainer of the window that training has come to.
  const Trainer& now() const { return *trainer_; }
  /// The fields of a task up to `reached`, window by window; `concatenate` as Trainer::solution.
  Solution solution(Index task, bool concatenate) const;
  /// The time up to which there are networks; infinite without time.
  double reached() const;

  Index steps_taken() const;
  double seconds() const;
  /// Of all windows, their steps counted on.
  std::map<std::string, Series> history() const;
  std::vector<std::string> endings() const;

  State state() const;
  void restore(const State& state);

 private:
  /// A window that has been trained.
  struct Piece {
    std::vector<Problem> tasks;
    std::unique_ptr<TaskNetwork> network;
    Eigen::VectorXd parameters;
  };

  double boundary(Index window) const;
  std::vector<Problem> window_tasks() const;
  TrainOptions window_options(const std::vector<Problem>& tasks) const;
  std::unique_ptr<Trainer> make_trainer() const;
  void keep(const Eigen::VectorXd& parameters);
  void next_window();

  std::vector<Problem> tasks_;
  TrainOptions options_;
  Index windows_;
  std::vector<Piece> pieces_;
  std::unique_ptr<Trainer> trainer_;
  // What the windows before this one left.
  std::map<std::string, Series> history_;
  std::vector<std::string> endings_;
  Index steps_ = 0;
  double seconds_ = 0;
};

}  // namespace torsor
