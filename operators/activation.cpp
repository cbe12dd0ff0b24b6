// Names of activation functions: see activation.h.
#include "operators/activation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "physics/error.h"

namespace torsor {
namespace {

constexpr std::array<std::pair<Activation, const char*>, 4> kActivations{
    {{Activation::tanh, "tanh"},
     {Activation::sine, "sine"},
     {Activation::swish, "swish"},
     {Activation::softplus, "softplus"}}};

}  // namespace

std::vector<std::string> activation_names() {
  std::vector<std::string> names;
  for (const auto& entry : kActivations) names.emplace_back(entry.second);
  return names;
}

Activation activation_from_name(const std::string& name) {
  for (const auto& [activation, known] : kActivations)
    if (name == known) return activation;
  throw InputError(unknown_name_message("activation", name, activation_names()));
}

std::string activation_name(Activation activation) {
  const auto found = std::find_if(kActivations.begin(), kActivations.end(),
                                  [&](const auto& entry) { return entry.first == activation; });
  return found->second;
}

}  // namespace torsor
