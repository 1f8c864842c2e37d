// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nbs/launch/launcher.h"

namespace nbs::launch::slurm {

// What Slurm's commands print, and what sbatch reads. Apart from calling them, so that it is tested with texts.

/// The lines "#SBATCH …" for a submission. `array`: whether it is a job array, or one job.
std::vector<std::string> directives(const LauncherOptions& options, const Submission& submission, bool array);

/// The number in what `sbatch --parsable` prints: "123" or "123;cluster". Throws nbs::Error for anything else.
std::string job_id(const std::string& output);

/// A line of `squeue --format=kQueueFormat`.
struct QueueLine {
  std::string id;        ///< of the array, or of the job if it is none
  std::size_t task = 0;  ///< 0 if it is no array
  QueuedTask::State state = QueuedTask::State::waiting;
  std::string word;  ///< "PENDING (Resources)"
  std::string name;
};
constexpr const char* kQueueFormat = "%F|%K|%T|%j|%r";
/// Throws nbs::Error for a line that is none.
std::vector<QueueLine> queue_lines(const std::string& output);

/// A state that Slurm may still run. What is not known counts as such, so that nothing is submitted twice.
QueuedTask::State state_of(const std::string& word);

/// The state of each task in what `sacct --format=JobID,State` prints, of which pending ones are ranges.
std::vector<QueueLine> account_lines(const std::string& output);

/// A number in what `scontrol show config` prints.
std::optional<std::size_t> config_number(const std::string& output, const std::string& name);
/// A word there.
std::string config_word(const std::string& output, const std::string& name);

/// The least MaxSubmitJobs in what `sacctmgr show assoc format=account,partition,maxsubmitjobs` prints, of the lines
/// for this account and partition (empty: any); nothing if there is no limit.
std::optional<std::size_t> most_submitted(const std::string& output, const std::string& account,
                                          const std::string& partition);

}  // namespace nbs::launch::slurm
