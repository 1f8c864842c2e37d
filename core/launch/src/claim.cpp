// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/claim.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/record/provenance.h"

namespace nbs::launch {

namespace {

using Kind = Claim::Kind;
using record::RunDirectory;

void say_without_locks(const NoLocksError& error) {
  static bool said = false;
  if (!said) {
    say(fmt::format("note: {}, so nothing keeps two nbs from doing the same run at the same time there; start only one",
                    error.what()));
  }
  said = true;
}

// What try_take() gives; `without`: true if there are no locks.
std::optional<FileLock> take(const std::filesystem::path& file, bool& without) {
  try {
    return FileLock::try_take(file);
  } catch (const NoLocksError& error) {
    say_without_locks(error);
    without = true;
    return std::nullopt;
  }
}

// Held while folders of runs are looked for and made: of two processes, the second sees what the first has made and
// locked. Nobody holds it for longer than that, unless he is stopped in the middle.
std::optional<FileLock> lock_parent(const std::filesystem::path& parent) {
  constexpr int kAttempts = 500;
  constexpr int kPause = 20000;  // microseconds: 10 s in all
  std::error_code failed;
  std::filesystem::create_directories(parent, failed);
  if (failed) {
    throw Error(fmt::format("the output folder {} cannot be made: {}; choose another with --out", parent.string(),
                            failed.message()));
  }
  const auto file = parent / ".nbs-lock";
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    bool without = false;
    auto lock = take(file, without);
    if (lock || without) return lock;
    usleep(kPause);
  }
  throw Error(
      fmt::format("another process has held {} for {} s; see which one (fuser {}), or choose another folder "
                  "with --out",
                  file.string(), kAttempts * kPause / 1000000, file.string()));
}

Claim locked(Kind kind, const RunDirectory& run) {
  bool without = false;
  auto lock = take(run.lock(), without);
  if (!lock && !without) kind = Kind::elsewhere;
  return {kind, run.folder(), std::move(lock), {}};
}

// Throws if somebody else was quicker.
Claim own(Claim claim) {
  if (claim.kind == Kind::elsewhere)
    throw Error(fmt::format("another process works on the run in {}; wait until it has ended", claim.folder.string()));
  return claim;
}

// A pipeline, and what its runs are known by; computed once, as most of the time of a large batch would go there.
struct Sought {
  explicit Sought(const config::Pipeline& sought)
      : pipeline(sought),
        text(config::to_toml(sought)),
        identity(config::identity_of(text)),
        stem(RunDirectory::stem(sought)) {}

  const config::Pipeline& pipeline;
  std::string text;
  std::string identity;
  std::string stem;
};

std::vector<RunDirectory> runs_of(const RunIndex& index, const Sought& sought) {
  std::vector<RunDirectory> runs;
  for (auto& folder : index.folders_for(sought.stem)) {
    // The hash in the name is short; the file itself decides.
    RunDirectory run(std::move(folder));
    if (run.has_identity(sought.identity)) runs.push_back(std::move(run));
  }
  return runs;
}

// The result of a run that is complete and was made with the plugins that the pipeline has now.
std::optional<record::RunResult> complete_result(const RunDirectory& run, const config::Pipeline& pipeline,
                                                 std::vector<std::string>* remarks = nullptr) {
  auto result = run.complete_result();
  if (!result) return std::nullopt;
  try {
    const auto changes = record::changed_plugins(run.read_provenance().value_or(record::Provenance{}), pipeline);
    if (changes.empty()) return result;
    if (remarks != nullptr) {
      remarks->push_back(fmt::format("{} is finished, but not with these plugins, so it does not count: {}",
                                     run.folder().string(), fmt::join(changes, "; ")));
    }
  } catch (const Error&) {
    // Nobody knows what made that result.
  }
  return std::nullopt;
}

// Whether there is nothing in a folder but what is left of somebody who was killed as he made it.
bool is_unborn(const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator at(folder, failed);
  if (failed) return false;
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    const auto name = at->path().filename();
    if (name != RunDirectory(folder).lock().filename() && !is_unfinished_file(name)) return false;
  }
  return !failed;
}

// A folder to begin or to go on in, if nobody finishes the run meanwhile.
Claim claim_unfinished(const RunIndex& index, const Sought& sought) {
  const auto held = lock_parent(index.parent());
  for (const auto& run : runs_of(index, sought)) {
    if (complete_result(run, sought.pipeline)) return {Kind::complete, run.folder(), {}, {}};
    if (!run.was_cut_off()) continue;
    auto claim = locked(run.has_checkpoint() ? Kind::resume : Kind::begin, run);
    if (claim.kind == Kind::elsewhere) return claim;
    if (read_file(run.resolved()) != sought.text) run.write_resolved(sought.pipeline);
    return claim;
  }
  for (const auto& folder : index.folders_for(sought.stem)) {
    // Whoever makes a folder holds the parent, so this one is not being made now.
    if (!held || !is_unborn(folder)) continue;
    const RunDirectory run(folder);
    auto claim = locked(Kind::begin, run);
    if (!claim.lock) continue;
    remove_unfinished_files(folder);
    run.write_resolved(sought.pipeline);
    return claim;
  }
  return locked(Kind::begin, RunDirectory::create(index.parent(), sought.pipeline));
}

