// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/crash.h"

#include <atomic>
#include <csignal>
#include <cstring>

#include <unistd.h>

namespace nbs::host {

namespace {

thread_local const CallNote* innermost = nullptr;
thread_local bool is_main_thread = false;
// That of the main thread, for threads without a note of their own: it waits for them, so its note is there.
std::atomic<const CallNote*> innermost_of_main{nullptr};

char* shared_page = nullptr;
std::size_t shared_size = 0;

constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
// A stack that has overflowed cannot hold the handler's own frame.
alignas(16) char handler_stack[64 * 1024];

// Appends to `to` at `at` as far as there is room; only what is safe in a signal handler.
void append(char* to, std::size_t size, std::size_t& at, const char* text) {
  while (*text != '\0' && at + 1 < size)
    to[at++] = *text++;
  to[at] = '\0';
}

const char* name_of(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGILL:
      return "SIGILL";
    case SIGFPE:
      return "SIGFPE";
    default:
      return "SIGABRT";
  }
}

void say_where(int signal) {
  char text[512];
  char place[400];
  std::size_t at = 0;
  write_place(place, sizeof place);
  append(text, sizeof text, at, "\nit crashed (");
  append(text, sizeof text, at, name_of(signal));
  append(text, sizeof text, at, *place != '\0' ? ") in " : "), but in no call of a plugin");
  append(text, sizeof text, at, place);
  append(text, sizeof text, at, "\n");
  if (write(STDERR_FILENO, text, at) < 0) return;
}

void on_crash(int signal) {
  if (shared_page == nullptr) say_where(signal);
  // As it would have ended without this handler; the signal comes again when the handler returns.
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void show_place() {
  if (shared_page != nullptr) write_place(shared_page, shared_size);
}

void handle_crashes() {
  stack_t stack{};
  stack.ss_sp = handler_stack;
  stack.ss_size = sizeof handler_stack;
  sigaltstack(&stack, nullptr);
  for (const int signal : kCrashes) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    // A sanitizer has handlers of its own, which say more.
    if (before.sa_handler != SIG_DFL && before.sa_handler != on_crash) continue;
    struct sigaction action {};
    sigemptyset(&action.sa_mask);
    action.sa_handler = on_crash;
    action.sa_flags = SA_ONSTACK;
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace

CallNote::CallNote(const char* plugin, const char* method) noexcept
    : plugin_(plugin), method_(method), before_(innermost) {
  innermost = this;
  if (is_main_thread) innermost_of_main.store(this);
  show_place();
}

CallNote::~CallNote() {
  innermost = before_;
  if (is_main_thread) innermost_of_main.store(before_);
  show_place();
}

void write_place(char* to, std::size_t size) noexcept {
  std::size_t at = 0;
  to[0] = '\0';
  const CallNote* const note = innermost != nullptr ? innermost : innermost_of_main.load();
  if (note == nullptr) return;
  append(to, size, at, note->plugin());
  if (note->method() == nullptr) return;
  append(to, size, at, ", ");
  append(to, size, at, note->method());
  append(to, size, at, "()");
}

void report_crashes() {
  is_main_thread = true;
  innermost_of_main.store(innermost);
  handle_crashes();
}

void share_place(char* page, std::size_t size) {
  shared_page = page;
  shared_size = size;
  show_place();
}

}  // namespace nbs::host
