// SPDX-License-Identifier: Apache-2.0
#include "kept_state.h"

#include <cstring>
#include <mutex>
#include <set>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <omp.h>

#include "nbs/base/print.h"
#include "nbs/host/kept_reports.h"
#include "nbs/host/thread_count.h"

#include "guard.h"

namespace nbs::host {

namespace {

thread_local int expected_threads = 0;  // 0: no other number than the one before a call

std::function<void(const std::string&)>& collector() {
  static auto& kept = *new std::function<void(const std::string&)>;
  return kept;
}

void say_once(const std::string& line) {
  static std::mutex mutex;
  static auto& said = *new std::set<std::string>;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!said.insert(line).second) return;
  if (collector()) {
    collector()(line);
  } else {
    say("warning: " + line);
  }
}

void report(const Origin& origin, const char* method, const std::string& change) noexcept {
  try {
    say_once(sentence(origin, method, change));
  } catch (...) {
    // No memory for a message: what it tells of was mended all the same.
  }
}

constexpr const char* kPutBack = ", which is not its own; it was put back";

const char* on_or_off(bool on) {
  return on ? "on" : "off";
}

}  // namespace

void collect_kept_reports(std::function<void(const std::string&)> report) {
  collector() = std::move(report);
}

void expect_global_thread_count(int global) {
  expected_threads = global;
}

GlobalGenerator GlobalGenerator::now() {
  const auto state = at::check_generator<at::CPUGeneratorImpl>(at::detail::getDefaultCPUGenerator())->engine().data();
  return {state.seed_, state.left_, state.next_};
}

KeptState::KeptState(const Origin& origin, const char* method)
    : origin_(origin),
      method_(method),
      threads_(at::get_num_threads()),
      gradients_(c10::GradMode::is_enabled()),
      type_(c10::get_default_dtype()),
      generator_(GlobalGenerator::now()) {}

KeptState::~KeptState() {
  if (const int now = at::get_num_threads(); now != threads_ && now == expected_threads) {
    omp_set_num_threads(threads_);
  } else if (now != threads_) {
    at::set_num_threads(threads_);
    report(origin_, method_, fmt::format("changed the number of threads from {} to {}{}", threads_, now, kPutBack));
  }
  if (const bool now = c10::GradMode::is_enabled(); now != gradients_) {
    c10::GradMode::set_enabled(gradients_);
    report(origin_, method_,
           fmt::format("switched the recording of gradients from {} to {}{}", on_or_off(gradients_), on_or_off(now),
                       kPutBack));
  }
  if (const auto now = c10::get_default_dtype(); now != type_) {
    c10::set_default_dtype(type_);
    report(origin_, method_,
           fmt::format("changed the default type of tensors from {} to {}{}",
                       c10::toString(c10::typeMetaToScalarType(type_)), c10::toString(c10::typeMetaToScalarType(now)),
                       kPutBack));
  }
  const auto now = GlobalGenerator::now();
  const bool drew = now.seed != generator_.seed || now.left != generator_.left || now.next != generator_.next;
  if (drew && std::strcmp(method_, "construction") != 0) {
    report(
        origin_, method_,
        "drew random numbers from LibTorch's global generator, which all plugins share and no checkpoint holds, so a "
        "run that goes on from one draws others; take them from context.generator()");
  }
}

}  // namespace nbs::host
