// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "nbs/error.h"

namespace nbs::test {

/// A text that doctest compares and shows, also with doctest::Contains.
inline doctest::String text(const std::string& value) {
  return value.c_str();
}

/// The sentence of the nbs::Error that `action` throws, or "no error". Any other exception passes through, so that the
/// test fails with its type.
template <typename Action>
doctest::String error_text(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace nbs::test
