// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/base/files.h"

namespace nbs::test {

/// Waits until `condition` holds, at most `seconds`, which a loaded machine may need; returns whether it does.
inline bool wait_until(const std::function<bool()>& condition, double seconds = 30) {
  const auto start = std::chrono::steady_clock::now();
  while (!condition()) {
    if (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > seconds) return false;
    usleep(5000);
  }
  return true;
}

/// Whether a process runs: it exists and is no zombie, which in a container may stay for ever.
inline bool is_running(pid_t process) {
  try {
    const auto status = nbs::read_file("/proc/" + std::to_string(process) + "/stat");
    const auto state = status.find(") ");
    return state != std::string::npos && status[state + 2] != 'Z';
  } catch (const std::exception&) {
    return false;
  }
}

/// A program that runs beside the test; killed at the end of the scope if it still does. Interrupts are not ignored in
/// it, as they are in the background jobs of a shell.
class Background {
 public:
  /// `variables`: "NAME=value" to set or "NAME=" to remove. Its output and errors go to files in `folder`, which is
  /// also its current folder.
  Background(const std::vector<std::string>& words, std::filesystem::path folder,
             const std::vector<std::pair<std::string, std::string>>& variables = {})
      : folder_(std::move(folder)) {
    std::vector<char*> arguments;
    std::vector<std::string> copies = words;
    for (auto& copy : copies)
      arguments.push_back(copy.data());
    arguments.push_back(nullptr);
    process_ = fork();
    if (process_ != 0) return;
    for (const auto& [name, value] : variables)
      value.empty() ? unsetenv(name.c_str()) : setenv(name.c_str(), value.c_str(), 1);
    if (chdir(folder_.c_str()) != 0) _exit(126);
    redirect("output.txt", STDOUT_FILENO);
    redirect("errors.txt", STDERR_FILENO);
    std::signal(SIGINT, SIG_DFL);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  ~Background() {
    if (process_ <= 0) return;
    send(SIGKILL);
    wait();
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  pid_t process() const { return process_; }
  void send(int signal) const { kill(process_, signal); }
  /// Its exit status, or 128 and the number of the signal that ended it.
  int wait() {
    int status = 0;
    waitpid(process_, &status, 0);
    process_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  std::string output() const { return nbs::read_file(folder_ / "output.txt"); }
  std::string errors() const { return nbs::read_file(folder_ / "errors.txt"); }

 private:
  static void redirect(const char* file, int descriptor) {
    const int opened = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    dup2(opened, descriptor);
    close(opened);
  }

  std::filesystem::path folder_;
  pid_t process_ = -1;
};

}  // namespace nbs::test
