// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "nbs/base/duration.h"
#include "nbs/error.h"
#include "nbs/launch/claim.h"
#include "nbs/record/metrics_file.h"

namespace nbs::cli {

namespace {

using Found = launch::FoundRun::State;

double iterations_of(const config::Pipeline& pipeline) {
  const auto& train = pipeline.train.options;
  return static_cast<double>(train.iterations + train.predictor_iterations);
}

// Of the run in a folder; nothing if it does not say.
std::optional<double> seconds_of(const std::filesystem::path& folder) {
  try {
    const auto result = record::RunDirectory(folder).read_result();
    return result.seconds ? result.seconds->total : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

struct Counts {
  std::size_t complete = 0;
  std::size_t cut_off = 0;
  std::size_t none = 0;
};

// How long an iteration took where that is known, and how many are left.
struct Work {
  double seconds = 0;
  double done = 0;
  double left = 0;

  std::string text() const {
    if (left <= 0) return "";
    if (done <= 0 || seconds <= 0) return "; how long they take is known when one of them is finished";
    return fmt::format("; about {} one after the other, as long as iterations took in the finished ones",
                       duration_text(seconds / done * left));
  }
};

}  // namespace

std::string plan_text(const std::vector<NamedPipeline>& pipelines, const std::filesystem::path& parent) {
  constexpr std::size_t kMostLines = 100;
  Counts counts;
  Work work;
  std::string lines;
  for (std::size_t i = 0; i < pipelines.size(); ++i) {
    const auto& [label, pipeline] = pipelines[i];
    const auto found = launch::find_run(parent, pipeline);
    const double iterations = iterations_of(pipeline);
    const char* state = "to do   ";
    if (found.state == Found::complete) {
      state = "finished";
      ++counts.complete;
      if (const auto seconds = seconds_of(found.folder)) {
        work.seconds += *seconds;
        work.done += iterations;
      }
    } else if (found.state == Found::cut_off) {
      state = "cut off ";
      ++counts.cut_off;
      const auto done = record::read_metrics(record::RunDirectory(found.folder).metrics()).iterations;
      work.left += std::max(0.0, iterations - static_cast<double>(done));
    } else {
      ++counts.none;
      work.left += iterations;
    }
    if (i < kMostLines)
      lines += fmt::format("{}  {}{}\n", state, label, found.folder.empty() ? "" : " -> " + found.folder.string());
  }
  if (pipelines.size() > kMostLines) lines += fmt::format("and {} more\n", pipelines.size() - kMostLines);
  return lines + fmt::format("in {}: {} finished, {} cut off, {} to do{}\n", parent.string(), counts.complete,
                             counts.cut_off, counts.none, work.text());
}

}  // namespace nbs::cli
