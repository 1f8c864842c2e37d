// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace nbs::worker {

/// Shows how far a run is, on standard error: a bar with the time left on a terminal, a line now and then elsewhere.
class Progress {
 public:
  enum class Style { bar, lines, none };
  /// `start`: when the first of `total` began.
  Progress(Style style, std::int64_t total,
           std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now());
  /// So many of the iterations were done before, in another process: the time left is judged by the others.
  void begin_at(std::int64_t done) { before_ = done; }
  /// After an iteration; `values` are worth showing, in order.
  void update(std::int64_t done, const std::vector<std::pair<std::string, double>>& values);
  /// A message between: what happens now.
  void say(const std::string& message);
  /// Ends the bar.
  void finish();

 private:
  Style style_;
  std::int64_t total_;
  std::int64_t before_ = 0;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point shown_;
  std::int64_t said_ = -1;
  bool open_ = false;
};

}  // namespace nbs::worker
