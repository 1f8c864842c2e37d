// SPDX-License-Identifier: Apache-2.0
#include "stop_signals.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>

#include <unistd.h>

namespace nbs::launch {

namespace {

constexpr std::int64_t kSamePressMs = 200;

// What the signal handlers know. Lock-free atomics may be used in them.
std::atomic<pid_t> running_now[kMostWorkers];
std::atomic<int> stopped_by{0};
std::atomic<int> to_hand_on{0};
std::atomic<std::int64_t> interrupted_at{0};
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

void on_child(int) {
  // It only has to interrupt the wait.
}

// From a handler, where fmt may not be used. If it cannot be written, nobody reads it.
template <std::size_t Size>
void tell(const char (&text)[Size]) {
  if (write(STDERR_FILENO, text, Size - 1) < 0) return;
}

void on_stop(int signal) {
  const int kept = errno;
  const auto now = now_ms();
  const auto before = interrupted_at.load();
  if (signal == SIGINT && before != 0 && now - before >= kSamePressMs) {
    for (const auto& process : running_now) {
      if (const pid_t id = process.load(); id > 0) kill(id, SIGKILL);
    }
    tell("\nnbs: interrupted twice, so everything was ended at once\n");
    _exit(130);
  }
  if (signal == SIGINT && before == 0) {
    interrupted_at.store(now);
    tell(
        "\nnbs: stopping as soon as what is done so far is complete and saved; Ctrl-C again ends everything at once\n");
  }
  int none = 0;
  stopped_by.compare_exchange_strong(none, signal);
  // An interrupt does not hide that the workers' time is limited.
  if (signal != SIGINT || to_hand_on.load() == 0) to_hand_on.store(signal);
  errno = kept;
}

}  // namespace

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kHandledSignals)
    sigaddset(&set, signal);
  return set;
}

StopSignals::StopSignals() {
  stopped_by.store(0);
  to_hand_on.store(0);
  interrupted_at.store(0);
  for (std::size_t i = 0; i < kHandledSignals.size(); ++i) {
    const int signal = kHandledSignals[i];
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_handler = signal == SIGCHLD ? on_child : on_stop;
    sigaction(signal, nullptr, &before_[i]);
    if (signal == SIGCHLD || before_[i].sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < kHandledSignals.size(); ++i)
    sigaction(kHandledSignals[i], &before_[i], nullptr);
}

int StopSignals::first() const {
  return stopped_by.load();
}

int StopSignals::take_next() {
  return to_hand_on.exchange(0);
}

void StopSignals::raise(int signal) {
  on_stop(signal);
}

void StopSignals::watch(pid_t process) {
  auto* const place =
      std::find_if(std::begin(running_now), std::end(running_now), [](const auto& id) { return id.load() == 0; });
  if (place != std::end(running_now)) place->store(process);
}

void StopSignals::forget(pid_t process) {
  for (auto& id : running_now) {
    if (id.load() == process) id.store(0);
  }
}

BlockedSignals::BlockedSignals() {
  const auto set = handled_signals();
  sigprocmask(SIG_BLOCK, &set, &before_);
}

BlockedSignals::~BlockedSignals() {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace nbs::launch
