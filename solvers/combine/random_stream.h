// Random numbers of a combiner: one seeded stream, whose state is text in a checkpoint. The conversions to reals and
// permutations are written out because those of the standard library differ between libraries and hide state.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "physics/error.h"

namespace torsor {

class RandomStream {
 public:
  explicit RandomStream(std::uint64_t seed) : engine_(seed) {}

  /// In [0, 1).
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

  /// Standard normal (Box and Muller; the second number of the pair is not kept, so that there is nothing to store).
  double normal() {
    const double radius = std::sqrt(-2 * std::log1p(-uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

  /// A random order of 0 ... n - 1.
  std::vector<Eigen::Index> permutation(Eigen::Index n) {
    std::vector<Eigen::Index> order(static_cast<size_t>(n));
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Eigen::Index>(i);
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[static_cast<size_t>(uniform() * static_cast<double>(i))]);
    return order;
  }

  std::string text() const {
    std::ostringstream out;
    out << engine_;
    return out.str();
  }

  /// Throws InputError for a text that is no state.
  void restore(const std::string& text) {
    std::istringstream in(text);
    if (!(in >> engine_)) throw InputError("the checkpoint's random stream cannot be read");
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace torsor
