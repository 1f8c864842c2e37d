// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nbs/options.h"

namespace nbs::launch {

/// What a task asks of a queue, and how a batch is divided into tasks. One struct for all launchers, which is why it
/// has so many members; check() says what a launcher has no use for.
struct LauncherOptions {
  std::string partition;
  std::string account;
  std::string time;
  std::string memory;
  std::int64_t cpus = 1;
  std::int64_t gpus = 0;
  std::int64_t throttle = 0;
  std::int64_t cells_per_task = 1;
  std::vector<std::string> directives;
  std::vector<std::string> setup;
  std::string submit_command;
  std::string status_command;
  std::string cancel_command;

  static void declare(Schema<LauncherOptions>& s);
};

/// The options in `file` (TOML; none if it is empty) with `flags` in the place of what it says. `flags`: the words of
/// the command line by the names of the options; an option that is a list may come several times. Throws
/// config::DiagnosticsError with all that is wrong.
OptionValues launcher_options(const std::filesystem::path& file,
                              const std::vector<std::pair<std::string, std::string>>& flags);

/// $XDG_CONFIG_HOME/nbs/launcher.toml, if it is there; an empty path otherwise.
std::filesystem::path usual_launcher_file();

/// Tasks that are handed to a queue together. A task is some cells, done one after the other.
struct Submission {
  std::string name;              ///< of letters, digits, "-" and "_"; no other has it
  std::filesystem::path script;  ///< does the task whose number the queue says, or the only one
  std::filesystem::path logs;    ///< folder for what the tasks print
  std::size_t tasks = 0;
  std::string id = {};  ///< that the queue has given to it; empty before that
};

/// A task that a queue knows.
struct QueuedTask {
  std::size_t submission = 0;  ///< its place in the list that was asked for
  std::size_t task = 0;
  enum class State { waiting, running, ended } state = State::waiting;
  std::string word;  ///< as the queue calls that
};

/// A queue that runs tasks somewhere else. Nothing of it is linked: its own commands are called. All functions throw
/// nbs::Error, a sentence with what the command said.
class Launcher {
 public:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  Launcher() = default;
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;
  virtual ~Launcher() = default;

  /// The lines at the head of a script that ask for its resources.
  virtual std::vector<std::string> directives(const Submission& submission) const = 0;
  /// Shell text that is the number of the task in a script.
  virtual std::string task_number() const = 0;
  /// The most tasks of one submission.
  virtual std::size_t most_tasks() = 0;
  /// How many more tasks the queue takes of this user now.
  virtual std::size_t room() = 0;
  /// Hands it to the queue. Returns its id.
  virtual std::string submit(const Submission& submission) = 0;
  /// What the queue knows of these; an ended task may be missing. Where an id was not noted, as nbs was killed at that
  /// moment, it is looked for by the name and set.
  virtual std::vector<QueuedTask> tasks(std::vector<Submission>& submissions) = 0;
  /// Tells these to end; those that run get SIGTERM first.
  virtual void cancel(const std::vector<std::string>& ids) = 0;
};

/// "slurm" or "command". Throws nbs::Error for an option that this launcher lacks or has no use for.
std::unique_ptr<Launcher> make_launcher(const std::string& name, const LauncherOptions& options);

}  // namespace nbs::launch
