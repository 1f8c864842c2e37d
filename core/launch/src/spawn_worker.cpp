// SPDX-License-Identifier: Apache-2.0
#include "spawn_worker.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "nbs/error.h"
#include "nbs/host/search_path.h"

#include "stop_signals.h"

namespace nbs::launch {

namespace {

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

pid_t spawn_worker(const std::vector<std::string>& arguments, int output, const WorkerStart& how) {
  const auto program = worker_program();
  const std::string name = program.string();
  std::vector<std::string> copies = {name};
  copies.insert(copies.end(), arguments.begin(), arguments.end());
  const auto words = pointers_to(copies);
  auto variables = worker_environment();
  const auto environment = pointers_to(variables);
  const pid_t parent = getpid();
  const BlockedSignals blocked;  // the child must not run this program's handlers
  // Not posix_spawn: it can set neither the signal that ends the child with this program, nor look whether this program
  // is gone already. A worker that did that itself would first load LibTorch, for half a second unwatched.
  const pid_t child = fork();
  if (child < 0) throw Error(fmt::format("no process for the worker could be started: {}", std::strerror(errno)));
  if (child == 0) {
    // Between fork and exec only what is safe in a signal handler is safe: no allocation.
    for (const int signal : kHandledSignals) {
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
    const sigset_t handled = handled_signals();
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

}  // namespace nbs::launch
