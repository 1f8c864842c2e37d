// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>

namespace nbs::training {

/// Adds the seconds until the end of the scope to a total.
class Stopwatch {
 public:
  explicit Stopwatch(std::optional<double>& total) : total_(total), start_(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    total_ = total_.value_or(0) + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  std::optional<double>& total_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace nbs::training
