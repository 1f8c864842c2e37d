// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/worker_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/base/ending.h"
#include "nbs/base/print.h"
#include "nbs/error.h"

#include "spawn_worker.h"
#include "stop_signals.h"

namespace nbs::launch {

namespace {

WorkerEnd end_of(pid_t process, int status) {
  WorkerEnd end;
  end.process = process;
  if (WIFSIGNALED(status)) {
    end.signal = WTERMSIG(status);
  } else {
    end.code = WEXITSTATUS(status);
  }
  return end;
}

const char* meaning(int signal) {
  switch (signal) {
    case SIGKILL:
      return "usually because the machine or a job's limit ran out of memory; lower data.image_size, buffer.batch or "
             "the number of runs at a time, or give it more memory";
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
      return "it crashed: a mistake in a plugin, in a library or in nbs itself; its last messages say where, and "
             "nbs test-plugin tries a plugin's library";
    case SIGABRT:
      return "it gave up: a plugin, a library or nbs itself found its own state to be wrong; its last messages say "
             "what";
    case SIGXCPU:
      return "the limit on processor time (ulimit -t) was reached";
    case SIGXFSZ:
      return "the limit on the size of files (ulimit -f) was reached";
    default:
      return "somebody, or the system that runs jobs here, ended it";
  }
}

}  // namespace

std::string explanation(const WorkerEnd& end) {
  if (end.signal != 0) {
    const char* const name = sigabbrev_np(end.signal);
    return fmt::format("the worker was ended by {} (signal {}): {}", name != nullptr ? fmt::format("SIG{}", name) : "?",
                       end.signal, meaning(end.signal));
  }
  for (const int known : {0, 1, 2, 127, 130, kEndedFromInside, kCheckpointRefused}) {
    if (end.code == known) return "";
  }
  return fmt::format("the worker ended with status {}, which is none of its own: a plugin or library has ended it",
                     end.code);
}

Workers::Workers() : signals_(std::make_unique<StopSignals>()), grace_(grace_seconds()) {}

Workers::~Workers() {
  if (!running_.empty()) signals_->raise(SIGTERM);
  try {
    while (!running_.empty())
      wait();
  } catch (const std::exception& error) {
    say(error.what());
  }
}

int Workers::stop_signal() const {
  return signals_->first();
}

pid_t Workers::start(const std::vector<std::string>& arguments, const WorkerStart& how) {
  if (running_.size() == kMostWorkers)
    throw Error(fmt::format("more than {} workers cannot run at a time", kMostWorkers));
  running_.reserve(running_.size() + 1);
  const BlockedSignals blocked;  // until the handler knows the new process
  const pid_t process = spawn_worker(arguments, -1, how);
  signals_->watch(process);
  running_.push_back(process);
  if (how.seconds > 0) limits_[process].at = now_ms() + static_cast<std::int64_t>(how.seconds * 1000);
  return process;
}

void Workers::send(int signal) const {
  for (const pid_t process : running_)
    kill(process, signal);
}

WorkerEnd Workers::forget(pid_t process, int status) {
  signals_->forget(process);
  running_.erase(std::find(running_.begin(), running_.end(), process));
  auto end = end_of(process, status);
  const auto limit = limits_.find(process);
  end.timed_out = limit != limits_.end() && limit->second.told;
  if (limit != limits_.end()) limits_.erase(limit);
  return end;
}

// Whose time is over is told to end, and killed if that does not help.
void Workers::enforce_limits(std::int64_t allowed_ms) {
  const auto now = now_ms();
  for (auto& [process, limit] : limits_) {
    if (now < limit.at) continue;
    kill(process, limit.told ? SIGKILL : SIGTERM);
    limit = {now + allowed_ms, true};
  }
}

// On the monotonic clock; 0 if no worker's time is limited.
std::int64_t Workers::next_limit() const {
  std::int64_t next = 0;
  for (const auto& [process, limit] : limits_)
    next = next == 0 ? limit.at : std::min(next, limit.at);
  return next;
}

WorkerEnd Workers::wait() {
  for (;;) {
    if (const auto end = wait_for(std::chrono::hours(1))) return *end;
  }
}

std::optional<WorkerEnd> Workers::wait_for(std::chrono::milliseconds most) {
  if (running_.empty()) throw Error("waiting for the workers failed: none runs");
  const std::int64_t enough = now_ms() + most.count();
  const BlockedSignals blocked;
  sigset_t while_waiting = blocked.before();
  for (const int signal : kHandledSignals)
    sigdelset(&while_waiting, signal);
  // More than the workers themselves take: they say why they end.
  const std::int64_t allowed_ms = static_cast<std::int64_t>(grace_) * 1000 + 2000;
  for (;;) {
    for (const pid_t process : running_) {
      int status = 0;
      const pid_t ended = waitpid(process, &status, WNOHANG);
      if (ended == process) return forget(process, status);
      if (ended < 0 && errno != EINTR)
        throw Error(fmt::format("waiting for the workers failed: {}", std::strerror(errno)));
    }
    if (const int signal = signals_->take_next(); signal != 0) {
      send(signal);
      if (signal != SIGINT && deadline_ == 0) deadline_ = now_ms() + allowed_ms;
    }
    enforce_limits(allowed_ms);
    if (deadline_ != 0 && deadline_ <= now_ms()) {
      say(fmt::format("nbs: {} of the workers did not end within {} s and were killed", running_.size(),
                      allowed_ms / 1000));
      send(SIGKILL);
      deadline_ = now_ms() + allowed_ms;
    }
    const auto now = now_ms();
    if (now >= enough) return std::nullopt;
    std::int64_t until = enough;
    if (const auto limit = next_limit(); limit != 0) until = std::min(until, limit);
    if (deadline_ != 0) until = std::min(until, deadline_);
    timespec left{};
    const auto milliseconds = std::max<std::int64_t>(0, until - now);
    left.tv_sec = milliseconds / 1000;
    left.tv_nsec = milliseconds % 1000 * 1000000;
    ppoll(nullptr, 0, &left, &while_waiting);
  }
}

int run_worker(const std::vector<std::string>& arguments, const std::vector<int>& descriptors) {
  Workers workers;
  WorkerStart how;
  how.descriptors = descriptors;
  workers.start(arguments, how);
  const WorkerEnd end = workers.wait();
  if (workers.stop_signal() != 0) return 128 + workers.stop_signal();
  if (end.signal == SIGINT) return 130;
  if (const auto text = explanation(end); !text.empty()) say("nbs: " + text);
  return end.signal == 0 && (end.code == 0 || end.code == 2 || end.code == 130) ? end.code : 1;
}

std::string worker_output(const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw Error(fmt::format("no pipe to the worker could be made: {}", std::strerror(errno)));
  pid_t child = -1;
  try {
    child = spawn_worker(arguments, ends[1], {});
  } catch (...) {
    close(ends[0]);
    close(ends[1]);
    throw;
  }
  close(ends[1]);
  std::string output;
  char block[65536];
  for (;;) {
    const auto count = read(ends[0], block, sizeof block);
    if (count > 0) output.append(block, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) break;
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw Error(fmt::format("waiting for the worker failed: {}", std::strerror(errno)));
  }
  const WorkerEnd end = end_of(child, status);
  if (end.status() != 0) {
    const auto text = end.signal != 0 ? explanation(end) : "";
    throw Error(fmt::format("{} {} ended with status {}{}{}", worker_program().string(), fmt::join(arguments, " "),
                            end.status(), text.empty() ? "" : ": ", text));
  }
  return output;
}

}  // namespace nbs::launch
