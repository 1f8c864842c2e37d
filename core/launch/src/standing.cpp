// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/standing.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/base/lock.h"
#include "nbs/error.h"
#include "nbs/launch/submissions.h"
#include "nbs/record/metrics_file.h"
#include "nbs/record/run_directory.h"

namespace nbs::launch {

namespace {

using State = Standing::State;

State state_of(const record::RunDirectory& run, const CellInQueue* queue) {
  if (run.is_complete()) return State::finished;
  std::error_code ignored;
  const bool begun = std::filesystem::exists(run.log(), ignored);
  const bool its_task_runs = queue != nullptr && queue->state == QueuedTask::State::running;
  // Of a task's runs, those that have not begun wait for the others.
  if (FileLock::is_held(run.lock()) || (its_task_runs && begun)) return State::running;
  if (its_task_runs || (queue != nullptr && queue->state == QueuedTask::State::waiting)) return State::queued;
  const auto state = run.state();
  if (state == record::RunState::diverged || state == record::RunState::unreadable) return State::diverged;
  if (run.has_checkpoint()) return State::cut_off;
  return begun ? State::failed : State::to_do;
}

}  // namespace

const char* standing_name(State state) {
  static constexpr const char* kNames[] = {"finished", "running", "queued", "cut off", "failed", "diverged", "to do"};
  return kNames[static_cast<int>(state)];
}

std::vector<Standing> standings(const std::filesystem::path& parent) {
  std::error_code failed;
  std::filesystem::directory_iterator at(parent, failed);
  if (failed)
    throw Error(fmt::format("the folder {} cannot be read: {}; name the one of a batch with --out", parent.string(),
                            failed.message()));
  auto open = open_submissions(parent);
  const auto in_queue = ask_queues(open);
  std::vector<Standing> all;
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    const record::RunDirectory run(at->path());
    if (!run.holds_run()) continue;
    Standing standing;
    standing.name = at->path().filename().string();
    const auto queued = in_queue.find(standing.name);
    const CellInQueue* const queue = queued != in_queue.end() ? &queued->second : nullptr;
    standing.state = state_of(run, queue);
    if (standing.state != State::finished) {
      standing.iterations = record::iterations_done(run.metrics());
      if (queue != nullptr) standing.queue = queue->text;
    }
    all.push_back(std::move(standing));
  }
  std::sort(all.begin(), all.end(), [](const Standing& a, const Standing& b) { return a.name < b.name; });
  return all;
}

}  // namespace nbs::launch
