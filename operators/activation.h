// The activation functions of networks, by name.
#pragma once

#include <string>
#include <vector>

namespace torsor {

/// s(z): tanh z | sin z | z / (1 + e^-z) | ln(1 + e^z).
enum class Activation { tanh, sine, swish, softplus };

/// "tanh", "sine", "swish", "softplus".
std::vector<std::string> activation_names();

/// The activation of that name. Throws InputError for an unknown one, with the nearest known.
Activation activation_from_name(const std::string& name);

/// The inverse of activation_from_name.
std::string activation_name(Activation activation);

}  // namespace torsor
