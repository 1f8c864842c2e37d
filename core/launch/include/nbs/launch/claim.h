// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "nbs/base/lock.h"
#include "nbs/record/run_directory.h"

namespace nbs::launch {

/// The folder of a run that is to be done, or why it is not. While the object lives, and as long as a worker that
/// inherited the locks runs, nobody else begins to write into the folder.
struct Claim {
  enum class Kind {
    complete,   ///< the run is finished: nothing is left to do
    elsewhere,  ///< another process works on it
    begin,      ///< from the beginning, in a new folder or in that of a run that was cut off
    resume      ///< there is a checkpoint to go on from
  } kind = Kind::begin;
  std::filesystem::path folder;
  std::optional<FileLock> lock;      ///< none if the file system has no locks
  std::vector<std::string> remarks;  ///< a clause for each finished run that only its plugins tell from this one

  /// What a worker must inherit.
  std::vector<int> descriptors() const { return lock ? std::vector<int>{lock->descriptor()} : std::vector<int>{}; }
};

/// The folders of runs below a folder, by their names. It is listed once; folders that nbs makes later are found, too.
class RunIndex {
 public:
  explicit RunIndex(std::filesystem::path parent);

  const std::filesystem::path& parent() const { return parent_; }
  /// Those whose name a run with this RunDirectory::stem() may have, in order of the names.
  std::vector<std::filesystem::path> folders_for(const std::string& stem) const;

 private:
  std::filesystem::path parent_;
  std::unordered_map<std::string, std::vector<std::string>> names_;  // by RunDirectory::stem()
};

/// Looks for a run of exactly this pipeline, made with exactly these plugins, in the index's folder. One that was cut
/// off is taken up again in its folder; else a new folder is made. Two processes never get the same one. Throws
/// nbs::Error. Where the file system has no locks, that is said once, and all goes on without.
Claim claim_run(const RunIndex& index, const config::Pipeline& pipeline);
/// The same for a single run.
Claim claim_run(const std::filesystem::path& parent, const config::Pipeline& pipeline);

/// Takes away the folder of a run that was to begin, if nothing was begun there: no iteration, no result. Whether it
/// did.
bool drop_unbegun(Claim& claim);

/// Takes away what somebody who was killed has left beside a finished run.
void tidy_finished(const std::filesystem::path& folder);

/// A new folder for a run, whatever is there.
Claim new_run(const std::filesystem::path& parent, const config::Pipeline& pipeline);

/// Exactly this folder for a new run (record::RunDirectory::use).
Claim new_run_in(const std::filesystem::path& folder, const config::Pipeline& pipeline);

/// This folder, of a run that was cut off. Throws nbs::Error, a sentence, unless there is a checkpoint to go on from,
/// or if another process works on it; a run that is complete is returned as such.
Claim resume_run(const std::filesystem::path& folder);

/// What the index's folder holds of a run of exactly this pipeline, looked at without a lock. `remarks`: as in Claim.
struct FoundRun {
  enum class State {
    none,     ///< nothing that would be gone on with
    cut_off,  ///< there is a folder to go on in
    complete
  } state = State::none;
  std::filesystem::path folder;
  std::optional<record::RunResult> result = std::nullopt;  ///< if it is complete
};
FoundRun find_run(const RunIndex& index, const config::Pipeline& pipeline, std::vector<std::string>* remarks = nullptr);

/// The folder under `parent` of a complete run of exactly this pipeline with exactly these plugins, or an empty path.
std::filesystem::path finished_run(const std::filesystem::path& parent, const config::Pipeline& pipeline,
                                   std::vector<std::string>* remarks = nullptr);

}  // namespace nbs::launch
