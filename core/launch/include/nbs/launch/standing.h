// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace nbs::launch {

/// How the run in a folder stands, seen from outside.
struct Standing {
  enum class State {
    finished,
    running,   ///< somebody holds its lock, or it has begun in a task that its queue runs
    queued,    ///< it waits in a queue, or in such a task for the runs before it
    cut_off,   ///< there is a checkpoint to go on from
    failed,    ///< it began, but left neither a finished result nor a checkpoint
    diverged,  ///< or its result cannot be read
    to_do      ///< nobody has begun it
  } state = State::to_do;
  std::string name;             ///< of its folder
  std::int64_t iterations = 0;  ///< that are done, if it is not finished
  std::string queue;            ///< what its queue says of it; empty if that knows nothing of it
};

/// "finished", "running", …
const char* standing_name(Standing::State state);

/// All runs in the folders directly below `parent`, in the order of the names. Throws nbs::Error if there is no such
/// folder or a queue that runs were submitted to cannot be asked.
std::vector<Standing> standings(const std::filesystem::path& parent);

}  // namespace nbs::launch
