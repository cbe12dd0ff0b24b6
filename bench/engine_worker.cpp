// The derivative engine's side of bench/peers/compare.py: times loss and gradient by all weights of the residuals in
// bench/peers/operators.py, for networks and points that the caller wrote to files. Reads, line by line,
//   load OPERATOR WIDTH DEPTH POINTS TYPE WEIGHTS_FILE POINTS_FILE   ->  ok LOSS GRADIENT_NORM
//   time REPETITIONS                                                 ->  seconds of the fastest
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "bench/engine_cases.h"

namespace {

using torsor::Index;
using torsor::bench::Case;

std::unique_ptr<Case> load(std::istream& line) {
  std::string name, type, weights, points;
  Index width, depth, count;
  if (!(line >> name >> width >> depth >> count >> type >> weights >> points))
    throw std::runtime_error("load OPERATOR WIDTH DEPTH POINTS TYPE WEIGHTS_FILE POINTS_FILE");
  using torsor::bench::read_numbers;
  return torsor::bench::make_case(type, name, width, depth, read_numbers(weights), read_numbers(points));
}

double fastest(Case& problem, int repetitions) {
  double best = 1e30;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    problem.loss_and_gradient();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

int main() {
  std::unique_ptr<Case> problem;
  for (std::string text; std::getline(std::cin, text);) {
    std::istringstream line(text);
    std::string command;
    line >> command;
    if (command == "load") {
      problem = load(line);
      const double loss = problem->loss_and_gradient();
      std::printf("ok %.17g %.17g\n", loss, problem->gradient_norm());
    } else if (command == "time" && problem) {
      int repetitions = 1;
      line >> repetitions;
      std::printf("%.9g\n", fastest(*problem, repetitions));
    }
    std::fflush(stdout);
  }
}
