// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nbs::record {

struct Point {
  double x = 0;
  double y = 0;  ///< NaN: a gap
};

/// One value over the iterations.
struct Curve {
  std::string name;
  std::vector<Point> points;  ///< x rises
};

/// metrics.jsonl.
struct Metrics {
  std::vector<Curve> curves;          ///< in the order of their first appearance
  std::int64_t iterations = 0;        ///< one more than the last iteration
  std::int64_t unreadable_lines = 0;  ///< the last line of a run that was killed, for example
  std::string problem;                ///< why the file could not be read at all; empty if it could, or is not there

  const Curve* find(const std::string& name) const;
};

/// Iterations beyond this cannot be told apart in a double, and no run gets there: such a line counts as unreadable.
constexpr std::int64_t kMostIterations = 1'000'000'000'000'000;

/// Reads metrics.jsonl; a file that is not there has no curves. Where a resumed run has written iterations a second
/// time, the second time counts. Does not throw: what could not be read is said in the result.
Metrics read_metrics(const std::filesystem::path& file);

/// How many iterations are done by the last whole line of metrics.jsonl, of which only the end is read; 0 if it does
/// not say. For a look at a run that goes on.
std::int64_t iterations_done(const std::filesystem::path& file);

}  // namespace nbs::record
