// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/worker_process.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/error.h"
#include "nbs/host/search_path.h"

namespace nbs::run {

namespace {

int status_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

pid_t spawn(const std::vector<std::string>& arguments, int output, const std::filesystem::path& log) {
  const auto program = worker_program();
  std::vector<char*> words;
  std::string name = program.string();
  words.push_back(name.data());
  std::vector<std::string> copies = arguments;
  for (auto& copy : copies)
    words.push_back(copy.data());
  words.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) throw Error(fmt::format("no process for the worker could be started: {}", std::strerror(errno)));
  if (child == 0) {
    if (output >= 0) dup2(output, STDOUT_FILENO);
    if (!log.empty()) {
      const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
      if (file >= 0) dup2(file, STDERR_FILENO);
    }
    // A child inherits ignored signals; the worker handles interrupts itself.
    std::signal(SIGINT, SIG_DFL);
    execv(name.c_str(), words.data());
    // Between fork and exec only what is safe in a signal handler is safe: no allocation.
    const char* const reason = std::strerror(errno);
    for (const char* part : {"nbs: the worker ", name.c_str(), " cannot be started: ", reason,
                             "; check NBS_WORKER, or install nbs again\n"}) {
      if (write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
    }
    _exit(127);
  }
  return child;
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

pid_t start_worker(const std::vector<std::string>& arguments, const std::filesystem::path& log) {
  return spawn(arguments, -1, log);
}

int wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) throw Error(fmt::format("waiting for the worker failed: {}", std::strerror(errno)));
  }
  return status_code(status);
}

std::pair<pid_t, int> wait_for_any() {
  int status = 0;
  for (;;) {
    const pid_t process = waitpid(-1, &status, 0);
    if (process > 0) return {process, status_code(status)};
    if (errno != EINTR) throw Error(fmt::format("waiting for the workers failed: {}", std::strerror(errno)));
  }
}

int run_worker(const std::vector<std::string>& arguments) {
  // The terminal sends an interrupt to both processes; the worker ends cleanly, and this one waits for that.
  auto* const before = std::signal(SIGINT, SIG_IGN);
  int code = 0;
  try {
    code = wait_for(start_worker(arguments));
  } catch (...) {
    std::signal(SIGINT, before);
    throw;
  }
  std::signal(SIGINT, before);
  return code;
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
  const int code = wait_for(child);
  if (code != 0)
    throw Error(fmt::format("{} {} ended with status {}", worker_program().string(), fmt::join(arguments, " "), code));
  return output;
}

}  // namespace nbs::run
