// SPDX-License-Identifier: Apache-2.0
#include "progress.h"

#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "nbs/base/duration.h"
#include "nbs/base/print.h"

namespace nbs::worker {

Progress::Progress(Style style, std::int64_t total, std::chrono::steady_clock::time_point start)
    : style_(style), total_(total), start_(start), shown_(start_) {}

void Progress::update(std::int64_t done, const std::vector<std::pair<std::string, double>>& values) {
  if (style_ == Style::none) return;
  const auto now = std::chrono::steady_clock::now();
  const double since = std::chrono::duration<double>(now - shown_).count();
  const bool last = done == total_ && said_ != done;
  const double interval = style_ == Style::bar ? 0.1 : 10.0;
  if (since < interval && !last && done != before_ + 1) return;
  shown_ = now;
  said_ = done;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double left = elapsed / static_cast<double>(done - before_) * static_cast<double>(total_ - done);
  std::string text;
  for (const auto& [name, value] : values)
    text += fmt::format("  {} {:.4g}", name, value);
  if (style_ == Style::bar) {
    constexpr std::int64_t kWidth = 24;
    const auto filled = static_cast<std::size_t>(kWidth * done / total_);
    std::string bar = std::string(filled, '#') + std::string(static_cast<std::size_t>(kWidth) - filled, '.');
    // A terminal that is gone must not end the training.
    std::fputs(fmt::format("\r\033[K[{}] {}/{}  {} left{}", bar, done, total_, duration_text(left), text).c_str(),
               stderr);
    std::fflush(stderr);
    open_ = true;
  } else {
    nbs::say(fmt::format("{}/{}  {} left{}", done, total_, duration_text(left), text));
  }
}

void Progress::say(const std::string& message) {
  if (style_ == Style::none) return;
  finish();
  nbs::say(message);
}

void Progress::finish() {
  if (open_) nbs::say("");
  open_ = false;
}

}  // namespace nbs::worker
