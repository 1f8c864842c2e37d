// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/worker_process.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/base/ending.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/host/search_path.h"

namespace nbs::launch {

namespace {

constexpr int kSignals[4] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
constexpr std::size_t kMostWorkers = 1024;
constexpr std::int64_t kSamePressMs = 200;

// What the signal handlers know. Lock-free atomics may be used in them.
std::atomic<pid_t> running_now[kMostWorkers];
std::atomic<int> stopped_by{0};
std::atomic<int> to_hand_on{0};
std::atomic<std::int64_t> interrupted_at{0};
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

void on_child(int) {
  // It only has to interrupt the wait.
}

// From a handler, where fmt may not be used. If it cannot be written, nobody reads it.
template <std::size_t Size>
void tell(const char (&text)[Size]) {
  if (write(STDERR_FILENO, text, Size - 1) < 0) return;
}

void on_stop(int signal) {
  const int kept = errno;
  const auto now = now_ms();
  const auto before = interrupted_at.load();
  if (signal == SIGINT && before != 0 && now - before >= kSamePressMs) {
    for (const auto& process : running_now) {
      if (const pid_t id = process.load(); id > 0) kill(id, SIGKILL);
    }
    tell("\nnbs: interrupted twice, so everything was ended at once\n");
    _exit(130);
  }
  if (signal == SIGINT && before == 0) {
    interrupted_at.store(now);
    tell(
        "\nnbs: stopping as soon as what is done so far is complete and saved; Ctrl-C again ends everything at once\n");
  }
  int none = 0;
  stopped_by.compare_exchange_strong(none, signal);
  // An interrupt does not hide that the workers' time is limited.
  if (signal != SIGINT || to_hand_on.load() == 0) to_hand_on.store(signal);
  errno = kept;
}

// Keeps the handled signals back in a scope, so that none is missed between a look and a wait.
class Blocked {
 public:
  Blocked() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : kSignals)
      sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &before_);
  }
  ~Blocked() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  Blocked(const Blocked&) = delete;
  Blocked& operator=(const Blocked&) = delete;
  const sigset_t& before() const { return before_; }

 private:
  sigset_t before_{};
};

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

// This program's environment, with a limit on how long OpenMP's threads wait by spinning for the next piece of work,
// unless the user has said how they shall wait. GCC's OpenMP reads it while the worker is loaded, so that the worker
// itself could no longer set it. Without a limit two trainings on two cores take four times as long each, as one spins
// where the other could work; with 10,000 rounds one on an idle machine is as fast as without a limit, with 1,000 it is
// not (bench/training/README.md). And without the signal handlers of UCX, with which Debian 13's LibTorch comes by way
// of MPI: they would keep the worker's own from naming the plugin that crashed. UCX reads this while it is loaded, too.
std::vector<std::string> worker_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  if (std::getenv("OMP_WAIT_POLICY") == nullptr && std::getenv("GOMP_SPINCOUNT") == nullptr)
    variables.emplace_back("GOMP_SPINCOUNT=10000");
  if (std::getenv("UCX_ERROR_SIGNALS") == nullptr) variables.emplace_back("UCX_ERROR_SIGNALS=");
  return variables;
}

