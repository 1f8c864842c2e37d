// SPDX-License-Identifier: Apache-2.0
#include "plan.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "nbs/base/duration.h"
#include "nbs/launch/claim.h"
#include "nbs/launch/experience.h"
#include "nbs/launch/machine.h"
#include "nbs/record/metrics_file.h"

namespace nbs::cli {

namespace {

using Found = launch::FoundRun::State;

struct Counts {
  std::size_t complete = 0;
  std::size_t cut_off = 0;
  std::size_t none = 0;
};

// How much is left to do, and what it takes by what the finished runs took.
struct Work {
  double seconds = 0;
  bool seconds_known = true;
  double memory_mib = 0;  // of the largest
  bool memory_known = true;

  void add(const launch::Experience& experience, const config::Pipeline& pipeline, std::int64_t iterations) {
    const auto each = experience.seconds_per_iteration(pipeline);
    seconds_known = seconds_known && each;
    seconds += each.value_or(0) * static_cast<double>(iterations);
    memory_known = memory_known && experience.knows_memory(pipeline);
    memory_mib = std::max(memory_mib, experience.memory_mib(pipeline));
  }

  std::string text() const {
    const auto memory = launch::memory_text(memory_mib);
    return (seconds_known ? fmt::format("time: about {} one after the other, as long as iterations took in finished "
                                        "runs\n",
                                        duration_text(seconds))
                          : "time: known when one of them is finished\n") +
           (memory_known
                ? fmt::format("memory: up to {} a run, as much as finished runs took\n", memory)
                : fmt::format("memory: at least {} for the largest run, judged by its options; known when one of "
                              "them is finished\n",
                              memory));
  }
};

// A run that is to be done or to be gone on with.
struct Open {
  const config::Pipeline* pipeline;
  std::int64_t iterations;
};

}  // namespace

std::string plan_text(const std::vector<NamedPipeline>& pipelines, const std::filesystem::path& parent) {
  constexpr std::size_t kMostLines = 100;
  const launch::RunIndex index(parent);
  launch::Experience experience;
  Counts counts;
  std::vector<Open> open;
  std::string lines;
  for (std::size_t i = 0; i < pipelines.size(); ++i) {
    const auto& [label, pipeline] = pipelines[i];
    const auto found = launch::find_run(index, pipeline);
    const auto iterations = launch::iterations_of(pipeline);
    const char* state = "to do   ";
    if (found.state == Found::complete) {
      state = "finished";
      ++counts.complete;
      experience.learn(pipeline, *found.result);
    } else if (found.state == Found::cut_off) {
      state = "cut off ";
      ++counts.cut_off;
      const auto done = record::iterations_done(record::RunDirectory(found.folder).metrics());
      open.push_back({&pipeline, std::max<std::int64_t>(0, iterations - done)});
    } else {
      ++counts.none;
      open.push_back({&pipeline, iterations});
    }
    if (i < kMostLines)
      lines += fmt::format("{}  {}{}\n", state, label, found.folder.empty() ? "" : " -> " + found.folder.string());
  }
  Work work;
  for (const auto& [pipeline, left] : open)
    work.add(experience, *pipeline, left);
  if (pipelines.size() > kMostLines) lines += fmt::format("and {} more\n", pipelines.size() - kMostLines);
  lines += fmt::format("in {}: {} finished, {} cut off, {} to do\n", parent.string(), counts.complete, counts.cut_off,
                       counts.none);
  return open.empty() ? lines : lines + work.text();
}

}  // namespace nbs::cli
