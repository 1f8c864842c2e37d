// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/submissions.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"
#include "nbs/launch/front_end.h"

namespace nbs::launch {

namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
  std::istringstream lines(read_file(file));
  std::string line;
  std::getline(lines, line);
  return line;
}

TaskCells read_tasks(const fs::path& file) {
  TaskCells tasks;
  std::istringstream lines(read_file(file, "list of tasks"));
  for (std::string line; std::getline(lines, line);) {
    auto& cells = tasks.emplace_back();
    std::istringstream names(line);
    for (std::string name; std::getline(names, name, '\t');)
      cells.push_back(name);
  }
  return tasks;
}

KeptSubmission read_submission(const fs::path& folder) {
  KeptSubmission kept;
  kept.folder = folder;
  kept.launcher = first_line(folder / "launcher");
  kept.options = launcher_options(folder / "options.toml", {});
  kept.cells = read_tasks(folder / "tasks");
  kept.submission = {folder.filename().string(), folder / "job.sh", folder, kept.cells.size()};
  std::error_code failed;
  if (fs::exists(folder / "id", failed)) kept.submission.id = first_line(folder / "id");
  return kept;
}

// Those with the same queue are asked about together.
using Group = std::pair<std::string, std::string>;  // launcher, options

Group group_of(const KeptSubmission& kept) {
  // Slurm is one queue, whatever is asked of it.
  return {kept.launcher, kept.launcher == "slurm" ? "" : config::table_toml(kept.options)};
}

std::unique_ptr<Launcher> launcher_of(const KeptSubmission& kept) {
  return make_launcher(kept.launcher, schema_of<LauncherOptions>().make(kept.options));
}

}  // namespace

fs::path submissions_folder(const fs::path& parent) {
  return parent / ".nbs-jobs";
}

std::vector<KeptSubmission> open_submissions(const fs::path& parent) {
  std::vector<fs::path> folders;
  std::error_code failed;
  fs::directory_iterator at(submissions_folder(parent), failed);
  for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
    std::error_code ignored;
    // Without its tasks it was never submitted: nbs was killed as it was written.
    if (fs::exists(at->path() / "tasks", ignored) && !fs::exists(at->path() / "ended", ignored))
      folders.push_back(at->path());
  }
  std::sort(folders.begin(), folders.end());
  std::vector<KeptSubmission> open;
  open.reserve(folders.size());
  for (const auto& folder : folders)
    open.push_back(read_submission(folder));
  return open;
}

std::map<std::string, CellInQueue> ask_queues(std::vector<KeptSubmission>& submissions) {
  std::map<Group, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < submissions.size(); ++i)
    groups[group_of(submissions[i])].push_back(i);
  // By the place of the submission, so that the latest one of a run is written last.
  std::map<std::pair<std::size_t, std::size_t>, QueuedTask> tasks;
  for (const auto& [group, places] : groups) {
    std::vector<Submission> asked;
    asked.reserve(places.size());
    for (const auto place : places)
      asked.push_back(submissions[place].submission);
    for (const auto& task : launcher_of(submissions[places.front()])->tasks(asked))
      tasks[{places[task.submission], task.task}] = task;
    for (std::size_t i = 0; i < places.size(); ++i) {
      auto& kept = submissions[places[i]];
      if (kept.submission.id.empty() && !asked[i].id.empty()) {
        kept.submission.id = asked[i].id;
        write_file(kept.folder / "id", asked[i].id + "\n");
      }
    }
  }
  std::map<std::string, CellInQueue> cells;
  for (const auto& [place, task] : tasks) {
    const auto& kept = submissions[place.first];
    if (place.second >= kept.cells.size()) continue;
    const auto number = kept.cells.size() > 1 ? fmt::format("_{}", place.second) : "";
    for (const auto& name : kept.cells[place.second]) {
      auto& cell = cells[name];
      const bool keeps = cell.text.empty() || task.state != QueuedTask::State::ended;
      // An earlier one that still runs hides a later one that has ended.
      if (keeps || cell.state == QueuedTask::State::ended)
        cell = {task.state, fmt::format("{} {}{}: {}", kept.launcher, kept.submission.id, number, task.word)};
    }
  }
  return cells;
}

bool is_in_queue(const KeptSubmission& submission, const std::map<std::string, CellInQueue>& cells) {
  for (const auto& task : submission.cells) {
    for (const auto& name : task) {
      const auto found = cells.find(name);
      if (found != cells.end() && found->second.state != QueuedTask::State::ended) return true;
    }
  }
  return false;
}

std::vector<std::string> cells_of_task(const fs::path& submission, std::size_t task) {
  auto tasks = read_tasks(submission / "tasks");
  if (task >= tasks.size())
    throw Error(fmt::format("{} has the tasks 0 to {}, but task {} was to be done", (submission / "tasks").string(),
                            static_cast<std::int64_t>(tasks.size()) - 1, task));
  return std::move(tasks[task]);
}

std::vector<std::string> cancel_all(const fs::path& parent) {
  std::vector<std::string> lines;
  auto open = open_submissions(parent);
  const auto cells = ask_queues(open);
  for (const auto& kept : open) {
    if (!is_in_queue(kept, cells)) continue;
    launcher_of(kept)->cancel({kept.submission.id});
    lines.push_back(fmt::format("{} {} ({}): told to end", kept.launcher, kept.submission.id, kept.submission.name));
  }
  for (const auto& front_end : front_ends(parent)) {
    const auto what = fmt::format("nbs batch, process {} on {}", front_end.process, front_end.host);
    if (front_end.host != host_name()) {
      lines.push_back(fmt::format("{}: runs on another machine; use the same command there", what));
    } else if (kill(front_end.process, SIGTERM) == 0) {
      lines.push_back(fmt::format("{}: told to end", what));
    } else {
      lines.push_back(fmt::format("{}: cannot be told to end: {}", what, std::strerror(errno)));
    }
  }
  return lines;
}

}  // namespace nbs::launch
