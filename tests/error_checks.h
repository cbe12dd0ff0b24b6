// What the tests of refused input share: the text of the error, and whether it says what it must.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "physics/error.h"

namespace torsor {

/// The text of the InputError that `action` throws; "no error" without one.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

inline ::testing::AssertionResult says(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "'" << text << "' does not say '" << part << "'";
}

}  // namespace torsor
