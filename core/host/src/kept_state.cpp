// SPDX-License-Identifier: Apache-2.0
#include "kept_state.h"

#include <mutex>
#include <set>

#include <ATen/Parallel.h>

#include "nbs/base/print.h"

#include "guard.h"

namespace nbs::host {

namespace {

void say_once(const std::string& line) {
  static std::mutex mutex;
  static auto& said = *new std::set<std::string>;
  const std::lock_guard<std::mutex> lock(mutex);
  if (said.insert(line).second) say(line);
}

void report(const Origin& origin, const char* method, const std::string& change) noexcept {
  try {
    say_once("warning: " + sentence(origin, method, change + ", which is not its own; it was put back"));
  } catch (...) {
    // No memory for a message: what it tells of was mended all the same.
  }
}

const char* on_or_off(bool on) {
  return on ? "on" : "off";
}

}  // namespace

KeptState::KeptState(const Origin& origin, const char* method)
    : origin_(origin),
      method_(method),
      threads_(at::get_num_threads()),
      gradients_(c10::GradMode::is_enabled()),
      type_(c10::get_default_dtype()) {}

KeptState::~KeptState() {
  if (const int now = at::get_num_threads(); now != threads_) {
    at::set_num_threads(threads_);
    report(origin_, method_, fmt::format("changed the number of threads from {} to {}", threads_, now));
  }
  if (const bool now = c10::GradMode::is_enabled(); now != gradients_) {
    c10::GradMode::set_enabled(gradients_);
    report(origin_, method_,
           fmt::format("switched the recording of gradients from {} to {}", on_or_off(gradients_), on_or_off(now)));
  }
  if (const auto now = c10::get_default_dtype(); now != type_) {
    c10::set_default_dtype(type_);
    report(origin_, method_,
           fmt::format("changed the default type of tensors from {} to {}",
                       c10::toString(c10::typeMetaToScalarType(type_)), c10::toString(c10::typeMetaToScalarType(now))));
  }
}

}  // namespace nbs::host
