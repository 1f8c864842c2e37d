// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>
#include <sys/random.h>

#include "nbs/base/files.h"
#include "nbs/base/lock.h"
#include "nbs/base/print.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"
#include "nbs/launch/claim.h"
#include "nbs/launch/submissions.h"
#include "nbs/record/run_directory.h"

#include "program_output.h"

namespace nbs::launch {

namespace {

namespace fs = std::filesystem;

// Held while one process looks what is missing and submits it.
std::optional<FileLock> lock_submissions(const fs::path& parent) {
  const auto folder = submissions_folder(parent);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw Error(fmt::format("the folder {} cannot be made: {}", folder.string(), failed.message()));
  try {
    auto lock = FileLock::try_take(folder / ".lock");
    if (!lock)
      throw Error(fmt::format("another process submits runs of {} at this moment; try again when it has ended",
                              parent.string()));
    return lock;
  } catch (const NoLocksError& error) {
    say(fmt::format("note: {}; start only one nbs there at a time", error.what()));
    return std::nullopt;
  }
}

// Letters that every queue takes in the name of a job.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    out += good ? c : '-';
  }
  return out.substr(0, 40);
}

std::string new_name(const fs::path& parent) {
  std::size_t number = 1;
  std::error_code failed;
  fs::directory_iterator at(submissions_folder(parent), failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed))
    number += at->is_directory() ? 1U : 0U;
  std::uint32_t bits = 0;
  if (getrandom(&bits, sizeof bits, 0) != sizeof bits) bits = 0;
  // The number first, as submissions are read in the order of their names.
  return fmt::format("{:04}-{}-{:06x}", number, plain(fs::absolute(parent).lexically_normal().filename().string()),
                     bits & 0xffffffU);
}

std::string script_of(const Launcher& launcher, const KeptSubmission& kept, const LauncherOptions& options,
                      const BatchOptions& batch) {
  std::string text = "#!/bin/sh\n";
  for (const auto& line : launcher.directives(kept.submission))
    text += line + "\n";
  text += fmt::format("# {} tasks of nbs batch in {}\n", kept.submission.tasks, kept.folder.parent_path().string());
  for (const auto& line : options.setup)
    text += line + "\n";
  // In the place of the shell, so that the queue's signals reach it.
  text += fmt::format("exec {} task {} {} --jobs {} --cores {} --retry {} --timeout {}\n",
                      shell_quoted(fs::read_symlink("/proc/self/exe").string()), shell_quoted(kept.folder.string()),
                      launcher.task_number(), batch.parallel, options.cpus, batch.retries, batch.minutes);
  return text;
}

// Writes everything but the id, and hands it over.
void submit(Launcher& launcher, KeptSubmission& kept, const LauncherOptions& options, const BatchOptions& batch) {
  fs::create_directory(kept.folder);
  std::string tasks;
  for (const auto& cells : kept.cells)
    tasks += fmt::format("{}\n", fmt::join(cells, "\t"));
  write_file(kept.folder / "launcher", kept.launcher + "\n");
  write_file(kept.folder / "options.toml", config::table_toml(kept.options));
  write_file(kept.submission.script, script_of(launcher, kept, options, batch));
  fs::permissions(kept.submission.script, fs::perms::owner_exec, fs::perm_options::add);
  write_file(kept.folder / "tasks", tasks);
  try {
    kept.submission.id = launcher.submit(kept.submission);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(kept.folder, ignored);
    throw;
  }
  write_file(kept.folder / "id", kept.submission.id + "\n");
}

// The names of the folders of the runs that are to be submitted; folders that were not there are made.
std::vector<std::string> missing_cells(const std::vector<Job>& jobs, const fs::path& parent,
                                       const std::map<std::string, CellInQueue>& in_queue, SubmitEnd& end) {
  const RunIndex index(parent);
  std::vector<std::string> missing;
  for (const auto& job : jobs) {
    const auto found = find_run(index, job.pipeline);
    const auto name = found.folder.filename().string();
    const auto queued = in_queue.find(name);
    if (found.state == FoundRun::State::complete) {
      ++end.finished;
    } else if (!name.empty() && queued != in_queue.end() && queued->second.state != QueuedTask::State::ended) {
      ++end.queued;
    } else {
      const auto claim = claim_run(index, job.pipeline);  // let go at once: its task will hold it
      if (claim.kind == Claim::Kind::complete) ++end.finished;
      if (claim.kind == Claim::Kind::elsewhere) ++end.running;
      if (claim.kind == Claim::Kind::begin || claim.kind == Claim::Kind::resume)
        missing.push_back(claim.folder.filename().string());
    }
  }
  return missing;
}

TaskCells divided(const std::vector<std::string>& cells, std::size_t per_task) {
  TaskCells tasks;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i % per_task == 0) tasks.emplace_back();
    tasks.back().push_back(cells[i]);
  }
  return tasks;
}

std::size_t cells_in(const TaskCells& tasks) {
  std::size_t count = 0;
  for (const auto& cells : tasks)
    count += cells.size();
  return count;
}

}  // namespace

SubmitEnd submit_batch(const std::vector<Job>& jobs, const fs::path& where, const SubmitOptions& options) {
  const auto parent = fs::absolute(where).lexically_normal();  // tasks start in another folder
  const auto launcher_options = schema_of<LauncherOptions>().make(options.options);
  const auto launcher = make_launcher(options.launcher, launcher_options);
  const auto lock = lock_submissions(parent);
  auto open = open_submissions(parent);
  const auto in_queue = ask_queues(open);
  const auto most = launcher->most_tasks();
  auto room = launcher->room();
  for (const auto& kept : open) {
    if (!is_in_queue(kept, in_queue)) write_file(kept.folder / "ended", "");
  }
  SubmitEnd end;
  const auto missing = missing_cells(jobs, parent, in_queue, end);
  auto tasks = divided(missing, static_cast<std::size_t>(launcher_options.cells_per_task));
  for (std::size_t at = 0; at < tasks.size() && room > 0;) {
    const auto count = std::min({most, room, tasks.size() - at});
    KeptSubmission kept;
    kept.launcher = options.launcher;
    kept.options = options.options;
    kept.cells.assign(tasks.begin() + static_cast<std::ptrdiff_t>(at),
                      tasks.begin() + static_cast<std::ptrdiff_t>(at + count));
    const auto name = new_name(parent);
    kept.folder = submissions_folder(parent) / name;
    kept.submission = {name, kept.folder / "job.sh", kept.folder, count};
    try {
      submit(*launcher, kept, launcher_options, options.batch);
    } catch (const std::exception& error) {
      end.problem = error.what();
      break;
    }
    end.submitted += cells_in(kept.cells);
    end.lines.push_back(fmt::format("submitted {} {}: {} tasks, {} runs -> {}", options.launcher, kept.submission.id,
                                    count, cells_in(kept.cells), kept.folder.string()));
    at += count;
    if (room != Launcher::kNoLimit) room -= count;
  }
  end.left = missing.size() - end.submitted;
  return end;
}

}  // namespace nbs::launch
