// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace nbs::launch {

class StopSignals;

/// The program that does the tensor work: NBS_WORKER, or nbs-worker beside this program or in the install prefix's
/// libexec. Throws nbs::Error if there is none.
std::filesystem::path worker_program();

/// How a worker ended.
struct WorkerEnd {
  pid_t process = -1;
  int code = 0;            ///< its exit code, if no signal ended it
  int signal = 0;          ///< the signal that ended it, or 0
  bool timed_out = false;  ///< it was told to end because its time was over

  /// As shells say it: the exit code, or 128 and the signal's number.
  int status() const { return signal != 0 ? 128 + signal : code; }
};

/// What a signal or an unexpected exit code means, as a sentence that begins with "the worker"; empty for the codes
/// with which a worker says itself what was wrong.
std::string explanation(const WorkerEnd& end);

/// What a worker is started with, beside its arguments.
struct WorkerStart {
  std::filesystem::path log = {};     ///< a file that its standard error goes to, unless empty
  std::vector<int> descriptors = {};  ///< that it inherits: of locks, which then last until it is gone
  double seconds = 0;                 ///< after which it is told to end as by SIGTERM, with as much grace; 0: no limit
};

/// Worker processes, and what becomes of them when this program is told to stop. They end with it, however it ends: the
/// system sends them SIGTERM when the thread that started them is gone.
///
/// While an object lives, SIGINT, SIGTERM and SIGHUP do not end this program (those that were ignored stay ignored):
/// - they are handed to the workers, which end cleanly; wait() goes on returning them;
/// - after SIGTERM and SIGHUP the workers have grace_seconds() and a little more, then they are killed;
/// - a second SIGINT (at least 0.2 s after the first: timeout(1) sends its signal twice) ends them and this program at
///   once, with exit code 130.
/// Only one object may live at a time, used by one thread.
class Workers {
 public:
  Workers();
  /// Ends those that still run, as SIGTERM would.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Starts a worker with these arguments; standard input, output and error are shared. Throws nbs::Error if no process
  /// can be started.
  pid_t start(const std::vector<std::string>& arguments, const WorkerStart& how = {});
  /// Waits for any of them. Throws nbs::Error if none runs.
  WorkerEnd wait();
  /// The same, at most that long; nothing if none has ended.
  std::optional<WorkerEnd> wait_for(std::chrono::milliseconds most);
  std::size_t running() const { return running_.size(); }
  /// The first of the signals that told this program to stop; 0 if none did.
  int stop_signal() const;

 private:
  WorkerEnd forget(pid_t process, int status);
  void send(int signal) const;
  void enforce_limits(std::int64_t allowed_ms);
  std::int64_t next_limit() const;

  std::unique_ptr<StopSignals> signals_;
  int grace_;
  std::int64_t deadline_ = 0;  // on the monotonic clock, in milliseconds; 0 if there is none
  std::vector<pid_t> running_;
  struct Limit {
    std::int64_t at = 0;  // on the monotonic clock, in milliseconds
    bool told = false;    // to end; at `at` it is killed
  };
  std::map<pid_t, Limit> limits_;
};

/// Runs one worker to its end and says what explanation() has to say. Returns the exit code for this program: 0, 1, 2
/// or 130 as the worker ended, 128 and the signal's number if this program was told to stop, 1 in all other cases.
int run_worker(const std::vector<std::string>& arguments, const std::vector<int>& descriptors = {});

/// Runs the worker and returns its standard output. Throws nbs::Error if it does not end with 0.
std::string worker_output(const std::vector<std::string>& arguments);

}  // namespace nbs::launch
