// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <signal.h>
#include <sys/types.h>

// What signals that tell this program to stop do while workers run; worker_process.h says what they come to. Handlers
// are the process's, so at most one StopSignals may live at a time.

namespace nbs::launch {

/// The signals that StopSignals handles: those that tell a program to stop, and that a child has ended, which only has
/// to interrupt a wait.
constexpr std::array<int, 4> kHandledSignals = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};

/// How many processes the handler can know.
constexpr std::size_t kMostWorkers = 1024;

/// Handles kHandledSignals while it lives, but those that were ignored before and tell to stop stay ignored.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The first signal that told this program to stop; 0 if none did.
  int first() const;
  /// The signal that the workers have not been told of yet, once; 0 if there is none.
  int take_next();
  /// As if this program had been told to stop by that signal.
  void raise(int signal);

  /// From here on a second SIGINT ends that process, too; at most kMostWorkers at a time. Call it while signals are
  /// kept back (BlockedSignals), before the process can be missed.
  void watch(pid_t process);
  void forget(pid_t process);

 private:
  std::array<struct sigaction, kHandledSignals.size()> before_;
};

/// Keeps the handled signals back in a scope, so that none is missed between a look and a wait.
class BlockedSignals {
 public:
  BlockedSignals();
  ~BlockedSignals();
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  /// Those that were kept back before.
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_{};
};

/// kHandledSignals as a set.
sigset_t handled_signals();

/// Milliseconds on the monotonic clock. Safe in signal handlers.
std::int64_t now_ms();

}  // namespace nbs::launch
