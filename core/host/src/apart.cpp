// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/apart.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nbs/base/ending.h"
#include "nbs/error.h"
#include "nbs/host/crash.h"

namespace nbs::host {

namespace {

constexpr std::size_t kPlaceSize = 400;
constexpr int kThrew = 71;

std::int64_t monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

// A text that this process and its copies share: where in a plugin a copy has ended.
class SharedPlace {
 public:
  SharedPlace() {
    void* const made = mmap(nullptr, kPlaceSize, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) throw Error(fmt::format("no memory to share with a process: {}", std::strerror(errno)));
    text_ = static_cast<char*>(made);
  }
  ~SharedPlace() { munmap(text_, kPlaceSize); }
  SharedPlace(const SharedPlace&) = delete;
  SharedPlace& operator=(const SharedPlace&) = delete;

  char* text() const { return text_; }
  std::string in_words() const {
    const std::string place(text_, strnlen(text_, kPlaceSize));
    return place.empty() ? "" : " in " + place;
  }

 private:
  char* text_ = nullptr;
};

// What this process has been given to write to, in bytes; 0 if the system does not say.
std::int64_t data_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages[6] = {};  // size, resident, shared, text, unused, data
  for (auto& number : pages)
    statm >> number;
  return statm ? pages[5] * sysconf(_SC_PAGE_SIZE) : 0;
}

void limit_memory([[maybe_unused]] std::int64_t mib) {
#ifndef __SANITIZE_ADDRESS__  // a sanitizer's shadow counts, too
  if (mib <= 0) return;
  const auto most = static_cast<rlim_t>(data_bytes() + mib * (std::int64_t{1} << 20));
  const rlimit limit{most, most};
  setrlimit(RLIMIT_DATA, &limit);
#endif
}

void end_at_once() {
  _exit(kEndedFromInside);
}

void send_line(int channel, std::string line) {
  line += '\n';
  for (std::size_t sent = 0; sent < line.size();) {
    const auto count = write(channel, line.data() + sent, line.size() - sent);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) _exit(kThrew);
    sent += static_cast<std::size_t>(count);
  }
}

// In the copy: never returns.
[[noreturn]] void work_off(std::size_t first, std::size_t count, const std::function<std::string(std::size_t)>& work,
                           const ApartLimits& limits, int channel, pid_t parent, char* place) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kThrew);
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  limit_memory(limits.memory_mib);
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  share_place(place, kPlaceSize);
  // Whoever watches this process for crashes is told of the copy's by the answer alone.
  for (const int crash : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
    std::signal(crash, SIG_DFL);
  // Called before those that this process had.
  std::atexit(end_at_once);
  std::at_quick_exit(end_at_once);
  try {
    for (std::size_t i = first; i < count; ++i)
      send_line(channel, work(i));
  } catch (...) {
    _exit(kThrew);
  }
  // Nothing of this process' own is to be destroyed or flushed here.
  _exit(0);
}

// One copy, as this process sees it.
class Copy {
 public:
  Copy(std::size_t first, std::size_t count, const std::function<std::string(std::size_t)>& work,
       const ApartLimits& limits, SharedPlace& place)
      : place_(place), limits_(limits) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      throw Error(fmt::format("no channel to a process could be made: {}", std::strerror(errno)));
    place_.text()[0] = '\0';
    const pid_t parent = getpid();
    process_ = fork();
    if (process_ == 0) {
      close(ends[0]);
      work_off(first, count, work, limits, ends[1], parent, place_.text());
    }
    close(ends[1]);
    channel_ = ends[0];
    if (process_ < 0) {
      close(channel_);
      throw Error(fmt::format("no process to look at plugins in could be started: {}", std::strerror(errno)));
    }
  }
  ~Copy() {
    close(channel_);
    if (process_ <= 0) return;
    kill(process_, SIGKILL);
    wait_for_end();
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  // The next line; if none comes, `result.failure` says why.
  Apart next() {
    const auto deadline = monotonic_ms() + std::int64_t{limits_.seconds} * 1000;
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        Apart result{buffer_.substr(0, end), ""};
        buffer_.erase(0, end + 1);
        return result;
      }
      const auto left = deadline - monotonic_ms();
      if (left <= 0) return {"", fail_late()};
      pollfd look{channel_, POLLIN, 0};
      if (poll(&look, 1, static_cast<int>(left)) <= 0) continue;
      char block[65536];
      const auto count = read(channel_, block, sizeof block);
      if (count > 0) buffer_.append(block, static_cast<std::size_t>(count));
      if (count == 0 || (count < 0 && errno != EINTR)) return {"", fail_early(deadline)};
    }
  }

 private:
  int wait_for_end() {
    int status = 0;
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR)
      continue;
    process_ = -1;
    return status;
  }

  std::string fail_late() const {
    return fmt::format("did not come to an end within {} s{}; {} gives it more", limits_.seconds, place_.in_words(),
                       limits_.more_seconds);
  }

  // Its end of the channel is closed: it has ended, or what it runs has closed it.
  std::string fail_early(std::int64_t deadline) {
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(process_, &status, WNOHANG)) == 0 && monotonic_ms() < deadline)
      usleep(2000);
    if (ended == 0) return fail_late();
    process_ = -1;
    if (WIFSIGNALED(status)) {
      const char* const name = sigabbrev_np(WTERMSIG(status));
      return fmt::format("crashed (SIG{}, signal {}){}", name != nullptr ? name : "?", WTERMSIG(status),
                         place_.in_words());
    }
    const int code = WEXITSTATUS(status);
    const auto ending = code == kEndedFromInside ? std::string("exit") : fmt::format("status {}", code);
    return fmt::format("ended the program from inside ({}){}", ending, place_.in_words());
  }

  SharedPlace& place_;
  const ApartLimits& limits_;
  pid_t process_ = -1;
  int channel_ = -1;
  std::string buffer_;
};

}  // namespace

std::vector<Apart> run_apart(std::size_t count, const std::function<std::string(std::size_t)>& work,
                             const ApartLimits& limits) {
  SharedPlace place;
  std::vector<Apart> results;
  while (results.size() < count) {
    Copy copy(results.size(), count, work, limits, place);
    while (results.size() < count) {
      results.push_back(copy.next());
      if (!results.back().failure.empty()) break;
    }
  }
  return results;
}

int plugin_seconds() {
  return seconds_from("NBS_PLUGIN_SECONDS", 20);
}

}  // namespace nbs::host