FoundRun find_sought(const RunIndex& index, const Sought& sought, std::vector<std::string>* remarks) {
  FoundRun found;
  for (const auto& run : runs_of(index, sought)) {
    if (auto result = complete_result(run, sought.pipeline, remarks))
      return {FoundRun::State::complete, run.folder(), std::move(result)};
    if (found.state == FoundRun::State::none && run.was_cut_off())
      found = {FoundRun::State::cut_off, run.folder(), std::nullopt};
  }
  return found;
}

}  // namespace

RunIndex::RunIndex(std::filesystem::path parent) : parent_(std::move(parent)) {
  std::error_code failed;
  std::filesystem::directory_iterator at(parent_, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    const auto name = at->path().filename().string();
    for (const auto& stem : RunDirectory::possible_stems(name))
      names_[stem].push_back(name);
  }
}

std::vector<std::filesystem::path> RunIndex::folders_for(const std::string& stem) const {
  std::vector<std::filesystem::path> folders;
  const auto listed = names_.find(stem);
  if (listed != names_.end()) {
    for (const auto& name : listed->second)
      folders.push_back(parent_ / name);
  }
  // Those that were made since: a new folder gets the first number that is free.
  for (std::size_t number = 1;; ++number) {
    auto folder = RunDirectory::numbered(parent_, stem, number);
    if (std::find(folders.begin(), folders.end(), folder) != folders.end()) continue;
    std::error_code failed;
    if (!std::filesystem::is_directory(folder, failed)) break;
    folders.push_back(std::move(folder));
  }
  // Those that were listed may be gone.
  folders.erase(std::remove_if(folders.begin(), folders.end(),
                               [](const auto& folder) {
                                 std::error_code failed;
                                 return !std::filesystem::exists(folder, failed);
                               }),
                folders.end());
  std::sort(folders.begin(), folders.end());
  return folders;
}

FoundRun find_run(const RunIndex& index, const config::Pipeline& pipeline, std::vector<std::string>* remarks) {
  return find_sought(index, Sought(pipeline), remarks);
}

std::filesystem::path finished_run(const std::filesystem::path& parent, const config::Pipeline& pipeline,
                                   std::vector<std::string>* remarks) {
  auto found = find_run(RunIndex(parent), pipeline, remarks);
  return found.state == FoundRun::State::complete ? found.folder : std::filesystem::path();
}

bool drop_unbegun(Claim& claim) {
  const RunDirectory run(claim.folder);
  std::error_code ignored;
  if (claim.kind != Kind::begin || std::filesystem::exists(run.metrics(), ignored) || run.has_result() ||
      run.has_checkpoint())
    return false;
  for (const auto& file : {run.resolved(), run.provenance(), run.split()})
    std::filesystem::remove(file, ignored);
  claim.lock.reset();                                     // which removes its file
  return std::filesystem::remove(run.folder(), ignored);  // unless somebody else's files lie there
}

void tidy_finished(const std::filesystem::path& folder) {
  const RunDirectory run(folder);
  remove_unfinished_files(run.folder());
  std::error_code failed;
  if (!std::filesystem::exists(run.lock(), failed) && !run.has_checkpoint()) return;
  const auto claim = locked(Kind::complete, run);  // which removes the lock's file
  if (claim.lock) std::filesystem::remove(run.checkpoint(), failed);
}

Claim claim_run(const RunIndex& index, const config::Pipeline& pipeline) {
  // Most of a batch that goes on is complete, which takes no lock to see.
  const Sought sought(pipeline);
  std::vector<std::string> remarks;
  if (auto found = find_sought(index, sought, &remarks); found.state == FoundRun::State::complete) {
    tidy_finished(found.folder);
    return {Kind::complete, std::move(found.folder), {}, {}};
  }
  auto claim = claim_unfinished(index, sought);
  claim.remarks = std::move(remarks);
  return claim;
}

Claim claim_run(const std::filesystem::path& parent, const config::Pipeline& pipeline) {
  return claim_run(RunIndex(parent), pipeline);
}

Claim new_run(const std::filesystem::path& parent, const config::Pipeline& pipeline) {
  const auto held = lock_parent(parent);
  return own(locked(Kind::begin, RunDirectory::create(parent, pipeline)));
}

Claim new_run_in(const std::filesystem::path& folder, const config::Pipeline& pipeline) {
  return own(locked(Kind::begin, RunDirectory::use(folder, pipeline)));
}

Claim resume_run(const std::filesystem::path& folder) {
  const RunDirectory run(folder);
  if (!run.holds_run())
    throw Error(fmt::format("{} is no folder of a run; name one that nbs run or nbs batch has made", folder.string()));
  if (run.is_complete()) return {Kind::complete, folder, {}, {}};
  if (!run.has_checkpoint()) {
    throw Error(
        fmt::format("{} has no checkpoint to go on from ({}): the run ended by itself, was cut off before the first "
                    "one was written, "
                    "or has train.checkpoint_minutes = 0; start it again with nbs run {}",
                    folder.string(), run.checkpoint().filename().string(), run.resolved().string()));
  }
  return own(locked(Kind::resume, run));
}

}  // namespace nbs::launch