// Pointers to the words, which must outlive them, and a null.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (auto& word : words)
    pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t spawn(const std::vector<std::string>& arguments, int output, const WorkerStart& how) {
  const auto program = worker_program();
  const std::string name = program.string();
  std::vector<std::string> copies = {name};
  copies.insert(copies.end(), arguments.begin(), arguments.end());
  const auto words = pointers_to(copies);
  auto variables = worker_environment();
  const auto environment = pointers_to(variables);
  const pid_t parent = getpid();
  const Blocked blocked;  // the child must not run this program's handlers
  // Not posix_spawn: it can set neither the signal that ends the child with this program, nor look whether this program
  // is gone already. A worker that did that itself would first load LibTorch, for half a second unwatched.
  const pid_t child = fork();
  if (child < 0) throw Error(fmt::format("no process for the worker could be started: {}", std::strerror(errno)));
  if (child == 0) {
    // Between fork and exec only what is safe in a signal handler is safe: no allocation.
    for (const int signal : kSignals) {
      struct sigaction action {};
      if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) std::signal(signal, SIG_DFL);
    }
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);  // it was gone before that took effect
    if (output >= 0) dup2(output, STDOUT_FILENO);
    for (const int descriptor : how.descriptors)
      fcntl(descriptor, F_SETFD, 0);
    if (!how.log.empty()) {
      const int file = open(how.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
      if (file >= 0) dup2(file, STDERR_FILENO);
      if (file >= 0 && output < 0) dup2(file, STDOUT_FILENO);  // what plugins print
    }
    // Not what was before this function: start() has blocked them, too.
    sigset_t handled;
    sigemptyset(&handled);
    for (const int signal : kSignals)
      sigaddset(&handled, signal);
    sigprocmask(SIG_UNBLOCK, &handled, nullptr);
    execve(name.c_str(), words.data(), environment.data());
    const char* const reason = std::strerror(errno);
    for (const char* part : {"nbs: the worker ", name.c_str(), " cannot be started: ", reason,
                             "; check NBS_WORKER, or install nbs again\n"}) {
      if (write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
    }
    _exit(127);
  }
  return child;
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

std::filesystem::path worker_program() {
  if (const char* named = std::getenv("NBS_WORKER")) return named;
  const auto folder = host::program_folder();
  for (const auto& candidate : {folder / "nbs-worker", folder / ".." / "libexec" / "nbs" / "nbs-worker"}) {
    if (std::filesystem::is_regular_file(candidate)) return candidate;
  }
  throw Error(
      fmt::format("the program nbs-worker, which does the tensor work, is not beside nbs in {}; install nbs again, or "
                  "set NBS_WORKER to its path",
                  folder.string()));
}

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

Workers::Workers() : grace_(grace_seconds()) {
  stopped_by.store(0);
  to_hand_on.store(0);
  interrupted_at.store(0);
  for (std::size_t i = 0; i < 4; ++i) {
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_handler = kSignals[i] == SIGCHLD ? on_child : on_stop;
    sigaction(kSignals[i], nullptr, &before_[i]);
    if (kSignals[i] == SIGCHLD || before_[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

Workers::~Workers() {
  if (!running_.empty()) on_stop(SIGTERM);
  try {
    while (!running_.empty())
      wait();
  } catch (const std::exception& error) {
    say(error.what());
  }
  for (std::size_t i = 0; i < 4; ++i)
    sigaction(kSignals[i], &before_[i], nullptr);
}

int Workers::stop_signal() const {
  return stopped_by.load();
}

pid_t Workers::start(const std::vector<std::string>& arguments, const WorkerStart& how) {
  const Blocked blocked;  // until the handler knows the new process
  auto* const place =
      std::find_if(std::begin(running_now), std::end(running_now), [](const auto& id) { return id.load() == 0; });
  if (place == std::end(running_now))
    throw Error(fmt::format("more than {} workers cannot run at a time", kMostWorkers));
  running_.reserve(running_.size() + 1);
  const pid_t process = spawn(arguments, -1, how);
  place->store(process);
  running_.push_back(process);
  if (how.seconds > 0) limits_[process].at = now_ms() + static_cast<std::int64_t>(how.seconds * 1000);
  return process;
}

void Workers::send(int signal) const {
  for (const pid_t process : running_)
    kill(process, signal);
}

WorkerEnd Workers::forget(pid_t process, int status) {
  for (auto& id : running_now) {
    if (id.load() == process) id.store(0);
  }
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
  const Blocked blocked;
  sigset_t while_waiting = blocked.before();
  for (const int signal : kSignals)
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
    if (const int signal = to_hand_on.exchange(0); signal != 0) {
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
    child = spawn(arguments, ends[1], {});
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
