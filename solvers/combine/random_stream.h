// Random numbers of a combiner: the project's generator, with its state as text for a checkpoint.
#pragma once

#include <Eigen/Core>
#include <numeric>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "physics/error.h"
#include "physics/random.h"

namespace torsor {

class RandomStream : public Random {
 public:
  using Random::Random;

  /// A random order of 0 ... n - 1.
  std::vector<Eigen::Index> permutation(Eigen::Index n) {
    std::vector<Eigen::Index> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[below(i)]);
    return order;
  }

  std::string text() const {
    std::ostringstream out;
    for (const std::uint64_t word : state()) out << word << ' ';
    return out.str();
  }

  /// Throws InputError for a text that is no state.
  void restore(const std::string& text) {
    std::istringstream in(text);
    std::array<std::uint64_t, 4> words{};
    for (auto& word : words)
      if (!(in >> word)) throw InputError("the checkpoint's random stream cannot be read");
    *this = RandomStream(words);
  }
};

}  // namespace torsor
