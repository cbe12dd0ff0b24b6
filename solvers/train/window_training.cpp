#include "solvers/train/window_training.h"

#include <algorithm>
#include <cmath>

#include "physics/error.h"
#include "physics/random.h"
#include "solvers/head/time_window.h"

namespace torsor {
namespace {

void append(const std::map<std::string, Series>& more, double offset, std::map<std::string, Series>& history) {
  for (const auto& [name, series] : more) {
    auto& whole = history[name];
    for (const double step : series.steps) whole.steps.push_back(step + offset);
    whole.values.insert(whole.values.end(), series.values.begin(), series.values.end());
  }
}

std::string piece_name(size_t piece) { return "window" + std::to_string(piece); }

}  // namespace

WindowTraining::WindowTraining(std::vector<Problem> tasks, TrainOptions options, Index windows)
    : tasks_(std::move(tasks)), options_(std::move(options)), windows_(windows) {
  if (windows_ > 1 && tasks_.front().time() < 0)
    throw InputError("train.windows = " + std::to_string(windows_) + ": the problem has no time coordinate");
  trainer_ = make_trainer();
}

double WindowTraining::boundary(Index window) const {
  const Coordinate& time = tasks_.front().coordinates[static_cast<size_t>(tasks_.front().time())];
  if (window == windows_) return time.high;
  return time.low + (time.high - time.low) * static_cast<double>(window) / static_cast<double>(windows_);
}

double WindowTraining::reached() const {
  return tasks_.front().time() < 0 ? INFINITY : boundary(static_cast<Index>(pieces_.size()) + 1);
}

/// The tasks on the window after the last piece.
std::vector<Problem> WindowTraining::window_tasks() const {
  if (windows_ == 1) return tasks_;
  const auto window = static_cast<Index>(pieces_.size());
  std::vector<Problem> result;
  for (size_t t = 0; t < tasks_.size(); ++t) {
    std::shared_ptr<const Window> before;
    if (window > 0) {
      const Piece& piece = pieces_.back();
      before = std::make_shared<Window>(
          piece.network->solution(piece.tasks[t], static_cast<Index>(t), piece.parameters, false).windows().front());
    }
    result.push_back(window_problem(tasks_[t], boundary(window), boundary(window + 1), before));
  }
  return result;
}

TrainOptions WindowTraining::window_options(const std::vector<Problem>& tasks) const {
  TrainOptions options = options_;
  options.seconds /= static_cast<double>(windows_);
  const size_t window = pieces_.size();
  if (window == 0) return options;
  options.points.time_grading = 1;  // what begins fast has passed
  options.points.seed = stream_seed(options_.points.seed, window);
  options.seed = stream_seed(options_.seed, window);
  // What continues the fields takes the factor of the initial data in whose place it is.
  double initial = 0;
  for (const auto& term : tasks_.front().terms)
    if (term.place == Place::initial && options.weights.given.count(term.name)) {
      initial = std::max(initial, options.weights.given.at(term.name));
      options.weights.given.erase(term.name);
    }
  if (initial > 0)
    for (const auto& term : tasks.front().terms)
      if (term.place == Place::initial) options.weights.given[term.name] = initial;
  return options;
}

std::unique_ptr<Trainer> WindowTraining::make_trainer() const {
  auto tasks = window_tasks();
  auto options = window_options(tasks);
  return std::make_unique<Trainer>(std::move(tasks), std::move(options));
}

/// The window that training has come to becomes a piece.
void WindowTraining::keep(const Eigen::VectorXd& parameters) {
  Piece piece{trainer_->tasks(), nullptr, parameters};
  piece.network = std::make_unique<TaskNetwork>(piece.tasks, options_.network);
  pieces_.push_back(std::move(piece));
  trainer_ = make_trainer();
  trainer_->start_from(parameters);
}

void WindowTraining::next_window() {
  append(trainer_->history(), static_cast<double>(steps_), history_);
  for (const auto& ending : trainer_->endings())
    endings_.push_back("window " + std::to_string(pieces_.size() + 1) + ": " + ending);
  steps_ += trainer_->steps_taken();
  seconds_ += trainer_->seconds();
  keep(Eigen::VectorXd(trainer_->parameters()));
}

void WindowTraining::run(Progress& progress, const Monitor& monitor,
                         const std::function<void(const WindowTraining&)>& checkpoint, double checkpoint_seconds) {
  Trainer::Monitor inner_monitor;
  if (monitor) inner_monitor = [&](const Trainer&) { return monitor(*this); };
  std::function<void(const Trainer&)> inner_checkpoint;
  if (checkpoint) inner_checkpoint = [&](const Trainer&) { checkpoint(*this); };
  for (;;) {
    const auto window = static_cast<Index>(pieces_.size());
    const auto share = [&](Index done) { return static_cast<double>(done) / static_cast<double>(windows_); };
    PartOfProgress part(progress, share(window), share(window + 1),
                        windows_ == 1 ? "" : "window " + std::to_string(window + 1) + ", ");
    trainer_->run(part, inner_monitor, inner_checkpoint, checkpoint_seconds);
    if (window + 1 == windows_) return;
    next_window();
  }
}

Solution WindowTraining::solution(Index task, bool concatenate) const {
  std::vector<Window> windows;
  for (const Piece& piece : pieces_)
    windows.push_back(piece.network->solution(piece.tasks[static_cast<size_t>(task)], task, piece.parameters, concatenate)
                          .windows()
                          .front());
  windows.push_back(trainer_->solution(task, concatenate).windows().front());
  return Solution(tasks_.front().time(), std::move(windows));
}

Index WindowTraining::steps_taken() const { return steps_ + trainer_->steps_taken(); }

double WindowTraining::seconds() const { return seconds_ + trainer_->seconds(); }

std::map<std::string, Series> WindowTraining::history() const {
  auto result = history_;
  append(trainer_->history(), static_cast<double>(steps_), result);
  return result;
}

std::vector<std::string> WindowTraining::endings() const {
  auto result = endings_;
  for (const auto& ending : trainer_->endings())
    result.push_back(windows_ == 1 ? ending : "window " + std::to_string(pieces_.size() + 1) + ": " + ending);
  return result;
}

State WindowTraining::state() const {
  State state;
  state.set("windows", static_cast<double>(windows_));
  state.set("pieces", static_cast<double>(pieces_.size()));
  for (size_t p = 0; p < pieces_.size(); ++p) state.set(piece_name(p), Eigen::MatrixXd(pieces_[p].parameters));
  state.set("steps", static_cast<double>(steps_));
  state.set("seconds", seconds_);
  state.set("history", state_of(history_));
  for (size_t i = 0; i < endings_.size(); ++i) state.set_text("endings." + std::to_string(i), endings_[i]);
  state.set("trainer", trainer_->state());
  return state;
}

void WindowTraining::restore(const State& state) {
  const auto windows = static_cast<Index>(state.number("windows"));
  if (windows != windows_)
    throw InputError("train.windows = " + std::to_string(windows_) + ", but the checkpoint has " + std::to_string(windows));
  const auto done = static_cast<size_t>(state.number("pieces"));
  pieces_.clear();
  trainer_ = make_trainer();
  for (size_t p = 0; p < done; ++p) keep(state.vector(piece_name(p)));
  steps_ = static_cast<Index>(state.number("steps"));
  seconds_ = state.number("seconds");
  history_ = series_of(state.part("history"));
  endings_.clear();
  const State endings = state.part("endings");
  for (const auto& [name, text] : endings.texts()) endings_.push_back(text);
  trainer_->restore(state.part("trainer"));
}

}  // namespace torsor
