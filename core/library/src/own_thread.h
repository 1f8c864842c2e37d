// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include <sys/types.h>

namespace nbs::library {

/// A thread that does one piece of work after the other for whoever asks, so that what is set for a thread (number of
/// OpenMP threads, denormal numbers) is never set for one of the caller's. It takes no signals, which are the
/// program's.
class OwnThread {
 public:
  OwnThread();
  /// Ends the thread. Not in a copy of the process: see is_here().
  ~OwnThread();
  OwnThread(const OwnThread&) = delete;
  OwnThread& operator=(const OwnThread&) = delete;

  /// Does `work` there and waits for it; callers wait for each other. Throws what it throws.
  void run(const std::function<void()>& work);

  /// Whether the thread is in this process: fork() does not copy it.
  bool is_here() const;

 private:
  void serve();

  std::mutex turn_;   // held by the caller whose work is done
  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  const std::function<void()>* work_ = nullptr;  // null: done
  std::exception_ptr thrown_;
  bool ending_ = false;
  pid_t process_;
  std::thread thread_;
};

}  // namespace nbs::library
