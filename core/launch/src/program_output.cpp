// SPDX-License-Identifier: Apache-2.0
#include "program_output.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/error.h"

namespace nbs::launch {

namespace {

// A pipe whose ends are closed with the object.
struct Pipe {
  int ends[2] = {-1, -1};

  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0)
      throw Error(fmt::format("no pipe to another program could be made: {}", std::strerror(errno)));
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(int which) {
    if (ends[which] >= 0) close(ends[which]);
    ends[which] = -1;
  }
};

pid_t spawn_with(const std::vector<std::string>& words, const Pipe& output, const Pipe& errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.ends[1], STDERR_FILENO);
  std::vector<std::string> copies = words;
  std::vector<char*> pointers;
  pointers.reserve(copies.size() + 1);
  for (auto& copy : copies)
    pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  pid_t process = -1;
  const int reason = posix_spawnp(&process, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (reason != 0) throw Error(fmt::format("{} cannot be started: {}", words.front(), std::strerror(reason)));
  return process;
}

}  // namespace

ProgramOutput run_program(const std::vector<std::string>& words, int seconds) {
  Pipe output;
  Pipe errors;
  const pid_t process = spawn_with(words, output, errors);
  output.close_end(1);
  errors.close_end(1);
  ProgramOutput ended;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  bool late = false;
  pollfd ready[2] = {{output.ends[0], POLLIN, 0}, {errors.ends[0], POLLIN, 0}};
  while (!late && (ready[0].fd >= 0 || ready[1].fd >= 0)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    late = left.count() <= 0;
    if (late || poll(ready, 2, static_cast<int>(left.count())) <= 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (ready[i].revents == 0) continue;
      char block[16384];
      const auto count = read(ready[i].fd, block, sizeof block);
      if (count > 0) (i == 0 ? ended.output : ended.errors).append(block, static_cast<std::size_t>(count));
      if (count == 0 || (count < 0 && errno != EINTR)) ready[i].fd = -1;
    }
  }
  if (late) kill(process, SIGKILL);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (late) throw Error(fmt::format("{} did not answer within {} s", fmt::join(words, " "), seconds));
  ended.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return ended;
}

std::string output_of(const std::vector<std::string>& words) {
  auto ended = run_program(words);
  if (ended.status == 0) return std::move(ended.output);
  auto said = ended.errors.empty() ? ended.output : ended.errors;
  while (!said.empty() && said.back() == '\n')
    said.pop_back();
  throw Error(fmt::format("{} failed (status {}): {}", fmt::join(words, " "), ended.status, said));
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text)
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace nbs::launch
