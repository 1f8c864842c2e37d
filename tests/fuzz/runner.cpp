// SPDX-License-Identifier: Apache-2.0
#include "runner.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <new>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace nbs::fuzz {

namespace {

// What the child tells while it can.
struct Shared {
  volatile std::uint64_t run;
  char reason[1024];
};

constexpr int kWrong = 77;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // sanitizers reserve terabytes of addresses
#else
constexpr bool kSanitized = false;
#endif

std::uint64_t address_space_in_use() {
  std::ifstream stream("/proc/self/statm");
  std::uint64_t pages = 0;
  stream >> pages;
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGE_SIZE));
}

void start_clock(int seconds) {
  itimerval timer{};
  timer.it_value.tv_sec = seconds;
  setitimer(ITIMER_PROF, &timer, nullptr);
  alarm(static_cast<unsigned>(seconds) * 12);  // also for what waits without computing
}

[[noreturn]] void child(std::uint64_t first, std::uint64_t end, const Limits& limits,
                        const std::filesystem::path& output, const std::function<std::string(std::uint64_t)>& run,
                        Shared& shared) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // who stops the program stops its runs
  const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
  dup2(file, STDERR_FILENO);
  dup2(file, STDOUT_FILENO);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  if (!kSanitized) {
    const rlimit memory{address_space_in_use() + limits.bytes, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &memory);
  }
  for (std::uint64_t i = first; i < end; ++i) {
    shared.run = i;
    if (ftruncate(file, 0) != 0) _exit(1);
    start_clock(limits.seconds);
    const auto reason = run(i);
    if (reason.empty()) continue;
    std::strncpy(shared.reason, reason.c_str(), sizeof shared.reason - 1);
    _exit(kWrong);
  }
  _exit(0);
}

std::string end_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  const auto all = text.str();
  constexpr std::size_t kLongest = 3000;
  return all.size() > kLongest ? "…" + all.substr(all.size() - kLongest) : all;
}

}  // namespace

std::optional<Failure> run_in_child(std::uint64_t first, std::uint64_t end, const Limits& limits,
                                    const std::filesystem::path& scratch,
                                    const std::function<std::string(std::uint64_t)>& run) {
  void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no shared memory");
  auto* const shared = new (memory) Shared();
  const auto output = scratch / "output.txt";
  std::fflush(nullptr);
  const pid_t process = fork();
  if (process < 0) throw std::runtime_error("no process can be started");
  if (process == 0) child(first, end, limits, output, run, *shared);
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  std::optional<Failure> failure;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    failure = Failure{shared->run, "", end_of(output)};
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGALRM)) {
      failure->reason = "it took more than " + std::to_string(limits.seconds) + " seconds";
    } else if (WIFSIGNALED(status)) {
      failure->reason = std::string("it was ended by the signal ") + strsignal(WTERMSIG(status));
    } else {
      failure->reason = WEXITSTATUS(status) == kWrong
                            ? std::string(shared->reason)
                            : "it ended the process with status " + std::to_string(WEXITSTATUS(status));
    }
  }
  munmap(memory, sizeof(Shared));
  return failure;
}

}  // namespace nbs::fuzz
