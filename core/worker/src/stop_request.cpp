// SPDX-License-Identifier: Apache-2.0
#include "stop_request.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "nbs/run/worker_process.h"

namespace nbs::worker {

namespace {

constexpr int kInterrupted = 130;
constexpr std::int64_t kSamePressMs = 200;

// What the handlers know; only what is safe in them is used there.
std::atomic<bool> requested{false};
std::atomic<std::int64_t> pressed_at{0};
std::atomic<unsigned> grace{0};
char late_text[160];

std::int64_t now_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

[[noreturn]] void end_at_once(const char* text) {
  if (write(STDERR_FILENO, text, std::strlen(text)) < 0) _exit(kInterrupted);
  _exit(kInterrupted);
}

void on_interrupt(int, siginfo_t* info, void*) {
  const int kept = errno;
  requested.store(true);
  // On a terminal this process gets the signal itself and then once more from nbs, which hands it on.
  if (info->si_code != SI_USER || info->si_pid != getppid()) {
    const auto now = now_ms();
    std::int64_t before = 0;
    if (!pressed_at.compare_exchange_strong(before, now) && now - before >= kSamePressMs)
      end_at_once("\ninterrupted twice, so the run was ended at once\n");
  }
  errno = kept;
}

void on_terminate(int) {
  // The first one counts: more of them give no more time.
  if (const unsigned seconds = grace.exchange(0); seconds != 0) alarm(seconds);
  requested.store(true);
}

void on_alarm(int) {
  end_at_once(late_text);
}

// `action` holds the handler; an ignored signal stays ignored.
void handle(int signal, struct sigaction action) {
  struct sigaction before {};
  sigaction(signal, nullptr, &before);
  if (before.sa_handler == SIG_IGN) return;
  sigemptyset(&action.sa_mask);
  action.sa_flags |= SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

void handle_stop_signals() {
  const int seconds = run::grace_seconds();
  grace.store(static_cast<unsigned>(seconds));
  const auto text = fmt::format("the run was told to stop, and was ended as it had not within {} s\n", seconds);
  text.copy(late_text, sizeof late_text - 1);
  struct sigaction interrupt {};
  interrupt.sa_sigaction = on_interrupt;
  interrupt.sa_flags = SA_SIGINFO;
  handle(SIGINT, interrupt);
  struct sigaction alarmed {};
  alarmed.sa_handler = on_alarm;
  handle(SIGALRM, alarmed);
  struct sigaction terminate {};
  terminate.sa_handler = on_terminate;
  handle(SIGTERM, terminate);
  handle(SIGHUP, terminate);
}

bool stop_requested() {
  return requested.load();
}

}  // namespace nbs::worker
