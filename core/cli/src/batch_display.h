// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "nbs/launch/batch.h"

namespace nbs::cli {

/// What `nbs batch` shows of itself while it runs, on standard output. Nothing that it does can end the batch.
class BatchDisplay {
 public:
  BatchDisplay() = default;
  BatchDisplay(const BatchDisplay&) = delete;
  BatchDisplay& operator=(const BatchDisplay&) = delete;
  virtual ~BatchDisplay() = default;

  /// A job has changed; of `total` so many have ended.
  virtual void changed(const launch::Job& job, std::size_t ended, std::size_t total) = 0;
  /// About once a second.
  virtual void ticked(const launch::BatchStatus& status, std::size_t ended, std::size_t total) = 0;
  /// The report has been written, or the batch is over.
  virtual void say_report(const std::string& place) = 0;
};

/// "lines": a line for each change. "live": also, at the bottom of a terminal, a line for each running run and one for
/// the whole batch, with the time that is left. "json": an object a line, for programs. "auto": live on a terminal,
/// lines elsewhere.
std::unique_ptr<BatchDisplay> batch_display(const std::string& style);

}  // namespace nbs::cli
