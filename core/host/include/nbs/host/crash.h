// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

// What a process says when code of a plugin ends it. The host notes every call of a plugin, so that a crash or an
// exit() can be blamed on the plugin and the method in which it happened.

namespace nbs::host {

/// Notes for as long as it lives that this thread runs code of a plugin. `plugin` and `method` must outlive it.
class CallNote {
 public:
  /// `method` null: `plugin` alone says where it is ("its registration").
  CallNote(const char* plugin, const char* method) noexcept;
  ~CallNote();
  CallNote(const CallNote&) = delete;
  CallNote& operator=(const CallNote&) = delete;

  const char* plugin() const { return plugin_; }
  const char* method() const { return method_; }

 private:
  const char* plugin_;
  const char* method_;
  const CallNote* before_;
};

/// From now on a signal that means a crash (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) is said on standard error, with
/// plugin and method, before it ends the process as it would have. Called by the main thread, whose call is named if
/// the crash happens in a thread without one, such as those of a parallel loop.
void report_crashes();

/// From now on the place of this thread's plugin code stands in `page`, shared with another process, whatever ends this
/// one; crashes are not said here. For a process with one thread.
void share_place(char* page, std::size_t size);

/// Writes the place of this thread's plugin code to `to`, ended with a zero: `sampler "x", sample()`, or nothing where
/// there is none. Safe in a signal handler.
void write_place(char* to, std::size_t size) noexcept;

}  // namespace nbs::host
