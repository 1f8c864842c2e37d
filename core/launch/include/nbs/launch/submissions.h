// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "nbs/launch/batch.h"
#include "nbs/launch/launcher.h"

namespace nbs::launch {

/// The runs of each task, by the names of their folders.
using TaskCells = std::vector<std::vector<std::string>>;

/// A submission as it is kept in OUT/.nbs-jobs/NAME: `launcher`, `options.toml`, `tasks` (a line for each, tabs between
/// the names), `job.sh`, `id` (when the queue has given one), what the tasks printed (`0.log`, …), and `ended` when
/// nothing of it is in the queue any more.
struct KeptSubmission {
  std::filesystem::path folder;
  std::string launcher;
  OptionValues options;
  TaskCells cells;
  Submission submission;
};

/// Where a run stands in a queue.
struct CellInQueue {
  QueuedTask::State state = QueuedTask::State::waiting;
  std::string text;  ///< "slurm 123_4: RUNNING"
};

/// The folder of all submissions for runs under `parent`.
std::filesystem::path submissions_folder(const std::filesystem::path& parent);

/// Those that have not ended, in the order in which they were made.
std::vector<KeptSubmission> open_submissions(const std::filesystem::path& parent);

/// Asks the queues about them. Returns what they say, by the names of the folders of runs; the latest submission of a
/// run counts. Ids that were missing are noted. Throws nbs::Error if a queue cannot be asked.
std::map<std::string, CellInQueue> ask_queues(std::vector<KeptSubmission>& submissions);

/// Whether something of a submission is still in its queue, by what ask_queues() has returned.
bool is_in_queue(const KeptSubmission& submission, const std::map<std::string, CellInQueue>& cells);

/// The runs of a task of the submission in this folder. Throws nbs::Error if there is no such task.
std::vector<std::string> cells_of_task(const std::filesystem::path& submission, std::size_t task);

/// Ends what is in the queues, and the nbs batch that runs on this machine for this folder. Returns a line for each
/// thing that was told to end, or cannot be from here.
std::vector<std::string> cancel_all(const std::filesystem::path& parent);

/// What is handed to a queue, and how its tasks do their runs.
struct SubmitOptions {
  std::string launcher;  ///< "slurm" or "command"
  OptionValues options;  ///< launcher_options()
  BatchOptions batch;    ///< parallel, retries and minutes are those of each task
};

/// What became of a batch that was submitted.
struct SubmitEnd {
  std::size_t finished = 0;        ///< runs that were before
  std::size_t running = 0;         ///< runs that another process does now
  std::size_t queued = 0;          ///< runs that were submitted before
  std::size_t submitted = 0;       ///< runs
  std::size_t left = 0;            ///< runs that the queue takes no more of now
  std::vector<std::string> lines;  ///< one for each submission
  std::string problem;             ///< why not all could be submitted; empty otherwise
};

/// Submits the runs that are neither finished nor done by anybody nor in a queue, and returns; makes their folders.
/// Throws nbs::Error if the queues cannot be asked; nothing has been submitted then.
SubmitEnd submit_batch(const std::vector<Job>& jobs, const std::filesystem::path& parent, const SubmitOptions& options);

}  // namespace nbs::launch
