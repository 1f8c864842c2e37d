// SPDX-License-Identifier: Apache-2.0
#include "in_parallel.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace nbs::data {

namespace {

// Hands out numbers in order, and remembers the first that failed.
class Queue {
 public:
  explicit Queue(std::int64_t count) : end_(count) {}

  void work_off(const std::function<void(std::int64_t)>& work) {
    for (;;) {
      std::int64_t number = 0;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (next_ >= end_) break;
        number = next_++;
      }
      try {
        work(number);
      } catch (...) {
        fail(number);
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      ++done_;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    ++idle_;
    changed_.notify_all();
  }

  // Until so many workers have ended; false if there is time left to wait.
  bool wait(std::int64_t workers) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::milliseconds(100), [&] { return idle_ == workers; });
  }
  std::int64_t done() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return done_;
  }
  // No more numbers are handed out.
  void stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    end_ = std::min(end_, next_);
  }
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void fail(std::int64_t number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    // All smaller numbers were handed out before, so they are still done.
    end_ = std::min(end_, next_);
    if (failure_ && failed_ < number) return;
    failure_ = std::current_exception();
    failed_ = number;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t next_ = 0;
  std::int64_t end_;
  std::int64_t done_ = 0;
  std::int64_t idle_ = 0;
  std::exception_ptr failure_;
  std::int64_t failed_ = 0;
};

}  // namespace

void in_parallel(std::int64_t count, const char* what, const Reading& reading,
                 const std::function<void(std::int64_t)>& work) {
  constexpr std::int64_t kMostThreads = 16;
  Queue queue(count);
  bool stopped = false;
  std::vector<std::thread> threads;
  const auto wanted = std::clamp<std::int64_t>(std::min(reading.threads, count), 1, kMostThreads);
  for (std::int64_t i = 0; i < wanted; ++i)
    threads.emplace_back([&] { queue.work_off(work); });
  while (!queue.wait(wanted)) {
    if (stopped || !reading.progress || reading.progress(what, queue.done(), count)) continue;
    stopped = true;
    queue.stop();
  }
  for (auto& thread : threads)
    thread.join();
  queue.rethrow();
  if (stopped) throw ReadingStopped("interrupted while the images were read");
  if (reading.progress) reading.progress(what, count, count);
}

}  // namespace nbs::data
