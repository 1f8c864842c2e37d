// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace nbs::host {

/// Keeps an object until the program ends, past the destructors of statics. It stays reachable, so that the leak
/// sanitizer, which reports what nothing points to, tells it from what was forgotten.
template <typename T>
T& keep(T* object) {
  static auto& kept = *new std::vector<T*>;
  kept.push_back(object);
  return *object;
}

}  // namespace nbs::host
